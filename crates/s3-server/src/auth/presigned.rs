use super::scope::Scope;
use crate::amz_time;
use crate::error::{Code, S3Error, S3Result};
use crate::query::Query;

/// The longest that a presigned URL can be valid: seven days, in seconds.
const MAX_EXPIRES_S: u64 = 604_800;

/// The signature in the query of a presigned URL.
#[derive(Debug)]
pub(crate) struct Presigned {
    pub(crate) scope: Scope,
    pub(crate) signed_headers: Vec<String>,
    pub(crate) signature: String,
    pub(crate) amz_date: String,
    pub(crate) signed_at_ms: u64,
    pub(crate) expires_ms: u64,
}

impl Presigned {
    /// Whether a query carries a signature of version 4.
    pub(crate) fn is_in(query: &Query) -> bool {
        query.has("X-Amz-Algorithm") || query.has("X-Amz-Signature")
    }

    /// Reads the parameters.
    ///
    /// # Errors
    /// `AuthorizationQueryParametersError`, with what is wrong.
    pub(crate) fn read(query: &Query, region: &str) -> S3Result<Self> {
        let field = |name: &str| query.non_empty(name).ok_or_else(missing);
        if field("X-Amz-Algorithm")? != "AWS4-HMAC-SHA256" {
            return Err(wrong("X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256\""));
        }
        let credential = field("X-Amz-Credential")?;
        let amz_date = field("X-Amz-Date")?.to_owned();
        let signed_headers = field("X-Amz-SignedHeaders")?.split(';').map(str::to_ascii_lowercase).collect();
        let signature = field("X-Amz-Signature")?.to_owned();
        let expires_s = expires(field("X-Amz-Expires")?)?;
        let scope = Scope::read(credential).map_err(|fault| wrong(fault.message(None, region)))?;
        let signed_at_ms = amz_time::from_basic(&amz_date)
            .ok_or_else(|| wrong("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\""))?;
        Ok(Self { scope, signed_headers, signature, amz_date, signed_at_ms, expires_ms: expires_s * 1000 })
    }
}

fn expires(text: &str) -> S3Result<u64> {
    match text.parse::<i64>() {
        Err(_) => Err(wrong("X-Amz-Expires should be a number")),
        Ok(seconds) => match u64::try_from(seconds) {
            Err(_) => Err(wrong("X-Amz-Expires must be non-negative")),
            Ok(seconds) if seconds > MAX_EXPIRES_S => Err(wrong(
                "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds",
            )),
            Ok(seconds) => Ok(seconds),
        },
    }
}

fn missing() -> S3Error {
    wrong(
        "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, \
         X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.",
    )
}

/// `AuthorizationQueryParametersError`, with what is wrong.
pub(crate) fn wrong(why: impl Into<std::borrow::Cow<'static, str>>) -> S3Error {
    S3Error::new(Code::AuthorizationQueryParametersError, why)
}

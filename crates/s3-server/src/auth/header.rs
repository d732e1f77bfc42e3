use super::scope::Scope;
use crate::error::{Code, S3Error, S3Result};

/// An `Authorization` header of signature version 4.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct AuthorizationHeader {
    pub(crate) scope: Scope,
    pub(crate) signed_headers: Vec<String>,
    pub(crate) signature: String,
}

impl AuthorizationHeader {
    /// Reads the header.
    ///
    /// # Errors
    /// `InvalidRequest` for another mechanism, `AuthorizationHeaderMalformed` for a part that is wrong.
    pub(crate) fn read(text: &str, region: &str) -> S3Result<Self> {
        let Some(fields) = text.trim().strip_prefix("AWS4-HMAC-SHA256") else {
            let message =
                "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.";
            return Err(S3Error::new(Code::InvalidRequest, message));
        };
        let field = |name: &str| {
            fields
                .split(',')
                .find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='))
                .filter(|value| !value.is_empty())
                .ok_or_else(|| malformed(&format!("missing {name}.")))
        };
        let scope = Scope::read(field("Credential")?).map_err(|fault| malformed(&fault.message(None, region)))?;
        let signed_headers = field("SignedHeaders")?.split(';').map(str::to_ascii_lowercase).collect();
        Ok(Self { scope, signed_headers, signature: field("Signature")?.to_owned() })
    }
}

/// `AuthorizationHeaderMalformed`, with what is wrong.
pub(crate) fn malformed(why: &str) -> S3Error {
    S3Error::new(Code::AuthorizationHeaderMalformed, format!("The authorization header is malformed; {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_fields_with_or_without_spaces() {
        for space in ["", " "] {
            let text = format!(
                "AWS4-HMAC-SHA256 Credential=K/20130524/us-east-1/s3/aws4_request,{space}SignedHeaders=host;range,{space}Signature=ab"
            );
            let header = AuthorizationHeader::read(&text, "us-east-1").unwrap();
            assert_eq!(header.signed_headers, ["host", "range"]);
            assert_eq!((header.scope.access_key_id.as_str(), header.signature.as_str()), ("K", "ab"));
        }
    }

    #[test]
    fn says_what_is_missing() {
        let code = |text| AuthorizationHeader::read(text, "us-east-1").unwrap_err().code();
        assert_eq!(code("Basic dTpw"), Code::InvalidRequest);
        assert_eq!(code("AWS4-HMAC-SHA256 Credential=K"), Code::AuthorizationHeaderMalformed);
        assert_eq!(code("AWS4-HMAC-SHA256"), Code::AuthorizationHeaderMalformed);
    }
}

use http::HeaderMap;

use super::signing_key::sha256_hex;
use crate::encoding::{encode_path, encode_query};
use crate::error::{Code, S3Error, S3Result};
use crate::request::Request;

/// What both signature forms sign, in the one form in which client and server must agree.
pub(crate) struct Canonical<'a> {
    pub(crate) request: &'a Request,
    /// Names in lower case, in the order in which the client signed them.
    pub(crate) signed_headers: &'a [String],
    /// What stands for the body.
    pub(crate) payload: &'a str,
    /// A query parameter that is not signed: the signature itself.
    pub(crate) omitted: Option<&'a str>,
}

impl Canonical<'_> {
    /// The text whose signature is compared.
    pub(crate) fn string_to_sign(&self, amz_date: &str, credential_scope: &str) -> String {
        format!("AWS4-HMAC-SHA256\n{amz_date}\n{credential_scope}\n{}", sha256_hex(self.text().as_bytes()))
    }

    fn text(&self) -> String {
        let path = crate::encoding::decode_path(self.request.raw_path()).unwrap_or_default();
        let headers: String = self
            .signed_headers
            .iter()
            .map(|name| format!("{name}:{}\n", header_value(self.request.headers(), name)))
            .collect();
        [
            self.request.method().as_str(),
            &encode_path(&path),
            &self.query(),
            &headers,
            &self.signed_headers.join(";"),
            self.payload,
        ]
        .join("\n")
    }

    fn query(&self) -> String {
        let mut pairs: Vec<(String, String)> = self
            .request
            .query()
            .iter()
            .filter(|parameter| self.omitted != Some(parameter.name.as_str()))
            .map(|parameter| (encode_query(&parameter.name), encode_query(&parameter.value)))
            .collect();
        pairs.sort();
        pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
    }
}

/// A header's values, joined by commas, their inner white space folded.
fn header_value(headers: &HeaderMap, name: &str) -> String {
    let folded = headers.get_all(name).iter().map(|value| {
        let text = String::from_utf8_lossy(value.as_bytes());
        text.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
    });
    folded.collect::<Vec<_>>().join(",")
}

/// Refuses a request whose host or any `x-amz-` header is not signed: it could have been changed on the way.
///
/// # Errors
/// `AccessDenied`, as S3 answers.
pub(crate) fn require_signed(headers: &HeaderMap, signed: &[String]) -> S3Result<()> {
    let must = |name: &str| name == "host" || (name.starts_with("x-amz-") && name != "x-amz-content-sha256");
    let missing: Vec<&str> = headers
        .keys()
        .map(http::HeaderName::as_str)
        .filter(|name| must(name) && !signed.iter().any(|signed| signed == name))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let message = "There were headers present in the request which were not signed";
    Err(S3Error::new(Code::AccessDenied, message).with("HeadersNotSigned", missing.join(", ")))
}

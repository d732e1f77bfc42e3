//! Signature version 2 in the `Authorization` header, which older SDKs still make.

use http::header::DATE;

use super::old_query::string_to_sign;
use crate::amz_time;
use crate::error::{Code, S3Error, S3Result};
use crate::request::Request;

/// An `Authorization: AWS key:signature` header.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct OldHeader<'a> {
    pub(super) access_key_id: &'a str,
    pub(super) signature: &'a str,
}

impl<'a> OldHeader<'a> {
    /// Whether a header is of version 2.
    pub(super) fn is(text: &str) -> bool {
        text.trim_start().starts_with("AWS ")
    }

    /// Reads the header.
    ///
    /// # Errors
    /// `InvalidArgument` when it is not a key, a colon and a signature.
    pub(super) fn read(text: &'a str) -> S3Result<Self> {
        let fields = text.trim().strip_prefix("AWS ").map(str::trim).and_then(|fields| fields.rsplit_once(':'));
        let message = "AWS authorization header is invalid.  Expected AwsAccessKeyId:signature";
        match fields.filter(|(key, signature)| !key.is_empty() && !signature.is_empty() && !key.contains(' ')) {
            Some((access_key_id, signature)) => Ok(Self { access_key_id, signature }),
            None => Err(S3Error::argument("Authorization", text, message)),
        }
    }
}

/// The text that must be signed, and when it was, as the client wrote it and in milliseconds.
///
/// # Errors
/// `AccessDenied` when no header tells a time.
pub(super) fn text_and_time(request: &Request) -> S3Result<(String, String, u64)> {
    let missing = || S3Error::new(Code::AccessDenied, "AWS authentication requires a valid Date or x-amz-date header");
    let read = |text: &str| amz_time::from_http(text).or_else(|| amz_time::from_basic(text)).ok_or_else(missing);
    match (request.header("x-amz-date"), request.header(DATE.as_str())) {
        // It stands among the x-amz- headers, and not in the line of the date.
        (Some(date), _) => Ok((string_to_sign(request, "", false), date.to_owned(), read(date)?)),
        (None, Some(date)) => Ok((string_to_sign(request, date, false), date.to_owned(), read(date)?)),
        (None, None) => Err(missing()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::old_query::OldQuery;
    use super::*;

    fn request(method: &str, uri: &str, headers: &[(&str, &str)]) -> Request {
        let mut builder = http::Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            builder = builder.header(*name, *value);
        }
        Request::read(builder.body(()).unwrap().into_parts().0).unwrap()
    }

    #[test]
    fn signs_as_the_documentation_says() {
        let date = "Tue, 27 Mar 2007 19:36:42 +0000";
        let request = request("GET", "/awsexamplebucket1/photos/puppy.jpg", &[("date", date)]);
        let (text, said, at_ms) = text_and_time(&request).unwrap();
        assert_eq!((said.as_str(), at_ms), (date, 1_175_024_202_000));
        let signature = OldQuery::sign("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", &text);
        assert_eq!(signature, "qgk2+6Sv9/oM7G3qLEjTH1a1l1g=");
    }

    #[test]
    fn a_header_is_a_key_a_colon_and_a_signature() {
        let expected = OldHeader { access_key_id: "a:b", signature: "c=" };
        assert_eq!(OldHeader::read("AWS a:b:c=").unwrap(), expected);
        for text in ["AWS ", "AWS key", "AWS :signature", "AWS key:", "AWS a b:c"] {
            assert_eq!(OldHeader::read(text).unwrap_err().code(), Code::InvalidArgument, "{text}");
        }
        assert!(!OldHeader::is("AWS4-HMAC-SHA256 Credential=K"));
    }
}

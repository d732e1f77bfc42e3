//! Signature version 2 in the query of a presigned URL, which older SDKs still make.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

use crate::error::{Code, S3Error, S3Result};
use crate::operation::Operation;
use crate::query::Query;
use crate::request::Request;

/// Parameters that are signed beside those that choose an operation.
const SIGNED: [&str; 6] =
    ["defaultObjectAcl", "partNumber", "storageClass", "uploadId", "versionId", "x-amz-security-token"];
/// How the parameters begin that change an answer's headers; they are signed too.
const ANSWERED: &str = "response-";

/// The signature in the query of a presigned URL, version 2.
#[derive(Debug)]
pub(super) struct OldQuery {
    pub(super) access_key_id: String,
    pub(super) expires_at_ms: u64,
    pub(super) signature: String,
    expires: String,
}

impl OldQuery {
    /// Whether a query carries a signature of version 2.
    pub(super) fn is_in(query: &Query) -> bool {
        query.has("AWSAccessKeyId") || query.has("Signature")
    }

    /// Reads the parameters.
    ///
    /// # Errors
    /// `AccessDenied` when one is missing, or no time in seconds.
    pub(super) fn read(query: &Query) -> S3Result<Self> {
        let missing = || {
            let message = "Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters";
            S3Error::new(Code::AccessDenied, message)
        };
        let field = |name: &str| query.non_empty(name).ok_or_else(missing);
        let expires = field("Expires")?.to_owned();
        let invalid =
            || S3Error::new(Code::AccessDenied, format!("Invalid date (should be seconds since epoch): {expires}"));
        let expires_at_ms = expires.parse::<u64>().ok().and_then(|seconds| seconds.checked_mul(1000));
        Ok(Self {
            access_key_id: field("AWSAccessKeyId")?.to_owned(),
            expires_at_ms: expires_at_ms.ok_or_else(invalid)?,
            // A plus sign that was not encoded has been read as a space.
            signature: field("Signature")?.replace(' ', "+"),
            expires,
        })
    }

    /// The text whose signature is compared.
    pub(super) fn string_to_sign(&self, request: &Request) -> String {
        string_to_sign(request, &self.expires, true)
    }

    /// The signature that a text must have, in Base64.
    pub(super) fn sign(secret: &str, text: &str) -> String {
        // HMAC takes a key of any length, so the empty fallback never happens, and fits no signature.
        Hmac::<Sha1>::new_from_slice(secret.as_bytes())
            .map_or_else(|_| String::new(), |mac| STANDARD.encode(mac.chain_update(text).finalize().into_bytes()))
    }
}

/// The text that version 2 signs. In a presigned URL parameters stand for headers, and `date` is when it expires.
pub(super) fn string_to_sign(request: &Request, date: &str, is_presigned: bool) -> String {
    let amz = amz_headers(request, is_presigned);
    let amz: String = amz.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
    let parameters = Some(request.query()).filter(|_| is_presigned);
    let said = |name| request.header(name).or_else(|| parameters?.get(name)).unwrap_or_default();
    let (method, md5, content_type) = (request.method(), said("content-md5"), said("content-type"));
    format!("{method}\n{md5}\n{content_type}\n{date}\n{amz}{}", resource(request))
}

/// Headers `x-amz-…`, and in a presigned URL parameters of such names; where both are there, the header.
fn amz_headers(request: &Request, is_presigned: bool) -> BTreeMap<String, String> {
    let is_amz = |name: &str| name.starts_with("x-amz-");
    let parameters = request.query().iter().map(|parameter| (parameter.name.to_ascii_lowercase(), &parameter.value));
    let mut headers = BTreeMap::new();
    for (name, value) in parameters.filter(|(name, _)| is_presigned && is_amz(name)) {
        headers.entry(name).or_insert_with(|| value.trim().to_owned());
    }
    for name in request.headers().keys().map(http::HeaderName::as_str).filter(|name| is_amz(name)) {
        let values = request.headers().get_all(name).iter();
        let values: Vec<_> = values.map(|value| String::from_utf8_lossy(value.as_bytes()).trim().to_owned()).collect();
        headers.insert(name.to_owned(), values.join(","));
    }
    headers
}

/// Bucket, path and the parameters that choose what is done. All of ours are signed, also those that are younger
/// than this version: a URL for one thing must not be good for another.
fn resource(request: &Request) -> String {
    let path = request.raw_path();
    // A bucket alone is signed with a slash at its end, also where the path has none, as botocore does.
    let is_bare = request.target().key.is_none() && !request.is_bucket_in_host() && !path.ends_with('/');
    let path = if is_bare { format!("{path}/") } else { path.to_owned() };
    let of_host = request.target().bucket.as_deref().filter(|_| request.is_bucket_in_host());
    let mut resource = of_host.map_or_else(|| path.clone(), |bucket| format!("/{bucket}{path}"));
    let is_signed =
        |name: &str| SIGNED.contains(&name) || name.starts_with(ANSWERED) || (Operation::is_chosen_by(name));
    let mut signed: Vec<_> = request.query().iter().filter(|parameter| is_signed(&parameter.name)).collect();
    signed.sort_by(|one, other| one.name.cmp(&other.name));
    for (at, parameter) in signed.iter().enumerate() {
        resource.push(if at == 0 { '?' } else { '&' });
        resource.push_str(&parameter.name);
        if !parameter.value.is_empty() {
            resource.push('=');
            resource.push_str(&parameter.value);
        }
    }
    resource
}

#[cfg(test)]
mod tests {
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
        let uri =
            "/awsexamplebucket1/photos/puppy.jpg?AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Signature=x&Expires=1141889120";
        let request = request("GET", uri, &[]);
        let text = OldQuery::read(request.query()).unwrap().string_to_sign(&request);
        assert_eq!(text, "GET\n\n\n1141889120\n/awsexamplebucket1/photos/puppy.jpg");
        let text = "GET\n\n\n1175139620\n/awsexamplebucket1/photos/puppy.jpg";
        let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
        assert_eq!(OldQuery::sign(secret, text), "1No4mq5ETf02z8aet9voy6gui6E=");
    }

    #[test]
    fn what_chooses_an_operation_and_what_stands_for_a_header_is_signed() {
        let uri = "/a%20b?Signature=x&Expires=1&AWSAccessKeyId=K&uploads&publicAccessBlock=&prefix=p&response-expires=a%20b&X-Amz-Acl=private";
        let headers = [("host", "bkt.localhost:1"), ("x-amz-meta-b", " 1 "), ("content-type", "text/plain")];
        let request = request("PUT", uri, &headers);
        let text = OldQuery::read(request.query()).unwrap().string_to_sign(&request);
        let resource = "/bkt/a%20b?publicAccessBlock&response-expires=a b&uploads";
        assert_eq!(text, format!("PUT\n\ntext/plain\n1\nx-amz-acl:private\nx-amz-meta-b:1\n{resource}"));
    }

    #[test]
    fn a_bucket_alone_is_signed_with_a_slash() {
        for (uri, signed) in [("/bkt", "/bkt/"), ("/bkt/", "/bkt/"), ("/", "/"), ("/bkt?acl", "/bkt/?acl")] {
            assert_eq!(string_to_sign(&request("GET", uri, &[]), "", false), format!("GET\n\n\n\n{signed}"));
        }
    }
}

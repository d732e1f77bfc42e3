//! Signature version 4 written a second time, from its documentation, so that the server is not checked against itself.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256};

pub(crate) const KEY: &str = "STORAGE";
pub(crate) const SECRET: &str = "STORAGE";
pub(crate) const REGION: &str = "us-east-1";

fn hmac(key: &[u8], data: &str) -> Vec<u8> {
    Hmac::<Sha256>::new_from_slice(key).unwrap().chain_update(data).finalize().into_bytes().to_vec()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn sha256(data: &[u8]) -> String {
    hex(&Sha256::digest(data))
}

/// Signs requests to one host at one time.
pub(crate) struct Signer {
    pub(crate) host: String,
    /// `20261120T143534Z`.
    pub(crate) time: String,
    pub(crate) key: String,
    pub(crate) secret: String,
}

impl Signer {
    pub(crate) fn scope(&self) -> String {
        format!("{}/{REGION}/s3/aws4_request", &self.time[..8])
    }

    pub(crate) fn sign(&self, text: &str) -> String {
        let day = hmac(format!("AWS4{}", self.secret).as_bytes(), &self.time[..8]);
        let key = hmac(&hmac(&hmac(&day, REGION), "s3"), "aws4_request");
        hex(&hmac(&key, text))
    }

    fn signature(&self, canonical: &str) -> String {
        let (time, scope) = (&self.time, self.scope());
        self.sign(&format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", sha256(canonical.as_bytes())))
    }

    /// The headers of a signed request. `payload` is what stands for the body; `target` has its query in order.
    pub(crate) fn headers(
        &self,
        method: &str,
        target: &str,
        payload: &str,
        more: &[(&str, &str)],
    ) -> Vec<(String, String)> {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut headers: Vec<(String, String)> =
            [("host", self.host.as_str()), ("x-amz-content-sha256", payload), ("x-amz-date", &self.time)]
                .into_iter()
                .chain(more.iter().copied())
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect();
        headers.sort();
        let lines: String = headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        let names = headers.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(";");
        let signature = self.signature(&[method, path, query, &lines, &names, payload].join("\n"));
        let credential = format!("{}/{}", self.key, self.scope());
        let value = format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature={signature}");
        headers.push(("authorization".into(), value));
        headers
    }

    /// A presigned path and query.
    pub(crate) fn presigned(&self, method: &str, path: &str, expires_s: u32) -> String {
        let query = format!(
            "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={}%2F{}&X-Amz-Date={}&X-Amz-Expires={expires_s}&X-Amz-SignedHeaders=host",
            self.key,
            self.scope().replace('/', "%2F"),
            self.time
        );
        let host = format!("host:{}\n", self.host);
        let signature = self.signature(&[method, path, &query, &host, "host", "UNSIGNED-PAYLOAD"].join("\n"));
        format!("{path}?{query}&X-Amz-Signature={signature}")
    }

    /// The signature of a text, version 2.
    pub(crate) fn sign_old(&self, text: &str) -> String {
        let mac = Hmac::<Sha1>::new_from_slice(self.secret.as_bytes()).unwrap().chain_update(text).finalize();
        STANDARD.encode(mac.into_bytes())
    }

    /// A presigned path and query of version 2. `signed` is what the text to sign ends with, when it is not the path.
    pub(crate) fn presigned_old(&self, method: &str, target: &str, expires_s: u64, signed: Option<&str>) -> String {
        let text = format!("{method}\n\n\n{expires_s}\n{}", signed.unwrap_or(target));
        let signature = self.sign_old(&text).replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
        let sign = if target.contains('?') { '&' } else { '?' };
        format!("{target}{sign}AWSAccessKeyId={}&Signature={signature}&Expires={expires_s}", self.key)
    }

    /// A body in signed chunks, from the signature of its request; trailers are signed too.
    pub(crate) fn chunked(&self, seed: &str, chunks: &[&[u8]], trailers: &[(&str, &str)]) -> Vec<u8> {
        let mut body = Vec::new();
        let mut previous = seed.to_owned();
        let none: &[u8] = b"";
        for &data in chunks.iter().chain([&none]) {
            let (time, scope, empty) = (&self.time, self.scope(), sha256(b""));
            let text = format!("AWS4-HMAC-SHA256-PAYLOAD\n{time}\n{scope}\n{previous}\n{empty}\n{}", sha256(data));
            previous = self.sign(&text);
            body.extend(format!("{:x};chunk-signature={previous}\r\n", data.len()).bytes());
            body.extend(data);
            if !data.is_empty() {
                body.extend(b"\r\n");
            }
        }
        if !trailers.is_empty() {
            let signed: String = trailers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
            let (time, scope) = (&self.time, self.scope());
            let text = format!("AWS4-HMAC-SHA256-TRAILER\n{time}\n{scope}\n{previous}\n{}", sha256(signed.as_bytes()));
            body.extend(signed.replace('\n', "\r\n").bytes());
            body.extend(format!("x-amz-trailer-signature:{}\r\n", self.sign(&text)).bytes());
        }
        body.extend(b"\r\n");
        body
    }
}

use crate::encoding::decode_path;
use crate::error::{Code, S3Error, S3Result};

/// Hosts under which a name is a bucket: `photos.localhost`. The longest that fits counts.
const BUCKET_DOMAINS: [&str; 2] = [".s3.localhost", ".localhost"];

/// What a request is about: the service, a bucket, or an object in it. Nothing in a key is normalised.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) bucket: Option<String>,
    pub(crate) key: Option<String>,
}

impl Target {
    /// Reads the host (virtual-host-style) and the raw path (path-style).
    ///
    /// # Errors
    /// `InvalidURI` when the path is not UTF-8 once decoded.
    pub(crate) fn read(host: Option<&str>, raw_path: &str) -> S3Result<Self> {
        let path = decode_path(raw_path).ok_or_else(|| S3Error::from(Code::InvalidURI).with("URI", raw_path))?;
        let path = path.strip_prefix('/').unwrap_or(&path);
        if let Some(bucket) = host.and_then(bucket_of_host) {
            return Ok(Self { bucket: Some(bucket), key: non_empty(path) });
        }
        let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
        match (bucket, key) {
            ("", "") => Ok(Self::default()),
            ("", _) => Err(S3Error::from(Code::InvalidBucketName).with("BucketName", "")),
            _ => Ok(Self { bucket: non_empty(bucket), key: non_empty(key) }),
        }
    }
}

/// Whether a `Host` header names a bucket.
pub(crate) fn is_bucket_host(host: &str) -> bool {
    bucket_of_host(host).is_some()
}

/// The bucket that a `Host` header names, if it names one.
fn bucket_of_host(host: &str) -> Option<String> {
    let name = host.rsplit_once(':').map_or(host, |(name, _port)| name).to_ascii_lowercase();
    BUCKET_DOMAINS.iter().find_map(|domain| non_empty(name.strip_suffix(domain)?)).filter(|bucket| bucket != "s3")
}

fn non_empty(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(bucket: &str, key: &str) -> Target {
        Target { bucket: non_empty(bucket), key: non_empty(key) }
    }

    #[test]
    fn path_style_keeps_the_key_exactly() {
        let host = Some("127.0.0.1:3000");
        assert_eq!(Target::read(host, "/").unwrap(), target("", ""));
        assert_eq!(Target::read(host, "/b").unwrap(), target("b", ""));
        assert_eq!(Target::read(host, "/b/").unwrap(), target("b", ""));
        assert_eq!(Target::read(host, "/b/a//b/../c%2F%2e/").unwrap(), target("b", "a//b/../c/./"));
        assert_eq!(Target::read(host, "/b//a+b%2520").unwrap(), target("b", "/a+b%20"));
    }

    #[test]
    fn a_name_under_localhost_is_a_bucket() {
        assert_eq!(Target::read(Some("photos.localhost:3000"), "/a/b").unwrap(), target("photos", "a/b"));
        assert_eq!(Target::read(Some("my.photos.s3.localhost"), "/").unwrap(), target("my.photos", ""));
        assert_eq!(Target::read(Some("s3.localhost"), "/b/k").unwrap(), target("b", "k"));
        assert_eq!(Target::read(Some("localhost:3000"), "/b/k").unwrap(), target("b", "k"));
    }

    #[test]
    fn a_path_without_a_bucket_or_not_in_utf8_is_refused() {
        assert_eq!(Target::read(None, "//k").unwrap_err().code(), Code::InvalidBucketName);
        assert_eq!(Target::read(None, "/b/%ff").unwrap_err().code(), Code::InvalidURI);
    }
}

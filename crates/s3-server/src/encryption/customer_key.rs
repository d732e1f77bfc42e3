use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};
use subtle::ConstantTimeEq as _;

use super::AES256;
use crate::engine::CustomerKey;
use crate::error::{Code, S3Error, S3Result};
use crate::request::Request;

/// The three headers of a key that a client brings along, read and checked.
#[derive(Clone, Debug)]
pub(crate) struct SentKey {
    pub(crate) key: CustomerKey,
    /// Its MD5 in base64, as answers give it back.
    pub(crate) md5: String,
}

impl SentKey {
    /// The key of the object that a request is about.
    ///
    /// # Errors
    /// `InvalidArgument`, `InvalidEncryptionAlgorithmError`.
    pub(crate) fn of_request(request: &Request) -> S3Result<Option<Self>> {
        Self::read(
            request.header("x-amz-server-side-encryption-customer-algorithm"),
            request.header("x-amz-server-side-encryption-customer-key"),
            request.header("x-amz-server-side-encryption-customer-key-md5"),
        )
    }

    /// The key of the object that is copied.
    ///
    /// # Errors
    /// As [`SentKey::of_request`].
    pub(crate) fn of_copy_source(request: &Request) -> S3Result<Option<Self>> {
        Self::read(
            request.header("x-amz-copy-source-server-side-encryption-customer-algorithm"),
            request.header("x-amz-copy-source-server-side-encryption-customer-key"),
            request.header("x-amz-copy-source-server-side-encryption-customer-key-md5"),
        )
    }

    fn read(algorithm: Option<&str>, key: Option<&str>, md5: Option<&str>) -> S3Result<Option<Self>> {
        if algorithm.is_none() && key.is_none() && md5.is_none() {
            return Ok(None);
        }
        let must = |what: &str| {
            let message =
                format!("Requests specifying Server Side Encryption with Customer provided keys must provide {what}.");
            invalid("x-amz-server-side-encryption", message)
        };
        match algorithm {
            None => return Err(must("a valid encryption algorithm")),
            Some(AES256) => {}
            Some(_) => return Err(Code::InvalidEncryptionAlgorithmError.into()),
        }
        let text = key.ok_or_else(|| must("an appropriate secret key"))?;
        let md5 = md5.ok_or_else(|| must("the client calculated MD5 of the secret key"))?;
        let wrong = || {
            let message = "The secret key was invalid for the specified algorithm.".to_owned();
            invalid("x-amz-server-side-encryption-customer-key", message)
        };
        let key = CustomerKey::of_base64(text).ok_or_else(wrong)?;
        let found = STANDARD.encode(Md5::digest(key.bytes()));
        if !bool::from(found.as_bytes().ct_eq(md5.as_bytes())) {
            let message = "The calculated MD5 hash of the key did not match the hash that was provided.".to_owned();
            return Err(invalid("x-amz-server-side-encryption-customer-key-MD5", message));
        }
        Ok(Some(Self { key, md5: found }))
    }
}

/// `InvalidArgument` that names the argument, and not its value: that is secret.
fn invalid(name: &str, message: String) -> S3Error {
    S3Error::new(Code::InvalidArgument, message).with("ArgumentName", name).with("ArgumentValue", "null")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 32 zeros.
    const KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    const MD5: &str = "cLyPS3KoaSFGi/joRB3OUQ==";

    #[test]
    fn a_key_is_taken_with_its_algorithm_and_its_md5_and_not_otherwise() {
        assert!(SentKey::read(None, None, None).unwrap().is_none());
        assert_eq!(SentKey::read(Some("AES256"), Some(KEY), Some(MD5)).unwrap().unwrap().md5, MD5);
        for (algorithm, key, md5, code, says) in [
            (None, Some(KEY), Some(MD5), Code::InvalidArgument, "valid encryption algorithm"),
            (Some("AES128"), Some(KEY), Some(MD5), Code::InvalidEncryptionAlgorithmError, "AES256"),
            (Some("AES256"), None, Some(MD5), Code::InvalidArgument, "appropriate secret key"),
            (Some("AES256"), Some(KEY), None, Code::InvalidArgument, "calculated MD5"),
            (Some("AES256"), Some("AAAA"), Some(MD5), Code::InvalidArgument, "invalid for the specified"),
            (Some("AES256"), Some("?"), Some(MD5), Code::InvalidArgument, "invalid for the specified"),
            (Some("AES256"), Some(KEY), Some("AAAA"), Code::InvalidArgument, "did not match"),
        ] {
            let refused = SentKey::read(algorithm, key, md5).unwrap_err();
            assert_eq!(refused.code(), code, "{algorithm:?} {key:?} {md5:?}");
            assert!(refused.message().contains(says), "{}", refused.message());
            assert!(!format!("{refused:?}").contains("AAAAAAAA"));
        }
    }
}

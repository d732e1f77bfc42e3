use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{AES256, BUCKET_KEY, BucketEncryption, CONTEXT, KMS, KMS_KEY_ID, METHOD, SentKey};
use crate::engine::{KmsKey, Scheme};
use crate::error::{Code, S3Error, S3Result};
use crate::request::Request;

/// The longest id of a key, as KMS has it.
const MAX_KEY_ID_BYTES: usize = 2048;
/// The longest encryption context, in bytes of base64.
const MAX_CONTEXT_BYTES: usize = 8192;

/// How a write is to be encrypted.
#[derive(Clone, Debug, Default)]
pub(crate) struct WriteEncryption {
    /// `None`: not at all.
    pub(crate) scheme: Option<Scheme>,
    /// The key of [`Scheme::Customer`].
    pub(crate) sent_key: Option<SentKey>,
}

impl WriteEncryption {
    /// What the headers of a write ask for.
    ///
    /// # Errors
    /// `InvalidArgument`, `InvalidEncryptionAlgorithmError`, `KMS.NotFoundException`, and `NotImplemented` for two
    /// layers of encryption.
    pub(crate) fn asked(request: &Request, region: &str) -> S3Result<Self> {
        let sent_key = SentKey::of_request(request)?;
        let names_kms = request.headers().contains_key(KMS_KEY_ID) || request.headers().contains_key(CONTEXT);
        let scheme = match (request.header(METHOD), &sent_key) {
            (Some(method), Some(_)) => {
                let message = "Server Side Encryption with Customer provided key is incompatible with the encryption \
                    method specified";
                return Err(S3Error::argument(METHOD, method, message));
            }
            (None, Some(_)) if !names_kms => Some(Scheme::Customer),
            (None, None) if !names_kms => None,
            (Some(AES256), None) if !names_kms => Some(Scheme::S3),
            (Some(KMS), None) => Some(Scheme::Kms(kms_key(request, region)?)),
            (Some("aws:kms:dsse"), None) => {
                let message = "Two layers of encryption (aws:kms:dsse) are not implemented; ask for aws:kms";
                return Err(S3Error::new(Code::NotImplemented, message).with("Header", METHOD));
            }
            (Some(AES256) | None, _) => {
                let message = "Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms";
                return Err(S3Error::argument(METHOD, request.header(METHOD).unwrap_or("null"), message));
            }
            (Some(unknown), None) => {
                return Err(S3Error::argument(METHOD, unknown, "The encryption method specified is not supported"));
            }
        };
        Ok(Self { scheme, sent_key })
    }

    /// The same in a bucket: what is not said is the bucket's default, what it blocks is refused.
    ///
    /// # Errors
    /// `AccessDenied`.
    pub(crate) fn in_bucket(mut self, bucket: Option<&BucketEncryption>, region: &str) -> S3Result<Self> {
        let Some(bucket) = bucket else { return Ok(self) };
        if self.sent_key.is_some() && bucket.blocks_customer_keys {
            let message = "Access Denied: the bucket's encryption setting blocks encryption with customer keys";
            return Err(S3Error::new(Code::AccessDenied, message));
        }
        if self.scheme.is_none() {
            self.scheme = bucket.default_scheme(region);
        }
        Ok(self)
    }
}

/// The id that stands for the key which AWS manages for S3.
pub(super) fn default_key_id(region: &str) -> String {
    format!("arn:aws:kms:{region}:000000000000:alias/aws/s3")
}

/// Refuses what can't name a key.
///
/// # Errors
/// `KMS.NotFoundException`.
pub(super) fn check_key_id(id: &str) -> S3Result<()> {
    let may_stand = |byte: u8| byte.is_ascii_alphanumeric() || b":/_-.".contains(&byte);
    if !id.is_empty() && id.len() <= MAX_KEY_ID_BYTES && id.bytes().all(may_stand) {
        return Ok(());
    }
    Err(S3Error::new(Code::KmsNotFoundException, format!("Invalid keyId '{id}'")))
}

fn kms_key(request: &Request, region: &str) -> S3Result<KmsKey> {
    let id = request.header(KMS_KEY_ID).map_or_else(|| default_key_id(region), str::to_owned);
    check_key_id(&id)?;
    let has_bucket_key = match request.header(BUCKET_KEY) {
        None => false,
        Some(text) if text.eq_ignore_ascii_case("true") => true,
        Some(text) if text.eq_ignore_ascii_case("false") => false,
        Some(other) => {
            return Err(S3Error::argument(BUCKET_KEY, other, "The bucket key must be enabled with true or false"));
        }
    };
    let context = request.header(CONTEXT).map(str::to_owned);
    match &context {
        Some(text) if !is_context(text) => {
            let message = "The header 'x-amz-server-side-encryption-context' shall be Base64-encoded UTF-8 string holding \
                JSON which represents a string-string map";
            Err(S3Error::argument(CONTEXT, text, message))
        }
        _ => Ok(KmsKey { id, context, has_bucket_key }),
    }
}

fn is_context(text: &str) -> bool {
    let read = |json: Vec<u8>| serde_json::from_slice::<HashMap<String, String>>(&json).ok();
    text.len() <= MAX_CONTEXT_BYTES && STANDARD.decode(text).ok().and_then(read).is_some()
}

/// Reads name no method: it is the object's.
///
/// # Errors
/// `InvalidArgument`.
pub(crate) fn refuse_on_read(request: &Request) -> S3Result<()> {
    for name in [METHOD, KMS_KEY_ID, CONTEXT] {
        if let Some(value) = request.header(name) {
            return Err(S3Error::argument(name, value, format!("{name} header is not supported for this operation.")));
        }
    }
    Ok(())
}

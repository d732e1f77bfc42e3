//! What is kept of an object's encryption: how, and the data key, sealed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use holdfast_base::Error;
use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

use super::key::Secret;
use super::layout::{HEADER_BYTES, TAG_BYTES};
use super::master_key::MasterKey;
use super::segment_cipher::{Header, SegmentCipher};
use super::{CustomerKey, DataKey};

/// Who has the key that opens an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by")]
pub enum Scheme {
    /// The client, who sends it with each request (SSE-C).
    #[serde(rename = "customer")]
    Customer,
    /// This server (SSE-S3).
    #[serde(rename = "s3")]
    S3,
    /// A named key of this server's ring (SSE-KMS).
    #[serde(rename = "kms")]
    Kms(KmsKey),
}

/// A key of the ring, as a client named it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KmsKey {
    /// Its id, ARN or alias.
    pub id: String,
    /// The encryption context, in base64, as the client sent it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
    /// Whether the client asked for a bucket key. Nothing depends on it here.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub has_bucket_key: bool,
}

/// How an object's bytes are encrypted at rest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Encryption {
    /// Who has the key that opens it.
    #[serde(flatten)]
    pub scheme: Scheme,
    /// The data key, sealed, in base64.
    #[serde(rename = "key")]
    sealed_key: String,
}

/// The key that seals data keys.
pub(in super::super) enum Sealing<'a> {
    Customer(&'a CustomerKey),
    Master(&'a MasterKey),
}

impl Encryption {
    /// Makes a data key for an object of that bucket and key, and seals it.
    pub(in super::super) fn begin(
        scheme: Scheme,
        sealing: &Sealing<'_>,
        object: (&str, &str),
    ) -> Result<(Self, DataKey), Error> {
        let secret = sealing.secret(&scheme)?;
        let (cipher, header) = SegmentCipher::begin(&secret, &context(&scheme, object))?;
        let data_key = Secret::random()?;
        let mut sealed = *data_key.bytes();
        let tag = cipher.seal(0, true, &mut sealed)?;
        let sealed_key = STANDARD.encode([&header[..], &sealed, &tag].concat());
        Ok((Self { scheme, sealed_key }, DataKey(data_key)))
    }

    /// Opens the data key; `None` when that is not the key which sealed it, or not for that object.
    pub(in super::super) fn open(&self, sealing: &Sealing<'_>, object: (&str, &str)) -> Result<Option<DataKey>, Error> {
        let secret = sealing.secret(&self.scheme)?;
        let open = || {
            let sealed = STANDARD.decode(&self.sealed_key).ok()?;
            let (header, sealed) = sealed.split_first_chunk::<HEADER_BYTES>()?;
            let header: &Header = header;
            let cipher = SegmentCipher::resume(&secret, &context(&self.scheme, object), header)?;
            let mut buffer = sealed.to_vec();
            let opened = cipher.open(0, true, &mut buffer, 0).and_then(|bytes| Secret::of(&buffer[..bytes]));
            buffer.zeroize();
            opened.map(DataKey)
        };
        Ok(open())
    }

    /// As the index holds it.
    pub(in super::super) fn text(&self) -> Option<String> {
        serde_json::to_string(self).ok()
    }

    /// Reads what the index holds.
    pub(in super::super) fn read(text: &str) -> Option<Self> {
        let read: Self = serde_json::from_str(text).ok()?;
        let bytes = STANDARD.decode(&read.sealed_key).ok()?.len();
        (bytes == HEADER_BYTES + super::key::KEY_BYTES + TAG_BYTES).then_some(read)
    }
}

impl Sealing<'_> {
    fn secret(&self, scheme: &Scheme) -> Result<Secret, Error> {
        match (self, scheme) {
            (Self::Customer(key), Scheme::Customer) => Ok(key.0.clone()),
            (Self::Master(key), Scheme::S3) => Ok(key.secret().clone()),
            (Self::Master(key), Scheme::Kms(kms)) => key.of_ring(&kms.id),
            _ => Err(Error::internal("a data key was to be opened by a key of another kind")),
        }
    }
}

/// What a data key is sealed for; lengths keep one field from running into the next.
fn context(scheme: &Scheme, (bucket, key): (&str, &str)) -> Vec<u8> {
    let (name, kms_context) = match scheme {
        Scheme::Customer => ("SSE-C", ""),
        Scheme::S3 => ("SSE-S3", ""),
        Scheme::Kms(kms) => ("SSE-KMS", kms.context.as_deref().unwrap_or_default()),
    };
    let mut context = Vec::new();
    for field in [name, bucket, key, kms_context] {
        context.extend_from_slice(&(field.len() as u64).to_be_bytes());
        context.extend_from_slice(field.as_bytes());
    }
    context
}

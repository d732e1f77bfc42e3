//! Encryption of what a request writes and reads, and the setting of a bucket.

use http::StatusCode;

use super::Call;
use crate::access::Access;
use crate::answer::{self, Answer};
use crate::encoding::hex;
use crate::encryption::{self, BucketEncryption, ENCRYPTION_DOCUMENT, SentKey, WriteEncryption};
use crate::engine::{
    DataKey, Encryption, Engine, EngineError, ObjectAttributes, ObjectFile, ObjectInfo, Scheme, Staged,
};
use crate::error::{Code, S3Error, S3Result};
use crate::request::Request;
use crate::xml::XmlWriter;

/// The largest encryption setting, in bytes.
const MAX_SETTING_BYTES: usize = 64 * 1024;

/// What a new object or upload is encrypted with.
pub(super) struct NewKey {
    pub(super) encryption: Encryption,
    key: DataKey,
}

impl Call<'_> {
    pub(super) async fn bucket_encryption(&self) -> S3Result<Answer> {
        let bucket = self.request.bucket()?;
        let rules = self.access.rules_of(bucket).await?;
        let missing = || S3Error::from(Code::ServerSideEncryptionConfigurationNotFoundError).with("BucketName", bucket);
        let setting = rules.encryption.as_ref().ok_or_else(missing)?;
        Ok(answer::xml(XmlWriter::document("ServerSideEncryptionConfiguration", |xml| setting.write(xml))))
    }

    pub(super) async fn put_bucket_encryption(&mut self) -> S3Result<Answer> {
        let bucket = self.request.bucket()?;
        let body = self.payload.document(self.request, MAX_SETTING_BYTES).await?;
        let setting = BucketEncryption::read(&body)?;
        let text = serde_json::to_string(&setting).map_err(|_| S3Error::from(Code::InternalError))?;
        self.engine.set_document(bucket, ENCRYPTION_DOCUMENT, &text).await?;
        self.access.rules.forget(bucket);
        Ok(answer::empty(StatusCode::OK))
    }

    pub(super) async fn delete_bucket_encryption(&self) -> S3Result<Answer> {
        let bucket = self.request.bucket()?;
        self.engine.delete_document(bucket, ENCRYPTION_DOCUMENT).await?;
        self.access.rules.forget(bucket);
        Ok(answer::empty(StatusCode::NO_CONTENT))
    }

    /// The data key of an object that is read, with the key that the client sent; `None` for a plain object.
    pub(super) async fn key_of(
        &self,
        (bucket, key): (&str, &str),
        object: &ObjectInfo,
        sent: Option<&SentKey>,
    ) -> S3Result<Option<DataKey>> {
        let encryption = object.attributes.encryption.as_ref();
        let is_customers = encryption.is_some_and(|encryption| encryption.scheme == Scheme::Customer);
        let refusal = match (is_customers, sent) {
            (true, None) => {
                "The object was stored using a form of Server Side Encryption. The correct parameters must be provided \
                 to retrieve the object."
            }
            (false, Some(_)) => "The encryption parameters are not applicable to this object.",
            _ => {
                let Some(encryption) = encryption else { return Ok(None) };
                let sent = sent.map(|sent| &sent.key);
                return Ok(Some(self.engine.data_key((bucket, key), encryption, sent).await?));
            }
        };
        Err(S3Error::new(Code::InvalidRequest, refusal))
    }

    /// Begins a part: as its upload is encrypted.
    pub(super) async fn stage_part(
        &self,
        upload: &ObjectAttributes,
        number: u16,
    ) -> S3Result<(Staged, Option<SentKey>)> {
        let (bucket, key) = (self.request.bucket()?, self.request.key()?);
        let sent = SentKey::of_request(self.request)?;
        let Some(data_key) = self.key_of_upload((bucket, key), upload, sent.as_ref()).await? else {
            return Ok((self.engine.stage(bucket).await?, None));
        };
        Ok((self.engine.stage_sealed(bucket, &data_key, Some(number)).await?, sent))
    }

    /// The data key of an upload, with the key that the client sends along with each part.
    async fn key_of_upload(
        &self,
        object: (&str, &str),
        upload: &ObjectAttributes,
        sent: Option<&SentKey>,
    ) -> S3Result<Option<DataKey>> {
        let invalid = |message: &'static str| S3Error::new(Code::InvalidRequest, message);
        let encryption = upload.encryption.as_ref();
        let is_customers = encryption.is_some_and(|encryption| encryption.scheme == Scheme::Customer);
        match (is_customers, sent) {
            (true, None) => {
                return Err(invalid(
                    "The multipart upload initiate requested encryption. Subsequent part requests must include the \
                     appropriate encryption parameters.",
                ));
            }
            (false, Some(_)) => {
                return Err(invalid(
                    "The multipart upload initiate did not request encryption. Please resend the request without \
                     sending encryption parameters.",
                ));
            }
            _ => {}
        }
        let asked = self.request.header(encryption::METHOD);
        if let Some(method) = asked.filter(|method| Some(*method) != encryption.map(|of| method_of(&of.scheme))) {
            let message = "The encryption method of a part is that of its upload";
            return Err(S3Error::argument(encryption::METHOD, method, message));
        }
        let Some(encryption) = encryption else { return Ok(None) };
        match self.engine.data_key(object, encryption, sent.map(|sent| &sent.key)).await {
            Err(EngineError::WrongCustomerKey) => {
                Err(invalid("The provided encryption parameters did not match the ones used originally."))
            }
            opened => Ok(Some(opened?)),
        }
    }

    /// Whether a completion that brings a key brings that of its upload.
    pub(super) async fn check_key_of_completion(&self, upload: &ObjectAttributes) -> S3Result<()> {
        let Some(sent) = SentKey::of_request(self.request)? else { return Ok(()) };
        self.key_of_upload((self.request.bucket()?, self.request.key()?), upload, Some(&sent)).await?;
        Ok(())
    }
}

/// How a write is encrypted: as its headers say, else as its bucket does. A form's fields stand in a request of their
/// own.
pub(super) async fn write_encryption(access: &Access<'_>, request: &Request) -> S3Result<WriteEncryption> {
    let region = access.facts.region;
    let asked = WriteEncryption::asked(request, region)?;
    let rules = access.rules_of(request.bucket()?).await?;
    asked.in_bucket(rules.encryption.as_ref(), region)
}

impl NewKey {
    /// Makes the data key of a write; `None` where it is not encrypted.
    pub(super) async fn of(engine: &Engine, object: (&str, &str), how: &WriteEncryption) -> S3Result<Option<Self>> {
        let Some(scheme) = &how.scheme else { return Ok(None) };
        let sent = how.sent_key.as_ref().map(|sent| &sent.key);
        let (encryption, key) = engine.new_data_key(object, scheme.clone(), sent).await?;
        Ok(Some(Self { encryption, key }))
    }

    /// Begins a body, encrypted where there is a key; its attributes say so.
    pub(super) async fn stage(
        engine: &Engine,
        object: (&str, &str),
        how: &WriteEncryption,
        attributes: &mut ObjectAttributes,
    ) -> S3Result<Staged> {
        match Self::of(engine, object, how).await? {
            None => {
                attributes.encryption = None;
                Ok(engine.stage(object.0).await?)
            }
            Some(new) => {
                attributes.encryption = Some(new.encryption);
                Ok(engine.stage_sealed(object.0, &new.key, None).await?)
            }
        }
    }
}

/// The bytes of an object, readable where there is a key.
pub(super) fn unlocked(file: ObjectFile, key: Option<DataKey>) -> S3Result<ObjectFile> {
    Ok(match key {
        None => file,
        Some(key) => file.unlocked(key).map_err(EngineError::from)?,
    })
}

/// The ETag of bytes with that MD5. It tells the MD5 of plain bytes only where S3 does: not where the client or KMS
/// has the key.
pub(super) fn etag_of(encryption: Option<&Encryption>, md5: &str) -> S3Result<String> {
    match encryption.map(|encryption| &encryption.scheme) {
        None | Some(Scheme::S3) => Ok(md5.to_owned()),
        Some(Scheme::Customer | Scheme::Kms(_)) => {
            let mut opaque = [0; 16];
            getrandom::fill(&mut opaque).map_err(|_| S3Error::from(Code::InternalError))?;
            Ok(hex(&opaque))
        }
    }
}

fn method_of(scheme: &Scheme) -> &'static str {
    match scheme {
        Scheme::S3 | Scheme::Customer => encryption::AES256,
        Scheme::Kms(_) => encryption::KMS,
    }
}

/// Sets the headers that tell how an object is encrypted.
pub(super) fn give(answer: &mut Answer, attributes: &ObjectAttributes, sent: Option<&SentKey>) {
    let Some(encryption) = &attributes.encryption else { return };
    match (&encryption.scheme, sent) {
        (Scheme::Customer, Some(sent)) => {
            answer::set(answer, "x-amz-server-side-encryption-customer-algorithm", encryption::AES256);
            answer::set(answer, "x-amz-server-side-encryption-customer-key-md5", &sent.md5);
        }
        (Scheme::Customer, None) => {}
        (scheme @ (Scheme::S3 | Scheme::Kms(_)), _) => {
            answer::set(answer, encryption::METHOD, method_of(scheme));
        }
    }
    if let Scheme::Kms(kms) = &encryption.scheme {
        answer::set(answer, encryption::KMS_KEY_ID, &kms.id);
        if kms.has_bucket_key {
            answer::set(answer, encryption::BUCKET_KEY, "true");
        }
    }
}

/// The same where something was written: the encryption context too.
pub(super) fn give_written(answer: &mut Answer, attributes: &ObjectAttributes, sent: Option<&SentKey>) {
    give(answer, attributes, sent);
    let scheme = attributes.encryption.as_ref().map(|encryption| &encryption.scheme);
    if let Some(Scheme::Kms(kms)) = scheme
        && let Some(context) = &kms.context
    {
        answer::set(answer, encryption::CONTEXT, context);
    }
}

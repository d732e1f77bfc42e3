use http::{StatusCode, Uri};

use super::encryption::{self, NewKey, etag_of, write_encryption};
use super::lifecycle::give_expiration;
use super::object_lock::lock_of_write;
use super::versions::give_version;
use super::{Call, content};
use crate::access::Access;
use crate::answer::{self, Answer};
use crate::auth::Identity;
use crate::body::{BodyChecks, Digesting, Framing};
use crate::encoding::{encode_path, encode_query};
use crate::encryption::WriteEncryption;
use crate::engine::{Condition, Engine, EventOperation, ObjectAttributes, ObjectInfo};
use crate::error::{Code, S3Error, S3Result};
use crate::etag::quoted;
use crate::form::{Fields, FormFile, FormPolicy, FormReader};
use crate::lifecycle::DayLength;
use crate::policy::Facts;
use crate::request::Request;
use crate::settings::ServerSettings;
use crate::xml::XmlWriter;

impl Call<'_> {
    /// An upload by an HTML form. Its fields say who asks, its policy what may be sent.
    pub(super) async fn post_object(&mut self) -> S3Result<Answer> {
        let bucket = self.request.bucket()?;
        if matches!(self.access.facts.identity, Identity::User(_)) {
            let message = "Only one auth mechanism allowed; a form is signed by its fields alone";
            return Err(S3Error::new(Code::InvalidArgument, message));
        }
        let content_type = self.request.header("content-type").unwrap_or_default();
        let base = self.location_of(bucket, "");
        let mut reader = FormReader::new(self.payload, content_type)?;
        let (fields, file) = reader.fields().await?;
        let (identity, signed) = self.verifier.verify_form(&fields)?;
        let policy = fields.get("policy").map(FormPolicy::read).transpose()?;
        if let Some(policy) = &policy {
            policy.check(&fields, bucket, self.access.facts.now_ms)?;
        }
        let key = fields.key()?;
        let request = self.request.of_form(key, fields.headers()?);
        let facts = Facts { identity: &identity, request: &request, signed, ..self.access.facts };
        let access = Access { facts, ..*self.access };
        access.require("s3:PutObject", bucket, Some(key)).await?;
        let length = policy.and_then(|policy| policy.length());
        let mut attributes = content::taken(&request, self.settings.max_metadata_bytes)?;
        attributes.lock = lock_of_write(&access, &request).await?;
        access.give_object_owner(&mut attributes, bucket).await?;
        if !attributes.tags.is_empty() {
            access.require("s3:PutObjectTagging", bucket, Some(key)).await?;
        }
        let how = write_encryption(self.access, &request).await?;
        let object = store(self.engine, self.settings, &request, (attributes, file, &how), length).await?;
        let mut answer = answered(&fields, (bucket, key), &object, &format!("{base}{}", encode_path(key)));
        encryption::give_written(&mut answer, &object.attributes, how.sent_key.as_ref());
        let day = DayLength(self.settings.lifecycle_day_ms);
        give_expiration(&access, day, bucket, (&mut answer, &object)).await?;
        Ok(answer)
    }
}

/// Streams the file into the engine. `length` is the least and the largest that the form's policy allows.
async fn store(
    engine: &Engine,
    settings: &ServerSettings,
    request: &Request,
    (mut attributes, mut file, how): (ObjectAttributes, FormFile<'_>, &WriteEncryption),
    length: Option<(u64, u64)>,
) -> S3Result<ObjectInfo> {
    let (min_bytes, max_bytes) = length.unwrap_or((0, u64::MAX));
    let max_bytes = max_bytes.min(settings.max_object_bytes);
    let checks = BodyChecks::of(request, &Framing::of(request)?)?;
    let mut digesting = Digesting::start(&checks, None);
    let object = (request.bucket()?, request.key()?);
    let mut staged = NewKey::stage(engine, object, how, &mut attributes).await?;
    staged.made_by(EventOperation::Post);
    while let Some(piece) = file.next().await? {
        let size = staged.len() + piece.len() as u64;
        if size > max_bytes {
            let error = S3Error::from(Code::EntityTooLarge).with("ProposedSize", size.to_string());
            return Err(error.with("MaxSizeAllowed", max_bytes.to_string()));
        }
        digesting.update(&piece);
        staged.write(piece).await?;
    }
    if staged.len() < min_bytes {
        let error = S3Error::from(Code::EntityTooSmall).with("ProposedSize", staged.len().to_string());
        return Err(error.with("MinSizeAllowed", min_bytes.to_string()));
    }
    let digests = digesting.finish(&checks, &[])?;
    attributes.checksum = digests.checksum().map(|(algorithm, value)| content::full_object(algorithm, value));
    attributes.etag = etag_of(attributes.encryption.as_ref(), digests.md5())?;
    Ok(engine.put(request.bucket()?, request.key()?, staged, attributes, Condition::Always).await?)
}

/// What the form asks to be answered: a redirect, or one of three statuses.
fn answered(fields: &Fields, (bucket, key): (&str, &str), object: &ObjectInfo, location: &str) -> Answer {
    let etag = quoted(&object.attributes.etag);
    let redirect = fields.get("success_action_redirect").or_else(|| fields.get("redirect"));
    let status = fields.get("success_action_status").unwrap_or_default();
    let mut answer = match (redirect.and_then(target_of_redirect), status) {
        (Some(target), _) => {
            let sign = if target.contains('?') { '&' } else { '?' };
            let (bucket, key, etag) = (encode_query(bucket), encode_query(key), encode_query(&etag));
            let mut answer = answer::empty(StatusCode::SEE_OTHER);
            answer::set(&mut answer, "location", format!("{target}{sign}bucket={bucket}&key={key}&etag={etag}"));
            return answer;
        }
        (None, "200") => answer::empty(StatusCode::OK),
        (None, "201") => {
            let mut answer = answer::xml(XmlWriter::bare("PostResponse", |xml| {
                xml.text("Location", location);
                xml.text("Bucket", bucket);
                xml.text("Key", key);
                xml.text("ETag", &etag);
            }));
            *answer.status_mut() = StatusCode::CREATED;
            answer
        }
        (None, _) => answer::empty(StatusCode::NO_CONTENT),
    };
    answer::set(&mut answer, "etag", etag);
    give_version(&mut answer, object.version);
    answer::set(&mut answer, "location", location);
    answer
}

/// A URL that a browser can be sent to; what is none is overlooked, as S3 does.
fn target_of_redirect(text: &str) -> Option<String> {
    let url: Uri = text.parse().ok()?;
    let is_web = matches!(url.scheme_str(), Some("http" | "https")) && url.host().is_some();
    is_web.then(|| text.to_owned())
}

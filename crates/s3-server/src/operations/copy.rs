use std::ops::Range;

use super::content::REDIRECT_LOCATION;
use super::encryption::{self, NewKey, etag_of, unlocked, write_encryption};
use super::versions::{give_version, read_id};
use super::{Call, content};
use crate::amz_time;
use crate::answer::{self, Answer};
use crate::body::Digesting;
use crate::checksum::Algorithm;
use crate::conditions;
use crate::encoding::decode_path;
use crate::encryption::{METHOD, SentKey};
use crate::engine::{EngineError, EventOperation, ObjectAttributes, ObjectFile, ObjectInfo, Staged, VersionId};
use crate::error::{Code, S3Error, S3Result};
use crate::etag::quoted;
use crate::expected_owner;
use crate::request::Request;
use crate::xml::XmlWriter;

/// The largest object that one request copies, in bytes.
const MAX_COPY_BYTES: u64 = 5 << 30;

/// The object that a copy is made of.
pub(super) struct CopySource {
    pub(super) bucket: String,
    pub(super) key: String,
    pub(super) object: ObjectInfo,
    /// Whether the request names a version of it.
    is_version: bool,
    file: ObjectFile,
}

impl CopySource {
    /// Copies a range of its bytes; gives back their MD5 in hex and their checksum.
    pub(super) async fn copy(
        self,
        range: Range<u64>,
        staged: &mut Staged,
        algorithm: Algorithm,
    ) -> S3Result<(String, String)> {
        use futures_util::StreamExt as _;
        let mut digesting = Digesting::of(algorithm);
        let mut chunks = self.file.stream(range);
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|error| S3Error::from(crate::engine::EngineError::from(error)))?;
            digesting.update(&chunk);
            staged.write(chunk).await?;
        }
        Ok(digesting.values())
    }
}

impl Call<'_> {
    pub(super) async fn copy_object(&self) -> S3Result<Answer> {
        let (bucket, key) = (self.request.bucket()?, self.request.key()?);
        let condition = conditions::of_write(self.request)?;
        let replace = replaces(self.request, "x-amz-metadata-directive")?;
        let replace_tags = replaces(self.request, "x-amz-tagging-directive")?;
        let mut asked = content::taken(self.request, self.settings.max_metadata_bytes)?;
        // A copy never keeps the lock of its source.
        asked.lock = self.lock_of_write().await?;
        let how = write_encryption(self.access, self.request).await?;
        let source = self.copy_source().await?;
        if source.object.size > MAX_COPY_BYTES {
            let message = format!(
                "The specified copy source is larger than the maximum allowable size for a copy source: {MAX_COPY_BYTES}"
            );
            return Err(S3Error::new(Code::InvalidRequest, message));
        }
        let same_class = asked.storage_class == source.object.attributes.storage_class;
        // An older version becomes the newest that way.
        let is_older = source.is_version && source.object.version.is_some();
        let is_itself = source.bucket == bucket && source.key == key && !is_older;
        let of_source = source.object.attributes.encryption.as_ref().map(|encryption| &encryption.scheme);
        let same_encryption = !names_encryption(self.request) && how.scheme.as_ref() == of_source;
        let same_redirect = !self.request.headers().contains_key(REDIRECT_LOCATION);
        if !replace && same_class && same_encryption && same_redirect && is_itself {
            let message = "This copy request is illegal because it is trying to copy an object to itself without changing the \
                object's metadata, storage class, website redirect location or encryption attributes.";
            return Err(S3Error::new(Code::InvalidRequest, message));
        }
        let algorithm = copied_algorithm(self.request, &source.object)?;
        let source_version = source.object.version;
        let mut attributes = if replace { asked } else { kept(&source.object, asked) };
        if replace_tags {
            self.require_tagging(&attributes, bucket, key).await?;
        } else {
            attributes.tags.clone_from(&source.object.attributes.tags);
        }
        self.access.give_object_owner(&mut attributes, bucket).await?;
        let mut staged = NewKey::stage(self.engine, (bucket, key), &how, &mut attributes).await?;
        staged.made_by(EventOperation::Copy);
        let size = source.object.size;
        let (md5, checksum) = source.copy(0..size, &mut staged, algorithm).await?;
        attributes.etag = etag_of(attributes.encryption.as_ref(), &md5)?;
        attributes.checksum = Some(content::full_object(algorithm, &checksum));
        let object = self.engine.put(bucket, key, staged, attributes, condition).await?;
        let mut answer = answer::xml(XmlWriter::document("CopyObjectResult", |xml| {
            xml.text("LastModified", &amz_time::iso(object.last_modified_ms));
            xml.text("ETag", &quoted(&object.attributes.etag));
            xml.text("ChecksumType", "FULL_OBJECT");
            xml.text(algorithm.element(), &checksum);
        }));
        give_version(&mut answer, object.version);
        give_source_version(&mut answer, source_version);
        encryption::give_written(&mut answer, &object.attributes, how.sent_key.as_ref());
        self.give_expiration(&mut answer, &object).await?;
        Ok(answer)
    }

    /// Opens what `x-amz-copy-source` names and checks the conditions on it.
    pub(super) async fn copy_source(&self) -> S3Result<CopySource> {
        let header = self.request.header("x-amz-copy-source").unwrap_or_default();
        let (bucket, key, version) = read_source(header)?;
        let action = if version.is_some() { "s3:GetObjectVersion" } else { "s3:GetObject" };
        if let Some(expected) = self.request.header(expected_owner::OF_SOURCE) {
            expected_owner::check(expected, &self.access.rules_of(&bucket).await?.owner)?;
        }
        let opened = self.engine.open_object(&bucket, &key, version).await;
        self.access.require_on(action, &bucket, &key, opened.as_ref().map(|(object, _)| object)).await?;
        let (object, file) = match opened {
            Err(EngineError::IsDeleteMarker(marker)) if marker.is_named => {
                let message =
                    "The source of a copy request may not specifically refer to a delete marker by version id.";
                return Err(S3Error::new(Code::InvalidRequest, message));
            }
            opened => opened?,
        };
        let sent = SentKey::of_copy_source(self.request)?;
        let file = unlocked(file, self.key_of((&bucket, &key), &object, sent.as_ref()).await?)?;
        conditions::OF_COPY_SOURCE.check(self.request, &object)?;
        Ok(CopySource { bucket, key, object, is_version: version.is_some(), file })
    }
}

/// Bucket, key and version of `[/]bucket/key[?versionId=…]`, percent-decoded once.
fn read_source(header: &str) -> S3Result<(String, String, Option<VersionId>)> {
    let wrong = || {
        let message = "Copy Source must mention the source bucket and key: sourcebucket/sourcekey";
        S3Error::argument("x-amz-copy-source", header, message)
    };
    let (path, version) = match header.rsplit_once("?versionId=") {
        Some((path, version)) => (path, Some(version)),
        None => (header, None),
    };
    let path = decode_path(path.strip_prefix('/').unwrap_or(path)).ok_or_else(wrong)?;
    let (bucket, key) =
        path.split_once('/').filter(|(bucket, key)| !bucket.is_empty() && !key.is_empty()).ok_or_else(wrong)?;
    let version = version.map(|id| read_id("x-amz-copy-source", id)).transpose()?;
    Ok((bucket.to_owned(), key.to_owned(), version))
}

/// Whether a request says how its target is encrypted: then a copy onto itself changes something.
fn names_encryption(request: &Request) -> bool {
    request.headers().keys().any(|name| name.as_str().starts_with(METHOD))
}

/// Whether the request's own metadata or tags count, and not those of the source.
fn replaces(request: &Request, header: &str) -> S3Result<bool> {
    match request.header(header) {
        None | Some("COPY") => Ok(false),
        Some("REPLACE") => Ok(true),
        Some(other) => {
            let kind = if header == "x-amz-tagging-directive" { "tagging" } else { "metadata" };
            Err(S3Error::argument(header, other, format!("Unknown {kind} directive.")))
        }
    }
}

/// Tells the version that was copied, in a bucket that has versions.
pub(super) fn give_source_version(answer: &mut Answer, version: Option<VersionId>) {
    if let Some(version) = version {
        answer::set(answer, "x-amz-copy-source-version-id", version.to_string());
    }
}

/// The checksum that a copy keeps: the one asked for, else that of its source.
fn copied_algorithm(request: &Request, source: &ObjectInfo) -> S3Result<Algorithm> {
    if let Some(name) = request.header("x-amz-checksum-algorithm") {
        let message = "Checksum algorithm provided is unsupported. Please try again with any of the valid types: \
            [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]";
        return Algorithm::named(name).ok_or_else(|| S3Error::new(Code::InvalidRequest, message));
    }
    let of_source = source.attributes.checksum.as_ref().and_then(|checksum| Algorithm::named(&checksum.algorithm));
    Ok(of_source.unwrap_or(Algorithm::Crc64Nvme))
}

/// What a copy keeps of its source; storage class and redirect are always those of the request.
fn kept(source: &ObjectInfo, asked: ObjectAttributes) -> ObjectAttributes {
    let is_redirect = |(name, _): &&(String, String)| name == REDIRECT_LOCATION;
    let kept = source.attributes.headers.iter().filter(|header| !is_redirect(header));
    let headers = kept.chain(asked.headers.iter().filter(is_redirect)).cloned().collect();
    ObjectAttributes { headers, metadata: source.attributes.metadata.clone(), ..asked }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_that_cannot_be_is_refused() {
        for text in ["b/k?versionId=", "b/k?versionId=other", "b/k?versionId=null&x"] {
            assert_eq!(read_source(text).unwrap_err().code(), Code::InvalidArgument, "{text}");
        }
    }

    #[test]
    fn a_source_is_decoded_once_and_keeps_its_question_marks() {
        let of = |text| read_source(text).unwrap();
        assert_eq!(of("/b/a%20b+c%2520"), ("b".into(), "a b+c%20".into(), None));
        assert_eq!(of("b//../k?versionId=null"), ("b".into(), "/../k".into(), Some(VersionId::NULL)));
        for text in ["", "/", "b", "b/", "/b/"] {
            assert_eq!(read_source(text).unwrap_err().code(), Code::InvalidArgument, "{text}");
        }
    }
}

use std::ops::Range;

use super::{Call, content};
use crate::amz_time;
use crate::answer::{self, Answer};
use crate::body::Digesting;
use crate::checksum::Algorithm;
use crate::conditions;
use crate::encoding::decode_path;
use crate::engine::{ObjectAttributes, ObjectFile, ObjectInfo, Staged};
use crate::error::{Code, S3Error, S3Result};
use crate::etag::quoted;
use crate::request::Request;
use crate::xml::XmlWriter;

/// The largest object that one request copies, in bytes.
const MAX_COPY_BYTES: u64 = 5 << 30;

/// The object that a copy is made of.
pub(super) struct CopySource {
    pub(super) bucket: String,
    pub(super) key: String,
    pub(super) object: ObjectInfo,
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
        let replace = replaces_metadata(self.request)?;
        let asked = content::taken(self.request, self.settings.max_metadata_bytes)?;
        let source = self.copy_source().await?;
        if source.object.size > MAX_COPY_BYTES {
            let message = format!(
                "The specified copy source is larger than the maximum allowable size for a copy source: {MAX_COPY_BYTES}"
            );
            return Err(S3Error::new(Code::InvalidRequest, message));
        }
        let same_class = asked.storage_class == source.object.attributes.storage_class;
        if !replace && same_class && source.bucket == bucket && source.key == key {
            let message = "This copy request is illegal because it is trying to copy an object to itself without changing the \
                object's metadata, storage class, website redirect location or encryption attributes.";
            return Err(S3Error::new(Code::InvalidRequest, message));
        }
        let algorithm = copied_algorithm(self.request, &source.object)?;
        let mut attributes = if replace { asked } else { kept(&source.object, asked) };
        let mut staged = self.engine.stage(bucket).await?;
        let size = source.object.size;
        let (md5, checksum) = source.copy(0..size, &mut staged, algorithm).await?;
        attributes.etag = md5;
        attributes.checksum = Some(content::full_object(algorithm, &checksum));
        let object = self.engine.put(bucket, key, staged, attributes, condition).await?;
        Ok(answer::xml(XmlWriter::document("CopyObjectResult", |xml| {
            xml.text("LastModified", &amz_time::iso(object.last_modified_ms));
            xml.text("ETag", &quoted(&object.attributes.etag));
            xml.text("ChecksumType", "FULL_OBJECT");
            xml.text(algorithm.element(), &checksum);
        })))
    }

    /// Opens what `x-amz-copy-source` names and checks the conditions on it.
    pub(super) async fn copy_source(&self) -> S3Result<CopySource> {
        let header = self.request.header("x-amz-copy-source").unwrap_or_default();
        let (bucket, key) = read_source(header)?;
        self.access.require("s3:GetObject", &bucket, Some(&key)).await?;
        let (object, file) = self.engine.open_object(&bucket, &key).await?;
        conditions::OF_COPY_SOURCE.check(self.request, &object)?;
        Ok(CopySource { bucket, key, object, file })
    }
}

/// Bucket and key of `[/]bucket/key[?versionId=…]`, percent-decoded once.
fn read_source(header: &str) -> S3Result<(String, String)> {
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
    if let Some(id) = version.filter(|id| *id != "null") {
        return Err(S3Error::from(Code::NoSuchVersion).with("VersionId", id));
    }
    Ok((bucket.to_owned(), key.to_owned()))
}

fn replaces_metadata(request: &Request) -> S3Result<bool> {
    match request.header("x-amz-metadata-directive") {
        None | Some("COPY") => Ok(false),
        Some("REPLACE") => Ok(true),
        Some(other) => Err(S3Error::argument("x-amz-metadata-directive", other, "Unknown metadata directive.")),
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

/// What a copy keeps of its source; the storage class is always that of the request.
fn kept(source: &ObjectInfo, asked: ObjectAttributes) -> ObjectAttributes {
    ObjectAttributes {
        headers: source.attributes.headers.clone(),
        metadata: source.attributes.metadata.clone(),
        ..asked
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_decoded_once_and_keeps_its_question_marks() {
        let of = |text| read_source(text).unwrap();
        assert_eq!(of("/b/a%20b+c%2520"), ("b".into(), "a b+c%20".into()));
        assert_eq!(of("b//../k?versionId=null"), ("b".into(), "/../k".into()));
        for text in ["", "/", "b", "b/", "/b/"] {
            assert_eq!(read_source(text).unwrap_err().code(), Code::InvalidArgument, "{text}");
        }
    }
}

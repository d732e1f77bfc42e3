use http::StatusCode;

use super::copy::{CopySource, give_source_version};
use super::encryption::{self, etag_of};
use super::listing::MAX_ENTRIES;
use super::owners::Owners;
use super::{Call, content};
use crate::answer::{self, Answer};
use crate::checksum::{Algorithm, kind_name};
use crate::engine::{PartAttributes, PartInfo, UploadInfo};
use crate::error::{Code, S3Error, S3Result};
use crate::etag::quoted;
use crate::request::Request;
use crate::xml::XmlWriter;
use crate::{amz_time, byte_range};

/// The largest part, in bytes.
const MAX_PART_BYTES: u64 = 5 << 30;

impl Call<'_> {
    pub(super) async fn upload_part(&mut self) -> S3Result<Answer> {
        let (bucket, key) = (self.request.bucket()?, self.request.key()?);
        let (id, number) = part_named(self.request)?;
        let upload = self.engine.upload(bucket, key, id).await?;
        let algorithm = part_algorithm(self.request, &upload)?;
        self.require_checksum_of(upload.attributes.lock, "Put Part").await?;
        let (mut staged, sent) = self.stage_part(&upload.attributes, number).await?;
        let max_bytes = self.settings.max_object_bytes.min(MAX_PART_BYTES);
        let digests = self.payload.store(self.request, &mut staged, max_bytes, Some(algorithm)).await?;
        let checksum = digests.checksum().map(|(algorithm, value)| content::full_object(algorithm, value));
        let attributes =
            PartAttributes { etag: etag_of(upload.attributes.encryption.as_ref(), digests.md5())?, checksum };
        let part = self.engine.put_part((bucket, key, id), number, staged, attributes).await?;
        let mut answer = answer::empty(StatusCode::OK);
        answer::set(&mut answer, "etag", quoted(&part.attributes.etag));
        encryption::give(&mut answer, &upload.attributes, sent.as_ref());
        if let Some((algorithm, value)) = digests.answered() {
            answer::set(&mut answer, algorithm.header(), value);
        }
        Ok(answer)
    }

    pub(super) async fn upload_part_copy(&self) -> S3Result<Answer> {
        let (bucket, key) = (self.request.bucket()?, self.request.key()?);
        let (id, number) = part_named(self.request)?;
        let upload = self.engine.upload(bucket, key, id).await?;
        let algorithm = upload_algorithm(&upload).unwrap_or(Algorithm::Crc64Nvme);
        let source: CopySource = self.copy_source().await?;
        let source_version = source.object.version;
        let range = match self.request.header("x-amz-copy-source-range") {
            None => 0..source.object.size,
            Some(range) => byte_range::of_copy(range, source.object.size)?,
        };
        if range.end - range.start > MAX_PART_BYTES {
            return Err(Code::EntityTooLarge.into());
        }
        let (mut staged, sent) = self.stage_part(&upload.attributes, number).await?;
        let (md5, value) = source.copy(range, &mut staged, algorithm).await?;
        let etag = etag_of(upload.attributes.encryption.as_ref(), &md5)?;
        let attributes = PartAttributes { etag, checksum: Some(content::full_object(algorithm, &value)) };
        let part = self.engine.put_part((bucket, key, id), number, staged, attributes).await?;
        let mut answer = answer::xml(XmlWriter::document("CopyPartResult", |xml| {
            xml.text("LastModified", &amz_time::iso(part.last_modified_ms));
            xml.text("ETag", &quoted(&part.attributes.etag));
            xml.text(algorithm.element(), &value);
        }));
        give_source_version(&mut answer, source_version);
        encryption::give(&mut answer, &upload.attributes, sent.as_ref());
        Ok(answer)
    }

    pub(super) async fn list_parts(&self) -> S3Result<Answer> {
        let (bucket, key, query) = (self.request.bucket()?, self.request.key()?, self.request.query());
        let id = query.get("uploadId").unwrap_or_default();
        let max = query.number("max-parts")?.unwrap_or(MAX_ENTRIES).min(MAX_ENTRIES);
        let marker = query.number("part-number-marker")?.unwrap_or(0);
        let after = u16::try_from(marker).unwrap_or(u16::MAX);
        let upload = self.engine.upload(bucket, key, id).await?;
        let page = self.engine.list_parts((bucket, key, id), after, max).await?;
        let rules = self.access.rules_of(bucket).await?;
        let owners = Owners { rules: &rules, accounts: self.access.accounts };
        let asked = upload.attributes.checksum.as_ref();
        let mut answer = answer::xml(XmlWriter::document("ListPartsResult", |xml| {
            xml.text("Bucket", bucket);
            xml.text("Key", key);
            xml.text("UploadId", id);
            owners.write_of_upload(xml, &upload);
            xml.text("StorageClass", upload.attributes.storage_class.as_deref().unwrap_or("STANDARD"));
            xml.value("PartNumberMarker", marker);
            xml.value("NextPartNumberMarker", page.parts.last().map_or(0, |part| part.number));
            xml.value("MaxParts", max);
            xml.value("IsTruncated", page.next.is_some());
            if let Some(checksum) = asked {
                xml.text("ChecksumAlgorithm", &checksum.algorithm);
                xml.text("ChecksumType", kind_name(checksum.kind));
            }
            for part in &page.parts {
                xml.element("Part", |xml| write_part(xml, part));
            }
        }));
        self.give_abortion(&mut answer, &upload).await?;
        Ok(answer)
    }
}

fn write_part(xml: &mut XmlWriter, part: &PartInfo) {
    xml.value("PartNumber", part.number);
    xml.text("LastModified", &amz_time::iso(part.last_modified_ms));
    xml.text("ETag", &quoted(&part.attributes.etag));
    xml.value("Size", part.size);
    let Some(checksum) = &part.attributes.checksum else { return };
    if let Some(algorithm) = Algorithm::named(&checksum.algorithm) {
        xml.text(algorithm.element(), &checksum.value);
    }
}

/// The upload and the number that a part is for.
fn part_named(request: &Request) -> S3Result<(&str, u16)> {
    let missing =
        |name: &str| S3Error::new(Code::InvalidArgument, format!("This operation needs the parameter {name}"));
    let id = request.query().get("uploadId").ok_or_else(|| missing("uploadId"))?;
    let text = request.query().get("partNumber").ok_or_else(|| missing("partNumber"))?;
    let number = text.parse().ok().filter(|number| (1..=10_000).contains(number));
    let message = "Part number must be an integer between 1 and 10000, inclusive";
    Ok((id, number.ok_or_else(|| S3Error::argument("partNumber", text, message))?))
}

/// The checksum that an upload asked for when it was begun.
pub(super) fn upload_algorithm(upload: &UploadInfo) -> Option<Algorithm> {
    upload.attributes.checksum.as_ref().and_then(|checksum| Algorithm::named(&checksum.algorithm))
}

/// The checksum to keep of a part: that of its upload. A part of another one is refused.
fn part_algorithm(request: &Request, upload: &UploadInfo) -> S3Result<Algorithm> {
    let Some(asked) = upload_algorithm(upload) else { return Ok(Algorithm::Crc64Nvme) };
    let sent = Algorithm::ALL.into_iter().find(|algorithm| {
        let announced =
            request.header("x-amz-trailer").is_some_and(|name| name.eq_ignore_ascii_case(algorithm.header()));
        announced || request.headers().contains_key(algorithm.header())
    });
    match sent {
        Some(sent) if sent != asked => {
            let (asked, sent) = (asked.name().to_ascii_lowercase(), sent.name().to_ascii_lowercase());
            let message = format!(
                "Checksum Type mismatch occurred, expected checksum Type: {asked}, actual checksum Type: {sent}"
            );
            Err(S3Error::new(Code::InvalidRequest, message))
        }
        _ => Ok(asked),
    }
}

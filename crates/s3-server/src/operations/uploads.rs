use http::StatusCode;

use super::encryption::{self, NewKey, write_encryption};
use super::listing::{MAX_ENTRIES, Names};
use super::owners::Owners;
use super::{Call, content};
use crate::amz_time;
use crate::answer::{self, Answer};
use crate::checksum::{Algorithm, kind_name, kind_named};
use crate::engine::{Checksum, UploadEntry, UploadInfo, UploadQuery};
use crate::error::{Code, S3Error, S3Result};
use crate::request::Request;
use crate::xml::XmlWriter;

impl Call<'_> {
    pub(super) async fn create_upload(&self) -> S3Result<Answer> {
        let (bucket, key) = (self.request.bucket()?, self.request.key()?);
        let mut attributes = content::taken(self.request, self.settings.max_metadata_bytes)?;
        attributes.checksum = asked_checksum(self.request)?;
        self.require_tagging(&attributes, bucket, key).await?;
        self.access.give_owner(&mut attributes, bucket).await?;
        attributes.lock = self.lock_of_write().await?;
        let how = write_encryption(self.access, self.request).await?;
        attributes.encryption = NewKey::of(self.engine, (bucket, key), &how).await?.map(|new| new.encryption);
        let upload = self.engine.create_upload(bucket, key, attributes).await?;
        let mut answer = answer::xml(XmlWriter::document("InitiateMultipartUploadResult", |xml| {
            xml.text("Bucket", bucket);
            xml.text("Key", key);
            xml.text("UploadId", &upload.id);
        }));
        encryption::give_written(&mut answer, &upload.attributes, how.sent_key.as_ref());
        if let Some(checksum) = &upload.attributes.checksum {
            answer::set(&mut answer, "x-amz-checksum-algorithm", &checksum.algorithm);
            answer::set(&mut answer, "x-amz-checksum-type", kind_name(checksum.kind));
        }
        self.give_abortion(&mut answer, &upload).await?;
        Ok(answer)
    }

    pub(super) async fn abort_upload(&self) -> S3Result<Answer> {
        let id = self.request.query().get("uploadId").unwrap_or_default();
        self.engine.abort_upload(self.request.bucket()?, self.request.key()?, id).await?;
        Ok(answer::empty(StatusCode::NO_CONTENT))
    }

    pub(super) async fn list_uploads(&self) -> S3Result<Answer> {
        let (bucket, query) = (self.request.bucket()?, self.request.query());
        let names = Names::of(query)?;
        let max = query.number("max-uploads")?.unwrap_or(MAX_ENTRIES).min(MAX_ENTRIES);
        let prefix = query.get("prefix").unwrap_or_default();
        let key_marker = query.non_empty("key-marker");
        let id_marker = query.non_empty("upload-id-marker").filter(|_| key_marker.is_some());
        let asked = UploadQuery {
            prefix: prefix.to_owned(),
            delimiter: query.non_empty("delimiter").map(str::to_owned),
            after_key: key_marker.map(str::to_owned),
            after_upload: id_marker.map(str::to_owned),
            max,
        };
        let page = self.engine.list_uploads(bucket, asked).await?;
        let rules = self.access.rules_of(bucket).await?;
        let owners = Owners { rules: &rules, accounts: self.access.accounts };
        Ok(answer::xml(XmlWriter::document("ListMultipartUploadsResult", |xml| {
            xml.text("Bucket", bucket);
            names.write(xml, "KeyMarker", key_marker.unwrap_or_default());
            xml.text("UploadIdMarker", id_marker.unwrap_or_default());
            if let Some((key, id)) = &page.next {
                names.write(xml, "NextKeyMarker", key);
                xml.text("NextUploadIdMarker", id.as_deref().unwrap_or_default());
            }
            names.write(xml, "Prefix", prefix);
            if let Some(delimiter) = query.non_empty("delimiter") {
                names.write(xml, "Delimiter", delimiter);
            }
            names.declare(xml);
            xml.value("MaxUploads", max);
            xml.value("IsTruncated", page.next.is_some());
            for entry in &page.entries {
                match entry {
                    UploadEntry::Upload(upload) => {
                        xml.element("Upload", |xml| write_upload(xml, names, upload, owners))
                    }
                    UploadEntry::CommonPrefix(prefix) => {
                        xml.element("CommonPrefixes", |xml| names.write(xml, "Prefix", prefix));
                    }
                }
            }
        })))
    }
}

fn write_upload(xml: &mut XmlWriter, names: Names, upload: &UploadInfo, owners: Owners<'_>) {
    names.write(xml, "Key", &upload.key);
    xml.text("UploadId", &upload.id);
    owners.write_of_upload(xml, upload);
    xml.text("StorageClass", upload.attributes.storage_class.as_deref().unwrap_or("STANDARD"));
    xml.text("Initiated", &amz_time::iso(upload.initiated_at_ms));
    if let Some(checksum) = &upload.attributes.checksum {
        xml.text("ChecksumAlgorithm", &checksum.algorithm);
        xml.text("ChecksumType", kind_name(checksum.kind));
    }
}

/// The checksum that an upload's parts must have, if it says one. Its value is not known yet.
fn asked_checksum(request: &Request) -> S3Result<Option<Checksum>> {
    let invalid = |message: String| S3Error::new(Code::InvalidRequest, message);
    let kind = request.header("x-amz-checksum-type");
    let Some(name) = request.header("x-amz-checksum-algorithm") else {
        return match kind {
            None => Ok(None),
            Some(_) => Err(invalid(
                "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.".into(),
            )),
        };
    };
    let algorithm = Algorithm::named(name).ok_or_else(|| {
        invalid(
            "Checksum algorithm provided is unsupported. Please try again with any of the valid types: \
            [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]"
                .into(),
        )
    })?;
    let kind = match kind {
        None => algorithm.default_kind(),
        Some(text) => {
            kind_named(text).ok_or_else(|| invalid("Value for x-amz-checksum-type header is invalid.".into()))?
        }
    };
    if !algorithm.allows(kind) {
        let name = algorithm.name().to_ascii_lowercase();
        return Err(invalid(format!(
            "The {} checksum type cannot be used with the {name} checksum algorithm.",
            kind_name(kind)
        )));
    }
    Ok(Some(Checksum { algorithm: algorithm.name().to_owned(), kind, value: String::new() }))
}

use super::Call;
use super::versions::{give_version, version_named};
use crate::answer::{self, Answer};
use crate::checksum::{Algorithm, kind_name};
use crate::encryption::{SentKey, refuse_on_read};
use crate::engine::ObjectInfo;
use crate::error::{Code, S3Error, S3Result};
use crate::request::Request;
use crate::xml::XmlWriter;
use crate::{amz_time, conditions};

/// What can be asked for.
const KNOWN: [&str; 5] = ["ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"];
/// The most parts of one answer.
const MAX_PARTS: usize = 1000;

impl Call<'_> {
    pub(super) async fn object_attributes(&self) -> S3Result<Answer> {
        let version = version_named(self.request)?;
        let (bucket, key) = (self.request.bucket()?, self.request.key()?);
        let found = self.engine.object(bucket, key, version).await;
        self.require_read("s3:GetObject", found.as_ref()).await?;
        self.require_read("s3:GetObjectAttributes", found.as_ref()).await?;
        let wanted = wanted(self.request)?;
        refuse_on_read(self.request)?;
        let sent = SentKey::of_request(self.request)?;
        let object = found?;
        self.key_of((bucket, key), &object, sent.as_ref()).await?;
        conditions::OF_READ.check(self.request, &object)?;
        let max = self.request.number_header("x-amz-max-parts")?.and_then(|max| usize::try_from(max).ok());
        let marker = self.request.number_header("x-amz-part-number-marker")?.unwrap_or(0);
        let has = |name| wanted.contains(&name);
        let mut answer = answer::xml(XmlWriter::document("GetObjectAttributesResponse", |xml| {
            if has("ETag") {
                xml.text("ETag", &object.attributes.etag);
            }
            if has("Checksum") {
                write_checksum(xml, &object);
            }
            if has("ObjectParts") && !object.parts.is_empty() {
                write_parts(xml, &object, max.unwrap_or(MAX_PARTS).min(MAX_PARTS), marker);
            }
            if has("StorageClass") {
                xml.text("StorageClass", object.attributes.storage_class.as_deref().unwrap_or("STANDARD"));
            }
            if has("ObjectSize") {
                xml.value("ObjectSize", object.size);
            }
        }));
        answer::set(&mut answer, "last-modified", amz_time::http(object.last_modified_ms));
        give_version(&mut answer, object.version);
        Ok(answer)
    }
}

fn wanted(request: &Request) -> S3Result<Vec<&str>> {
    let values = request.headers().get_all("x-amz-object-attributes").iter().filter_map(|value| value.to_str().ok());
    let names: Vec<&str> =
        values.flat_map(|value| value.split(',')).map(str::trim).filter(|name| !name.is_empty()).collect();
    if names.is_empty() {
        return Err(S3Error::new(
            Code::InvalidRequest,
            "The x-amz-object-attributes header specifying the attributes to be retrieved is either missing or empty",
        ));
    }
    match names.iter().find(|name| !KNOWN.contains(name)) {
        None => Ok(names),
        Some(unknown) => {
            Err(S3Error::argument("x-amz-object-attributes", unknown, "Invalid attribute name specified."))
        }
    }
}

fn write_checksum(xml: &mut XmlWriter, object: &ObjectInfo) {
    let Some(checksum) = &object.attributes.checksum else { return };
    let Some(algorithm) = Algorithm::named(&checksum.algorithm) else { return };
    xml.element("Checksum", |xml| {
        // A composite value is told here without the number of parts.
        xml.text(algorithm.element(), checksum.value.split('-').next().unwrap_or_default());
        xml.text("ChecksumType", kind_name(checksum.kind));
    });
}

fn write_parts(xml: &mut XmlWriter, object: &ObjectInfo, max: usize, marker: u64) {
    // Parts of a whole object are numbered anew, without gaps.
    let start = usize::try_from(marker).unwrap_or(usize::MAX).min(object.parts.len());
    let end = object.parts.len().min(start + max);
    let algorithm = object.attributes.checksum.as_ref().and_then(|checksum| Algorithm::named(&checksum.algorithm));
    xml.element("ObjectParts", |xml| {
        xml.value("PartsCount", object.parts.len());
        xml.value("PartNumberMarker", marker);
        xml.value("NextPartNumberMarker", end);
        xml.value("MaxParts", max);
        xml.value("IsTruncated", end < object.parts.len());
        for (index, part) in object.parts[start..end].iter().enumerate() {
            xml.element("Part", |xml| {
                xml.value("PartNumber", start + index + 1);
                xml.value("Size", part.size);
                if let (Some(algorithm), Some(value)) = (algorithm, &part.checksum) {
                    xml.text(algorithm.element(), value);
                }
            });
        }
    });
}

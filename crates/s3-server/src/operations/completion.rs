use md5::{Digest, Md5};

use super::parts::upload_algorithm;
use super::versions::give_version;
use super::{Call, content, encryption};
use crate::answer::{self, Answer};
use crate::checksum::{Algorithm, compose, kind_name, kind_named};
use crate::conditions;
use crate::encoding::hex;
use crate::engine::{
    Checksum, ChecksumKind, CompletedPart, Condition, EngineError, ObjectAttributes, ObjectInfo, PartInfo, UploadInfo,
};
use crate::error::{Code, S3Error, S3Result};
use crate::etag::{quoted, unquoted};
use crate::request::Request;
use crate::xml::{Element, XmlWriter};

/// The largest list of parts, in bytes: 10,000 of them with a checksum each.
const MAX_COMPLETION_BYTES: usize = 8 << 20;

/// What a completion says of the whole object.
#[derive(Clone, Default)]
struct Promise {
    size: Option<u64>,
    checksum: Option<(Algorithm, String)>,
    kind: Option<ChecksumKind>,
}

impl Call<'_> {
    pub(super) async fn complete_upload(&mut self) -> S3Result<Answer> {
        let (bucket, key) = (self.request.bucket()?, self.request.key()?);
        let id = self.request.query().get("uploadId").unwrap_or_default();
        let condition = conditions::of_write(self.request)?;
        let promise = Promise::of(self.request)?;
        // The checksum headers are about the object here, not about this document.
        let body = self.payload.unchecked_document(self.request, MAX_COMPLETION_BYTES).await?;
        let completion = Element::read(&body, "CompleteMultipartUpload")?;
        let object = match self.complete((bucket, key, id), &completion, promise, condition).await {
            Err(error) if error.code() == Code::NoSuchUpload => {
                self.completed_before((bucket, key, id), &completion).await?.ok_or(error)?
            }
            completed => completed?,
        };
        let mut answer = answer::xml(XmlWriter::document("CompleteMultipartUploadResult", |xml| {
            xml.text("Location", &self.location_of(bucket, key));
            xml.text("Bucket", bucket);
            xml.text("Key", key);
            xml.text("ETag", &quoted(&object.attributes.etag));
            let Some(checksum) = &object.attributes.checksum else { return };
            if let Some(algorithm) = Algorithm::named(&checksum.algorithm) {
                xml.text(algorithm.element(), &checksum.value);
                xml.text("ChecksumType", kind_name(checksum.kind));
            }
        }));
        give_version(&mut answer, object.version);
        encryption::give(&mut answer, &object.attributes, None);
        self.give_expiration(&mut answer, &object).await?;
        Ok(answer)
    }

    async fn complete(
        &self,
        (bucket, key, id): (&str, &str, &str),
        completion: &Element,
        promise: Promise,
        condition: Condition,
    ) -> S3Result<ObjectInfo> {
        let upload = self.engine.upload(bucket, key, id).await?;
        self.check_key_of_completion(&upload.attributes).await?;
        let parts =
            completion.children_named("Part").map(|part| read_part(part, &upload)).collect::<S3Result<Vec<_>>>()?;
        if parts.is_empty() {
            return Err(Code::MalformedXML.into());
        }
        let rules = self.access.rules_of(bucket).await?;
        let describe = move |upload: &UploadInfo, parts: &[PartInfo]| {
            let mut attributes = describe(upload, parts, &promise)?;
            rules.settle(&mut attributes)?;
            Ok(attributes)
        };
        Ok(self.engine.complete_upload((bucket, key, id), parts, describe, condition).await?)
    }

    /// The object that this upload was completed to, of these parts: a client that missed the answer asks again.
    async fn completed_before(
        &self,
        (bucket, key, id): (&str, &str, &str),
        completion: &Element,
    ) -> S3Result<Option<ObjectInfo>> {
        let etags = completion.children_named("Part").map(|part| part.text_of("ETag").map(unquoted));
        let Some(etags) = etags.collect::<Option<Vec<_>>>() else { return Ok(None) };
        let object = match self.engine.object(bucket, key, None).await {
            Ok(object) => object,
            Err(EngineError::Storage(error)) => return Err(EngineError::Storage(error).into()),
            Err(_) => return Ok(None),
        };
        let is_it = object.attributes.upload.as_deref() == Some(id)
            && object.attributes.etag == whole_etag(etags.iter().map(String::as_str));
        Ok(is_it.then_some(object))
    }
}

impl Promise {
    fn of(request: &Request) -> S3Result<Self> {
        let invalid = |name: &str| S3Error::new(Code::InvalidRequest, format!("Value for {name} header is invalid."));
        let size = request.number_header("x-amz-mp-object-size")?;
        let sent =
            Algorithm::ALL.into_iter().find_map(|algorithm| Some((algorithm, request.header(algorithm.header())?)));
        if let Some((algorithm, value)) = sent
            && !algorithm.accepts(without_count(value))
        {
            return Err(invalid(algorithm.header()));
        }
        let name = "x-amz-checksum-type";
        let kind = request.header(name).map(|text| kind_named(text).ok_or_else(|| invalid(name))).transpose()?;
        Ok(Self { size, checksum: sent.map(|(algorithm, value)| (algorithm, value.to_owned())), kind })
    }

    /// Whether a checksum is the promised one. A composite one may be told without the number of parts.
    fn is_kept_by(&self, found: &Checksum) -> bool {
        self.checksum.as_ref().is_none_or(|(algorithm, promised)| {
            algorithm.name() == found.algorithm
                && [found.value.as_str(), without_count(&found.value)].contains(&promised.as_str())
        })
    }
}

/// The value of a composite checksum without the number of parts behind it.
fn without_count(value: &str) -> &str {
    value.split_once('-').map_or(value, |(value, _)| value)
}

fn read_part(part: &Element, upload: &UploadInfo) -> S3Result<CompletedPart> {
    let malformed = || S3Error::from(Code::MalformedXML);
    let number: u16 = part.text_of("PartNumber").and_then(|text| text.parse().ok()).ok_or_else(malformed)?;
    let etag = unquoted(part.text_of("ETag").ok_or_else(malformed)?);
    let asked = upload_algorithm(upload);
    // Without a checksum asked for at the start, parts are kept with one that clients do not name.
    let checksum = part.text_of(asked.unwrap_or(Algorithm::Crc64Nvme).element()).map(str::to_owned);
    let kind = upload.attributes.checksum.as_ref().map(|checksum| checksum.kind);
    if let (Some(algorithm), Some(ChecksumKind::Composite), None) = (asked, kind, &checksum) {
        let name = algorithm.name().to_ascii_lowercase();
        let message = format!(
            "The upload was created using a {name} checksum. The complete request must include the checksum for each part. \
             It was missing for part {number} in the request."
        );
        return Err(S3Error::new(Code::InvalidRequest, message));
    }
    Ok(CompletedPart { number, etag, checksum })
}

/// What the object is given, from its upload and parts.
fn describe(upload: &UploadInfo, parts: &[PartInfo], promise: &Promise) -> Result<ObjectAttributes, EngineError> {
    let size: u64 = parts.iter().map(|part| part.size).sum();
    if let Some(promised) = promise.size.filter(|promised| *promised != size) {
        let message = format!(
            "The provided 'x-amz-mp-object-size' header value {promised} does not match what was computed: {size}"
        );
        return Err(EngineError::InvalidRequest(message));
    }
    let checksum = whole_checksum(upload, parts);
    if let (Some((algorithm, _)), Some(found)) = (&promise.checksum, &checksum)
        && !promise.is_kept_by(found)
    {
        return Err(EngineError::BadDigest(algorithm.name().to_owned()));
    }
    if let (Some(kind), Some(asked)) = (promise.kind, &upload.attributes.checksum)
        && kind != asked.kind
    {
        let asked = kind_name(asked.kind);
        return Err(EngineError::InvalidRequest(format!(
            "The upload was created using the {asked} checksum mode. The complete request must use the same checksum mode."
        )));
    }
    Ok(ObjectAttributes {
        etag: whole_etag(parts.iter().map(|part| part.attributes.etag.as_str())),
        checksum,
        ..upload.attributes.clone()
    })
}

fn whole_checksum(upload: &UploadInfo, parts: &[PartInfo]) -> Option<Checksum> {
    let algorithm = upload_algorithm(upload).unwrap_or(Algorithm::Crc64Nvme);
    let kind = upload.attributes.checksum.as_ref().map_or(ChecksumKind::FullObject, |checksum| checksum.kind);
    let values: Option<Vec<(u64, &str)>> = parts
        .iter()
        .map(|part| {
            let checksum =
                part.attributes.checksum.as_ref().filter(|checksum| checksum.algorithm == algorithm.name())?;
            Some((part.size, checksum.value.as_str()))
        })
        .collect();
    let value = compose(algorithm, kind, &values?)?;
    Some(Checksum { kind, ..content::full_object(algorithm, &value) })
}

/// The MD5 of the parts' MD5s, and how many they are.
fn whole_etag<'a>(parts: impl Iterator<Item = &'a str>) -> String {
    let mut md5 = Md5::new();
    let count = parts.map(|etag| md5.update(unhex(etag))).count();
    format!("{}-{count}", hex(&md5.finalize()))
}

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> =
        text.chars().filter_map(|digit| digit.to_digit(16)).filter_map(|d| u8::try_from(d).ok()).collect();
    digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

//! The headers of an object: taken when it is written, given back when it is read.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_TYPE, EXPIRES};

use super::buckets::refuse_headers;
use super::versions::give_version;
use crate::amz_time;
use crate::answer::{self, Answer};
use crate::auth::Identity;
use crate::checksum::{Algorithm, kind_name};
use crate::engine::{Checksum, ChecksumKind, ObjectAttributes, ObjectInfo};
use crate::error::{Code, S3Error, S3Result};
use crate::etag::quoted;
use crate::request::Request;
use crate::tag_set;

/// The type of an object that was given none.
const DEFAULT_TYPE: &str = "binary/octet-stream";
const META: &str = "x-amz-meta-";
/// The header, and the name that it is kept under.
pub(super) const REDIRECT_LOCATION: &str = "x-amz-website-redirect-location";
/// Storage classes that S3 knows. All objects are stored alike.
const STORAGE_CLASSES: [&str; 9] = [
    "STANDARD",
    "REDUCED_REDUNDANCY",
    "STANDARD_IA",
    "ONEZONE_IA",
    "INTELLIGENT_TIERING",
    "GLACIER",
    "DEEP_ARCHIVE",
    "GLACIER_IR",
    "EXPRESS_ONEZONE",
];
/// Headers of writes that ask for what this server does not do.
const NOT_DONE: [&str; 1] = ["x-amz-object-lock-event-hold"];

/// What a write says of its object; ETag and checksum are still to be filled in.
///
/// # Errors
/// `MetadataTooLarge`, `InvalidStorageClass`, `InvalidTag` and its like, and `NotImplemented` for what can't be kept.
pub(super) fn taken(request: &Request, max_metadata_bytes: usize) -> S3Result<ObjectAttributes> {
    refuse_headers(request, &NOT_DONE)?;
    let storage_class = request.header("x-amz-storage-class");
    if let Some(unknown) = storage_class.filter(|class| !STORAGE_CLASSES.contains(class)) {
        return Err(S3Error::from(Code::InvalidStorageClass).with("StorageClassRequested", unknown));
    }
    let metadata = metadata(request);
    let size: usize = metadata.iter().map(|(name, value)| name.len() + value.len()).sum();
    if size > max_metadata_bytes {
        let error = S3Error::from(Code::MetadataTooLarge).with("Size", size.to_string());
        return Err(error.with("MaxSizeAllowed", max_metadata_bytes.to_string()));
    }
    let mut headers = content_headers(request);
    headers.extend(redirect_location(request)?);
    Ok(ObjectAttributes {
        headers,
        metadata,
        tags: tag_set::of_header(request)?,
        storage_class: storage_class.filter(|class| *class != "STANDARD").map(str::to_owned),
        ..ObjectAttributes::default()
    })
}

/// Where a website sends those who ask for the object; it is kept among the object's headers.
fn redirect_location(request: &Request) -> S3Result<Option<(String, String)>> {
    let Some(location) = request.header(REDIRECT_LOCATION) else { return Ok(None) };
    if !["/", "http://", "https://"].iter().any(|beginning| location.starts_with(beginning)) {
        return Err(Code::InvalidRedirectLocation.into());
    }
    Ok(Some((REDIRECT_LOCATION.to_owned(), location.to_owned())))
}

fn content_headers(request: &Request) -> Vec<(String, String)> {
    let names = [CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_TYPE, EXPIRES];
    let mut headers = Vec::new();
    for name in names {
        let Some(value) = request.headers().get(&name) else { continue };
        let text = String::from_utf8_lossy(value.as_bytes()).into_owned();
        // `aws-chunked` is how the body came, not what it is.
        let text = if name == CONTENT_ENCODING { without_aws_chunked(&text) } else { text };
        if !text.is_empty() {
            headers.push((name.as_str().to_owned(), text));
        }
    }
    headers
}

/// What names no `aws-chunked` stays as it was written.
fn without_aws_chunked(encodings: &str) -> String {
    let is_chunked = |encoding: &&str| encoding.trim().eq_ignore_ascii_case("aws-chunked");
    if !encodings.split(',').any(|encoding| is_chunked(&encoding)) {
        return encodings.to_owned();
    }
    let kept = encodings.split(',').filter(|encoding| !is_chunked(encoding)).map(str::trim);
    kept.collect::<Vec<_>>().join(", ")
}

fn metadata(request: &Request) -> Vec<(String, String)> {
    let named = request.headers().keys().filter_map(|name| name.as_str().strip_prefix(META).map(|rest| (name, rest)));
    named
        .map(|(name, rest)| {
            let values = request.headers().get_all(name).iter();
            let values: Vec<_> = values.map(|value| metadata_text(value.as_bytes())).collect();
            (rest.to_owned(), values.join(","))
        })
        .collect()
}

/// The text of a metadata header: UTF-8, else Latin-1, which HTTP once meant.
fn metadata_text(bytes: &[u8]) -> String {
    std::str::from_utf8(bytes).map_or_else(|_| bytes.iter().map(|&byte| char::from(byte)).collect(), str::to_owned)
}

/// Metadata as an answer's header: what is not ASCII as one encoded word of RFC 2047, as S3 does. What a client
/// encoded by itself is ASCII and comes back as it was.
fn metadata_value(text: &str) -> Cow<'_, str> {
    if text.is_ascii() { text.into() } else { format!("=?UTF-8?B?{}?=", STANDARD.encode(text)).into() }
}

/// Sets the headers of an object that is read.
pub(super) fn give(answer: &mut Answer, request: &Request, object: &ObjectInfo) {
    answer::set(answer, "accept-ranges", "bytes");
    answer::set(answer, "etag", quoted(&object.attributes.etag));
    answer::set(answer, "last-modified", amz_time::http(object.last_modified_ms));
    answer::set(answer, CONTENT_TYPE.as_str(), DEFAULT_TYPE);
    for (name, value) in &object.attributes.headers {
        answer::set(answer, name, value);
    }
    for (name, value) in &object.attributes.metadata {
        answer::set(answer, &format!("{META}{name}"), metadata_value(value).as_bytes());
    }
    give_version(answer, object.version);
    if let Some(class) = &object.attributes.storage_class {
        answer::set(answer, "x-amz-storage-class", class);
    }
    for (parameter, header) in [
        ("response-cache-control", CACHE_CONTROL),
        ("response-content-disposition", CONTENT_DISPOSITION),
        ("response-content-encoding", CONTENT_ENCODING),
        ("response-content-language", CONTENT_LANGUAGE),
        ("response-content-type", CONTENT_TYPE),
        ("response-expires", EXPIRES),
    ] {
        if let Some(value) = request.query().non_empty(parameter) {
            answer::set(answer, header.as_str(), value);
        }
    }
}

/// Refuses parameters `response-…` of whom nobody knows: a link must not make a page of somebody's upload.
///
/// # Errors
/// `InvalidRequest`.
pub(super) fn refuse_overrides_of_anonymous(request: &Request, identity: &Identity) -> S3Result<()> {
    let is_override = request.query().iter().any(|parameter| parameter.name.starts_with("response-"));
    if !is_override || *identity != Identity::Anonymous {
        return Ok(());
    }
    let message = "Request specific response headers cannot be used for anonymous GET requests.";
    Err(S3Error::new(Code::InvalidRequest, message))
}

/// Sets a checksum's headers.
pub(super) fn give_checksum(answer: &mut Answer, checksum: &Checksum) {
    if let Some(algorithm) = Algorithm::named(&checksum.algorithm) {
        answer::set(answer, algorithm.header(), &checksum.value);
        answer::set(answer, "x-amz-checksum-type", kind_name(checksum.kind));
    }
}

/// The checksum of a whole object.
pub(super) fn full_object(algorithm: Algorithm, value: &str) -> Checksum {
    Checksum { algorithm: algorithm.name().to_owned(), kind: ChecksumKind::FullObject, value: value.to_owned() }
}

//! Answers: their bodies, their headers, and errors as XML.

use std::io;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty, Full, StreamBody};
use hyper::body::Frame;

use crate::amz_time;
use crate::engine::{DeleteMarker, EngineError, ObjectStream};
use crate::error::{Code, S3Error};
use crate::xml::XmlWriter;

/// The body of an answer.
pub(crate) type AnswerBody = UnsyncBoxBody<Bytes, io::Error>;
/// An answer.
pub(crate) type Answer = Response<AnswerBody>;

/// An answer without a body.
pub(crate) fn empty(status: StatusCode) -> Answer {
    with_status(status, Empty::new().map_err(|never| match never {}).boxed_unsync())
}

/// An XML document, 200.
pub(crate) fn xml(document: Bytes) -> Answer {
    typed("application/xml", document)
}

/// A small body of some type, 200.
pub(crate) fn typed(content_type: &'static str, body: Bytes) -> Answer {
    let length = body.len();
    let mut answer = with_status(StatusCode::OK, Full::new(body).map_err(|never| match never {}).boxed_unsync());
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
    answer
}

/// An object's bytes.
pub(crate) fn stream(status: StatusCode, bytes: ObjectStream) -> Answer {
    use futures_util::StreamExt as _;
    let length = bytes.len();
    let mut answer = with_status(status, StreamBody::new(bytes.map(|chunk| chunk.map(Frame::data))).boxed_unsync());
    answer.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
    answer
}

fn with_status(status: StatusCode, body: AnswerBody) -> Answer {
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    answer
}

/// Sets a header; a value that no header can hold is left out.
pub(crate) fn set(answer: &mut Answer, name: &str, value: impl AsRef<[u8]>) {
    if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_bytes(value.as_ref())) {
        answer.headers_mut().insert(name, value);
    }
}

/// An error's answer. To HEAD, and when nothing has changed, it has no body.
pub(crate) fn error(error: &S3Error, is_head: bool, resource: &str, request_id: &str) -> Answer {
    let status = error.code().status();
    let mut answer = if is_head || status == StatusCode::NOT_MODIFIED {
        empty(status)
    } else {
        let mut answer = xml(XmlWriter::bare("Error", |xml| {
            xml.text("Code", error.code().name());
            xml.text("Message", error.message());
            for (name, value) in error.fields() {
                xml.text(name, value);
            }
            xml.text("Resource", resource);
            xml.text("RequestId", request_id);
            xml.text("HostId", request_id);
        }));
        *answer.status_mut() = status;
        answer
    };
    for (name, value) in error.headers() {
        set(&mut answer, name, value);
    }
    answer
}

/// A key that was deleted is missing; a delete marker that is named is there, but is nothing to be read.
fn delete_marker(marker: DeleteMarker) -> S3Error {
    let error = if marker.is_named {
        let error = S3Error::from(Code::MethodNotAllowed).with("ResourceType", "DeleteMarker");
        error.with_header("allow", "DELETE").with_header("last-modified", amz_time::http(marker.last_modified_ms))
    } else {
        S3Error::from(Code::NoSuchKey).with("Key", marker.key)
    };
    error.with_header("x-amz-delete-marker", "true").with_header("x-amz-version-id", marker.version.to_string())
}

impl From<EngineError> for S3Error {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::NoSuchBucket(name) => Self::from(Code::NoSuchBucket).with("BucketName", name),
            EngineError::NoSuchKey(key) => Self::from(Code::NoSuchKey).with("Key", key),
            EngineError::IsDeleteMarker(marker) => delete_marker(marker),
            EngineError::NoSuchVersion { key, version } => {
                Self::from(Code::NoSuchVersion).with("Key", key).with("VersionId", version.to_string())
            }
            EngineError::NoSuchUpload(id) => Self::from(Code::NoSuchUpload).with("UploadId", id),
            EngineError::BucketAlreadyOwnedByYou(name) => {
                Self::from(Code::BucketAlreadyOwnedByYou).with("BucketName", name)
            }
            EngineError::BucketNotEmpty(name) => Self::from(Code::BucketNotEmpty).with("BucketName", name),
            EngineError::InvalidBucketName(name) => Self::from(Code::InvalidBucketName).with("BucketName", name),
            EngineError::KeyTooLong(bytes) => {
                Self::from(Code::KeyTooLongError).with("Size", bytes.to_string()).with("MaxSizeAllowed", "1024")
            }
            EngineError::InvalidArgument(what) => Self::new(Code::InvalidArgument, what),
            EngineError::InvalidRequest(what) => Self::new(Code::InvalidRequest, what),
            EngineError::InvalidPart(number) => Self::from(Code::InvalidPart).with("PartNumber", number.to_string()),
            EngineError::InvalidPartOrder => Code::InvalidPartOrder.into(),
            EngineError::EntityTooSmall { number, size, min_bytes } => Self::from(Code::EntityTooSmall)
                .with("ProposedSize", size.to_string())
                .with("MinSizeAllowed", min_bytes.to_string())
                .with("PartNumber", number.to_string()),
            EngineError::PreconditionFailed => Code::PreconditionFailed.into(),
            EngineError::WrongCustomerKey => Code::AccessDenied.into(),
            EngineError::BadDigest(which) => {
                Self::new(Code::BadDigest, format!("The {which} you specified did not match the calculated checksum."))
            }
            EngineError::StateReplaced => Self::new(Code::OperationAborted, error.to_string()),
            EngineError::Locked => {
                Self::new(Code::AccessDenied, "Access Denied because object protected by object lock.")
            }
            EngineError::NoObjectLock => Self::new(Code::InvalidRequest, "Bucket is missing Object Lock Configuration"),
            EngineError::NeedsVersioning => Self::new(
                Code::InvalidBucketState,
                "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration",
            ),
            EngineError::KeepsVersioning => Self::new(
                Code::InvalidBucketState,
                "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.",
            ),
            EngineError::Storage(error) if error.code() == "TOO_MANY_OPEN_FILES" => {
                tracing::warn!(%error, "the process has no descriptor left; the client is asked to come again");
                Code::SlowDown.into()
            }
            EngineError::Storage(error) => {
                tracing::error!(code = error.code(), %error, "the storage failed");
                Self::new(Code::InternalError, format!("{} ({})", Code::InternalError.message(), error.code()))
            }
        }
    }
}

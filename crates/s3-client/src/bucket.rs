//! A bucket under a prefix: put, get, head.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_smithy_types::byte_stream::ByteStream;
use bytes::Bytes;
use holdfast_base::{ErrorKind, Result};

use crate::failure::{Failing, s3_code};
use crate::object::{millis, unsigned};
use crate::{Body, Client, Object, ObjectMeta, Stored};

/// Conditions and descriptions of a put.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PutOptions {
    /// Store it only when nothing is there.
    pub if_none_match: bool,
    /// Store it only over the object with this ETag.
    pub if_match: Option<String>,
    /// The media type.
    pub content_type: Option<String>,
    /// Metadata of the user, by name without `x-amz-meta-`; ASCII.
    pub metadata: BTreeMap<String, String>,
}

impl PutOptions {
    /// Only when nothing is there.
    pub fn absent() -> Self {
        Self { if_none_match: true, ..Self::default() }
    }

    /// Only over the object with this ETag.
    pub fn replacing(etag: impl Into<String>) -> Self {
        Self { if_match: Some(etag.into()), ..Self::default() }
    }

    pub(crate) fn is_conditional(&self) -> bool {
        self.if_none_match || self.if_match.is_some()
    }

    pub(crate) fn none_match_header(&self) -> Option<String> {
        self.if_none_match.then(|| "*".to_owned())
    }
}

/// Which part of an object to get, and under which conditions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GetOptions {
    /// The bytes wanted; an end past the object's end is cut to it.
    pub range: Option<Range<u64>>,
    /// Only the object with this ETag.
    pub if_match: Option<String>,
    /// Only when the ETag is another one; otherwise an error with code `NOT_MODIFIED`.
    pub if_none_match: Option<String>,
}

/// A bucket, of which only keys under a prefix are seen. Clones share everything.
#[derive(Clone, Debug)]
pub struct Bucket {
    pub(crate) client: Client,
    name: Arc<str>,
    prefix: Arc<str>,
}

/// Sends a request once, whatever the client's settings say of retries.
macro_rules! send_once {
    ($request:expr) => {
        $request
            .customize()
            .config_override(
                aws_sdk_s3::Config::builder().retry_config(aws_sdk_s3::config::retry::RetryConfig::disabled()),
            )
            .send()
    };
}
pub(crate) use send_once;

impl Bucket {
    pub(crate) fn new(client: Client, name: &str, prefix: &str) -> Self {
        Self { client, name: Arc::from(name), prefix: Arc::from(prefix) }
    }

    /// The bucket's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The prefix that every key here has in the bucket.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The client that it talks through.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The same bucket under a longer prefix.
    #[must_use]
    pub fn under(&self, prefix: &str) -> Self {
        Self::new(self.client.clone(), &self.name, &self.full_key(prefix))
    }

    pub(crate) fn full_key(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }

    pub(crate) fn failing<'a>(&'a self, operation: &'static str, key: &'a str) -> Failing<'a> {
        Failing::new(operation, &self.name, Some(key))
    }

    /// Stores an object in one request, whole or not at all.
    ///
    /// Without a condition it is idempotent and tried as often as the client's settings say.
    ///
    /// With a condition it is sent **once**, so that a retry can never meet its own first attempt and report
    /// a false conflict. The error's code then says what is known:
    /// - `PRECONDITION_FAILED`: the condition did not hold; nothing was stored by this call.
    /// - [`crate::OUTCOME_UNKNOWN`]: it was sent and no verdict came back (timeout, broken connection, 5xx). It may be
    ///   stored, or may yet be. Read the object back, or send the same bytes again and, when refused, compare.
    /// - anything else (refused connection, 4xx): nothing was stored.
    ///
    /// S3's 409 `ConditionalRequestConflict` (two conditional writes raced; neither verdict is in) is tried
    /// again, as S3 asks: it stored nothing.
    ///
    /// # Errors
    /// `Conflict`, `NotFound` (code `NO_SUCH_BUCKET`), `Validation`, `Connection`, `Timeout`.
    pub async fn put(&self, key: &str, data: Bytes, options: &PutOptions) -> Result<Stored> {
        let size = data.len() as u64;
        let mut conflicts_left = self.client.settings.max_attempts;
        loop {
            let request = self
                .client
                .sdk
                .put_object()
                .bucket(self.name())
                .key(self.full_key(key))
                .body(ByteStream::from(data.clone()))
                .set_if_none_match(options.none_match_header())
                .set_if_match(options.if_match.clone())
                .set_content_type(options.content_type.clone())
                .set_metadata((!options.metadata.is_empty()).then(|| options.metadata.clone().into_iter().collect()));
            let failing = self.failing("PutObject", key);
            let sent = if options.is_conditional() { send_once!(request).await } else { request.send().await };
            match sent {
                Ok(stored) => return Ok(Stored { etag: stored.e_tag.unwrap_or_default(), size }),
                Err(error) if s3_code(&error) == Some("ConditionalRequestConflict") && conflicts_left > 1 => {
                    conflicts_left -= 1;
                }
                Err(error) if options.is_conditional() => return Err(failing.conditional_error(&error)),
                Err(error) => return Err(failing.error(&error)),
            }
        }
    }

    /// An object and its bytes as a stream.
    ///
    /// # Errors
    /// `NotFound` (codes `NO_SUCH_KEY`, `NO_SUCH_BUCKET`), `Conflict` (codes `PRECONDITION_FAILED`,
    /// `NOT_MODIFIED`), `Validation` (code `INVALID_RANGE`), `Connection`, `Timeout`.
    pub async fn get(&self, key: &str, options: &GetOptions) -> Result<Object> {
        let range = options.range.as_ref().map(range_header);
        let got = self
            .client
            .sdk
            .get_object()
            .bucket(self.name())
            .key(self.full_key(key))
            .set_range(range)
            .set_if_match(options.if_match.clone())
            .set_if_none_match(options.if_none_match.clone())
            .send()
            .await
            .map_err(|error| self.failing("GetObject", key).error(&error))?;
        Ok(self.object(key, got))
    }

    /// An object's bytes, whole. A body that breaks off is asked for again, as often as the settings say.
    ///
    /// # Errors
    /// As [`Bucket::get`].
    pub async fn get_bytes(&self, key: &str) -> Result<Bytes> {
        let mut attempts_left = self.client.settings.max_attempts;
        loop {
            attempts_left = attempts_left.saturating_sub(1);
            match self.get(key, &GetOptions::default()).await?.body.bytes().await {
                Err(error) if error.is_retryable() && attempts_left > 0 => {}
                outcome => return outcome,
            }
        }
    }

    /// An object's bytes, whole, or `None` when it is not there.
    ///
    /// # Errors
    /// As [`Bucket::get`]; a missing bucket is an error.
    pub async fn find_bytes(&self, key: &str) -> Result<Option<Bytes>> {
        match self.get_bytes(key).await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.code() == "NO_SUCH_KEY" => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A range of an object's bytes; an end past the object's end is cut to it.
    ///
    /// # Errors
    /// As [`Bucket::get`].
    pub async fn get_range(&self, key: &str, range: Range<u64>) -> Result<Bytes> {
        if range.is_empty() {
            return Ok(Bytes::new());
        }
        self.get(key, &GetOptions { range: Some(range), ..GetOptions::default() }).await?.body.bytes().await
    }

    /// What is known about an object; `None` when it is not there (S3 says the same of a missing bucket).
    ///
    /// # Errors
    /// `Connection`, `Timeout`.
    pub async fn head(&self, key: &str) -> Result<Option<ObjectMeta>> {
        match self.client.sdk.head_object().bucket(self.name()).key(self.full_key(key)).send().await {
            Ok(head) => Ok(Some(ObjectMeta {
                size: unsigned(head.content_length),
                modified_ms: millis(head.last_modified.as_ref()),
                etag: head.e_tag.unwrap_or_default(),
                content_type: head.content_type,
                metadata: head.metadata.unwrap_or_default().into_iter().collect(),
            })),
            Err(error) => match self.failing("HeadObject", key).error(&error) {
                error if error.kind() == ErrorKind::NotFound => Ok(None),
                error => Err(error),
            },
        }
    }

    fn object(&self, key: &str, got: GetObjectOutput) -> Object {
        let body_bytes = unsigned(got.content_length);
        let whole = got.content_range.as_deref().and_then(size_in_content_range);
        Object {
            meta: ObjectMeta {
                size: whole.unwrap_or(body_bytes),
                modified_ms: millis(got.last_modified.as_ref()),
                etag: got.e_tag.unwrap_or_default(),
                content_type: got.content_type,
                metadata: got.metadata.unwrap_or_default().into_iter().collect(),
            },
            body_bytes,
            body: Body::new(got.body, &self.name, key),
        }
    }
}

fn range_header(range: &Range<u64>) -> String {
    format!("bytes={}-{}", range.start, range.end.saturating_sub(1).max(range.start))
}

/// The size of the whole object in a header such as `bytes 0-9/100`.
fn size_in_content_range(header: &str) -> Option<u64> {
    header.rsplit_once('/').and_then(|(_, size)| size.parse().ok())
}

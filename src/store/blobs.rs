//! Blobs.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use holdfast_base::{Error, ErrorKind, Key, Result};
use holdfast_store::{Answer, BlobBody, BlobQuery, ByteRange, PutOptions, ToJson, Upload};
use napi::bindgen_prelude::Buffer;
use napi_derive::napi;
use tokio::sync::Mutex;

use super::crossing::{Crossing, keys, whole};
use super::entries::ListQueryData;
use super::handle::StoreHandle;

/// What a put says beside the bytes.
#[napi(object)]
pub struct BlobOptionsData {
    /// The media type.
    pub content_type: Option<String>,
    /// The user's own pairs.
    pub metadata: Option<HashMap<String, String>>,
    /// It must not exist yet.
    pub if_none_match: Option<bool>,
    /// It must exist with this ETag.
    pub if_match: Option<String>,
    /// How many bytes will come, where that is known.
    pub size: Option<f64>,
}

impl TryFrom<BlobOptionsData> for PutOptions {
    type Error = Error;

    fn try_from(data: BlobOptionsData) -> Result<Self> {
        Ok(Self {
            content_type: data.content_type,
            metadata: data.metadata.unwrap_or_default().into_iter().collect::<BTreeMap<_, _>>(),
            if_none_match: data.if_none_match.unwrap_or(false),
            if_match: data.if_match,
            size: data.size.map(|size| whole(size, "size")).transpose()?,
        })
    }
}

/// A range: `start` and `end` (included), or the `last` bytes.
#[napi(object)]
pub struct ByteRangeData {
    /// The first byte.
    pub start: Option<f64>,
    /// The last byte, included.
    pub end: Option<f64>,
    /// The last so many bytes.
    pub last: Option<f64>,
}

impl TryFrom<ByteRangeData> for ByteRange {
    type Error = Error;

    fn try_from(data: ByteRangeData) -> Result<Self> {
        if let Some(last) = data.last {
            return Ok(Self::Last(whole(last, "last")?));
        }
        let start = whole(data.start.unwrap_or(0.0), "start")?;
        Ok(Self::From { start, end: data.end.map(|end| whole(end, "end")).transpose()? })
    }
}

/// An upload under way.
#[napi]
pub struct UploadHandle {
    upload: Arc<Mutex<Option<Box<dyn Upload>>>>,
}

fn over() -> Error {
    Error::new(ErrorKind::Closed, "UPLOAD_OVER", "the upload is finished or aborted; begin another")
}

#[napi]
impl UploadHandle {
    /// Takes a copy of the bytes in; answers when there is room for more.
    #[napi(ts_return_type = "Promise<Reply<undefined>>")]
    pub fn write(&self, bytes: &[u8]) -> Crossing<()> {
        let (upload, bytes) = (Arc::clone(&self.upload), Bytes::copy_from_slice(bytes));
        Crossing::of(|| {
            Ok(Answer::later(async move { upload.lock().await.as_mut().ok_or_else(over)?.write(bytes).await }))
        })
    }

    /// Makes the blob visible; answers with what is known of it.
    #[napi(ts_return_type = "Promise<Reply<string>>")]
    pub fn finish(&self) -> Crossing<String> {
        let upload = Arc::clone(&self.upload);
        Crossing::of(|| {
            Ok(Answer::later(async move {
                let upload = upload.lock().await.take().ok_or_else(over)?;
                Ok(upload.finish().await?.to_json())
            }))
        })
    }

    /// Throws away what came so far.
    #[napi(ts_return_type = "Promise<Reply<undefined>>")]
    pub fn abort(&self) -> Crossing<()> {
        let upload = Arc::clone(&self.upload);
        Crossing::of(|| {
            Ok(Answer::later(async move {
                match upload.lock().await.take() {
                    Some(upload) => upload.abort().await,
                    None => Ok(()),
                }
            }))
        })
    }
}

/// A blob that is being read.
#[napi]
pub struct BlobHandle {
    info: String,
    bytes: u64,
    stream: Arc<Mutex<BoxStream<'static, Result<Bytes>>>>,
}

impl From<BlobBody> for BlobHandle {
    fn from(body: BlobBody) -> Self {
        let bytes = body.range.end - body.range.start;
        Self { info: body.info.to_json(), bytes, stream: Arc::new(Mutex::new(body.stream)) }
    }
}

#[napi]
impl BlobHandle {
    /// What is known of the blob.
    #[napi]
    pub fn info(&self) -> String {
        self.info.clone()
    }

    /// How many bytes will come.
    #[napi]
    pub fn bytes(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "no blob has 2^53 bytes")]
        let bytes = self.bytes as f64;
        bytes
    }

    /// The next chunk; null behind the last.
    #[napi(ts_return_type = "Promise<Reply<Buffer | null>>")]
    pub fn next(&self) -> Crossing<Option<Buffer>> {
        let stream = Arc::clone(&self.stream);
        Crossing::of(|| {
            Ok(Answer::later(async move {
                let chunk = stream.lock().await.next().await.transpose()?;
                Ok(chunk.map(|chunk| Buffer::from(Vec::from(chunk))))
            }))
        })
    }

    /// Lets go of the blob; nothing comes after it.
    #[napi(ts_return_type = "Promise<Reply<undefined>>")]
    pub fn cancel(&self) -> Crossing<()> {
        let stream = Arc::clone(&self.stream);
        Crossing::of(|| {
            Ok(Answer::later(async move {
                *stream.lock().await = futures_util::stream::empty().boxed();
                Ok(())
            }))
        })
    }
}

#[napi]
impl StoreHandle {
    /// Begins an upload.
    #[napi(ts_return_type = "Promise<Reply<UploadHandle>>")]
    pub fn open_upload(&self, key: String, options: BlobOptionsData) -> Crossing<UploadHandle> {
        Crossing::of(|| {
            let opened = Answer::Later(self.adapter.open_upload(Key::new(key)?, options.try_into()?));
            Ok(opened.map(|upload| UploadHandle { upload: Arc::new(Mutex::new(Some(upload))) }))
        })
    }

    /// Opens a blob for reading; null when there is none.
    #[napi(ts_return_type = "Promise<Reply<BlobHandle | null>>")]
    pub fn open_blob(&self, key: String, range: Option<ByteRangeData>) -> Crossing<Option<BlobHandle>> {
        Crossing::of(|| {
            let range = range.map(ByteRange::try_from).transpose()?;
            Ok(Answer::Later(self.adapter.open_blob(Key::new(key)?, range)).map(|body| body.map(BlobHandle::from)))
        })
    }

    /// What is known of a blob, or null.
    #[napi(ts_return_type = "Reply<string | null> | Promise<Reply<string | null>>")]
    pub fn head(&self, key: String) -> Crossing<Option<String>> {
        Crossing::of(|| Ok(self.adapter.head(Key::new(key)?).map(|info| info.map(|info| info.to_json()))))
    }

    /// Deletes blobs; says for each whether it was there.
    #[napi(ts_return_type = "Promise<Reply<boolean[]>>")]
    pub fn delete_blobs(&self, names: Vec<String>) -> Crossing<Vec<bool>> {
        Crossing::of(|| Ok(Answer::Later(self.adapter.delete_blobs(keys(names)?))))
    }

    /// A page of blobs.
    #[napi(ts_return_type = "Reply<string> | Promise<Reply<string>>")]
    pub fn list_blobs(&self, query: ListQueryData) -> Crossing<String> {
        Crossing::of(|| {
            let query = BlobQuery {
                range: query.range(),
                reverse: query.reverse.unwrap_or(false),
                limit: query.limit()?,
                prefix: query.prefix.unwrap_or_default(),
                delimiter: query.delimiter,
                after: query.after,
            };
            Ok(self.adapter.list_blobs(query).map(|page| page.to_json()))
        })
    }

    /// Copies a blob; null when there is none.
    #[napi(ts_return_type = "Promise<Reply<string | null>>")]
    pub fn copy_blob(&self, from: String, to: String) -> Crossing<Option<String>> {
        Crossing::of(|| {
            let copied = Answer::Later(self.adapter.copy_blob(Key::new(from)?, Key::new(to)?));
            Ok(copied.map(|info| info.map(|info| info.to_json())))
        })
    }

    /// A URL that lets anyone get or put the blob for a while.
    #[napi(ts_return_type = "Reply<string> | Promise<Reply<string>>")]
    pub fn presign(&self, key: String, method: String, expires_s: f64) -> Crossing<String> {
        Crossing::of(|| Ok(self.adapter.presign(Key::new(key)?, method, whole(expires_s, "expiresIn")?)))
    }
}

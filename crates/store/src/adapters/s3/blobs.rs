//! Blobs: objects under exactly their key.

use std::future::IntoFuture;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::{StreamExt, TryStreamExt};
use holdfast_base::{Error, ErrorKind, Key, Result};
use holdfast_s3_client::{
    CopyOptions, GetOptions, ObjectMeta, PRECONDITION_FAILED, PresignMethod, PutOptions as S3PutOptions, Stored,
    UploadNote, UploadOptions,
};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::scan::{Found, Scan};
use super::{S3, WIDTH, bare, check_key, is_absent};
use crate::blob_page::{check_options, conflict};
use crate::cell::invalid;
use crate::ports::{Blobs, Upload};
use crate::{Answer, BlobBody, BlobInfo, BlobPage, BlobQuery, ByteRange, Pending, PutOptions};

/// No object is larger.
const LARGEST: u64 = 1 << 50;
/// How many names a scan gives at once.
const NAMES_AT_ONCE: usize = 1000;

impl S3 {
    /// Refuses keys that can't be a blob's.
    fn check_blob(&self, key: &Key) -> Result<()> {
        check_key(&self.0.blobs, key)?;
        match self.0.reserved.iter().find(|prefix| key.as_str().starts_with(prefix.as_str())) {
            None => Ok(()),
            Some(prefix) => {
                let message = format!("{:?} lies under {prefix:?}, where the store keeps its own", key.as_str());
                Err(invalid("RESERVED_KEY", message))
            }
        }
    }
}

impl Blobs for S3 {
    fn open_upload(&self, key: Key, options: PutOptions) -> Pending<Box<dyn Upload>> {
        self.later(|store| async move {
            store.check_blob(&key)?;
            check_options(&options)?;
            Ok(Box::new(S3Upload::begin(store, key, &options)) as Box<dyn Upload>)
        })
        .into_future()
    }

    fn open_blob(&self, key: Key, range: Option<ByteRange>) -> Pending<Option<BlobBody>> {
        self.later(|store| async move {
            store.check_blob(&key)?;
            match open(&store, key.as_str(), range).await {
                Err(error) if is_absent(&error) => Ok(None),
                opened => opened.map(Some),
            }
        })
        .into_future()
    }

    fn head(&self, key: Key) -> Answer<Option<BlobInfo>> {
        self.later(|store| async move {
            store.check_blob(&key)?;
            let meta = store.0.blobs.head(key.as_str()).await?;
            Ok(meta.map(|meta| info_of(key.as_str(), meta)))
        })
    }

    fn delete_blobs(&self, keys: Vec<Key>) -> Pending<Vec<bool>> {
        self.later(|store| async move {
            keys.iter().try_for_each(|key| store.check_blob(key))?;
            let heads: Vec<_> = keys.iter().map(|key| store.0.blobs.head(key.as_str())).collect();
            let heads: Vec<Option<ObjectMeta>> =
                futures_util::stream::iter(heads).buffered(WIDTH).try_collect().await?;
            let there = keys.iter().zip(&heads).filter(|(_, head)| head.is_some());
            let names: Vec<String> = there.map(|(key, _)| key.as_str().to_owned()).collect();
            store.0.blobs.delete_many(&names).await?;
            Ok(heads.into_iter().map(|head| head.is_some()).collect())
        })
        .into_future()
    }

    fn list_blobs(&self, query: BlobQuery) -> Answer<BlobPage> {
        self.later(|store| async move { list(&store, &query).await })
    }

    fn copy_blob(&self, from: Key, to: Key) -> Pending<Option<BlobInfo>> {
        self.later(|store| async move {
            store.check_blob(&from)?;
            store.check_blob(&to)?;
            let bucket = &store.0.blobs;
            if from.as_str() == to.as_str() {
                // S3 refuses to copy an object onto itself; it is there already.
                let same = bucket.head(to.as_str()).await?;
                return Ok(same.map(|meta| info_of(to.as_str(), meta)));
            }
            match bucket.copy(from.as_str(), bucket, to.as_str(), &CopyOptions::default()).await {
                Ok(_) => {}
                Err(error) if is_absent(&error) => return Ok(None),
                Err(error) => return Err(error),
            }
            let copy = bucket.head(to.as_str()).await?;
            Ok(copy.map(|meta| info_of(to.as_str(), meta)))
        })
        .into_future()
    }

    fn presign(&self, key: Key, method: String, expires_s: u64) -> Answer<String> {
        self.later(|store| async move {
            store.check_blob(&key)?;
            let method = if method == "PUT" { PresignMethod::Put } else { PresignMethod::Get };
            store.0.blobs.presign(key.as_str(), method, expires_s).await
        })
    }
}

fn info_of(key: &str, meta: ObjectMeta) -> BlobInfo {
    BlobInfo {
        key: key.to_owned(),
        size: meta.size,
        etag: bare(&meta.etag),
        content_type: meta.content_type,
        metadata: meta.metadata,
        updated_at_ms: meta.modified_ms,
    }
}

async fn open(store: &S3, key: &str, range: Option<ByteRange>) -> Result<BlobBody> {
    let mut options = GetOptions::default();
    match range {
        None => {}
        Some(ByteRange::From { start, end }) => {
            options.range = Some(start..end.map_or(start + LARGEST, |end| end.saturating_add(1)));
        }
        Some(last @ ByteRange::Last(_)) => {
            let Some(meta) = store.0.blobs.head(key).await? else {
                return Err(Error::new(ErrorKind::NotFound, "NO_SUCH_KEY", "there is no such blob"));
            };
            options.range = Some(last.resolve(meta.size)?);
            options.if_match = Some(meta.etag);
        }
    }
    let object = store.0.blobs.get(key, &options).await.map_err(|error| changed(key, error))?;
    let range = range.map_or(Ok(0..object.meta.size), |range| range.resolve(object.meta.size))?;
    Ok(BlobBody { info: info_of(key, object.meta), range, stream: object.body.boxed() })
}

/// What a condition that did not hold means for a blob.
fn changed(key: &str, error: Error) -> Error {
    if error.code() == PRECONDITION_FAILED { conflict(key, "has changed") } else { error }
}

async fn list(store: &S3, query: &BlobQuery) -> Result<BlobPage> {
    let mut range = query.range.clone();
    if let Some(after) = &query.after {
        let is_prefix = query.fold(after) == Some(after.as_str());
        let bytes = after.clone().into_bytes();
        if query.reverse {
            range.end = std::ops::Bound::Excluded(bytes);
        } else if is_prefix {
            range.start = std::ops::Bound::Excluded(format!("{after}\u{10ffff}").into_bytes());
        } else {
            range.start = std::ops::Bound::Excluded(bytes);
        }
    }
    let delimiter = query.delimiter.as_deref().filter(|delimiter| !delimiter.is_empty());
    let scan = Scan { bucket: &store.0.blobs, range, prefix: &query.prefix, delimiter, hidden: &store.0.reserved };
    let limit = query.limit.min(NAMES_AT_ONCE);
    let mut names = scan.take(limit + 1, query.reverse).await?;
    let has_more = names.len() > limit;
    names.truncate(limit);
    let mut page =
        BlobPage { next: names.back().map(|found| found.name.clone()).filter(|_| has_more), ..BlobPage::default() };
    for Found { name, object } in names {
        match object {
            None => page.prefixes.push(name),
            Some(object) => page.items.push(BlobInfo {
                key: name,
                size: object.size,
                etag: bare(&object.etag),
                updated_at_ms: object.modified_ms,
                ..BlobInfo::default()
            }),
        }
    }
    Ok(page)
}

/// An upload is cut into parts above this.
const MULTIPART_ABOVE: u64 = 5 << 20;

/// The size of a part. An upload that is known to be larger than the threshold, and smaller than a part, is
/// cut at the threshold.
fn part_bytes(set: usize, size: Option<u64>) -> usize {
    let fits_one = |size: u64| size > MULTIPART_ABOVE && size < set as u64;
    if size.is_some_and(fits_one) { usize::try_from(MULTIPART_ABOVE).unwrap_or(set) } else { set }
}

/// What the uploading task is told.
enum Order {
    Bytes(Bytes),
    /// All bytes came. Without it the upload is thrown away.
    End,
}

/// An upload: a task that streams what it is given. It holds `part_bytes × (concurrency + 1)` at most.
struct S3Upload {
    store: S3,
    key: Key,
    described: S3PutOptions,
    orders: mpsc::Sender<Order>,
    task: JoinHandle<Result<Stored>>,
}

impl S3Upload {
    fn begin(store: S3, key: Key, options: &PutOptions) -> Self {
        let (orders, queue) = mpsc::channel(1);
        let described = S3PutOptions {
            if_none_match: options.if_none_match,
            if_match: options.if_match.as_ref().map(|etag| format!("\"{}\"", bare(etag))),
            content_type: options.content_type.clone(),
            metadata: options.metadata.clone(),
        };
        let upload = UploadOptions {
            put: described.clone(),
            part_bytes: part_bytes(store.0.part_bytes, options.size),
            concurrency: Some(store.0.concurrency),
            size_hint: options.size,
            single_bytes: usize::try_from(MULTIPART_ABOVE).ok(),
            note: Some(UploadNote { bucket: store.0.uploads.clone(), name: uuid::Uuid::now_v7().to_string() }),
        };
        let (bucket, name) = (store.0.blobs.clone(), key.as_str().to_owned());
        let task = tokio::spawn(async move { bucket.put_stream(&name, ordered(queue), &upload, |_| ()).await });
        Self { store, key, described, orders, task }
    }

    /// The task's error, when it ended before its time.
    async fn outcome(task: &mut JoinHandle<Result<Stored>>, key: &str) -> Result<Stored> {
        let stored = task.await.map_err(|error| Error::internal(format!("an upload broke off: {error}")))?;
        stored.map_err(|error| match error.code() {
            PRECONDITION_FAILED => conflict(key, "is not what the put expects"),
            "NO_SUCH_KEY" => conflict(key, "does not exist"),
            _ => error,
        })
    }
}

/// The bytes of a queue; an error when it breaks off without an end.
fn ordered(queue: mpsc::Receiver<Order>) -> impl futures_util::Stream<Item = Result<Bytes>> + Send {
    futures_util::stream::unfold(Some(queue), |queue| async move {
        let mut queue = queue?;
        match queue.recv().await {
            Some(Order::Bytes(bytes)) => Some((Ok(bytes), Some(queue))),
            Some(Order::End) => None,
            None => Some((Err(Error::new(ErrorKind::Aborted, "ABORTED", "the upload was aborted")), None)),
        }
    })
    .fuse()
}

impl Upload for S3Upload {
    fn write(&mut self, bytes: Bytes) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            if self.orders.send(Order::Bytes(bytes)).await.is_ok() {
                return Ok(());
            }
            match Self::outcome(&mut self.task, self.key.as_str()).await {
                Err(error) => Err(error),
                Ok(_) => Err(Error::internal("an upload ended before its bytes did")),
            }
        })
    }

    fn finish(self: Box<Self>) -> Pending<BlobInfo> {
        let Self { store, key, described, orders, mut task } = *self;
        // After a close `orders` goes without an end, which throws the upload away.
        let finish = move |store: S3| async move {
            // A task that is gone already says why below.
            let _ = orders.send(Order::End).await;
            let stored = Self::outcome(&mut task, key.as_str()).await?;
            Ok(BlobInfo {
                key: key.into_string(),
                size: stored.size,
                etag: bare(&stored.etag),
                content_type: described.content_type,
                metadata: described.metadata,
                updated_at_ms: store.now_ms(),
            })
        };
        store.later(finish).into_future()
    }

    fn abort(self: Box<Self>) -> Pending<()> {
        let Self { orders, task, .. } = *self;
        Box::pin(async move {
            drop(orders);
            // It ends with the error of the abortion, after its parts are freed.
            let _ = task.await;
            Ok(())
        })
    }
}

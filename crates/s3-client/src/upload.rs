//! Uploads of any size in bounded memory.
//!
//! Invariant: at most `part_bytes × (concurrency + 1)` bytes are held, and an upload that does not complete
//! is aborted, whether it failed or its future was dropped.

use aws_sdk_s3::types::CompletedPart;
use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt};
use holdfast_base::{Error, ErrorKind, Result};
use tokio::task::JoinSet;

use crate::{Bucket, PutOptions, Stored, UploadNote};

/// The smallest part that S3 takes, the last one excepted.
const MIN_PART_BYTES: usize = 5 << 20;
/// The most parts that S3 takes.
const MAX_PARTS: usize = 10_000;
/// After this many parts of unknown total the parts double, so that [`MAX_PARTS`] reach 5 TiB.
const PARTS_BEFORE_GROWTH: usize = 1_000;

/// How to cut an upload into parts.
#[derive(Clone, Debug)]
pub struct UploadOptions {
    /// Conditions and descriptions.
    pub put: PutOptions,
    /// A part's size. Default 8 MiB, at least 5 MiB. Grows where 10,000 parts would not suffice.
    pub part_bytes: usize,
    /// Parts in flight. Default: the client's `concurrency`.
    pub concurrency: Option<usize>,
    /// The whole size, where it is known: lets the parts be of one size from the start.
    pub size_hint: Option<u64>,
    /// What is larger goes in parts of 5 MiB, also where it would fit in one. At least 5 MiB. Default: a part.
    pub single_bytes: Option<usize>,
    /// Where to note an upload in parts while it is under way.
    pub note: Option<UploadNote>,
}

impl Default for UploadOptions {
    fn default() -> Self {
        Self {
            put: PutOptions::default(),
            part_bytes: 8 << 20,
            concurrency: None,
            size_hint: None,
            single_bytes: None,
            note: None,
        }
    }
}

impl UploadOptions {
    fn part_bytes(&self, parts_before: usize) -> usize {
        let least = self.part_bytes.max(MIN_PART_BYTES);
        match self.size_hint {
            Some(size) => least.max(usize::try_from(size.div_ceil(MAX_PARTS as u64)).unwrap_or(usize::MAX)),
            None => least << (parts_before / PARTS_BEFORE_GROWTH).min(9),
        }
    }
}

impl Bucket {
    /// Stores a stream: in one request when it fits in one part, otherwise in parts, several in flight.
    /// `on_progress` hears how many bytes are stored so far.
    ///
    /// Whole or not at all: after an error, or when the future is dropped, nothing is visible and the parts are
    /// freed. An error of the stream comes back unchanged. Conditions are those of [`Bucket::put`].
    ///
    /// # Errors
    /// As [`Bucket::put`]; `Validation` with code `TOO_LARGE` past 10,000 parts.
    pub async fn put_stream<S>(
        &self,
        key: &str,
        data: S,
        options: &UploadOptions,
        on_progress: impl Fn(u64) + Send + Sync,
    ) -> Result<Stored>
    where
        S: Stream<Item = Result<Bytes>> + Send,
    {
        let mut parts = PartReader { data: Box::pin(data), rest: Bytes::new() };
        let mut first = parts.next(options.part_bytes(0)).await?;
        if first.len() < options.part_bytes(0) {
            if first.len() <= options.single_bytes.map_or(usize::MAX, |bytes| bytes.max(MIN_PART_BYTES)) {
                let stored = self.put(key, first, &options.put).await?;
                on_progress(stored.size);
                return Ok(stored);
            }
            // All of it came: two parts of it, of the one size that every part but the last must have.
            parts.rest = first.split_off(MIN_PART_BYTES);
        }
        let upload_id = self.begin_upload(key, &options.put).await?;
        let mut guard = AbortOnDrop::new(self.clone(), key.to_owned(), upload_id, options.note.clone());
        let stored = match guard.write_note().await {
            Ok(()) => self.send_parts(&guard, first, &mut parts, options, &on_progress).await,
            Err(error) => Err(error),
        };
        if stored.is_err()
            && let Err(abort) = self.abort_upload(key, &guard.upload_id).await
        {
            tracing::warn!(key, upload = guard.upload_id, %abort, "an upload that failed could not be aborted");
            // Its note stays, so that a later sweep finds it.
            guard.note = None;
        }
        guard.end().await;
        stored
    }

    async fn send_parts<S>(
        &self,
        upload: &AbortOnDrop,
        first: Bytes,
        parts: &mut PartReader<S>,
        options: &UploadOptions,
        on_progress: &(impl Fn(u64) + Send + Sync),
    ) -> Result<Stored>
    where
        S: Stream<Item = Result<Bytes>> + Send,
    {
        let width = options.concurrency.unwrap_or(self.client.settings.concurrency).max(1);
        let mut flight = Flight::default();
        let mut part = first;
        let (mut count, mut size) = (0, 0);
        while !part.is_empty() {
            if count == MAX_PARTS {
                let message = format!("{:?} needs more than {MAX_PARTS} parts; use larger parts", upload.key);
                return Err(Error::new(ErrorKind::Validation, "TOO_LARGE", message));
            }
            count += 1;
            size += part.len() as u64;
            flight.launch(self.clone(), upload, count, part);
            while flight.tasks.len() >= width {
                on_progress(flight.land().await?);
            }
            part = parts.next(options.part_bytes(count)).await?;
        }
        while !flight.tasks.is_empty() {
            on_progress(flight.land().await?);
        }
        flight.done.sort_by_key(|part| part.part_number);
        self.complete_upload(&upload.key, &upload.upload_id, flight.done, &options.put, size).await
    }
}

/// The parts in flight and those that have landed. Dropped, it cancels what is in flight.
#[derive(Default)]
struct Flight {
    tasks: JoinSet<Result<(CompletedPart, u64)>>,
    done: Vec<CompletedPart>,
    stored_bytes: u64,
}

impl Flight {
    fn launch(&mut self, bucket: Bucket, upload: &AbortOnDrop, count: usize, data: Bytes) {
        let (key, upload_id) = (upload.key.clone(), upload.upload_id.clone());
        let number = i32::try_from(count).unwrap_or(i32::MAX);
        self.tasks.spawn(async move {
            let bytes = data.len() as u64;
            bucket.put_part(&key, &upload_id, number, data).await.map(|part| (part, bytes))
        });
    }

    /// Waits for one part; gives back how many bytes have landed in all.
    async fn land(&mut self) -> Result<u64> {
        if let Some(landed) = self.tasks.join_next().await {
            let (part, bytes) = landed.map_err(|error| Error::internal(format!("a part's task failed: {error}")))??;
            self.done.push(part);
            self.stored_bytes += bytes;
        }
        Ok(self.stored_bytes)
    }
}

/// Cuts a stream into parts.
struct PartReader<S> {
    data: std::pin::Pin<Box<S>>,
    rest: Bytes,
}

impl<S: Stream<Item = Result<Bytes>>> PartReader<S> {
    /// The next `bytes` bytes; fewer at the end, none after it.
    async fn next(&mut self, bytes: usize) -> Result<Bytes> {
        if self.rest.len() >= bytes {
            return Ok(self.rest.split_to(bytes));
        }
        let mut part = BytesMut::from(std::mem::take(&mut self.rest));
        while part.len() < bytes {
            let Some(mut chunk) = self.data.next().await.transpose()? else { break };
            let taken = chunk.split_to(chunk.len().min(bytes - part.len()));
            if part.is_empty() {
                part = BytesMut::from(taken);
            } else {
                part.reserve(if part.capacity() < part.len() + taken.len() { bytes - part.len() } else { 0 });
                part.extend_from_slice(&taken);
            }
            self.rest = chunk;
        }
        Ok(part.freeze())
    }
}

/// Aborts an upload in the background when the future that drives it is dropped.
struct AbortOnDrop {
    bucket: Option<Bucket>,
    key: String,
    upload_id: String,
    note: Option<UploadNote>,
}

impl AbortOnDrop {
    fn new(bucket: Bucket, key: String, upload_id: String, note: Option<UploadNote>) -> Self {
        Self { bucket: Some(bucket), key, upload_id, note }
    }

    async fn write_note(&self) -> Result<()> {
        match &self.note {
            Some(note) => note.write(&self.key, &self.upload_id).await,
            None => Ok(()),
        }
    }

    /// The upload is over: there is nothing left to abort.
    async fn end(&mut self) {
        self.bucket = None;
        if let Some(note) = self.note.take() {
            note.erase().await;
        }
    }
}

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        let (Some(bucket), Ok(runtime)) = (self.bucket.take(), tokio::runtime::Handle::try_current()) else { return };
        let (key, upload_id) = (std::mem::take(&mut self.key), std::mem::take(&mut self.upload_id));
        let note = self.note.take();
        runtime.spawn(async move {
            match bucket.abort_upload(&key, &upload_id).await {
                Err(error) => {
                    tracing::warn!(key, upload_id, %error, "an upload that was given up could not be aborted");
                }
                Ok(()) => {
                    if let Some(note) = note {
                        note.erase().await;
                    }
                }
            }
        });
    }
}

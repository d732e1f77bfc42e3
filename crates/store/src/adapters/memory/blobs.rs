//! Blobs.

use std::ops::Bound;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use holdfast_base::{Key, KeyRange, Result};
use sha2::{Digest, Sha256};

use super::{Memory, State, lowest_text};
use crate::adapters::cannot;
use crate::blob_page::{check_conditions, check_options, page_of};
use crate::ports::{Blobs, Upload};
use crate::{Answer, BlobBody, BlobInfo, BlobPage, BlobQuery, ByteRange, Pending, PutOptions};

const CHUNK_BYTES: usize = 256 << 10;

impl Blobs for Memory {
    fn open_upload(&self, key: Key, options: PutOptions) -> Pending<Box<dyn Upload>> {
        let memory = self.clone();
        Box::pin(async move {
            check_options(&options)?;
            memory.with(|_, _| Ok(()))?;
            let upload = MemoryUpload { memory, key, options, bytes: BytesMut::new() };
            Ok(Box::new(upload) as Box<dyn Upload>)
        })
    }

    fn open_blob(&self, key: Key, range: Option<ByteRange>) -> Pending<Option<BlobBody>> {
        Box::pin(std::future::ready(self.with(|state, _| {
            let Some((info, bytes)) = state.blobs.get(key.as_str()) else { return Ok(None) };
            let range = range.map_or(Ok(0..info.size), |range| range.resolve(info.size))?;
            let part = bytes.slice(usize_of(range.start)..usize_of(range.end));
            Ok(Some(BlobBody { info: info.clone(), range, stream: chunks(part).boxed() }))
        })))
    }

    fn head(&self, key: Key) -> Answer<Option<BlobInfo>> {
        Answer::now(|| self.with(|state, _| Ok(state.blobs.get(key.as_str()).map(|(info, _)| info.clone()))))
    }

    fn delete_blobs(&self, keys: Vec<Key>) -> Pending<Vec<bool>> {
        Box::pin(std::future::ready(
            self.with(|state, _| Ok(keys.iter().map(|key| state.blobs.remove(key.as_str()).is_some()).collect())),
        ))
    }

    fn list_blobs(&self, query: BlobQuery) -> Answer<BlobPage> {
        Answer::now(|| self.with(|state, _| page_of(&query, |range| Ok(first_in(state, range, query.reverse)))))
    }

    fn copy_blob(&self, from: Key, to: Key) -> Pending<Option<BlobInfo>> {
        Box::pin(std::future::ready(self.with(|state, now_ms| {
            let Some((info, bytes)) = state.blobs.get(from.as_str()).cloned() else { return Ok(None) };
            let info = BlobInfo { key: to.as_str().to_owned(), updated_at_ms: now_ms, ..info };
            state.blobs.insert(to.into_string(), (info.clone(), bytes));
            Ok(Some(info))
        })))
    }

    fn presign(&self, _key: Key, _method: String, _expires_s: u64) -> Answer<String> {
        Answer::Now(Err(cannot("memory", "presign URLs")))
    }
}

fn usize_of(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn chunks(bytes: Bytes) -> impl futures_util::Stream<Item = Result<Bytes>> + Send + 'static {
    futures_util::stream::unfold(bytes, |mut rest| async move {
        let chunk = rest.split_to(rest.len().min(CHUNK_BYTES));
        (!chunk.is_empty()).then_some((Ok(chunk), rest))
    })
}

fn first_in(state: &State, range: &KeyRange, reverse: bool) -> Option<BlobInfo> {
    let from = Bound::Included(lowest_text(range));
    let mut inside = state.blobs.range((from, Bound::Unbounded)).filter(|(key, _)| range.contains(key.as_bytes()));
    let found = if reverse { inside.next_back() } else { inside.next() };
    found.map(|(_, (info, _))| info.clone())
}

struct MemoryUpload {
    memory: Memory,
    key: Key,
    options: PutOptions,
    bytes: BytesMut,
}

impl Upload for MemoryUpload {
    fn write(&mut self, bytes: Bytes) -> BoxFuture<'_, Result<()>> {
        self.bytes.extend_from_slice(&bytes);
        Box::pin(std::future::ready(Ok(())))
    }

    fn finish(self: Box<Self>) -> Pending<BlobInfo> {
        let Self { memory, key, options, bytes } = *self;
        Box::pin(std::future::ready(memory.with(|state, now_ms| {
            let current = state.blobs.get(key.as_str()).map(|(info, _)| info.etag.as_str());
            check_conditions(key.as_str(), current, &options)?;
            let info = BlobInfo {
                key: key.as_str().to_owned(),
                size: bytes.len() as u64,
                etag: hex(&Sha256::digest(&bytes)),
                content_type: options.content_type,
                metadata: options.metadata,
                updated_at_ms: now_ms,
            };
            state.blobs.insert(key.into_string(), (info.clone(), bytes.freeze()));
            Ok(info)
        })))
    }

    fn abort(self: Box<Self>) -> Pending<()> {
        Box::pin(std::future::ready(Ok(())))
    }
}

fn hex(digest: &[u8]) -> String {
    digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

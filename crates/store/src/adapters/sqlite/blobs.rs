//! Blobs: a body of chunks, written as they come, and one row that makes the body visible under a key.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use holdfast_base::{Error, ErrorKind, Key, KeyRange, Result};
use holdfast_sqlite::rusqlite::{Connection, OptionalExtension, Row, params};
use holdfast_sqlite::{Failure, Work};
use sha2::{Digest, Sha256};

use super::entries::condition;
use super::{Sqlite, signed, unsigned};
use crate::adapters::cannot;
use crate::adapters::leases::Lease;
use crate::blob_page::{check_conditions, check_options, page_of};
use crate::ports::{Blobs, Upload};
use crate::{Answer, BlobBody, BlobInfo, BlobPage, BlobQuery, ByteRange, Pending, PutOptions};

/// The size of a stored chunk.
const CHUNK_BYTES: usize = 256 << 10;

impl Blobs for Sqlite {
    fn open_upload(&self, key: Key, options: PutOptions) -> Pending<Box<dyn Upload>> {
        let store = self.clone();
        Box::pin(async move {
            check_options(&options)?;
            let current = store.database.read(|connection| find(connection, key.as_str()))?;
            check_conditions(key.as_str(), current.as_ref().map(|(_, info)| info.etag.as_str()), &options)?;
            let upload = SqliteUpload {
                store,
                key,
                options,
                pending: BytesMut::new(),
                body: None,
                number: 0,
                size: 0,
                digest: Sha256::new(),
            };
            Ok(Box::new(upload) as Box<dyn Upload>)
        })
    }

    fn open_blob(&self, key: Key, range: Option<ByteRange>) -> Pending<Option<BlobBody>> {
        let opened = self.database.read(|connection| {
            let Some((body, info)) = find(connection, key.as_str())? else { return Ok(None) };
            // The lease is taken before the row can be seen as replaced by a sweep of this process.
            let lease = self.leases.take(body);
            let range = range.map_or(Ok(0..info.size), |range| range.resolve(info.size))?;
            let reading = Reading { store: self.clone(), lease, at: range.start, end: range.end };
            Ok(Some(BlobBody { info, range, stream: chunks(reading).boxed() }))
        });
        Box::pin(std::future::ready(opened))
    }

    fn head(&self, key: Key) -> Answer<Option<BlobInfo>> {
        Answer::now(|| {
            let found = self.database.read(|connection| find(connection, key.as_str()))?;
            Ok(found.map(|(_, info)| info))
        })
    }

    fn delete_blobs(&self, keys: Vec<Key>) -> Pending<Vec<bool>> {
        let clock = Arc::clone(&self.clock);
        Box::pin(self.database.submit(move |connection| {
            keys.iter().map(|key| delete(connection, key.as_str(), clock.now_ms())).collect()
        }))
    }

    fn list_blobs(&self, query: BlobQuery) -> Answer<BlobPage> {
        Answer::now(|| {
            self.database.read(|connection| {
                let view = connection.unchecked_transaction()?;
                page_of(&query, |range| first_in(&view, range, query.reverse))
            })
        })
    }

    fn copy_blob(&self, from: Key, to: Key) -> Pending<Option<BlobInfo>> {
        let store = self.clone();
        Box::pin(async move {
            let Some(source) = store.open_blob(from, None).await? else { return Ok(None) };
            let BlobInfo { content_type, metadata, size, .. } = source.info;
            let options = PutOptions { content_type, metadata, size: Some(size), ..PutOptions::default() };
            let mut upload = store.open_upload(to, options).await?;
            let mut stream = source.stream;
            while let Some(chunk) = stream.next().await {
                upload.write(chunk?).await?;
            }
            upload.finish().await.map(Some)
        })
    }

    fn presign(&self, _key: Key, _method: String, _expires_s: u64) -> Answer<String> {
        Answer::Now(Err(cannot("sqlite", "presign URLs")))
    }
}

const COLUMNS: &str = "body, key, size, etag, content_type, metadata, updated_ms";

fn info_of(row: &Row<'_>) -> holdfast_sqlite::rusqlite::Result<(i64, BlobInfo)> {
    let metadata: String = row.get(5)?;
    let info = BlobInfo {
        key: row.get(1)?,
        size: unsigned(row.get(2)?),
        etag: row.get(3)?,
        content_type: row.get(4)?,
        // Written by `link` below, so it reads back; a foreign hand's text counts as none.
        metadata: serde_json::from_str::<BTreeMap<String, String>>(&metadata).unwrap_or_default(),
        updated_at_ms: unsigned(row.get(6)?),
    };
    Ok((row.get(0)?, info))
}

fn find(connection: &Connection, key: &str) -> Work<Option<(i64, BlobInfo)>> {
    let mut find = connection.prepare_cached(&format!("select {COLUMNS} from blobs where key = ?1"))?;
    Ok(find.query_row([key], info_of).optional()?)
}

fn first_in(connection: &Connection, range: &KeyRange, reverse: bool) -> Work<Option<BlobInfo>> {
    let (within, start, end) = condition(range);
    let order = if reverse { "desc" } else { "asc" };
    let mut find = connection.prepare_cached(&format!(
        "select {COLUMNS} from blobs where ?1 is null and {within} order by key {order} limit 1"
    ))?;
    let found = find.query_row(params![None::<i64>, start, end], info_of).optional()?;
    Ok(found.map(|(_, info)| info))
}

/// Lets go of a body; the sweep takes its chunks away later.
fn retire(connection: &Connection, body: i64, now_ms: u64) -> Work<()> {
    connection
        .prepare_cached("update blob_bodies set state = 2, touched_ms = ?2 where id = ?1")?
        .execute([body, signed(now_ms)])?;
    Ok(())
}

fn delete(connection: &Connection, key: &str, now_ms: u64) -> Work<bool> {
    let Some((body, _)) = find(connection, key)? else { return Ok(false) };
    connection.prepare_cached("delete from blobs where key = ?1")?.execute([key])?;
    retire(connection, body, now_ms)?;
    Ok(true)
}

/// Makes a body visible under its key, and retires the one that was there.
fn link(connection: &Connection, body: i64, info: &BlobInfo, options: &PutOptions) -> Work<()> {
    let current = find(connection, &info.key)?;
    check_conditions(&info.key, current.as_ref().map(|(_, info)| info.etag.as_str()), options)?;
    if let Some((replaced, _)) = current {
        retire(connection, replaced, info.updated_at_ms)?;
    }
    let metadata = serde_json::to_string(&info.metadata).map_err(|error| Error::internal(error.to_string()))?;
    connection
        .prepare_cached(&format!("insert or replace into blobs ({COLUMNS}) values (?1, ?2, ?3, ?4, ?5, ?6, ?7)"))?
        .execute(params![
            body,
            info.key,
            signed(info.size),
            info.etag,
            info.content_type,
            metadata,
            signed(info.updated_at_ms)
        ])?;
    connection
        .prepare_cached("update blob_bodies set state = 1, touched_ms = ?2 where id = ?1")?
        .execute([body, signed(info.updated_at_ms)])?;
    Ok(())
}

fn store_chunk(connection: &Connection, body: i64, number: i64, start: u64, bytes: &[u8]) -> Work<()> {
    connection
        .prepare_cached("insert into blob_chunks (body, number, start, bytes) values (?1, ?2, ?3, ?4)")?
        .execute(params![body, number, signed(start), bytes])?;
    Ok(())
}

/// The body under way: a new one, or the one that was begun, marked as alive. One that a sweep took for
/// abandoned is gone, and the upload with it.
fn body_of(connection: &Connection, body: Option<i64>, now_ms: u64) -> Work<i64> {
    let Some(body) = body else {
        connection
            .prepare_cached("insert into blob_bodies (state, touched_ms) values (0, ?1)")?
            .execute([signed(now_ms)])?;
        return Ok(connection.last_insert_rowid());
    };
    let alive = connection
        .prepare_cached("update blob_bodies set touched_ms = ?2 where id = ?1 and state = 0")?
        .execute([body, signed(now_ms)])?;
    if alive == 1 {
        return Ok(body);
    }
    let message = "the upload took nothing in for an hour and was taken for abandoned; begin it again";
    Err(Failure::House(Error::new(ErrorKind::Timeout, "UPLOAD_ABANDONED", message)))
}

struct SqliteUpload {
    store: Sqlite,
    key: Key,
    options: PutOptions,
    pending: BytesMut,
    body: Option<i64>,
    number: i64,
    size: u64,
    digest: Sha256,
}

impl SqliteUpload {
    /// Stores the first `length` of the pending bytes as a chunk of their own transaction.
    async fn store_pending(&mut self, length: usize) -> Result<()> {
        let bytes = self.pending.split_to(length).freeze();
        let (body, number, start) = (self.body, self.number, self.size);
        self.size += bytes.len() as u64;
        self.number += 1;
        let clock = Arc::clone(&self.store.clock);
        let stored = self.store.database.write(move |connection| {
            let body = body_of(connection, body, clock.now_ms())?;
            store_chunk(connection, body, number, start, &bytes)?;
            Ok(body)
        });
        self.body = Some(stored.await?);
        Ok(())
    }
}

impl Upload for SqliteUpload {
    fn write(&mut self, bytes: Bytes) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            self.digest.update(&bytes);
            self.pending.extend_from_slice(&bytes);
            while self.pending.len() > CHUNK_BYTES {
                self.store_pending(CHUNK_BYTES).await?;
            }
            Ok(())
        })
    }

    fn finish(self: Box<Self>) -> Pending<BlobInfo> {
        let Self { store, key, options, pending, body, number, size, digest } = *self;
        let clock = Arc::clone(&store.clock);
        let etag: String = digest.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        Box::pin(async move {
            let linked = store.database.write(move |connection| {
                let now_ms = clock.now_ms();
                let body = body_of(connection, body, now_ms)?;
                if !pending.is_empty() {
                    store_chunk(connection, body, number, size, &pending)?;
                }
                let info = BlobInfo {
                    key: key.into_string(),
                    size: size + pending.len() as u64,
                    etag,
                    content_type: options.content_type.clone(),
                    metadata: options.metadata.clone(),
                    updated_at_ms: now_ms,
                };
                link(connection, body, &info, &options)?;
                Ok(info)
            });
            let linked = linked.await;
            if let (Err(_), Some(body)) = (&linked, body) {
                // Best effort: a body that stays is taken for abandoned later.
                let _ = store.database.write(move |connection| retire(connection, body, 0)).await;
            }
            linked
        })
    }

    fn abort(self: Box<Self>) -> Pending<()> {
        let Some(body) = self.body else { return Box::pin(std::future::ready(Ok(()))) };
        // Retired since the epoch: no reader can have seen it, so the next sweep may take it.
        Box::pin(self.store.database.submit(move |connection| retire(connection, body, 0)))
    }
}

struct Reading {
    store: Sqlite,
    lease: Lease,
    at: u64,
    end: u64,
}

fn chunks(reading: Reading) -> impl futures_util::Stream<Item = Result<Bytes>> + Send + 'static {
    futures_util::stream::unfold(reading, |mut reading| async move {
        if reading.at >= reading.end {
            return None;
        }
        let chunk = reading.store.database.read(|connection| next_chunk(connection, &reading));
        // After an error nothing follows.
        reading.at = chunk.as_ref().map_or(reading.end, |chunk| reading.at + chunk.len() as u64);
        Some((chunk, reading))
    })
}

fn next_chunk(connection: &Connection, reading: &Reading) -> Work<Bytes> {
    let number = signed(reading.at / CHUNK_BYTES as u64);
    let mut find = connection.prepare_cached("select start, bytes from blob_chunks where body = ?1 and number = ?2")?;
    let found = find
        .query_row([reading.lease.body(), number], |row| Ok((unsigned(row.get(0)?), row.get::<_, Vec<u8>>(1)?)))
        .optional()?;
    let gone = || {
        let message = "the blob was replaced or deleted by another process while it was read; get it again";
        Error::new(ErrorKind::Conflict, "BLOB_CHANGED", message).retryable(true)
    };
    let (start, bytes) = found.ok_or_else(gone)?;
    let bytes = Bytes::from(bytes);
    let length = bytes.len() as u64;
    let from = reading.at.saturating_sub(start).min(length);
    let to = reading.end.saturating_sub(start).min(length);
    if from >= to {
        return Err(gone().into());
    }
    // Both lie within the chunk, so they fit.
    Ok(bytes.slice(usize::try_from(from).unwrap_or(0)..usize::try_from(to).unwrap_or(0)))
}

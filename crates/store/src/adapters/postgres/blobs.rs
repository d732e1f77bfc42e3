//! Blobs: reads, deletes and lists. How a blob comes to be stands in `upload.rs`.

use bytes::Bytes;
use deadpool_postgres::{GenericClient, Object};
use futures_util::StreamExt;
use holdfast_base::{Error, ErrorKind, Key, KeyRange, Result};
use tokio_postgres::Row;

use super::failure::{Failure, Work};
use super::server::Patience;
use super::upload::PostgresUpload;
use super::{Postgres, bounds};
use crate::adapters::leases::Lease;
use crate::adapters::{cannot, signed, unsigned};
use crate::blob_page::{check_conditions, check_options, skip};
use crate::ports::{Blobs, Upload};
use crate::{Answer, BlobBody, BlobInfo, BlobPage, BlobQuery, ByteRange, Pending, PutOptions};

/// The size of a stored chunk; the last one of a body is what is left.
pub(super) const CHUNK_BYTES: usize = 256 << 10;
/// A reader moves the time of a replaced body on when it is older than that.
const TOUCH_AFTER_MS: u64 = 60_000;

impl Blobs for Postgres {
    fn open_upload(&self, key: Key, options: PutOptions) -> Pending<Box<dyn Upload>> {
        let store = self.clone();
        pending(self.later(async move {
            check_options(&options)?;
            let name = key.as_str();
            let current = find_again(&store, name).await?;
            check_conditions(name, current.as_ref().map(|(_, info)| info.etag.as_str()), &options)?;
            Ok(Box::new(PostgresUpload::new(store.clone(), key, options)) as Box<dyn Upload>)
        }))
    }

    fn open_blob(&self, key: Key, range: Option<ByteRange>) -> Pending<Option<BlobBody>> {
        let store = self.clone();
        pending(self.later(async move {
            let found = find_again(&store, key.as_str()).await?;
            let Some((body, info)) = found else { return Ok(None) };
            let lease = store.leases.take(body);
            let range = range.map_or(Ok(0..info.size), |range| range.resolve(info.size))?;
            let reading = Reading { store: store.clone(), lease, at: range.start, end: range.end };
            Ok(Some(BlobBody { info, range, stream: chunks(reading).boxed() }))
        }))
    }

    fn head(&self, key: Key) -> Answer<Option<BlobInfo>> {
        let store = self.clone();
        self.later(async move {
            let found = find_again(&store, key.as_str()).await?;
            Ok(found.map(|(_, info)| info))
        })
    }

    fn delete_blobs(&self, keys: Vec<Key>) -> Pending<Vec<bool>> {
        let store = self.clone();
        pending(self.later(async move { delete(&store, keys.into_iter().map(Key::into_string).collect()).await }))
    }

    fn list_blobs(&self, query: BlobQuery) -> Answer<BlobPage> {
        let store = self.clone();
        self.later(async move {
            let query = &query;
            store.database.server.repeat(|client| async move { list(&client, query).await }).await
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
        Answer::Now(Err(cannot("postgres", "presign URLs")))
    }
}

/// An answer that comes later in any case.
fn pending<T: Send + 'static>(answer: Answer<T>) -> Pending<T> {
    Box::pin(async move { answer.await })
}

const COLUMNS: &str = "body, key, size, etag, content_type, metadata, updated_ms";

fn info_of(row: &Row) -> Work<(i64, BlobInfo)> {
    let metadata: String = row.try_get(5)?;
    let info = BlobInfo {
        key: row.try_get(1)?,
        size: unsigned(row.try_get(2)?),
        etag: row.try_get(3)?,
        content_type: row.try_get(4)?,
        // Written by `upload.rs`, so it reads back; a foreign hand's text counts as none.
        metadata: serde_json::from_str(&metadata).unwrap_or_default(),
        updated_at_ms: unsigned(row.try_get(6)?),
    };
    Ok((row.try_get(0)?, info))
}

/// A blob, and the body that it has.
pub(super) async fn find(client: &impl GenericClient, key: &str) -> Work<Option<(i64, BlobInfo)>> {
    let find = client.prepare_cached(&format!("select {COLUMNS} from blobs where key = $1")).await?;
    let found = client.query_opt(&find, &[&key]).await?;
    found.as_ref().map(info_of).transpose()
}

async fn find_again(store: &Postgres, key: &str) -> Result<Option<(i64, BlobInfo)>> {
    store.database.server.repeat(|client| async move { find(&client, key).await }).await
}

/// Deletes; each body is retired, and its chunks go later. A commit that was not answered is not sent again: it
/// would say that nothing was there.
async fn delete(store: &Postgres, keys: Vec<String>) -> Result<Vec<bool>> {
    let sql = "with gone as (delete from blobs where key = any($1) returning key, body),
         retired as (update blob_bodies set state = 2, touched_ms = $2 where id in (select body from gone))
         select key from gone";
    let mut patience = Patience::default();
    loop {
        let failure: Failure = match store.database.server.client().await {
            Err(failure) => failure,
            Ok(client) => match client.query(sql, &[&keys, &signed(store.database.now_ms())]).await {
                Ok(rows) => {
                    let gone = rows.iter().map(|row| row.try_get(0)).collect::<Result<Vec<String>, _>>();
                    let gone = gone.map_err(|error| Failure::from(error).into_error())?;
                    return Ok(keys.iter().map(|key| gone.contains(key)).collect());
                }
                Err(error) => match Failure::from(error) {
                    failure if failure.is_silent() => {
                        let message = "the connection broke while blobs were deleted; look which are still there";
                        return Err(Error::new(ErrorKind::Connection, "OUTCOME_UNKNOWN", message));
                    }
                    failure => failure,
                },
            },
        };
        patience.bear(failure).await.map_err(Failure::into_error)?;
    }
}

/// Reads names until the page is full. What folds into a prefix that is in the page already is passed over.
async fn list(client: &Object, query: &BlobQuery) -> Work<BlobPage> {
    let mut page = BlobPage::default();
    let mut range = query.range.clone();
    if let Some(after) = &query.after {
        skip(query, &mut range, after);
    }
    let mut last = None;
    loop {
        let found = some_of(client, &range, query).await?;
        let is_all = found.len() <= query.limit;
        for info in found {
            let name = query.fold(&info.key).unwrap_or(&info.key).to_owned();
            if last.as_ref() == Some(&name) {
                continue;
            }
            if page.items.len() + page.prefixes.len() >= query.limit {
                page.next = last;
                return Ok(page);
            }
            skip(query, &mut range, &name);
            if query.fold(&info.key).is_none() {
                page.items.push(info);
            } else {
                page.prefixes.push(name.clone());
            }
            last = Some(name);
        }
        if is_all {
            return Ok(page);
        }
    }
}

/// The first blobs of a range, one more than a page has.
async fn some_of(client: &Object, range: &KeyRange, query: &BlobQuery) -> Work<Vec<BlobInfo>> {
    let Some(keys) = bounds::condition(range) else { return Ok(Vec::new()) };
    let order = if query.reverse { "desc" } else { "asc" };
    let within = keys.sql;
    let find = client
        .prepare_cached(&format!(
            "select {COLUMNS} from blobs where $1::int is null and {within} order by key {order} limit $4"
        ))
        .await?;
    let limit = signed((query.limit as u64).saturating_add(1));
    let rows = client.query(&find, &[&None::<i32>, &keys.start, &keys.end, &limit]).await?;
    rows.iter().map(|row| info_of(row).map(|(_, info)| info)).collect()
}

struct Reading {
    store: Postgres,
    lease: Lease,
    at: u64,
    end: u64,
}

fn chunks(reading: Reading) -> impl futures_util::Stream<Item = Result<Bytes>> + Send + 'static {
    futures_util::stream::unfold(reading, |mut reading| async move {
        if reading.at >= reading.end {
            return None;
        }
        let chunk = next_chunk(&reading).await;
        // After an error nothing follows.
        reading.at = chunk.as_ref().map_or(reading.end, |chunk| reading.at + chunk.len() as u64);
        Some((chunk, reading))
    })
}

async fn next_chunk(reading: &Reading) -> Result<Bytes> {
    let _pass = reading.store.gate.enter()?;
    let database = &reading.store.database;
    let (body, number) = (reading.lease.body(), signed(reading.at / CHUNK_BYTES as u64));
    let from = reading.at % CHUNK_BYTES as u64;
    let length = (CHUNK_BYTES as u64 - from).min(reading.end - reading.at);
    let now_ms = database.now_ms();
    // A range inside a chunk is cut out on the server. A body that was replaced is kept as long as it is read.
    let sql = "with kept as (update blob_bodies set touched_ms = $5
           where id = $1 and state = 2 and touched_ms < $6)
         select substring(bytes from $3 for $4) from blob_chunks where body = $1 and number = $2";
    // Both are at most as large as a chunk, so they fit.
    let [from, wanted] = [from + 1, length].map(|number| i32::try_from(number).unwrap_or(i32::MAX));
    let [now, old] = [now_ms, now_ms.saturating_sub(TOUCH_AFTER_MS)].map(signed);
    let found = database.server.repeat(|client| async move {
        let find = client.prepare_cached(sql).await?;
        let row = client.query_opt(&find, &[&body, &number, &from, &wanted, &now, &old]).await?;
        row.map_or(Ok(None), |row| Ok(row.try_get::<_, Option<Vec<u8>>>(0)?))
    });
    match found.await? {
        Some(bytes) if bytes.len() as u64 == length => Ok(Bytes::from(bytes)),
        _ => {
            let message =
                "the blob was replaced or deleted while it was read, and its reader paused too long; get it again";
            Err(Error::new(ErrorKind::Conflict, "BLOB_CHANGED", message).retryable(true))
        }
    }
}

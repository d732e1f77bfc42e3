//! Uploads: a body of chunks, stored as they come, and one row that makes the body visible under a key.

use bytes::{Bytes, BytesMut};
use deadpool_postgres::Object;
use futures_util::future::BoxFuture;
use holdfast_base::{Error, ErrorKind, Key, Result};
use sha2::{Digest, Sha256};

use super::blobs::{CHUNK_BYTES, find};
use super::failure::Work;
use super::pipeline::Pipeline;
use super::{Postgres, lock_of};
use crate::adapters::signed;
use crate::blob_page::check_conditions;
use crate::ports::Upload;
use crate::{BlobInfo, Pending, PutOptions};

/// An upload under way.
pub(super) struct PostgresUpload {
    store: Postgres,
    key: Key,
    options: PutOptions,
    pending: BytesMut,
    body: Option<i64>,
    number: i64,
    size: u64,
    digest: Sha256,
}

impl PostgresUpload {
    pub(super) fn new(store: Postgres, key: Key, options: PutOptions) -> Self {
        Self { store, key, options, pending: BytesMut::new(), body: None, number: 0, size: 0, digest: Sha256::new() }
    }

    /// The body's number; the first time a new one.
    async fn body(&mut self) -> Result<i64> {
        if let Some(body) = self.body {
            return Ok(body);
        }
        let now = signed(self.store.database.now_ms());
        let make = |client: Object| async move {
            let sql = "insert into blob_bodies (state, touched_ms) values (0, $1) returning id";
            Ok(client.query_one(sql, &[&now]).await?.try_get(0)?)
        };
        // Made twice, the first is swept as abandoned.
        let body = self.store.database.server.repeat(make).await?;
        self.body = Some(body);
        Ok(body)
    }

    /// Stores the first `length` of the pending bytes.
    async fn store_pending(&mut self, length: usize) -> Result<()> {
        let _pass = self.store.gate.enter()?;
        let body = self.body().await?;
        let bytes = &self.pending.split_to(length).freeze();
        let now = signed(self.store.database.now_ms());
        let number = self.number;
        let store = |client: Object| async move { store_chunk(&client, body, number, bytes, now).await };
        if !self.store.database.server.repeat(store).await? {
            return Err(abandoned());
        }
        self.size += length as u64;
        self.number += 1;
        Ok(())
    }
}

fn abandoned() -> Error {
    let message = "the upload took nothing in for an hour and was taken for abandoned; begin it again";
    Error::new(ErrorKind::Timeout, "UPLOAD_ABANDONED", message)
}

/// Stores a chunk, also when it is there already; false when a sweep has taken the body away. It need not reach the
/// disk yet: the commit that makes the blob visible does, and all before it.
async fn store_chunk(client: &Object, body: i64, number: i64, bytes: &Bytes, now: i64) -> Work<bool> {
    let mut chunk = Pipeline::default();
    chunk.add(client, "begin", Vec::new()).await?;
    chunk.add(client, "set local synchronous_commit to off", Vec::new()).await?;
    let sql = "with body as (update blob_bodies set touched_ms = $3 where id = $1 and state = 0 returning id)
         insert into blob_chunks (body, number, bytes) select id, $2, $4 from body
         on conflict (body, number) do update set bytes = excluded.bytes returning 1";
    let values: Vec<super::pipeline::Parameter> =
        vec![Box::new(body), Box::new(number), Box::new(now), Box::new(bytes.to_vec())];
    chunk.add(client, sql, values).await?;
    chunk.add(client, "commit", Vec::new()).await?;
    let sent = chunk.send(client).await;
    if sent.is_err() {
        // Where that fails the connection is gone, and the pool sees it.
        let _ = client.batch_execute("rollback").await;
    }
    Ok(sent?.get(2).is_some_and(|rows| !rows.is_empty()))
}

impl Upload for PostgresUpload {
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

    fn finish(mut self: Box<Self>) -> Pending<BlobInfo> {
        Box::pin(async move {
            let finished = self.link().await;
            if let (Err(_), Some(body)) = (&finished, self.body) {
                // Best effort: a body that stays is taken for abandoned later.
                let _ = retire(&self.store, body).await;
            }
            finished
        })
    }

    fn abort(self: Box<Self>) -> Pending<()> {
        let Some(body) = self.body else { return Box::pin(std::future::ready(Ok(()))) };
        Box::pin(async move { retire(&self.store, body).await })
    }
}

impl PostgresUpload {
    /// Makes the body visible under its key, and retires the one that was there.
    async fn link(&mut self) -> Result<BlobInfo> {
        if !self.pending.is_empty() {
            self.store_pending(self.pending.len()).await?;
        }
        let _pass = self.store.gate.enter()?;
        let body = self.body().await?;
        let database = &self.store.database;
        let digest = std::mem::take(&mut self.digest).finalize();
        let info = BlobInfo {
            key: self.key.as_str().to_owned(),
            size: self.size,
            etag: digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect(),
            content_type: self.options.content_type.clone(),
            metadata: self.options.metadata.clone(),
            updated_at_ms: database.now_ms(),
        };
        let options = &self.options;
        let lock = database.locks.blobs ^ lock_of(&[self.key.as_str()]);
        let info_ref = &info;
        database
            .server
            .repeat(|mut client| async move { link(&mut client, body, info_ref, options, lock).await })
            .await?;
        Ok(info)
    }
}

/// Done again after a commit that was not answered, it finds its body in use (or replaced since) and is done.
async fn link(client: &mut Object, body: i64, info: &BlobInfo, options: &PutOptions, lock: i64) -> Work<()> {
    let metadata = serde_json::to_string(&info.metadata).map_err(|error| Error::internal(error.to_string()))?;
    let now = signed(info.updated_at_ms);
    let transaction = client.transaction().await?;
    transaction.execute("select pg_advisory_xact_lock($1)", &[&lock]).await?;
    let state = transaction.query_opt("select state from blob_bodies where id = $1 for update", &[&body]).await?;
    match state.map(|row| row.try_get::<_, i16>(0)).transpose()? {
        None => return Err(abandoned().into()),
        Some(0) => {}
        Some(_) => return Ok(()),
    }
    let current = find(&transaction, &info.key).await?;
    check_conditions(&info.key, current.as_ref().map(|(_, info)| info.etag.as_str()), options)?;
    if let Some((replaced, _)) = current {
        let sql = "update blob_bodies set state = 2, touched_ms = $2 where id = $1";
        transaction.execute(sql, &[&replaced, &now]).await?;
    }
    let sql = "insert into blobs (key, body, size, etag, content_type, metadata, updated_ms)
         values ($1, $2, $3, $4, $5, $6, $7) on conflict (key) do update set body = excluded.body,
         size = excluded.size, etag = excluded.etag, content_type = excluded.content_type,
         metadata = excluded.metadata, updated_ms = excluded.updated_ms";
    let size = signed(info.size);
    transaction.execute(sql, &[&info.key, &body, &size, &info.etag, &info.content_type, &metadata, &now]).await?;
    transaction.execute("update blob_bodies set state = 1, touched_ms = $2 where id = $1", &[&body, &now]).await?;
    Ok(transaction.commit().await?)
}

/// Lets go of a body that nobody has seen: retired since the epoch, so that the next sweep may take it. One that is
/// in use after all stays.
async fn retire(store: &Postgres, body: i64) -> Result<()> {
    let retire = |client: Object| async move {
        let sql = "update blob_bodies set state = 2, touched_ms = 0 where id = $1 and state = 0";
        client.execute(sql, &[&body]).await?;
        Ok(())
    };
    store.database.server.repeat(retire).await
}

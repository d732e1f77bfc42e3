//! `S3Level` and `S3LevelDown`: databases in a bucket, for `lib/level`.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use holdfast_base::{Error, Result};
use holdfast_level::{
    ClearOptions, Condition, IteratorOptions, KeyFormat, Layout, Level, LevelIterator, LevelSettings, Location,
    Operation, key_range,
};
use holdfast_s3_client::Client;
use napi::bindgen_prelude::Buffer;
use napi_derive::napi;
use tokio::sync::Mutex;

use crate::copied::Copied;
use crate::reply::Reply;
use crate::s3_settings::S3SettingsData;

/// A connection to an endpoint, which many databases share.
#[napi]
pub struct LevelConnection(Client);

/// Makes a connection; sends nothing.
#[napi]
pub fn connect_level(settings: S3SettingsData) -> Reply<LevelConnection> {
    Reply::of(|| Level::connect(settings.into()).map(LevelConnection))
}

/// How to open a database.
#[napi(object)]
pub struct LevelOpenOptions {
    /// The bucket, with a folder after a slash.
    pub location: String,
    /// `objects` or `lsm`.
    #[napi(ts_type = "'objects' | 'lsm'")]
    pub layout: Option<String>,
    /// `utf8` or `hex`.
    #[napi(ts_type = "'utf8' | 'hex'")]
    pub key_format: Option<String>,
    /// Makes what is missing.
    pub create_if_missing: bool,
    /// Refuses what is there.
    pub error_if_exists: bool,
    /// Milliseconds that a batch of another process may stand before it is completed.
    pub batch_patience_ms: Option<u32>,
}

impl LevelOpenOptions {
    fn settings(&self) -> Result<LevelSettings> {
        let plain = LevelSettings::new(Location::parse(&self.location)?);
        Ok(LevelSettings {
            layout: self.layout.as_deref().map(Layout::parse).transpose()?,
            key_format: self.key_format.as_deref().map(KeyFormat::parse).transpose()?,
            create_if_missing: self.create_if_missing,
            error_if_exists: self.error_if_exists,
            batch_patience_ms: self.batch_patience_ms.map_or(plain.batch_patience_ms, u64::from),
            ..plain
        })
    }
}

#[napi]
impl LevelConnection {
    /// Opens a database.
    #[napi]
    pub async fn open(&self, options: LevelOpenOptions) -> napi::Result<Reply<LevelDatabase>> {
        let client = self.0.clone();
        Reply::from_future(async move { Level::open(&client, &options.settings()?).await.map(LevelDatabase) }).await
    }

    /// Deletes a database with all of its data.
    #[napi]
    pub async fn destroy(&self, location: String) -> napi::Result<Reply<()>> {
        let client = self.0.clone();
        Reply::from_future(async move { Level::destroy(&client, &Location::parse(&location)?).await }).await
    }
}

/// The bounds of a range; `gte` counts before `gt`, and `lte` before `lt`.
#[napi(object, object_to_js = false)]
pub struct LevelRange {
    /// After it.
    #[napi(ts_type = "Uint8Array | undefined")]
    pub gt: Option<Copied>,
    /// From it on.
    #[napi(ts_type = "Uint8Array | undefined")]
    pub gte: Option<Copied>,
    /// Before it.
    #[napi(ts_type = "Uint8Array | undefined")]
    pub lt: Option<Copied>,
    /// Up to it.
    #[napi(ts_type = "Uint8Array | undefined")]
    pub lte: Option<Copied>,
    /// From the last to the first.
    pub reverse: bool,
    /// Most entries.
    pub limit: Option<u32>,
    /// Whether values are wanted.
    pub values: bool,
    /// Most keys in one list.
    pub page_keys: Option<u32>,
}

impl LevelRange {
    fn options(self) -> IteratorOptions {
        let bytes = |bound: Option<Copied>| bound.map(|bound| bound.0);
        IteratorOptions {
            range: key_range(bytes(self.gt), bytes(self.gte), bytes(self.lt), bytes(self.lte)),
            reverse: self.reverse,
            limit: self.limit.map(u64::from),
            values: self.values,
            page_keys: self.page_keys.map(|keys| u16::try_from(keys).unwrap_or(u16::MAX)),
        }
    }
}

/// A value with its ETag.
#[napi(object)]
pub struct LevelValue {
    /// The value.
    pub value: Buffer,
    /// The ETag.
    pub etag: String,
}

/// What has to hold for a write: that nothing is there, or an ETag.
#[napi(object)]
pub struct LevelCondition {
    /// Nothing is there.
    pub if_none_match: bool,
    /// What is there has this ETag.
    pub if_match: Option<String>,
}

impl From<LevelCondition> for Condition {
    fn from(condition: LevelCondition) -> Self {
        match condition.if_match {
            Some(etag) => Self::Etag(etag),
            None if condition.if_none_match => Self::Absent,
            None => Self::Always,
        }
    }
}

/// One write of a batch; a delete where the value is absent.
#[napi(object, object_to_js = false)]
pub struct LevelWrite {
    /// The key.
    #[napi(ts_type = "Uint8Array")]
    pub key: Copied,
    /// The value.
    #[napi(ts_type = "Uint8Array | undefined")]
    pub value: Option<Copied>,
}

impl From<LevelWrite> for Operation {
    fn from(write: LevelWrite) -> Self {
        match write.value {
            Some(value) => Self::Put { key: write.key.0, value: Bytes::from(value.0) },
            None => Self::Del { key: write.key.0 },
        }
    }
}

fn buffer(bytes: Bytes) -> Buffer {
    Buffer::from(Vec::from(bytes))
}

/// An open database.
#[napi]
pub struct LevelDatabase(Level);

#[napi]
impl LevelDatabase {
    /// A value.
    #[napi]
    pub async fn get(&self, #[napi(ts_arg_type = "Uint8Array")] key: Copied) -> napi::Result<Reply<Option<Buffer>>> {
        let level = self.0.clone();
        Reply::from_future(async move { Ok(level.get(&key.0).await?.map(buffer)) }).await
    }

    /// A value with its ETag.
    #[napi]
    pub async fn get_with_etag(
        &self,
        #[napi(ts_arg_type = "Uint8Array")] key: Copied,
    ) -> napi::Result<Reply<Option<LevelValue>>> {
        let level = self.0.clone();
        Reply::from_future(async move {
            let found = level.get_with_etag(&key.0).await?;
            Ok(found.map(|(value, etag)| LevelValue { value: buffer(value), etag }))
        })
        .await
    }

    /// The values of many keys.
    #[napi]
    pub async fn get_many(
        &self,
        #[napi(ts_arg_type = "Uint8Array[]")] keys: Vec<Copied>,
    ) -> napi::Result<Reply<Vec<Option<Buffer>>>> {
        let level = self.0.clone();
        let keys: Vec<Vec<u8>> = keys.into_iter().map(|key| key.0).collect();
        Reply::from_future(async move {
            Ok(level.get_many(&keys).await?.into_iter().map(|value| value.map(buffer)).collect())
        })
        .await
    }

    /// Whether many keys are there.
    #[napi]
    pub async fn has_many(
        &self,
        #[napi(ts_arg_type = "Uint8Array[]")] keys: Vec<Copied>,
    ) -> napi::Result<Reply<Vec<bool>>> {
        let level = self.0.clone();
        let keys: Vec<Vec<u8>> = keys.into_iter().map(|key| key.0).collect();
        Reply::from_future(async move { level.has_many(&keys).await }).await
    }

    /// Stores a value; answers its ETag.
    #[napi]
    pub async fn put(
        &self,
        #[napi(ts_arg_type = "Uint8Array")] key: Copied,
        #[napi(ts_arg_type = "Uint8Array")] value: Copied,
        condition: LevelCondition,
    ) -> napi::Result<Reply<String>> {
        let level = self.0.clone();
        Reply::from_future(async move { level.put(&key.0, Bytes::from(value.0), &condition.into()).await }).await
    }

    /// Deletes a key.
    #[napi]
    pub async fn del(
        &self,
        #[napi(ts_arg_type = "Uint8Array")] key: Copied,
        if_match: Option<String>,
    ) -> napi::Result<Reply<()>> {
        let level = self.0.clone();
        Reply::from_future(async move { level.del(&key.0, if_match.as_deref()).await }).await
    }

    /// Applies many writes.
    #[napi]
    pub async fn batch(&self, writes: Vec<LevelWrite>) -> napi::Result<Reply<()>> {
        let level = self.0.clone();
        let operations = writes.into_iter().map(Operation::from).collect();
        Reply::from_future(async move { level.batch(operations).await }).await
    }

    /// Deletes a range.
    #[napi]
    pub async fn clear(&self, range: LevelRange) -> napi::Result<Reply<()>> {
        let level = self.0.clone();
        let IteratorOptions { range, reverse, limit, .. } = range.options();
        Reply::from_future(async move { level.clear(ClearOptions { range, reverse, limit }).await }).await
    }

    /// A cursor over a range.
    #[napi]
    pub fn iterate(&self, range: LevelRange) -> Reply<LevelCursor> {
        Reply::of(|| {
            let iterator = self.0.iterator(range.options())?;
            Ok(LevelCursor(Arc::new(Mutex::new(Some(iterator)))))
        })
    }

    /// The requests sent through its connection, by operation.
    #[napi]
    pub fn stats(&self) -> HashMap<String, i64> {
        self.0.stats().into_iter().map(|(name, count)| (name, i64::try_from(count).unwrap_or(i64::MAX))).collect()
    }

    /// Closes it.
    #[napi]
    pub fn close(&self) {
        self.0.close();
    }
}

/// Some entries: their keys and values one after the other, and how long each is.
#[napi(object)]
pub struct LevelPage {
    /// Key, value, key, value, …
    pub data: Buffer,
    /// The length of each; empty at the end of the iteration.
    pub lengths: Vec<u32>,
}

/// A cursor over a range.
#[napi]
pub struct LevelCursor(Arc<Mutex<Option<LevelIterator>>>);

#[napi]
impl LevelCursor {
    /// Moves to `seek` if given, then answers the entries that are there: at least one, except at the end.
    #[napi]
    pub async fn next(
        &self,
        entries: u32,
        bytes: u32,
        #[napi(ts_arg_type = "Uint8Array | undefined")] seek: Option<Copied>,
    ) -> napi::Result<Reply<LevelPage>> {
        let cursor = self.0.clone();
        Reply::from_future(async move {
            let mut cursor = cursor.lock().await;
            let iterator = cursor.as_mut().ok_or_else(|| Error::closed("the iterator"))?;
            let page = iterator.page_after(seek.map(|seek| seek.0), entries, bytes).await?.packed();
            Ok(LevelPage { data: Buffer::from(page.data), lengths: page.lengths })
        })
        .await
    }

    /// Stops what is under way and frees what is held.
    #[napi]
    pub async fn close(&self) -> napi::Result<Reply<()>> {
        let cursor = self.0.clone();
        Reply::from_future(async move {
            cursor.lock().await.take();
            Ok(())
        })
        .await
    }
}

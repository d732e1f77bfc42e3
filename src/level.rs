//! `S3Level` and `S3LevelDown`: databases in a bucket, for `lib/level`.

use std::collections::HashMap;

use bytes::Bytes;
use holdfast_base::Result;
use holdfast_level::{
    ClearOptions, Condition, IteratorOptions, KeyFormat, Layout, Level, LevelSettings, Location, Operation, View,
};
use holdfast_s3_client::Client;
use napi::Env;
use napi::bindgen_prelude::{Buffer, PromiseRaw};
use napi_derive::napi;

use crate::copied::Copied;
use crate::level_cursor::{LevelCursor, LevelRange, LevelSnapshot, buffer};
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

impl LevelConnection {
    pub(crate) fn client(&self) -> Client {
        self.0.clone()
    }
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
    /// Opens it beside its writer, for reading.
    pub read_only: Option<bool>,
    /// Milliseconds that a reader may lag behind.
    pub refresh_ms: Option<u32>,
}

impl LevelOpenOptions {
    pub(crate) fn settings(&self) -> Result<LevelSettings> {
        let plain = LevelSettings::new(Location::parse(&self.location)?);
        Ok(LevelSettings {
            layout: self.layout.as_deref().map(Layout::parse).transpose()?,
            key_format: self.key_format.as_deref().map(KeyFormat::parse).transpose()?,
            create_if_missing: self.create_if_missing,
            error_if_exists: self.error_if_exists,
            batch_patience_ms: self.batch_patience_ms.map_or(plain.batch_patience_ms, u64::from),
            read_only: self.read_only.unwrap_or(plain.read_only),
            refresh_ms: self.refresh_ms.map_or(plain.refresh_ms, u64::from),
            location: plain.location,
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

/// An open database.
#[napi]
pub struct LevelDatabase(Level);

#[napi]
impl LevelDatabase {
    /// How the data is laid out.
    #[napi(ts_return_type = "'objects' | 'lsm'")]
    pub fn layout(&self) -> &'static str {
        match self.0.layout() {
            Layout::Objects => "objects",
            Layout::Lsm => "lsm",
        }
    }

    /// Whether reads see the state at the moment of the call, and snapshots can be taken.
    #[napi]
    pub fn has_snapshots(&self) -> bool {
        self.0.has_snapshots()
    }

    /// The state at this moment.
    #[napi]
    pub fn snapshot(&self) -> Reply<LevelSnapshot> {
        Reply::of(|| self.0.view().map(LevelSnapshot::new))
    }

    /// A value, as it is at this moment or in a snapshot.
    #[napi(ts_return_type = "Promise<Reply<Buffer | undefined | null>>")]
    pub fn get<'env>(
        &self,
        env: &'env Env,
        #[napi(ts_arg_type = "Uint8Array")] key: Copied,
        snapshot: Option<&LevelSnapshot>,
    ) -> napi::Result<PromiseRaw<'env, Reply<Option<Buffer>>>> {
        let view = self.view(snapshot);
        env.spawn_future(Reply::from_future(async move { Ok(view?.get(&key.0).await?.map(buffer)) }))
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

    /// The values of many keys, as they are at this moment or in a snapshot.
    #[napi(ts_return_type = "Promise<Reply<Array<Buffer | undefined | null>>>")]
    pub fn get_many<'env>(
        &self,
        env: &'env Env,
        #[napi(ts_arg_type = "Uint8Array[]")] keys: Vec<Copied>,
        snapshot: Option<&LevelSnapshot>,
    ) -> napi::Result<PromiseRaw<'env, Reply<Vec<Option<Buffer>>>>> {
        let view = self.view(snapshot);
        let keys: Vec<Vec<u8>> = keys.into_iter().map(|key| key.0).collect();
        env.spawn_future(Reply::from_future(async move {
            Ok(view?.get_many(&keys).await?.into_iter().map(|value| value.map(buffer)).collect())
        }))
    }

    /// Whether many keys are there, at this moment or in a snapshot.
    #[napi(ts_return_type = "Promise<Reply<Array<boolean>>>")]
    pub fn has_many<'env>(
        &self,
        env: &'env Env,
        #[napi(ts_arg_type = "Uint8Array[]")] keys: Vec<Copied>,
        snapshot: Option<&LevelSnapshot>,
    ) -> napi::Result<PromiseRaw<'env, Reply<Vec<bool>>>> {
        let view = self.view(snapshot);
        let keys: Vec<Vec<u8>> = keys.into_iter().map(|key| key.0).collect();
        env.spawn_future(Reply::from_future(async move { view?.has_many(&keys).await }))
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

    /// Applies many writes; without `sync` it need not wait until they are stored.
    #[napi]
    pub async fn batch(&self, writes: Vec<LevelWrite>, sync: bool) -> napi::Result<Reply<()>> {
        let level = self.0.clone();
        let operations = writes.into_iter().map(Operation::from).collect();
        Reply::from_future(async move { level.batch(operations, sync).await }).await
    }

    /// Deletes the keys of a range that are there at this moment or in a snapshot.
    #[napi(ts_return_type = "Promise<Reply<undefined>>")]
    pub fn clear<'env>(
        &self,
        env: &'env Env,
        range: LevelRange,
        snapshot: Option<&LevelSnapshot>,
    ) -> napi::Result<PromiseRaw<'env, Reply<()>>> {
        let (level, view) = (self.0.clone(), self.view(snapshot));
        let IteratorOptions { range, reverse, limit, .. } = range.options();
        env.spawn_future(Reply::from_future(async move {
            level.clear(ClearOptions { range, reverse, limit }, &view?).await
        }))
    }

    /// A cursor over a range, at this moment or in a snapshot.
    #[napi]
    pub fn iterate(&self, range: LevelRange, snapshot: Option<&LevelSnapshot>) -> Reply<LevelCursor> {
        Reply::of(|| Ok(LevelCursor::new(self.view(snapshot)?.iterator(range.options()))))
    }

    /// The requests sent through its connection, by operation.
    #[napi]
    pub fn stats(&self) -> HashMap<String, i64> {
        self.0.stats().into_iter().map(|(name, count)| (name, i64::try_from(count).unwrap_or(i64::MAX))).collect()
    }

    /// Closes it, once all that was written is stored.
    #[napi]
    pub async fn close(&self) -> napi::Result<Reply<()>> {
        let level = self.0.clone();
        Reply::from_future(async move { level.close().await }).await
    }
}

impl LevelDatabase {
    fn view(&self, snapshot: Option<&LevelSnapshot>) -> Result<View> {
        match snapshot {
            Some(snapshot) => snapshot.view(),
            None => self.0.view(),
        }
    }
}

//! Ranges, cursors and snapshots of databases in a bucket, for `lib/level`.

use std::sync::{Arc, Mutex as SyncMutex, PoisonError};

use bytes::Bytes;
use holdfast_base::{Error, Result};
use holdfast_level::{IteratorOptions, LevelIterator, View, key_range};
use napi::bindgen_prelude::Buffer;
use napi_derive::napi;
use tokio::sync::Mutex;

use crate::copied::Copied;
use crate::reply::Reply;

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
    pub(crate) fn options(self) -> IteratorOptions {
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

impl LevelCursor {
    pub(crate) fn new(iterator: LevelIterator) -> Self {
        Self(Arc::new(Mutex::new(Some(iterator))))
    }
}

/// The state of a database at one moment, until it is closed.
#[napi]
pub struct LevelSnapshot(SyncMutex<Option<View>>);

#[napi]
impl LevelSnapshot {
    /// Frees what it keeps.
    #[napi]
    pub fn close(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

impl LevelSnapshot {
    pub(crate) fn new(view: View) -> Self {
        Self(SyncMutex::new(Some(view)))
    }

    pub(crate) fn view(&self) -> Result<View> {
        let view = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        view.ok_or_else(|| Error::closed("the snapshot"))
    }
}

pub(crate) fn buffer(bytes: Bytes) -> Buffer {
    Buffer::from(Vec::from(bytes))
}

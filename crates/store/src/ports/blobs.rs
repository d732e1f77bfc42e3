//! The port of blobs.

use bytes::Bytes;
use futures_util::future::BoxFuture;
use holdfast_base::{Key, Result};

use crate::{Answer, BlobBody, BlobInfo, BlobPage, BlobQuery, ByteRange, Pending, PutOptions};

/// Reads and writes blobs.
pub trait Blobs {
    /// Begins an upload. Nothing is visible before [`Upload::finish`] has answered.
    fn open_upload(&self, key: Key, options: PutOptions) -> Pending<Box<dyn Upload>>;
    /// Opens a blob for reading.
    fn open_blob(&self, key: Key, range: Option<ByteRange>) -> Pending<Option<BlobBody>>;
    /// What is known of a blob.
    fn head(&self, key: Key) -> Answer<Option<BlobInfo>>;
    /// Deletes blobs; says for each whether it was there.
    fn delete_blobs(&self, keys: Vec<Key>) -> Pending<Vec<bool>>;
    /// A page of blobs, in UTF-8 byte order of their keys.
    fn list_blobs(&self, query: BlobQuery) -> Answer<BlobPage>;
    /// Copies a blob; `None` when there is none under `from`.
    fn copy_blob(&self, from: Key, to: Key) -> Pending<Option<BlobInfo>>;
    /// A URL that lets anyone `GET` or `PUT` the blob for a while, in seconds.
    fn presign(&self, key: Key, method: String, expires_s: u64) -> Answer<String>;
}

/// An upload under way. Dropping it leaves nothing behind that a reader could see.
pub trait Upload: Send {
    /// Takes bytes in; answers when there is room for more.
    fn write(&mut self, bytes: Bytes) -> BoxFuture<'_, Result<()>>;
    /// Makes the blob visible, if its conditions hold.
    fn finish(self: Box<Self>) -> Pending<BlobInfo>;
    /// Throws away what came so far.
    fn abort(self: Box<Self>) -> Pending<()>;
}

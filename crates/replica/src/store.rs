//! The port to a bucket: exactly what replication needs.

use std::fmt;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use holdfast_base::Result;

/// A body that is never in memory at once.
pub type ByteStream = BoxStream<'static, Result<Bytes>>;

/// An object that was read.
#[derive(Clone, Debug)]
pub struct StoredObject {
    /// Its bytes.
    pub bytes: Bytes,
    /// Its ETag.
    pub etag: String,
}

/// How a conditional request ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Done; the object's ETag.
    Done(String),
    /// The condition did not hold; nothing was changed by this request (an earlier, ambiguous one may have
    /// been the reason).
    Refused,
}

/// Which keys to list.
#[derive(Clone, Debug, Default)]
pub struct KeyQuery {
    /// Only keys that start with it.
    pub prefix: String,
    /// Sums up what has a further slash behind the prefix.
    pub folders: bool,
    /// Only keys behind this one.
    pub after: Option<String>,
    /// Goes on with an earlier page: its `next`.
    pub continuation: Option<String>,
}

/// One listed object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedKey {
    /// Its key.
    pub key: String,
    /// Its size.
    pub bytes: u64,
}

/// One page of keys.
#[derive(Clone, Debug, Default)]
pub struct KeyPage {
    /// Whole keys, in order.
    pub keys: Vec<ListedKey>,
    /// Common prefixes, each with its trailing slash.
    pub folders: Vec<String>,
    /// What to go on with; `None` at the end.
    pub next: Option<String>,
}

/// A bucket under a prefix. Keys are relative to it.
///
/// Contract: a conditional request is decided atomically by the store. A retryable error of a put means
/// that it may or may not have been stored; the caller repeats it with the same bytes and reads back.
/// Reads see every put that was answered.
pub trait ReplicaStore: Send + Sync + fmt::Debug + 'static {
    /// Stores the object when there is none of that key.
    fn create<'a>(&'a self, key: &'a str, bytes: Bytes) -> BoxFuture<'a, Result<Outcome>>;
    /// Stores the object over the one with this ETag.
    fn replace<'a>(&'a self, key: &'a str, bytes: Bytes, etag: &'a str) -> BoxFuture<'a, Result<Outcome>>;
    /// Stores a large object in parts; on failure nothing is left.
    fn put_stream<'a>(&'a self, key: &'a str, body: ByteStream) -> BoxFuture<'a, Result<()>>;
    /// Reads a small object; `None` when there is none.
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<StoredObject>>>;
    /// Reads a large object; `None` when there is none.
    fn get_stream<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<ByteStream>>>;
    /// Deletes the object when its ETag is this one.
    fn delete<'a>(&'a self, key: &'a str, etag: &'a str) -> BoxFuture<'a, Result<Outcome>>;
    /// Deletes objects, whatever they hold; those that are not there are no error. After an error some may
    /// be deleted.
    fn remove<'a>(&'a self, keys: &'a [String]) -> BoxFuture<'a, Result<()>>;
    /// Gives up uploads of large objects that were begun before a time and never ended, which cost storage.
    /// Answers how many.
    fn abort_uploads<'a>(&'a self, before_ms: u64) -> BoxFuture<'a, Result<u64>>;
    /// Lists one page of keys.
    fn list<'a>(&'a self, query: &'a KeyQuery) -> BoxFuture<'a, Result<KeyPage>>;
}

//! Blobs: kept as the SQLite adapter keeps them, on the peer where they were put.

use holdfast_base::Key;

use super::P2p;
use crate::adapters::cannot;
use crate::ports::{Blobs, Upload};
use crate::{Answer, BlobBody, BlobInfo, BlobPage, BlobQuery, ByteRange, Pending, PutOptions};

impl Blobs for P2p {
    fn open_upload(&self, key: Key, options: PutOptions) -> Pending<Box<dyn Upload>> {
        self.inner.open_upload(key, options)
    }

    fn open_blob(&self, key: Key, range: Option<ByteRange>) -> Pending<Option<BlobBody>> {
        self.inner.open_blob(key, range)
    }

    fn head(&self, key: Key) -> Answer<Option<BlobInfo>> {
        self.inner.head(key)
    }

    fn delete_blobs(&self, keys: Vec<Key>) -> Pending<Vec<bool>> {
        self.inner.delete_blobs(keys)
    }

    fn list_blobs(&self, query: BlobQuery) -> Answer<BlobPage> {
        self.inner.list_blobs(query)
    }

    fn copy_blob(&self, from: Key, to: Key) -> Pending<Option<BlobInfo>> {
        self.inner.copy_blob(from, to)
    }

    fn presign(&self, _key: Key, _method: String, _expires_s: u64) -> Answer<String> {
        Answer::Now(Err(cannot("p2p", "presign URLs")))
    }
}

//! The port over a real bucket.

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use holdfast_base::{ErrorKind, Result};
use holdfast_s3_client::{
    Bucket, GetOptions, ListRequest, ListedObject, Object, PRECONDITION_FAILED, PutOptions, UploadOptions,
};

use crate::store::{ByteStream, KeyPage, KeyQuery, ListedKey, Outcome, ReplicaStore, StoredObject};

/// A bucket under the database's prefix.
#[derive(Clone, Debug)]
pub struct BucketStore {
    bucket: Bucket,
}

impl BucketStore {
    /// Takes a bucket whose prefix ends with the database's name and a slash.
    pub fn new(bucket: Bucket) -> Self {
        Self { bucket }
    }

    async fn put(&self, key: &str, bytes: Bytes, options: PutOptions) -> Result<Outcome> {
        outcome(self.bucket.put(key, bytes, &options).await.map(|stored| stored.etag))
    }

    async fn find(&self, key: &str) -> Result<Option<Object>> {
        match self.bucket.get(key, &GetOptions::default()).await {
            Ok(object) => Ok(Some(object)),
            Err(error) if error.kind() == ErrorKind::NotFound && error.code() == "NO_SUCH_KEY" => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn outcome(done: Result<String>) -> Result<Outcome> {
    match done {
        Ok(etag) => Ok(Outcome::Done(etag)),
        Err(error) if error.code() == PRECONDITION_FAILED => Ok(Outcome::Refused),
        Err(error) => Err(error),
    }
}

impl ReplicaStore for BucketStore {
    fn create<'a>(&'a self, key: &'a str, bytes: Bytes) -> BoxFuture<'a, Result<Outcome>> {
        Box::pin(self.put(key, bytes, PutOptions::absent()))
    }

    fn replace<'a>(&'a self, key: &'a str, bytes: Bytes, etag: &'a str) -> BoxFuture<'a, Result<Outcome>> {
        Box::pin(self.put(key, bytes, PutOptions::replacing(etag)))
    }

    fn put_stream<'a>(&'a self, key: &'a str, body: ByteStream) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move { self.bucket.put_stream(key, body, &UploadOptions::default(), |_| ()).await.map(drop) })
    }

    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<StoredObject>>> {
        Box::pin(async move {
            let Some(object) = self.find(key).await? else { return Ok(None) };
            let etag = object.meta.etag.clone();
            Ok(Some(StoredObject { bytes: object.body.bytes().await?, etag }))
        })
    }

    fn get_stream<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<ByteStream>>> {
        Box::pin(async move {
            let Some(object) = self.find(key).await? else { return Ok(None) };
            Ok(Some(object.body.boxed()))
        })
    }

    fn delete<'a>(&'a self, key: &'a str, etag: &'a str) -> BoxFuture<'a, Result<Outcome>> {
        Box::pin(async move { outcome(self.bucket.delete(key, Some(etag)).await.map(|()| String::new())) })
    }

    fn remove<'a>(&'a self, keys: &'a [String]) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.bucket.delete_many(keys))
    }

    fn abort_uploads<'a>(&'a self, before_ms: u64) -> BoxFuture<'a, Result<u64>> {
        Box::pin(async move {
            let (mut after, mut aborted) = (None, 0);
            loop {
                let page = self.bucket.list_uploads(crate::layout::GENERATIONS, after).await?;
                for upload in page.uploads.iter().filter(|upload| upload.begun_ms < before_ms) {
                    self.bucket.abort_upload(&upload.key, &upload.upload_id).await?;
                    aborted += 1;
                }
                match page.next {
                    Some(next) => after = Some(next),
                    None => return Ok(aborted),
                }
            }
        })
    }

    fn list<'a>(&'a self, query: &'a KeyQuery) -> BoxFuture<'a, Result<KeyPage>> {
        Box::pin(async move {
            let request = ListRequest {
                prefix: query.prefix.clone(),
                delimiter: query.folders.then(|| "/".to_owned()),
                start_after: query.after.clone(),
                continuation: query.continuation.clone(),
                max_keys: None,
            };
            let page = self.bucket.list(&request).await?;
            let listed = |object: ListedObject| ListedKey { key: object.key, bytes: object.size };
            let keys = page.objects.into_iter().map(listed).collect();
            Ok(KeyPage { keys, folders: page.common_prefixes, next: page.next })
        })
    }
}

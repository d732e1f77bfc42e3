//! Documents: what is set on a bucket as a whole (policy, CORS, tagging, …), each under its name.

use std::collections::HashMap;

use super::index::{buckets, documents};
use super::opening::no_such_bucket;
use super::{Engine, Result};

impl Engine {
    /// Sets a document of a bucket, over the one of that name.
    ///
    /// # Errors
    /// `NoSuchBucket`, `Storage`.
    pub async fn set_document(&self, bucket: &str, name: &str, body: &str) -> Result<()> {
        let (bucket, name, body) = (bucket.to_owned(), name.to_owned(), body.to_owned());
        self.to_the_end(move |shared| {
            shared.write(move |connection| {
                let Some(id) = buckets::id(connection, &bucket)? else { return no_such_bucket(&bucket) };
                documents::set(connection, id, &name, &body)?;
                Ok(Ok(()))
            })
        })
        .await
    }

    /// A document of a bucket; `None` when it was never set, or deleted.
    ///
    /// # Errors
    /// `NoSuchBucket`, `Storage`.
    pub async fn document(&self, bucket: &str, name: &str) -> Result<Option<String>> {
        let (bucket, name) = (bucket.to_owned(), name.to_owned());
        self.read(move |connection| {
            let Some(id) = buckets::id(connection, &bucket)? else { return no_such_bucket(&bucket) };
            Ok(Ok(documents::find(connection, id, &name)?))
        })
        .await
    }

    /// All documents of a bucket, by name.
    ///
    /// # Errors
    /// `NoSuchBucket`, `Storage`.
    pub async fn documents(&self, bucket: &str) -> Result<HashMap<String, String>> {
        let bucket = bucket.to_owned();
        self.read(move |connection| {
            let Some(id) = buckets::id(connection, &bucket)? else { return no_such_bucket(&bucket) };
            Ok(Ok(documents::all(connection, id)?))
        })
        .await
    }

    /// Deletes a document of a bucket; whether it was set.
    ///
    /// # Errors
    /// `NoSuchBucket`, `Storage`.
    pub async fn delete_document(&self, bucket: &str, name: &str) -> Result<bool> {
        let (bucket, name) = (bucket.to_owned(), name.to_owned());
        self.to_the_end(move |shared| {
            shared.write(move |connection| {
                let Some(id) = buckets::id(connection, &bucket)? else { return no_such_bucket(&bucket) };
                Ok(Ok(documents::delete(connection, id, &name)?))
            })
        })
        .await
    }
}

//! Deletes, one or a thousand at a time.

use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use futures_util::FutureExt;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use holdfast_base::{Error, ErrorKind, Result};

use crate::Bucket;
use crate::bucket::send_once;
use crate::failure::Failing;

/// How many keys S3 takes in one bulk delete.
const BATCH_KEYS: usize = 1000;

impl Bucket {
    /// Deletes an object; one that is not there is no error. With `if_match` only the object with that ETag,
    /// sent once, with the same certainties in its error as [`Bucket::put`] with a condition.
    ///
    /// # Errors
    /// `Conflict` with code `PRECONDITION_FAILED`, `NotFound` (a missing bucket; with `if_match`, a missing key
    /// too), `Connection`, `Timeout`.
    pub async fn delete(&self, key: &str, if_match: Option<&str>) -> Result<()> {
        let request = self.client.sdk.delete_object().bucket(self.name()).key(self.full_key(key));
        let failing = self.failing("DeleteObject", key);
        match if_match {
            None => request.send().await.map_err(|error| failing.error(&error))?,
            Some(etag) => {
                send_once!(request.if_match(etag)).await.map_err(|error| failing.conditional_error(&error))?
            }
        };
        Ok(())
    }

    /// Deletes many objects, a thousand in a request and several requests at once. Keys that are not there are
    /// no error. After an error some may be deleted and others not; calling it again is safe.
    ///
    /// # Errors
    /// `Connection` with code `DELETE_REFUSED` that names the first key the endpoint refused, `Timeout`.
    pub async fn delete_many(&self, keys: &[String]) -> Result<()> {
        let width = self.client.settings.concurrency.max(1);
        // The work owns its keys and is boxed, so that this future is `Send` whoever awaits it.
        let mut work = Vec::new();
        for batch in in_batches(keys) {
            let bucket = self.clone();
            work.push(async move { bucket.delete_batch(batch).await }.boxed());
        }
        for key in keys.iter().filter(|key| !fits_xml(key)) {
            let bucket = self.clone();
            work.push(async move { bucket.delete(key, None).await }.boxed());
        }
        stream::iter(work).buffer_unordered(width).try_collect().await
    }

    async fn delete_batch(&self, keys: Vec<String>) -> Result<()> {
        let failing = Failing::new("DeleteObjects", self.name(), None);
        let mut delete = Delete::builder().quiet(true);
        for key in keys {
            let named = ObjectIdentifier::builder().key(self.full_key(&key)).build();
            delete = delete.objects(named.map_err(|error| Error::internal(error.to_string()))?);
        }
        let delete = delete.build().map_err(|error| Error::internal(error.to_string()))?;
        let request = self.client.sdk.delete_objects().bucket(self.name()).delete(delete);
        let answer = request.send().await.map_err(|error| failing.error(&error))?;
        match answer.errors().first() {
            None => Ok(()),
            Some(refused) => {
                let key = self.own_key(refused.key().unwrap_or_default().to_owned(), false);
                let why = refused.code().unwrap_or("no reason");
                let message = format!("{key:?} in bucket {:?} was not deleted ({why}); try again", self.name());
                Err(Error::new(ErrorKind::Connection, "DELETE_REFUSED", message).with("key", key).with("s3Code", why))
            }
        }
    }
}

/// The keys that one bulk delete can name, in batches.
fn in_batches(keys: &[String]) -> Vec<Vec<String>> {
    let plain: Vec<&String> = keys.iter().filter(|key| fits_xml(key)).collect();
    plain.chunks(BATCH_KEYS).map(|batch| batch.iter().map(|key| (*key).clone()).collect()).collect()
}

/// Whether a key can be written in XML 1.0, which has no way to say most control characters.
fn fits_xml(key: &str) -> bool {
    !key.chars().any(|c| c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}'))
}

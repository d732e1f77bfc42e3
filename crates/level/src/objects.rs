//! The objects of one database: which object a key is, and the reverse.

use bytes::Bytes;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use holdfast_base::Result;
use holdfast_s3_client::{Bucket, GetOptions};

use crate::failure::level_error;
use crate::key_format::{check_length, invalid_key};
use crate::location::RESERVED;
use crate::{Condition, KeyFormat};

/// Most requests in flight for one call.
pub(crate) const IN_FLIGHT: usize = 64;

/// The objects under a database's folder. Clones share everything.
#[derive(Clone, Debug)]
pub(crate) struct Objects {
    /// The bucket under the folder.
    pub(crate) bucket: Bucket,
    pub(crate) format: KeyFormat,
}

impl Objects {
    /// The object's key under the folder.
    pub(crate) fn object_key(&self, key: &[u8]) -> Result<String> {
        let object = self.format.encode(key)?;
        check_length(key, self.bucket.prefix().len() + object.len())?;
        if self.is_reserved(&object) {
            return Err(invalid_key(key, "keys under .holdfast/level/ are reserved in a database without a folder"));
        }
        Ok(object)
    }

    /// The key of an object; `None` for objects that are not data.
    pub(crate) fn key_of(&self, object: &str) -> Option<Vec<u8>> {
        if self.is_reserved(object) { None } else { self.format.decode(object) }
    }

    fn is_reserved(&self, object: &str) -> bool {
        self.bucket.prefix().is_empty() && object.starts_with(RESERVED)
    }

    pub(crate) async fn get(&self, key: &[u8]) -> Result<Option<Bytes>> {
        self.bucket.find_bytes(&self.object_key(key)?).await.map_err(level_error)
    }

    /// A value with its ETag.
    pub(crate) async fn get_with_etag(&self, key: &[u8]) -> Result<Option<(Bytes, String)>> {
        match self.bucket.get(&self.object_key(key)?, &GetOptions::default()).await {
            Ok(object) => {
                let etag = object.meta.etag;
                Ok(Some((object.body.bytes().await.map_err(level_error)?, etag)))
            }
            Err(error) if error.code() == "NO_SUCH_KEY" => Ok(None),
            Err(error) => Err(level_error(error)),
        }
    }

    /// The values of many keys, in their order.
    pub(crate) async fn get_many(&self, keys: &[Vec<u8>]) -> Result<Vec<Option<Bytes>>> {
        // A key that can't be stored is refused before anything is sent.
        let objects: Vec<String> = keys.iter().map(|key| self.object_key(key)).collect::<Result<_>>()?;
        let gets = objects.into_iter().map(|object| {
            let bucket = self.bucket.clone();
            async move { bucket.find_bytes(&object).await }
        });
        stream::iter(gets).buffered(IN_FLIGHT).try_collect().await.map_err(level_error)
    }

    /// Whether each of many keys is there, in their order.
    pub(crate) async fn has_many(&self, keys: &[Vec<u8>]) -> Result<Vec<bool>> {
        let objects: Vec<String> = keys.iter().map(|key| self.object_key(key)).collect::<Result<_>>()?;
        let heads = objects.into_iter().map(|object| {
            let bucket = self.bucket.clone();
            async move { bucket.head(&object).await.map(|meta| meta.is_some()) }
        });
        stream::iter(heads).buffered(IN_FLIGHT).try_collect().await.map_err(level_error)
    }

    pub(crate) async fn put(&self, key: &[u8], value: Bytes, condition: &Condition) -> Result<String> {
        let object = self.object_key(key)?;
        let stored = self.bucket.put(&object, value, &condition.put_options()).await.map_err(level_error)?;
        Ok(stored.etag)
    }

    pub(crate) async fn del(&self, key: &[u8], if_match: Option<&str>) -> Result<()> {
        self.bucket.delete(&self.object_key(key)?, if_match).await.map_err(level_error)
    }
}

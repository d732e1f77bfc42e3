//! Batches: many writes in one call, 64 in flight.

use std::collections::HashMap;

use bytes::Bytes;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use holdfast_base::Result;
use holdfast_s3_client::PutOptions;

use crate::failure::level_error;
use crate::objects::{IN_FLIGHT, Objects};

/// One write of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Stores a value.
    Put {
        /// The key.
        key: Vec<u8>,
        /// The value.
        value: Bytes,
    },
    /// Deletes a key; one that is not there is no error.
    Del {
        /// The key.
        key: Vec<u8>,
    },
}

impl Operation {
    fn key(&self) -> &[u8] {
        match self {
            Self::Put { key, .. } | Self::Del { key } => key,
        }
    }
}

impl Objects {
    /// Applies a batch: of several writes to one key the last counts, and all others go in parallel.
    /// A key that can't be stored is refused before anything is sent.
    ///
    /// Not atomic: when it fails, or the process dies, some writes may be stored and others not.
    pub(crate) async fn batch(&self, operations: Vec<Operation>) -> Result<()> {
        let mut last: HashMap<Vec<u8>, usize> = HashMap::with_capacity(operations.len());
        for (index, operation) in operations.iter().enumerate() {
            last.insert(operation.key().to_vec(), index);
        }
        let (mut puts, mut dels) = (Vec::new(), Vec::new());
        for (index, operation) in operations.into_iter().enumerate() {
            let object = self.object_key(operation.key())?;
            if last.get(operation.key()) != Some(&index) {
                continue;
            }
            match operation {
                Operation::Put { value, .. } => puts.push((object, value)),
                Operation::Del { .. } => dels.push(object),
            }
        }
        tokio::try_join!(self.put_all(puts), self.del_all(&dels)).map_err(level_error)?;
        Ok(())
    }

    async fn put_all(&self, puts: Vec<(String, Bytes)>) -> Result<()> {
        let puts = puts.into_iter().map(|(object, value)| {
            let bucket = self.bucket.clone();
            async move { bucket.put(&object, value, &PutOptions::default()).await.map(drop) }
        });
        stream::iter(puts).buffer_unordered(IN_FLIGHT).try_collect().await
    }

    async fn del_all(&self, objects: &[String]) -> Result<()> {
        match objects {
            [] => Ok(()),
            [one] => self.bucket.delete(one, None).await,
            many => self.bucket.delete_many(many).await,
        }
    }
}

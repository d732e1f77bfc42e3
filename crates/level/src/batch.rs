//! Batches: many writes in one call.

use std::collections::HashMap;

use bytes::Bytes;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use holdfast_base::Result;
use holdfast_s3_client::PutOptions;

use crate::journal::Journal;
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

/// Writes by objects' keys, of which the last to each key counts; `None` deletes.
#[derive(Debug, Default)]
pub(crate) struct Merged {
    writes: HashMap<String, Option<Bytes>>,
    bytes: usize,
}

impl Merged {
    pub(crate) fn len(&self) -> usize {
        self.writes.len()
    }

    /// About how much memory the writes hold.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn extend(&mut self, later: Self) {
        self.bytes += later.bytes;
        self.writes.extend(later.writes);
    }

    fn add(&mut self, object: String, value: Option<Bytes>) {
        self.bytes += object.len() + value.as_ref().map_or(0, Bytes::len);
        self.writes.insert(object, value);
    }

    pub(crate) fn into_journal(self) -> Journal {
        let mut journal = Journal::default();
        for (object, value) in self.writes {
            match value {
                Some(value) => journal.puts.push((object, value)),
                None => journal.dels.push(object),
            }
        }
        journal
    }
}

impl Objects {
    /// The writes of a batch; a key that can't be stored is refused before anything is sent.
    pub(crate) fn merged(&self, operations: Vec<Operation>) -> Result<Merged> {
        let mut merged = Merged::default();
        for operation in operations {
            let object = self.object_key(operation.key())?;
            match operation {
                Operation::Put { value, .. } => merged.add(object, Some(value)),
                Operation::Del { .. } => merged.add(object, None),
            }
        }
        Ok(merged)
    }

    /// Makes all writes of a journal, in parallel and whatever is there.
    pub(crate) async fn apply(&self, journal: &Journal) -> Result<()> {
        tokio::try_join!(self.put_all(&journal.puts), self.del_all(&journal.dels))?;
        Ok(())
    }

    async fn put_all(&self, puts: &[(String, Bytes)]) -> Result<()> {
        let puts: Vec<_> = puts
            .iter()
            .map(|(object, value)| {
                let (bucket, object, value) = (self.bucket.clone(), object.clone(), value.clone());
                async move { bucket.put(&object, value, &PutOptions::default()).await.map(drop) }
            })
            .collect();
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

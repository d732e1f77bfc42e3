//! The journal of a batch: what it writes, in one object beside the data.

use bytes::{BufMut, Bytes, BytesMut};
use holdfast_base::{Error, ErrorKind, Result};
use holdfast_s3_client::{Bucket, GetOptions, OUTCOME_UNKNOWN, ObjectMeta, PRECONDITION_FAILED, PutOptions};
use serde::{Deserialize, Serialize};

use crate::Location;

const VERSION: u32 = 1;
/// How often a journal is sent whose outcome stays unknown.
const ATTEMPTS: usize = 3;

/// What a batch writes, by objects' keys; no key twice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Journal {
    pub(crate) puts: Vec<(String, Bytes)>,
    pub(crate) dels: Vec<String>,
}

/// The first line of a journal; the values follow it, one after the other.
#[derive(Serialize, Deserialize)]
struct Header {
    version: u32,
    /// Tells journals of the same writes apart.
    id: String,
    /// Key and length of the value, in bytes.
    puts: Vec<(String, usize)>,
    dels: Vec<String>,
}

impl Journal {
    /// About how long it is.
    pub(crate) fn bytes(&self) -> usize {
        let puts = self.puts.iter().map(|(key, value)| key.len() + value.len());
        puts.chain(self.dels.iter().map(String::len)).sum()
    }

    fn encode(&self, id: &str) -> Result<Bytes> {
        let header = Header {
            version: VERSION,
            id: id.to_owned(),
            puts: self.puts.iter().map(|(key, value)| (key.clone(), value.len())).collect(),
            dels: self.dels.clone(),
        };
        let line = serde_json::to_vec(&header).map_err(|error| Error::internal(error.to_string()))?;
        let values: usize = self.puts.iter().map(|(_, value)| value.len()).sum();
        let mut bytes = BytesMut::with_capacity(line.len() + 1 + values);
        bytes.put_slice(&line);
        bytes.put_u8(b'\n');
        self.puts.iter().for_each(|(_, value)| bytes.put_slice(value));
        Ok(bytes.freeze())
    }

    fn decode(mut bytes: Bytes) -> Option<Self> {
        let line = bytes.split_to(bytes.iter().position(|byte| *byte == b'\n')?);
        let header: Header = serde_json::from_slice(&line).ok().filter(|header: &Header| header.version == VERSION)?;
        let mut values = bytes.slice(1..);
        let mut puts = Vec::with_capacity(header.puts.len());
        for (key, length) in header.puts {
            if length > values.len() {
                return None;
            }
            puts.push((key, values.split_to(length)));
        }
        values.is_empty().then_some(Self { puts, dels: header.dels })
    }
}

/// Where the journal of a database lies. There is one at a time: who made it has the turn to write a batch.
#[derive(Clone, Debug)]
pub(crate) struct JournalPlace {
    bucket: Bucket,
    key: String,
}

impl JournalPlace {
    /// `root` is the whole bucket.
    pub(crate) fn new(root: Bucket, location: &Location) -> Self {
        Self { bucket: root, key: format!("{}batch.journal", location.own_area()) }
    }

    /// Stores a journal; gives back its ETag, or `None` when another one stands.
    pub(crate) async fn create(&self, journal: &Journal, id: &str) -> Result<Option<String>> {
        let bytes = journal.encode(id)?;
        let mut attempts_left = ATTEMPTS;
        loop {
            attempts_left -= 1;
            match self.bucket.put(&self.key, bytes.clone(), &PutOptions::absent()).await {
                Ok(stored) => return Ok(Some(stored.etag)),
                // The first to be sent can't have met itself.
                Err(error) if error.code() == PRECONDITION_FAILED && attempts_left + 1 == ATTEMPTS => return Ok(None),
                Err(error) if error.code() == PRECONDITION_FAILED => return self.own(&bytes).await,
                // Sent again it is stored, or meets itself and is recognised by its id.
                Err(error) if error.code() == OUTCOME_UNKNOWN && attempts_left > 0 => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// The ETag of the standing journal, if it is the one with these bytes.
    async fn own(&self, bytes: &Bytes) -> Result<Option<String>> {
        let standing = self.read().await?;
        Ok(standing.filter(|(stored, _)| stored == bytes).map(|(_, meta)| meta.etag))
    }

    /// What is known about the standing journal without reading it.
    pub(crate) async fn look(&self) -> Result<Option<ObjectMeta>> {
        self.bucket.head(&self.key).await
    }

    /// The standing journal.
    ///
    /// # Errors
    /// `Integrity` with code `LEVEL_FORMAT_UNKNOWN` when it was written by a newer version or is damaged.
    pub(crate) async fn find(&self) -> Result<Option<(Journal, ObjectMeta)>> {
        let Some((bytes, meta)) = self.read().await? else { return Ok(None) };
        match Journal::decode(bytes) {
            Some(journal) => Ok(Some((journal, meta))),
            None => {
                let message = format!("{} is no journal that this version knows; use a newer holdfast", self.key);
                Err(Error::new(ErrorKind::Integrity, "LEVEL_FORMAT_UNKNOWN", message))
            }
        }
    }

    async fn read(&self) -> Result<Option<(Bytes, ObjectMeta)>> {
        match self.bucket.get(&self.key, &GetOptions::default()).await {
            Ok(object) => Ok(Some((object.body.bytes().await?, object.meta))),
            Err(error) if error.code() == "NO_SUCH_KEY" => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Removes the journal that was made as `etag`; one that is gone, or another, is left as it is.
    pub(crate) async fn remove(&self, etag: &str) -> Result<()> {
        let mut attempts_left = ATTEMPTS;
        loop {
            attempts_left -= 1;
            match self.bucket.delete(&self.key, Some(etag)).await {
                Err(error) if error.code() == OUTCOME_UNKNOWN && attempts_left > 0 => {}
                Err(error) if error.kind() == ErrorKind::NotFound || error.kind() == ErrorKind::Conflict => {
                    return Ok(());
                }
                outcome => return outcome,
            }
        }
    }

    /// Removes whatever journal stands.
    pub(crate) async fn clear(&self) -> Result<()> {
        self.bucket.delete(&self.key, None).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_journal_is_read_as_it_was_written_and_refused_when_cut() {
        let put = |key: &str, value: &'static [u8]| (key.to_owned(), Bytes::from_static(value));
        let journal = Journal { puts: vec![put("a\n", b"\n\xff"), put("", b"")], dels: vec!["é".to_owned()] };
        let bytes = journal.encode("id").unwrap();
        assert_eq!(Journal::decode(bytes.clone()), Some(journal));
        for end in 0..bytes.len() {
            assert_eq!(Journal::decode(bytes.slice(..end)), None, "cut at {end}");
        }
    }
}

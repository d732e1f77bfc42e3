//! A small file beside the database that says what is stored. It is a hint: everything it says is checked.

use std::io::Write;
use std::path::{Path, PathBuf};

use holdfast_base::{Error, Result};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::local_history::beside;
use crate::restore::sync_folder;
use crate::snapshot_meta::{from_hex, to_hex};

/// See the top of the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StateFile {
    /// The generation of the log.
    pub generation: String,
    /// The last stored segment.
    pub sequence: u64,
    /// Its digest, in hex.
    pub digest: String,
    /// The database's rolling checksum at that segment, as 16 hex digits.
    pub checksum: String,
    /// The epoch of the writer.
    pub epoch: u64,
    /// The writer's id.
    pub writer: String,
    /// The id of the lease that the writer held.
    pub lock_id: String,
    /// Whether the writer closed the database after that segment.
    pub closed: bool,
}

impl StateFile {
    /// Where it is.
    pub(crate) fn path(database: &Path) -> PathBuf {
        beside(database, ".s3state")
    }

    /// Reads it; `None` when there is none, or it is torn.
    pub(crate) fn read(database: &Path) -> Option<Self> {
        serde_json::from_slice(&std::fs::read(Self::path(database)).ok()?).ok()
    }

    /// Writes it, all or nothing.
    pub(crate) fn write(&self, database: &Path) -> Result<()> {
        let (path, part) = (Self::path(database), beside(database, ".s3state.part"));
        let json = serde_json::to_vec_pretty(self).map_err(|error| Error::internal(error.to_string()))?;
        let mut file = std::fs::File::create(&part)?;
        file.write_all(&json)?;
        file.sync_all()?;
        std::fs::rename(&part, &path)?;
        sync_folder(&path)
    }

    pub(crate) fn digest(&self) -> Option<[u8; 32]> {
        from_hex(&self.digest)
    }

    pub(crate) fn checksum(&self) -> Option<u64> {
        u64::from_str_radix(&self.checksum, 16).ok()
    }

    pub(crate) fn new(end: &crate::segment_builder::LogEnd, checksum: u64, lock_id: Uuid, closed: bool) -> Self {
        Self {
            generation: end.generation.to_string(),
            sequence: end.sequence,
            digest: to_hex(&end.digest),
            checksum: format!("{checksum:016x}"),
            epoch: end.epoch,
            writer: end.writer.to_string(),
            lock_id: lock_id.to_string(),
            closed,
        }
    }
}

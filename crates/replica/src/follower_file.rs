//! The local file of a follower, and where in the log it stands.

use std::path::Path;

use bytes::Bytes;
use holdfast_base::Result;
use uuid::Uuid;

use crate::local_history::page_bytes_of;
use crate::point::Point;
use crate::restore::{Restore, blocking, put_in_place, remove_parts};
use crate::restored_file::{LogPlace, RestoredFile};
use crate::segment_builder::LogEnd;
use crate::state_file::StateFile;

/// See the top of the file.
#[derive(Debug)]
pub(crate) struct FollowerFile {
    pub(crate) generation: Uuid,
    file: RestoredFile,
}

impl FollowerFile {
    /// The file that an earlier follower left, when it is what its state says.
    pub(crate) async fn reopen(path: &Path) -> Option<Self> {
        let state = StateFile::read(path)?;
        let path = path.to_owned();
        let reopen = move || {
            let page_bytes = page_bytes_of(&std::fs::File::open(&path)?, &path)?;
            let at = LogPlace { sequence: state.sequence, digest: state.digest().unwrap_or_default(), time_ms: 0 };
            let file = RestoredFile::open(&path, page_bytes, at)?;
            let generation = Uuid::parse_str(&state.generation).unwrap_or_default();
            let is_whole = state.checksum() == Some(file.checksum);
            Ok(is_whole.then_some(Self { generation, file }))
        };
        blocking(reopen).await.ok().flatten()
    }

    /// Makes it from the bucket.
    pub(crate) async fn restore(restore: &Restore<'_>, target: &Path) -> Result<Self> {
        remove_parts(target);
        let restored = restore.over_snapshot().await.inspect_err(|_| remove_parts(target))?;
        put_in_place(&restored.file, target)?;
        let target = target.to_owned();
        let reopened = move || {
            let page_bytes = page_bytes_of(&std::fs::File::open(&target)?, &target)?;
            let file = RestoredFile::open(&target, page_bytes, restored.at)?;
            Self { generation: restored.generation, file }.settle()
        };
        blocking(reopened).await
    }

    pub(crate) fn at(&self) -> LogPlace {
        self.file.at
    }

    pub(crate) fn checksum(&self) -> u64 {
        self.file.checksum
    }

    /// Takes the next segment.
    pub(crate) fn take(mut self, sequence: u64, bytes: &Bytes) -> Result<Self> {
        self.file.take(sequence, bytes, Point::Newest)?;
        Ok(self)
    }

    /// Makes the file what a reader may open, and notes where it stands.
    pub(crate) fn settle(mut self) -> Result<Self> {
        self.file.settle()?;
        let end = LogEnd {
            generation: self.generation,
            sequence: self.file.at.sequence,
            digest: self.file.at.digest,
            epoch: 0,
            writer: Uuid::nil(),
            time_ms: self.file.at.time_ms,
            log_bytes: 0,
        };
        // A transaction whose end is not stored yet stands aside; its parts are fetched again after a restart.
        if !self.file.has_parts() {
            StateFile::new(&end, self.file.checksum, Uuid::nil(), false).write(self.file.path())?;
        }
        Ok(self)
    }
}

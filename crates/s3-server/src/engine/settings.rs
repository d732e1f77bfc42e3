//! How an engine is opened.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use holdfast_base::Clock;

/// What an acknowledged write survives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// The process being killed at any point; nothing is synced.
    #[default]
    Process,
    /// Also a power cut: file and folder are synced before the answer, the index at every commit.
    Disk,
}

/// Settings of an [`Engine`](super::Engine).
#[derive(Clone)]
pub struct EngineSettings {
    /// The folder that holds the buckets; made when missing.
    pub directory: PathBuf,
    /// Keeps everything in memory, at most so many bytes of data, and nothing in `directory`. Default `None`.
    pub max_memory_bytes: Option<u64>,
    /// Default [`Durability::Process`].
    pub durability: Durability,
    /// Where `last_modified_ms` and its like come from.
    pub clock: Arc<dyn Clock>,
    /// The least size of a part that isn't the last, in bytes. Default 5 MiB, as S3 has it.
    pub min_part_bytes: u64,
    /// The region of buckets that a directory in another layout brings. Default `us-east-1`.
    pub region: String,
    /// Whether a policy of a bucket, both given, can be followed: one that can't is not taken over. Default: yes.
    pub is_policy: fn(&str, &str) -> bool,
    /// Remove every bucket at open, with all that is in it and nothing else. Default false.
    pub clean_slate: bool,
}

impl EngineSettings {
    /// The defaults for a folder.
    pub fn new(directory: impl Into<PathBuf>, clock: Arc<dyn Clock>) -> Self {
        Self {
            directory: directory.into(),
            max_memory_bytes: None,
            durability: Durability::default(),
            clock,
            min_part_bytes: 5 << 20,
            region: "us-east-1".into(),
            is_policy: |_, _| true,
            clean_slate: false,
        }
    }
}

impl fmt::Debug for EngineSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EngineSettings")
            .field("directory", &self.directory)
            .field("max_memory_bytes", &self.max_memory_bytes)
            .field("durability", &self.durability)
            .field("min_part_bytes", &self.min_part_bytes)
            .field("clean_slate", &self.clean_slate)
            .finish_non_exhaustive()
    }
}

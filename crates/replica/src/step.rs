//! The steps whose order a crash must not be able to spoil.

use std::sync::Arc;

/// A step that was just done, unless its name says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// A commit is in SQLite's log, and nobody was told.
    Committed,
    /// A segment is about to be put.
    PutBegins,
    /// A segment is stored, and nobody was told.
    PutDone,
    /// A part of a snapshot was read; the rest is not stored.
    SnapshotBegun,
    /// A snapshot is stored, and its description is not.
    SnapshotStored,
    /// A snapshot counts.
    SnapshotCounts,
    /// A pack is stored, and the segments in it are there too.
    PackStored,
    /// Segments that are in a pack are removed.
    SegmentsRemoved,
    /// A generation does not count any more, and its objects are there.
    GenerationUncounted,
    /// Objects of an old generation are removed.
    GenerationRemoved,
    /// A snapshot is downloaded, and the log is not applied.
    RestoreBegun,
    /// A restored file is verified, and not in its place.
    RestoreVerified,
    /// A restored file is in its place.
    RestoreDone,
    /// Stored frames are in the main file.
    Checkpointed,
}

/// Is told each step; tests end the process in it.
#[derive(Clone)]
pub struct StepSink(Arc<dyn Fn(Step) + Send + Sync>);

impl StepSink {
    /// Takes what is told.
    pub fn new(told: impl Fn(Step) + Send + Sync + 'static) -> Self {
        Self(Arc::new(told))
    }

    pub(crate) fn tell(&self, step: Step) {
        (self.0)(step);
    }
}

impl Default for StepSink {
    fn default() -> Self {
        Self::new(|_| ())
    }
}

impl std::fmt::Debug for StepSink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StepSink")
    }
}

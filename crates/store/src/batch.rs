//! Changes to records, kv and events: a list of steps.

use holdfast_base::Key;

use crate::{Event, Space};

/// What must hold of an entry for a step to go through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Condition {
    /// Nothing.
    #[default]
    Any,
    /// It must not exist.
    Absent,
    /// It must exist in exactly this version.
    Version(u64),
}

/// One change, or one check.
#[derive(Clone, Debug)]
pub enum Step {
    /// Fails the batch unless the condition holds.
    Check {
        /// The class.
        space: Space,
        /// The entry.
        key: Key,
        /// What must hold.
        condition: Condition,
    },
    /// Sets an entry.
    Put {
        /// The class.
        space: Space,
        /// The entry.
        key: Key,
        /// JSON text, at most [`crate::MAX_VALUE_BYTES`].
        value: String,
        /// What must hold.
        condition: Condition,
        /// How long it lives, in milliseconds; for ever without.
        ttl_ms: Option<u64>,
    },
    /// Deletes an entry.
    Delete {
        /// The class.
        space: Space,
        /// The entry.
        key: Key,
        /// What must hold.
        condition: Condition,
    },
    /// Adds to a number, beginning at 0. An entry that is there keeps its expiry.
    Add {
        /// The class.
        space: Space,
        /// The entry.
        key: Key,
        /// How much.
        by: f64,
    },
    /// Sets an entry to what it was elsewhere, unless the one that is there has that version or a later one.
    Restore {
        /// The class.
        space: Space,
        /// The entry.
        key: Key,
        /// JSON text, at most [`crate::MAX_VALUE_BYTES`].
        value: String,
        /// Its version.
        version: u64,
        /// In milliseconds since the epoch.
        created_at_ms: u64,
        /// In milliseconds since the epoch.
        updated_at_ms: u64,
        /// In milliseconds since the epoch; for ever without.
        expires_at_ms: Option<u64>,
    },
    /// Appends an event.
    Append {
        /// The stream.
        stream: Key,
        /// JSON text, at most [`crate::MAX_VALUE_BYTES`].
        payload: String,
        /// The stream must have this version; 0 means that it must not exist.
        expected_version: Option<u64>,
        /// The event's own id. The same id with the same payload again gives the stored event back.
        id: Option<String>,
        /// When it happened, where that was elsewhere; now without. In milliseconds since the epoch.
        timestamp_ms: Option<u64>,
    },
}

impl Step {
    /// An unconditional put that lives for ever.
    pub fn put(space: Space, key: Key, value: impl Into<String>) -> Self {
        Self::Put { space, key, value: value.into(), condition: Condition::Any, ttl_ms: None }
    }

    /// An unconditional delete.
    pub fn delete(space: Space, key: Key) -> Self {
        Self::Delete { space, key, condition: Condition::Any }
    }
}

/// Steps that are committed in their order.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// The steps.
    pub steps: Vec<Step>,
    /// All or nothing is demanded: an adapter without transactions refuses instead of doing its best.
    pub atomic: bool,
}

impl Batch {
    /// A batch of one step.
    pub fn one(step: Step) -> Self {
        Self { steps: vec![step], atomic: false }
    }
}

/// What became of a step.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The check held.
    Checked,
    /// The entry was set.
    Put {
        /// Its new version.
        version: u64,
        /// In milliseconds since the epoch.
        created_at_ms: u64,
        /// In milliseconds since the epoch.
        updated_at_ms: u64,
    },
    /// The entry is gone.
    Deleted {
        /// Whether it was there.
        existed: bool,
    },
    /// The number was changed.
    Added {
        /// The sum.
        value: f64,
        /// Its new version.
        version: u64,
    },
    /// The entry is as it was elsewhere, or is newer.
    Restored {
        /// Whether that took a change.
        changed: bool,
    },
    /// The event was appended.
    Appended(Event),
}

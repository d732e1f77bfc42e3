//! An event of a stream: written once, never changed.

use serde::{Deserialize, Serialize};

use crate::Stamp;

/// An event. Two peers that append different events under one id both end with the earlier one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Event {
    /// Its place in the order of its stream.
    pub stamp: Stamp,
    /// When it happened, in milliseconds since the epoch.
    pub timestamp_ms: u64,
    /// JSON text.
    pub payload: String,
}

impl Event {
    /// Takes in what another peer has.
    pub fn merge(&mut self, other: Self) {
        if other < *self {
            *self = other;
        }
    }
}

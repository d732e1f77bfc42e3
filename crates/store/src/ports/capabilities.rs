//! What an adapter can do.

use serde::Serialize;

/// What an adapter can do; what it can't is a `Capability` error at the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Capabilities {
    /// Batches of several steps are all or nothing.
    pub atomic: bool,
    /// Commits happen in the order of calls.
    pub ordered: bool,
    /// Presigned URLs.
    pub presign: bool,
    /// What was acknowledged is there after the process is gone.
    pub durable: bool,
    /// Several processes may work on it at the same time.
    pub multi_process: bool,
    /// Changes that other processes commit are told as they happen.
    pub notifies: bool,
}

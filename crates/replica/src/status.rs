//! How a replica is doing.

use holdfast_base::Error;

/// A moment's view.
#[derive(Clone, Debug)]
pub struct Status {
    /// The generation of the log.
    pub generation: String,
    /// The last stored segment.
    pub position: u64,
    /// Who owns the log; grows with each new owner.
    pub epoch: u64,
    /// Commits of this process so far.
    pub local_commits: u64,
    /// Those of them that are stored.
    pub durable_commits: u64,
    /// Bytes of the log that are not stored.
    pub lag_bytes: u64,
    /// How long the oldest commit that is not stored has waited, in milliseconds.
    pub lag_ms: u64,
    /// Who holds the lease, for people.
    pub holder: String,
    /// What went wrong last, until something is stored again.
    pub last_error: Option<Error>,
}

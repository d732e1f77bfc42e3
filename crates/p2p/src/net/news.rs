//! What a node tells those who want to know.

use std::sync::Arc;

use serde::Serialize;

use crate::Kind;

/// News of peers. In its JSON form, `type` says which.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all_fields = "camelCase")]
pub enum PeerNews {
    /// A peer is there.
    #[serde(rename = "peer:connect")]
    Connected {
        /// Its id.
        peer: String,
        /// Where it is.
        address: String,
    },
    /// A peer is gone.
    #[serde(rename = "peer:disconnect")]
    Disconnected {
        /// Its id.
        peer: String,
        /// Why.
        reason: String,
    },
    /// The two differ, and begin to change that.
    #[serde(rename = "sync:start")]
    SyncStart {
        /// Its id.
        peer: String,
    },
    /// The two hold the same.
    #[serde(rename = "sync:complete")]
    SyncComplete {
        /// Its id.
        peer: String,
    },
    /// Something keeps the two apart.
    #[serde(rename = "sync:error")]
    SyncError {
        /// Its id.
        peer: String,
        /// A stable code.
        code: &'static str,
        /// What it is, and what to do.
        message: String,
    },
    /// Two peers wrote the same field.
    #[serde(rename = "record:conflict")]
    Conflict {
        /// Of the record.
        key: String,
        /// The names of properties from the root.
        path: Vec<String>,
        /// What stood here, as JSON text.
        local: Option<String>,
        /// What the other peer wrote.
        remote: Option<String>,
    },
    /// What a peer sent was committed; not told to users as such.
    #[serde(skip)]
    Committed {
        /// What changed.
        changed: Vec<(Kind, String)>,
    },
}

/// Hears news, in their order. It must not block.
pub type HearPeers = Arc<dyn Fn(PeerNews) + Send + Sync>;

/// A peer that is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PeerStatus {
    /// Its id.
    pub id: String,
    /// Where it is.
    pub address: String,
    /// Whether the two held the same when they last compared.
    pub in_sync: bool,
    /// Items that came from it and were new.
    pub received: u64,
    /// Items that were sent to it.
    pub sent: u64,
}

//! Peers that keep one store: what merges how, which differences they look for, and how they talk.
//!
//! - `merge` holds the rules: every state is a join semilattice, so that order and repetition do not matter;
//! - `rows` keeps the items in SQLite and the fingerprint [`Tree`] beside them;
//! - `sync` is the protocol between two peers, a state machine without sockets and without a clock;
//! - `net` carries it: QUIC, mutual keys, a proof of the topic's secret, discovery.
//!
//! Invariants: a write of this peer never waits for another one; what comes from a peer is merged in a
//! transaction and changes nothing that it had no right to change; nothing is pushed before it is committed.

mod item;
mod merge;
mod net;
mod rows;
mod stamp;
mod sync;
mod tree;

pub use item::{Fingerprint, Item, ItemId, Kind};
pub use merge::{Event, FieldConflict, Kv, KvValue, Record, RecordView, State};
pub use net::{HearPeers, Identity, NetSettings, Node as Peer, PeerNews, PeerStatus, Store, TopicKey};
pub use rows::{Changes, Rows, TABLES};
pub use stamp::{Hlc, MAX_AHEAD_MS, Stamp};
pub use sync::{
    Frame, Ground, Heard, MAX_FRAME_BYTES, Merged, Mirror, Received, Retention, Session, forget_gone, merge_items,
};
pub use tree::{LEAF_LEVEL, Node, Place, Tree};

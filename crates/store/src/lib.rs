//! Records, kv, blobs and events over any adapter.
//!
//! - [`ports`] says what an adapter must do; [`adapters`] holds one folder an adapter, each with the same
//!   file names; nothing outside an adapter's folder knows which one it talks to.
//! - [`Batch`] is the one way to change records, kv and events: a list of steps, committed together.
//! - The rules that every adapter shares (how versions count, what a condition means, when an entry is
//!   expired) stand once, in `cell.rs` and `ledger.rs`; an adapter only loads and stores cells.
//!
//! Invariants: nothing is answered before it is committed; a version never comes back, also after a
//! delete; an expired entry is invisible from its last millisecond on.

pub mod adapters;
mod answer;
mod batch;
mod blob;
mod blob_page;
mod cell;
mod entry;
mod event;
mod inspection;
mod json;
mod ledger;
pub mod ports;
mod settings;

pub use answer::{Answer, Pending};
pub use batch::{Batch, Condition, Outcome, Step};
pub use blob::{BlobBody, BlobInfo, BlobPage, BlobQuery, ByteRange, PutOptions};
pub use cell::MAX_VALUE_BYTES;
pub use entry::{Entry, EntryPage, EntryQuery, Space};
pub use event::{Event, EventPage, EventQuery, StreamPage, StreamQuery};
pub use holdfast_p2p::{HearPeers, PeerNews, PeerStatus};
pub use inspection::{Inspection, inspect_file};
pub use json::ToJson;
pub use ports::{Adapter, Capabilities, Hear, News, Peers, Upload};
pub use settings::{
    PostgresConnection, PostgresPool, PostgresSettings, PostgresSsl, S3Credentials, S3Multipart, S3Prefixes,
    S3Settings, Settings, SqliteSettings, open,
};

//! SQLite, continuously replicated to a bucket.
//!
//! ```text
//! Replica ── Writer (one thread, the connection) ── commits ──▶ Backlog ──▶ Shipper ──▶ ReplicaStore
//!    │                                                             ▲           │
//!    ├── ReaderPool                                     frame numbers only     └── SegmentBuilder ── PageView
//!    └── Lease, snapshots, checkpoints
//! ```
//!
//! A commit is a number of frames in SQLite's log. The shipper reads the frames from the log's file, as
//! segments that form a chain; a restore is a snapshot and the segments behind it, each checked.
//!
//! Invariants:
//! - a segment's key is created once (`If-None-Match: *`), with consecutive numbers: **the log is the
//!   fence**, whatever clocks and leases say;
//! - a frame is checkpointed only after it is stored;
//! - what is restored is verified before it takes the place of anything.

mod authorizer;
mod background;
mod backlog;
mod bucket_store;
mod catalog;
mod event;
mod file_lock;
mod follower;
mod follower_file;
mod inventory;
mod layout;
mod lease;
mod local_history;
mod log_chain;
mod log_listing;
mod open_database;
mod ownership;
mod pack;
mod packing;
mod page_changes;
mod page_checksum;
mod page_image;
mod page_view;
mod point;
mod reader_pool;
mod replica;
mod restore;
mod restored_file;
mod retention;
mod segment;
mod segment_builder;
mod segment_format;
mod settings;
mod shipper;
mod snapshot;
mod snapshot_meta;
mod start;
mod state_file;
mod statement;
mod status;
mod step;
mod store;
mod transaction;
mod varint;
mod wal;
mod writer;

pub use bucket_store::BucketStore;
pub use event::{Event, EventSink};
pub use follower::{Follower, FollowerSettings, FollowerStatus};
pub use holdfast_sqlite::rusqlite::types::Value;
pub use inventory::{GenerationInfo, Inventory, SnapshotInfo, inventory};
pub use lease::LockRecord;
pub use page_changes::{PageChange, PageChanges};
pub use page_checksum::{lock_page, page_checksum};
pub use page_image::PageImage;
pub use point::Point;
pub use replica::Replica;
pub use restore::{RestoredState, restore};
pub use segment::{Digest, Link, Segment, SegmentKind, StoredSegment, Transaction as SegmentTransaction, link};
pub use settings::{ReplicaSettings, SyncMode};
pub use snapshot_meta::{SnapshotMeta, SnapshotPlace};
pub use state_file::StateFile;
pub use statement::{Rows, Statement};
pub use status::Status;
pub use step::{Step, StepSink};
pub use store::{ByteStream, KeyPage, KeyQuery, ListedKey, Outcome, ReplicaStore, StoredObject};
pub use transaction::Transaction;
pub use wal::{Cursor, Frame, WalFile, WalHeader};

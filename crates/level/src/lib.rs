//! An ordered key-value database in a bucket, in one of two layouts: one object a key, or a log-structured tree.
//!
//! ```text
//! Level ── open_marker                                  which layout it is
//!   ├ Objects ── Bucket (s3-client)                     put, get, del
//!   │   ├ BatchLog ── Journal                           batches, whole or not at all
//!   │   └ ObjectsIterator ── KeyScan                    a list's pages, values fetched ahead of the reader
//!   └ Lsm ── SlateDB ── BucketStore ── Bucket           the tree
//! ```
//!
//! Invariants:
//! - An object's key is the folder, then the key as the format writes it ([`KeyFormat`]); with
//!   [`KeyFormat::Utf8`] and a value's bytes as the object's, s3leveldown reads and writes the same data.
//! - Keys are bytes and order is by bytes, in the bucket and here.
//! - What a database is (layout, key format, version) is recorded beside the data ([`FormatMarker`]), never in it.
//! - Memory is bounded: an iterator holds a page of keys and a budget of values, in both directions.

mod batch;
mod batch_log;
mod condition;
mod failure;
mod format_marker;
mod iterator;
mod journal;
mod key_format;
mod key_scan;
mod level;
mod location;
mod lsm;
mod midpoint;
mod migration;
mod objects;
mod objects_iterator;
mod opening;
mod task;
mod view;

pub use batch::Operation;
pub use condition::Condition;
pub use format_marker::{FormatMarker, Layout};
pub use iterator::{Entry, IteratorOptions, LevelIterator, PackedPage, Page, key_range};
pub use key_format::KeyFormat;
pub use level::{ClearOptions, Level, LevelSettings};
pub use location::Location;
pub use migration::{Migration, MigrationState};
pub use view::View;

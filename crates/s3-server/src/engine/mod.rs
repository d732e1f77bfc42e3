//! The disk engine: buckets are folders, objects are plain files in them, one SQLite index says which exist.
//!
//! ```text
//! <directory>/
//!   photos/2024/cat.jpg~1000000000042      an object: readable name, `~`, unique id
//!   .holdfast/index.db                     metadata, listing order, what each commit still owes the files
//!   .holdfast/staging/<id>                 bodies being written, and the parts of unfinished uploads
//!   .holdfast/snapshots/                   states that are kept until the engine is closed: rows, and links to files
//!   .holdfast/master.key                   what data keys are sealed with; made when first needed
//!   .holdfast/lock                         held by the one process that may open the directory
//! ```
//!
//! Invariants:
//!
//! - A data file is written once, under an id that is never given twice, and never changed afterwards.
//! - One index commit makes an object visible. The file lies whole in `staging` before that commit and is
//!   moved to its readable place after it; the commit notes the move (a *chore*), so that a crash between
//!   the two is finished at the next open. A reader that comes in between reads it from `staging`.
//! - A file that a commit replaced or deleted is noted as a chore by that commit and unlinked after it.
//!   Whoever had it open goes on reading.
//! - What a plain listing shows is in `object`; older versions and delete markers lie in `version`. Which row stands
//!   where is decided in `succession` alone, in the commit that writes or deletes a version; their files stay where
//!   they are.
//! - At open, chores are done first; then every file in `staging` that no part row names is an orphan and
//!   goes. No bucket's folder is ever searched.
//! - Conditions are decided in the transaction that commits, and so is whether a version is locked.
//! - The runtime's own threads never wait for a file: they read rows of the index by their key, and what `cached` has
//!   in memory. What is quick, and all other reading, runs on a few threads of the engine's; what syncs, copies or
//!   writes much on the blocking pool.
//! - A write that has begun goes on to its end when its caller goes away.
//! - What replaces everything (`reset`, `restore`) happens while no write is under way; a body that was begun
//!   before it is refused after it.
//! - In memory (`memory_files`) a file is its number and its bytes: it has no place to be moved to, and is found as
//!   soon as it is whole. All else is the same, the index included.
//! - A path is made by `DataPath` alone, from an id and an escaped key, or from the index after a check.

mod acls;
mod attributes;
mod bucket_name;
mod buckets;
mod cached;
mod chores;
mod clean_slate;
mod completion;
mod condition;
mod data_files;
mod data_keys;
mod data_path;
mod deletes;
mod documents;
mod encryption;
mod endings;
mod error;
mod events;
mod file_threads;
mod folder;
mod index;
mod inspection;
mod list_query;
mod lists;
mod locks;
mod memory_files;
mod object_file;
mod object_lock;
mod opening;
mod parts;
mod predecessor;
mod puts;
mod reads;
mod reset;
mod settings;
mod snapshots;
mod staged;
mod succession;
mod tags;
mod upload_info;
mod uploads;
mod version_id;
mod version_lists;

pub use attributes::{Checksum, ChecksumKind, ObjectAttributes, ObjectInfo, ObjectPart};
pub use bucket_name::is_valid_bucket_name;
pub use buckets::{BucketInfo, BucketsOf, NewBucket};
pub use condition::Condition;
pub use deletes::{Deleted, Deletion, Likeness};
pub use encryption::{CustomerKey, DataKey, Encryption, KmsKey, Scheme};
pub use endings::{Ending, Role, VersionCursor, WalkedVersion};
pub use error::{DeleteMarker, EngineError, Result};
pub use events::{Event, EventKind, EventOperation, Events, MAX_WAITING_EVENTS};
pub use inspection::{FolderInspection, inspect_folder};
pub use list_query::{
    ListEntry, ListPage, ListQuery, ListedObject, ListedVersion, Page, VersionEntry, VersionPage, VersionQuery,
};
pub use locks::LockChange;
pub use object_file::{ObjectFile, ObjectStream};
pub use object_lock::{DefaultRetention, ObjectLock, Retention, RetentionMode, RetentionPeriod};
pub use opening::Engine;
pub use settings::{Durability, EngineSettings};
pub use snapshots::SnapshotId;
pub use staged::Staged;
pub use upload_info::{
    CompletedPart, PartAttributes, PartInfo, PartPage, UploadEntry, UploadInfo, UploadPage, UploadQuery,
};
pub use version_id::{VersionId, Versioning};

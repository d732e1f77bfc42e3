//! The one room that links aws-sdk-s3: a [`Client`] to an endpoint and a [`Bucket`] under a prefix.
//!
//! Invariants:
//! - Keys go in and come out relative to the bucket's prefix, exactly as given: `a//b`, `../x` and control
//!   characters travel unchanged.
//! - A request never hangs: connecting, each attempt and each operation have a deadline.
//! - A conditional write is sent once. Its error says whether nothing was stored, or that nobody knows
//!   (code [`OUTCOME_UNKNOWN`]); see [`Bucket::put`].
//! - Memory is bounded: downloads stream, uploads hold `part_bytes × (concurrency + 1)`, lists come in pages.

mod body;
mod bucket;
mod client;
mod copying;
mod deletion;
mod failure;
mod found_credentials;
mod listing;
mod notes;
mod object;
mod part_upload;
mod parts;
mod presigning;
mod probe;
mod request_stats;
mod settings;
mod upload;

pub use body::Body;
pub use bucket::{Bucket, GetOptions, PutOptions};
pub use client::Client;
pub use copying::CopyOptions;
pub use failure::{OUTCOME_UNKNOWN, PRECONDITION_FAILED, is_outcome_unknown};
pub use listing::{ListPage, ListRequest, ListedObject};
pub use notes::UploadNote;
pub use object::{Object, ObjectMeta, Stored};
pub use part_upload::PartUpload;
pub use parts::{PendingUpload, PendingUploadPage};
pub use presigning::PresignMethod;
pub use probe::{ProbeOutcome, ProbeStep};
pub use request_stats::RequestStats;
pub use settings::{ChecksumMode, ClientSettings, Credentials, Timeouts};
pub use upload::UploadOptions;

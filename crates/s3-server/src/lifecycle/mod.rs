//! Lifecycle: rules of a bucket that say when objects, versions, delete markers and uploads end.
//!
//! - `read` takes a document and checks it as S3 does, `write` gives it back as it was said;
//! - `rule` and `filter` are what is kept, and what they are about;
//! - `due` says when a rule's time has come, `scan` what that means for the versions of a key;
//! - `worker` walks the buckets and does it.
//!
//! Invariants:
//!
//! - A pass holds a page of versions in memory, and removes few of them in one commit, so that other writes go on.
//! - The commit that removes a version looks again whether it is what the pass saw: one that is locked, or something
//!   else to its key meanwhile, stays.
//! - Nothing is noted of a pass: one that is broken off is made good by the next.

mod due;
mod filter;
mod read;
mod rule;
mod scan;
mod worker;
mod write;

pub(crate) use due::{DAY_MS, DayLength};
pub(crate) use filter::Subject;
pub(crate) use rule::Lifecycle;
pub use worker::LifecycleRun;
pub(crate) use worker::run;

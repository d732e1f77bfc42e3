//! What the server does when the machine fails it: disks, descriptors, files that were cut.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

#[path = "../protocol/client.rs"]
#[allow(dead_code, reason = "the protocol's tests use more of it")]
mod client;
mod conditional_writes;
mod descriptors;
mod directories;
mod full_disk;
mod mount;
mod power_cut;
mod torn_files;

/// All of this is about disks.
const MAX_MEMORY_BYTES: Option<u64> = None;

//! The protocol over real sockets, as a client sees it.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

/// These tests run twice: over a folder here, in memory in `protocol_in_memory`.
const MAX_MEMORY_BYTES: Option<u64> = None;

mod access;
mod acl;
mod attributes;
mod auth;
mod bodies;
mod bucket_settings;
mod client;
mod conditions;
mod console;
mod cors;
mod encrypted;
mod encryption;
mod encryption_copies;
mod encryption_headers;
mod encryption_on_disk;
mod encryption_uploads;
mod faults;
mod forms;
mod guarded;
mod hostile;
mod lifecycle;
mod lifecycle_rules;
mod limits;
mod multipart;
mod object_lock;
mod objects;
mod odd_requests;
mod owners;
mod predecessor;
mod signer;
mod states;
mod states_on_disk;
mod tagging;
mod tls;
mod versions;

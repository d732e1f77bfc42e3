//! An S3-compatible server: HTTP, signatures and XML over the disk engine.
//!
//! ```text
//! server ── service ── auth          who asks
//!              ├────── console       a page for browsers, and what it asks beside S3
//!              ├────── operation     what is asked
//!              ├────── access        may they ── rights ── acl, policy, bucket_rules
//!              ├────── operations/*  what it does ── body, conditions, byte_range, checksum, encryption, xml
//!              └────── engine        where it is kept
//! ```
//!
//! Invariants:
//!
//! - A body that fails its length, its digests, its framing or its signatures leaves nothing behind: it is
//!   staged, and only put when all of them hold.
//! - A key is decoded once and never normalised; no path of the file system is made outside `engine`.
//! - A sub-resource or header that asks for what is not done here is refused, never overlooked.

mod access;
mod acl;
mod amz_time;
mod answer;
mod auth;
mod body;
mod bucket_cors;
mod bucket_rules;
mod bucket_settings;
mod byte_range;
mod checksum;
mod conditions;
mod connection;
mod console;
mod cors;
mod cross_origin;
mod encoding;
mod encryption;
pub mod engine;
mod error;
mod etag;
mod expected_owner;
mod faults;
mod form;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
mod lifecycle;
mod metrics;
mod object_lock;
mod operation;
mod operations;
mod ownership;
mod policy;
mod public_access;
mod query;
mod request;
mod request_log;
mod rights;
mod server;
mod service;
mod settings;
mod tag_set;
mod target;
mod tls;
mod xml;

pub use cors::CorsRules;
pub use engine::{Durability, Event, EventKind, EventOperation, SnapshotId};
pub use error::Code;
pub use faults::{Cut, Fault, FaultHandle, FaultInWords, Faults};
pub use lifecycle::LifecycleRun;
pub use operation::Operation;
pub use request_log::{MAX_RECORDS, RequestLog, RequestRecord};
pub use server::Server;
pub use settings::{Credential, ServerSettings};
pub use tls::TlsSettings;

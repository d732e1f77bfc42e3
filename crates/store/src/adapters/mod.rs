//! One folder an adapter, each with the same files: `mod` (the adapter), `commit` (batches), `entries`,
//! `events` and `blobs` (its ports).

pub mod memory;
pub mod s3;
pub mod sqlite;

use holdfast_base::{Error, ErrorKind};

/// The error of an adapter that can't do what was asked.
fn cannot(adapter: &str, what: &str) -> Error {
    let message = format!("the {adapter} adapter can't {what}; store.capabilities says what it can do");
    Error::new(ErrorKind::Capability, "NOT_SUPPORTED", message).with("adapter", adapter)
}

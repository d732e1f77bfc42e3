//! One folder an adapter, each with the same files: `mod` (the adapter), `commit` (batches), `entries`,
//! `events` and `blobs` (its ports).

mod gate;
mod leases;
pub mod memory;
pub mod p2p;
pub mod postgres;
pub mod s3;
pub mod sqlite;

use holdfast_base::{Error, ErrorKind};

/// The error of an adapter that can't do what was asked.
fn cannot(adapter: &str, what: &str) -> Error {
    let message = format!("the {adapter} adapter can't {what}; store.capabilities says what it can do");
    Error::new(ErrorKind::Capability, "NOT_SUPPORTED", message).with("adapter", adapter)
}

/// A number for SQL, which knows no unsigned ones; ours stay far below the bound.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A number from SQL; ours are never negative.
fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

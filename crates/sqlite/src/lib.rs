//! The one room that links SQLite.
//!
//! A [`Database`] is one file with one writer thread and a few reader connections:
//!
//! - every write runs on the writer thread; what queued while a transaction ran is the next
//!   transaction (**group commit**), and each piece of work is its own savepoint in it, so one that
//!   fails undoes only itself;
//! - a write is answered after the commit, never before;
//! - a read borrows a reader connection on the caller's thread and sees only what is committed.
//!
//! Invariant: nothing outside this crate opens a connection without [`Settings::connect`].

mod commit_probe;
mod database;
mod failure;
mod inspection;
mod readers;
mod schema;
mod settings;
mod writer;

pub use commit_probe::CommitProbe;
pub use database::Database;
pub use failure::{Failure, Work};
pub use inspection::{Inspection, inspect, open_unchanged};
pub use rusqlite;
pub use schema::Schema;
pub use settings::{Settings, Synchronous};

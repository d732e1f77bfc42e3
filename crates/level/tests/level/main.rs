//! Databases on a real server.
#![allow(clippy::unwrap_used, missing_docs)]

mod batches;
mod fixture;
mod lsm;
mod migration;
mod objects;
mod opening;

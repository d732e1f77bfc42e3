//! The addon: translates between JavaScript and the crates, and decides nothing.
//!
//! A file here turns JavaScript values into Rust values, calls one thing, and turns the answer back.
//! Fallible functions answer with a [`reply::Reply`]; see `reply.rs` for why.

// In a test build napi registers nothing, so that everything looks unused there.
#![cfg_attr(test, allow(dead_code))]

mod copied;
mod inspection;
mod level;
mod level_cursor;
mod level_migration;
mod log_sink;
mod replica;
mod replica_bucket;
mod replica_follower;
mod reply;
mod s3_settings;
mod storage;
mod storage_settings;
mod store;

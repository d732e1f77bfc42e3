//! The disk engine is killed (SIGKILL) in the middle of its work, again and again.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

#[path = "../engine_bench/mod.rs"]
mod engine_bench;
mod frame;
mod lifecycle;
mod memory;
mod mixed;
mod objects;
mod versions;

//! What tests of several rooms share; a dev-dependency only.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // all of it runs in tests

pub mod conformance;
pub mod crash;
mod dice;
#[cfg(target_os = "linux")]
pub mod postgres;
pub mod server;

pub use dice::Dice;
#[cfg(target_os = "linux")]
pub use postgres::PostgresServer;
pub use server::TestServer;

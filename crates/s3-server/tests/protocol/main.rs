//! The protocol over real sockets, as a client sees it.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod client;
mod objects;

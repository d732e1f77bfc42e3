//! What a client sends: read in pieces, unwrapped from `aws-chunked`, and checked while it streams.
//!
//! Invariant: nothing here holds more than one piece and one line of framing.

mod chunked;
mod digests;
mod framing;
mod incoming;

#[cfg(any(test, fuzzing))]
pub(crate) use chunked::ChunkDecoder;
use digests::Digests;
pub(crate) use digests::{BodyChecks, Digesting, has_checksum};
pub(crate) use framing::Framing;
pub(crate) use incoming::Payload;

//! Encryption at rest: how an object's bytes lie encrypted in its file, and whose key opens them.
//!
//! ```text
//! key-encryption key       the customer's (SSE-C, never kept) │ the master key's file (SSE-S3) │ a ring key (SSE-KMS)
//!   seals ── data key      random, one an object or upload, kept sealed in the index (`Encryption`)
//!     seals ── streams     one an object put in one piece, else one a part, one behind the other in the file
//! ```
//!
//! A stream is the AES256-GCM-HKDF streaming AEAD that Tink defines, segments of 64 KiB: a header of a salt and a
//! nonce prefix, and segments sealed by a key derived from the data key, that salt and the part's number. A segment's
//! nonce holds its number and whether it is the last one, so that none can be changed, swapped, dropped or added.
//!
//! Invariants:
//!
//! - Bytes that do not open are an error, and none of them are answered.
//! - A data key is sealed for one bucket, one key and one kind of encryption: it opens under no other.
//! - A key is never written but sealed, nor shown by `Debug`, and its memory is cleared when it is dropped.

mod envelope;
mod key;
mod layout;
mod master_key;
mod sealed_reader;
mod sealer;
mod segment_cipher;
#[cfg(test)]
mod tests;

pub(super) use envelope::Sealing;
pub use envelope::{Encryption, KmsKey, Scheme};
pub use key::{CustomerKey, DataKey};
pub(super) use layout::sealed_bytes;
pub(super) use master_key::MasterKeyFile;
pub(super) use sealed_reader::{SealedReader, Span};
pub(super) use sealer::Sealer;

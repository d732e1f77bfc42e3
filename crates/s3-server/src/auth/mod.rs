//! Who asks: AWS signature version 4 or 2, in the header, in the query or in a form.
//!
//! Invariants: secrets are compared in constant time and never written anywhere; a request that
//! fails here was neither routed nor had its body read.

mod account;
mod canonical;
mod chunk_signer;
mod form;
mod header;
mod identity;
mod old_header;
mod old_query;
mod presigned;
mod scope;
mod signing_key;
mod verifier;

pub(crate) use account::{Account, Accounts, OWN_ACCOUNT};
pub(crate) use chunk_signer::ChunkSigner;
#[cfg(test)]
pub(crate) use identity::User;
pub(crate) use identity::{Identity, SignedBy};
pub(crate) use verifier::Verifier;

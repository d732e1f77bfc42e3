//! Conformance suites: each case is written once and run by name on every implementation.

#[cfg(feature = "store")]
pub mod store;

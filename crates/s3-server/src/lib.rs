//! An S3-compatible server: the protocol on top, the disk engine below.
pub mod engine;

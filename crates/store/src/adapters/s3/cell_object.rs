//! A cell as an object: readable JSON, read with the ETag that a change of it demands.

use bytes::Bytes;
use holdfast_base::{Error, ErrorKind, Result};
use holdfast_s3_client::{Bucket, GetOptions, PRECONDITION_FAILED, PutOptions, is_outcome_unknown};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::is_absent;
use crate::cell::Cell;

/// The object's JSON.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Stored<'a> {
    version: u64,
    created_at: u64,
    updated_at: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<u64>,
    #[serde(default, skip_serializing_if = "is_false")]
    deleted: bool,
    /// Tells a write apart from every other one.
    write: String,
    #[serde(borrow)]
    value: &'a RawValue,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}

/// A cell and the ETag under which it was read.
pub(super) struct Read {
    pub(super) cell: Cell,
    pub(super) etag: String,
    write: String,
}

/// Reads a cell; one that was deleted is still there.
pub(super) async fn read(bucket: &Bucket, key: &str) -> Result<Option<Read>> {
    let mut attempts_left = 3;
    loop {
        let object = match bucket.get(key, &GetOptions::default()).await {
            Ok(object) => object,
            Err(error) if is_absent(&error) => return Ok(None),
            Err(error) => return Err(error),
        };
        attempts_left -= 1;
        match object.body.bytes().await {
            Ok(bytes) => return parse(key, &bytes, object.meta.etag).map(Some),
            Err(error) if error.is_retryable() && attempts_left > 0 => {}
            Err(error) => return Err(error),
        }
    }
}

fn parse(key: &str, bytes: &[u8], etag: String) -> Result<Read> {
    let stored: Stored<'_> = serde_json::from_slice(bytes).map_err(|error| {
        let message = format!("the object of {key:?} is no entry of a store ({error}); it was left as it is");
        Error::new(ErrorKind::Integrity, "FOREIGN_OBJECT", message).with("key", key)
    })?;
    let cell = Cell {
        value: (!stored.deleted).then(|| stored.value.get().to_owned()),
        version: stored.version,
        created_at_ms: stored.created_at,
        updated_at_ms: stored.updated_at,
        expires_at_ms: stored.expires_at,
    };
    Ok(Read { cell, etag, write: stored.write })
}

/// What became of a conditional write.
pub(super) enum Verdict {
    Stored,
    /// Somebody else was faster, or nothing arrived: read again and begin anew.
    Again,
}

/// Writes a cell over the one that was read (over nothing, when nothing was).
pub(super) async fn write(bucket: &Bucket, key: &str, before: Option<&Read>, cell: &Cell) -> Result<Verdict> {
    let write = uuid::Uuid::new_v4().to_string();
    let value = serde_json::from_str(cell.value.as_deref().unwrap_or("null")).map_err(|error| {
        Error::new(ErrorKind::Validation, "INVALID_VALUE", format!("the value of {key:?} is no JSON: {error}"))
    })?;
    let stored = Stored {
        version: cell.version,
        created_at: cell.created_at_ms,
        updated_at: cell.updated_at_ms,
        expires_at: cell.expires_at_ms,
        deleted: cell.value.is_none(),
        write: write.clone(),
        value,
    };
    let bytes = serde_json::to_vec(&stored).map_err(|error| Error::internal(error.to_string()))?;
    let condition = before.map_or_else(PutOptions::absent, |read| PutOptions::replacing(&read.etag));
    let options = PutOptions { content_type: Some("application/json".to_owned()), ..condition };
    match bucket.put(key, Bytes::from(bytes), &options).await {
        Ok(_) => Ok(Verdict::Stored),
        Err(error) if error.code() == PRECONDITION_FAILED || is_absent(&error) => Ok(Verdict::Again),
        Err(error) if is_outcome_unknown(&error) => verdict(bucket, key, before, &write, error).await,
        Err(error) => Err(error),
    }
}

/// Reads back what a write without an answer did.
async fn verdict(bucket: &Bucket, key: &str, before: Option<&Read>, write: &str, error: Error) -> Result<Verdict> {
    let now = read(bucket, key).await?;
    if now.as_ref().is_some_and(|now| now.write == write) {
        return Ok(Verdict::Stored);
    }
    if now.map(|now| now.etag) == before.map(|before| before.etag.clone()) {
        return Ok(Verdict::Again);
    }
    // Somebody has written since; whether over ours nobody can say.
    Err(error)
}

//! What the log and its index hold, and under which names.

use holdfast_base::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use crate::Event;

/// A commit as it is stored.
#[derive(Deserialize, Serialize)]
pub(super) struct Commit {
    /// Tells it apart from every other commit.
    pub(super) write: String,
    pub(super) events: Vec<StoredEvent>,
}

#[derive(Clone, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StoredEvent {
    pub(super) id: String,
    pub(super) stream: String,
    pub(super) version: u64,
    pub(super) timestamp: u64,
    /// Whether the id is its user's, and so in the index.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) named: bool,
    /// In the index only; in the log its place says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) position: Option<u64>,
    pub(super) payload: Box<RawValue>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}

impl StoredEvent {
    pub(super) fn into_event(self, position: u64) -> Event {
        Event {
            id: self.id,
            stream: self.stream,
            payload: self.payload.get().to_owned(),
            timestamp_ms: self.timestamp,
            version: self.version,
            position,
        }
    }
}

#[derive(Clone, Copy, Deserialize, Serialize)]
pub(super) struct Head {
    pub(super) version: u64,
}

#[derive(Deserialize, Serialize)]
pub(super) struct Tail {
    pub(super) number: u64,
}

/// The position of the n-th event of a commit.
pub(super) fn position_of(number: u64, at: usize) -> u64 {
    (number << 16) | at as u64
}

/// The commit that a position lies in.
pub(super) fn number_of(position: u64) -> u64 {
    position >> 16
}

pub(super) fn parse<T: DeserializeOwned>(key: &str, bytes: &[u8]) -> Result<T> {
    serde_json::from_slice(bytes).map_err(|error| {
        let message = format!("{key:?} of the event log can't be read ({error}); it was left as it is");
        Error::new(ErrorKind::Integrity, "FOREIGN_OBJECT", message)
    })
}

pub(super) fn log_key(number: u64) -> String {
    format!("log/{number:016}")
}

pub(super) fn head_key(stream: &str) -> String {
    format!("streams/{stream}")
}

pub(super) fn event_key(stream: &str, version: u64) -> String {
    format!("by-stream/{}/{version:016}", hash(&[stream]))
}

pub(super) fn id_key(stream: &str, id: &str) -> String {
    format!("ids/{}", hash(&[stream, id]))
}

/// A short name for texts of any length; NUL, which no key holds, keeps them apart.
fn hash(texts: &[&str]) -> String {
    Sha256::digest(texts.join("\0")).iter().take(20).map(|byte| format!("{byte:02x}")).collect()
}

//! What makes a snapshot count: a small object, written after it.

use bytes::Bytes;
use holdfast_base::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// The first four fields are those of remult-sqlite-s3; a snapshot of that package has only them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SnapshotMeta {
    /// The generation that it begins.
    pub generation: String,
    /// When, as ISO 8601 in UTC.
    pub created_at: String,
    /// Bytes of `snapshot.db`.
    pub size: u64,
    /// SHA-256 of `snapshot.db`, in hex.
    pub checksum: String,
    /// What replication needs; absent in a snapshot of remult-sqlite-s3.
    #[serde(flatten)]
    pub place: Option<SnapshotPlace>,
}

/// Where a snapshot stands in the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SnapshotPlace {
    /// 1 today.
    pub format: u32,
    /// Bytes of a page.
    pub page_size: u32,
    /// The database's size in pages.
    pub page_count: u32,
    /// The last segment that it contains, as 16 hex digits; the generation's log goes on behind it.
    pub position: String,
    /// The digest of that segment, in hex.
    pub position_digest: String,
    /// The database's rolling checksum, as 16 hex digits.
    pub database_checksum: String,
    /// Who owned the log.
    pub epoch: u64,
    /// The generation before it.
    pub parent: Option<String>,
}

/// The format of [`SnapshotPlace`].
pub(crate) const FORMAT: u32 = 1;

impl SnapshotMeta {
    /// Reads it.
    ///
    /// # Errors
    /// `Integrity` with code `SNAPSHOT_META_CORRUPT`.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let meta: Self = serde_json::from_slice(bytes).map_err(|error| corrupt(&error.to_string()))?;
        match &meta.place {
            Some(place) if place.format > FORMAT => Err(corrupt("a newer release wrote it; update holdfast")),
            _ => Ok(meta),
        }
    }

    /// Writes it.
    pub fn encode(&self) -> Result<Bytes> {
        let json = serde_json::to_vec_pretty(self);
        json.map(Bytes::from).map_err(|error| Error::internal(error.to_string()))
    }
}

impl SnapshotPlace {
    /// The last segment that the snapshot contains.
    pub(crate) fn sequence(&self) -> Result<u64> {
        u64::from_str_radix(&self.position, 16).map_err(|_| corrupt("its position is no number"))
    }

    /// The database's rolling checksum.
    pub(crate) fn checksum(&self) -> Result<u64> {
        u64::from_str_radix(&self.database_checksum, 16).map_err(|_| corrupt("its checksum is no number"))
    }

    /// The digest of the last segment that the snapshot contains.
    pub(crate) fn digest(&self) -> Result<[u8; 32]> {
        from_hex(&self.position_digest).ok_or_else(|| corrupt("its digest is no number"))
    }
}

fn corrupt(why: &str) -> Error {
    Error::new(ErrorKind::Integrity, "SNAPSHOT_META_CORRUPT", format!("a snapshot's description can't be read: {why}"))
}

/// Lower-case hex.
pub(crate) fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn from_hex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[at * 2..at * 2 + 2], 16).ok()?;
    }
    Some(bytes)
}

/// ISO 8601 in UTC with milliseconds, as JavaScript's `toISOString` writes it.
pub(crate) fn iso(ms: u64) -> String {
    let at =
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(ms) * 1_000_000).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let (year, month, day) = (at.year(), u8::from(at.month()), at.day());
    let (hour, minute, second, milli) = (at.hour(), at.minute(), at.second(), at.millisecond());
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z")
}

/// Milliseconds since the epoch of an ISO 8601 time.
pub(crate) fn from_iso(text: &str) -> Option<u64> {
    let at = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    u64::try_from(at.unix_timestamp_nanos() / 1_000_000).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meta() -> SnapshotMeta {
        SnapshotMeta {
            generation: "g".to_owned(),
            created_at: iso(1_700_000_000_123),
            size: 4096,
            checksum: to_hex(&[7; 32]),
            place: Some(SnapshotPlace {
                format: FORMAT,
                page_size: 4096,
                page_count: 1,
                position: format!("{:016x}", 17),
                position_digest: to_hex(&[9; 32]),
                database_checksum: format!("{:016x}", u64::MAX),
                epoch: 2,
                parent: None,
            }),
        }
    }

    #[test]
    fn decoding_gives_back_what_was_encoded() {
        let decoded = SnapshotMeta::decode(&meta().encode().unwrap()).unwrap();
        assert_eq!(decoded, meta());
        let place = decoded.place.unwrap();
        assert_eq!((place.sequence().unwrap(), place.checksum().unwrap()), (17, u64::MAX));
        assert_eq!(place.digest().unwrap(), [9; 32]);
    }

    #[test]
    fn a_description_of_remult_sqlite_s3_is_read() {
        let text = br#"{"generation":"a","createdAt":"2025-01-02T03:04:05.678Z","size":1,"checksum":"00"}"#;
        let meta = SnapshotMeta::decode(text).unwrap();
        assert_eq!(meta.place, None);
        assert_eq!(from_iso(&meta.created_at), Some(1_735_787_045_678));
    }

    #[test]
    fn every_truncation_is_refused() {
        let bytes = meta().encode().unwrap();
        for length in 0..bytes.len() {
            assert!(SnapshotMeta::decode(&bytes[..length]).is_err(), "length {length}");
        }
    }

    #[test]
    fn times_are_written_as_javascript_writes_them() {
        assert_eq!(iso(1_700_000_000_123), "2023-11-14T22:13:20.123Z");
        assert_eq!(from_iso("2023-11-14T22:13:20.123Z"), Some(1_700_000_000_123));
    }
}

//! What makes a snapshot count: a small object, written after it.

use bytes::Bytes;
use holdfast_base::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::restored_file::LogPlace;

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
    /// 2 today.
    pub format: u32,
    /// Bytes of a page.
    pub page_size: u32,
    /// The database's size in pages.
    pub page_count: u32,
    /// The last segment that it contains, as 16 hex digits; the generation's log goes on behind it.
    pub position: String,
    /// The digest of that segment, in hex.
    pub position_digest: String,
    /// When the last transaction that it contains was committed, as ISO 8601 in UTC.
    pub position_time: String,
    /// The database's rolling checksum, as 16 hex digits.
    pub database_checksum: String,
    /// Bytes of all segments up to there, from the log's first one on.
    pub log_bytes: u64,
    /// Who owned the log.
    pub epoch: u64,
    /// The generation before it.
    pub parent: Option<String>,
    /// SHA-256 of this description with this field empty, in hex.
    #[serde(default)]
    pub description_checksum: String,
}

/// The format of [`SnapshotPlace`].
pub(crate) const FORMAT: u32 = 2;

/// How many fields a description of remult-sqlite-s3 has.
const FOREIGN_FIELDS: usize = 4;

impl SnapshotMeta {
    /// Reads the description of a generation's snapshot.
    ///
    /// # Errors
    /// `Integrity` with code `SNAPSHOT_META_CORRUPT`.
    pub fn decode(bytes: &[u8], generation: &str) -> Result<Self> {
        let unreadable = |error: serde_json::Error| corrupt(&error.to_string());
        let fields: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(bytes).map_err(unreadable)?;
        let meta: Self = serde_json::from_slice(bytes).map_err(unreadable)?;
        if meta.generation != generation {
            return Err(corrupt("it is another generation's"));
        }
        match &meta.place {
            Some(place) if place.format > FORMAT => Err(corrupt("a newer release wrote it; update holdfast")),
            Some(place) if place.description_checksum != meta.checksum_of_this()? => {
                Err(corrupt("it does not match its checksum"))
            }
            // A field of ours that can't be read must not make it one of the other package's.
            None if fields.len() > FOREIGN_FIELDS => Err(corrupt("a field is missing or changed")),
            _ => Ok(meta),
        }
    }

    /// Writes it.
    ///
    /// # Errors
    /// `Internal` when it can't be written as JSON.
    pub fn encode(&self) -> Result<Bytes> {
        let mut checked = self.clone();
        let checksum = self.checksum_of_this()?;
        if let Some(place) = &mut checked.place {
            place.description_checksum = checksum;
        }
        let json = serde_json::to_vec_pretty(&checked);
        json.map(Bytes::from).map_err(|error| Error::internal(error.to_string()))
    }

    fn checksum_of_this(&self) -> Result<String> {
        let mut plain = self.clone();
        if let Some(place) = &mut plain.place {
            place.description_checksum.clear();
        }
        let json = serde_json::to_vec(&plain).map_err(|error| Error::internal(error.to_string()))?;
        Ok(to_hex(&Sha256::digest(json)))
    }
}

impl SnapshotPlace {
    /// Where it stands in the log.
    pub(crate) fn log_place(&self) -> Result<LogPlace> {
        Ok(LogPlace { sequence: self.sequence()?, digest: self.digest()?, time_ms: self.time_ms()? })
    }

    /// The last segment that the snapshot contains.
    pub(crate) fn sequence(&self) -> Result<u64> {
        u64::from_str_radix(&self.position, 16).map_err(|_| corrupt("its position is no number"))
    }

    /// When the last transaction that the snapshot contains was committed, in milliseconds since the epoch.
    pub(crate) fn time_ms(&self) -> Result<u64> {
        from_iso(&self.position_time).ok_or_else(|| corrupt("its time is none"))
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
                position_time: iso(1_700_000_000_000),
                database_checksum: format!("{:016x}", u64::MAX),
                log_bytes: 1234,
                epoch: 2,
                parent: None,
                description_checksum: String::new(),
            }),
        }
    }

    #[test]
    fn decoding_gives_back_what_was_encoded() {
        let mut decoded = SnapshotMeta::decode(&meta().encode().unwrap(), "g").unwrap();
        decoded.place.as_mut().unwrap().description_checksum.clear();
        assert_eq!(decoded, meta());
        let place = decoded.place.unwrap();
        assert_eq!((place.sequence().unwrap(), place.checksum().unwrap()), (17, u64::MAX));
        assert_eq!(place.digest().unwrap(), [9; 32]);
    }

    #[test]
    fn a_description_of_remult_sqlite_s3_is_read() {
        let text = br#"{"generation":"a","createdAt":"2025-01-02T03:04:05.678Z","size":1,"checksum":"00"}"#;
        let meta = SnapshotMeta::decode(text, "a").unwrap();
        assert_eq!(meta.place, None);
        assert_eq!(from_iso(&meta.created_at), Some(1_735_787_045_678));
    }

    #[test]
    fn every_truncation_and_every_flipped_bit_is_refused_or_says_the_same() {
        let bytes = meta().encode().unwrap();
        let same = SnapshotMeta::decode(&bytes, "g").unwrap();
        for at in 0..bytes.len() {
            assert!(SnapshotMeta::decode(&bytes[..at], "g").is_err(), "length {at}");
            for bit in 0..8 {
                let mut flipped = bytes.to_vec();
                flipped[at] ^= 1 << bit;
                if let Ok(meta) = SnapshotMeta::decode(&flipped, "g") {
                    assert_eq!(meta, same, "byte {at}, bit {bit}");
                }
            }
        }
    }

    #[test]
    fn a_description_in_another_generations_place_is_refused() {
        let error = SnapshotMeta::decode(&meta().encode().unwrap(), "h").unwrap_err();
        assert_eq!(error.code(), "SNAPSHOT_META_CORRUPT");
    }

    #[test]
    fn times_are_written_as_javascript_writes_them() {
        assert_eq!(iso(1_700_000_000_123), "2023-11-14T22:13:20.123Z");
        assert_eq!(from_iso("2023-11-14T22:13:20.123Z"), Some(1_700_000_000_123));
    }
}

//! Which of the kept states a restore gives.

use holdfast_base::{Error, ErrorKind, Result};

use crate::snapshot_meta::{SnapshotMeta, SnapshotPlace, iso};

/// Which state to restore.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Point {
    /// All that is stored.
    #[default]
    Newest,
    /// The committed state as of this segment.
    Position(u64),
    /// The state before the first transaction that was committed later than this, in milliseconds since the
    /// epoch, by the clock of who committed it.
    Time(u64),
}

impl Point {
    /// Whether a snapshot is not behind it.
    pub(crate) fn reaches(self, place: &SnapshotPlace) -> Result<bool> {
        Ok(match self {
            Self::Newest => true,
            Self::Position(position) => place.sequence()? <= position,
            Self::Time(time_ms) => place.time_ms()? <= time_ms,
        })
    }

    /// The last segment that can belong to it.
    pub(crate) fn last_sequence(self) -> u64 {
        if let Self::Position(position) = self { position } else { u64::MAX }
    }

    /// Whether a state with this time of its last transaction is not behind it.
    pub(crate) fn allows(self, time_ms: u64) -> bool {
        !matches!(self, Self::Time(until_ms) if time_ms > until_ms)
    }

    /// The error for a point before the oldest snapshot.
    pub(crate) fn before(self, oldest: &SnapshotMeta) -> Error {
        let Some(place) = &oldest.place else { return self.not_kept("the bucket keeps no log") };
        let (position, time) = (place.sequence().unwrap_or(0), &place.position_time);
        let why = format!("what is kept begins at position {position}, {time}");
        self.not_kept(&why).with("oldestPosition", position).with("oldestTime", time.clone())
    }

    /// The error for a position behind the log's end.
    pub(crate) fn behind(self, newest: u64) -> Error {
        self.not_kept(&format!("the log ends at position {newest}")).with("newestPosition", newest)
    }

    fn not_kept(self, why: &str) -> Error {
        let point = match self {
            Self::Newest => "the newest state".to_owned(),
            Self::Position(position) => format!("position {position}"),
            Self::Time(time_ms) => iso(time_ms),
        };
        let message = format!("{point} can't be restored: {why}. Ask for a point that is kept");
        Error::new(ErrorKind::NotFound, "POINT_NOT_KEPT", message)
    }
}

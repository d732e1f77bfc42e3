//! Versions: what a bucket keeps of what is replaced, and how versions are named.

use std::fmt;

use super::data_path::{id_of, number_of};

/// The id of the version that is written while versioning is off.
const NULL: &str = "null";
/// Digits of an id: those of the largest number.
const DIGITS: usize = 13;

/// Which version of an object: `null`, or one that was written while versioning was on. Later ones compare greater
/// as texts; a client takes them as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct VersionId(Option<i64>);

impl VersionId {
    /// The version that was written before versioning was on, or while it was suspended.
    pub const NULL: Self = Self(None);

    /// The version that a commit with that number wrote.
    pub(super) fn of_sequence(sequence: i64) -> Self {
        Self(Some(sequence))
    }

    /// The number of its commit; `None` for the null version, which can have any.
    pub(super) fn sequence(self) -> Option<i64> {
        self.0
    }

    /// The id that a text names; `None` when it can't be one.
    pub fn read(text: &str) -> Option<Self> {
        if text == NULL {
            return Some(Self::NULL);
        }
        let digits = text.trim_start_matches('0');
        let number = number_of(if digits.is_empty() { "0" } else { digits })?;
        (text.len() == DIGITS).then_some(Self(Some(number)))
    }
}

impl fmt::Display for VersionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => f.write_str(NULL),
            Some(sequence) => write!(f, "{:0>DIGITS$}", id_of(sequence)),
        }
    }
}

/// Whether a bucket keeps what is replaced and deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Versioning {
    /// It was never on: every object is its null version, and nothing is said of versions.
    #[default]
    Never,
    /// Every write makes a version of its own.
    Enabled,
    /// It was on: writes replace the null version alone.
    Suspended,
}

impl Versioning {
    /// The id of a version that a commit with that number writes; `None` where nothing is said of versions.
    pub(super) fn id_of(self, sequence: i64) -> Option<VersionId> {
        match self {
            Self::Never => None,
            Self::Suspended => Some(VersionId::NULL),
            Self::Enabled => Some(VersionId::of_sequence(sequence)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_back_and_sort_by_age() {
        let ids = [0, 1, 31, 32, 1 << 42, i64::MAX].map(VersionId::of_sequence);
        let texts = ids.map(|id| id.to_string());
        assert!(texts.is_sorted() && texts.iter().all(|text| text.len() == 13), "{texts:?}");
        for id in ids.into_iter().chain([VersionId::NULL]) {
            assert_eq!(VersionId::read(&id.to_string()), Some(id));
        }
    }

    #[test]
    fn what_is_no_id_is_told() {
        for text in ["", "0", "Null", "00000000000001", "000000000000V", "zzzzzzzzzzzzz", "../../etc/pas"] {
            assert_eq!(VersionId::read(text), None, "{text:?}");
        }
    }
}

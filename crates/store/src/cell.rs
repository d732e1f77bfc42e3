//! What is stored under a key, and the rules by which it changes. The same on every adapter.

use holdfast_base::{Error, ErrorKind, Result};

use crate::{Condition, Entry};

/// The largest value of a record, of a kv entry or of an event, in bytes of JSON.
pub const MAX_VALUE_BYTES: usize = 16 << 20;

/// The content of a key, kept also when the entry is deleted, so that its version goes on counting.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cell {
    /// JSON text; `None` when the entry was deleted.
    pub(crate) value: Option<String>,
    pub(crate) version: u64,
    pub(crate) created_at_ms: u64,
    pub(crate) updated_at_ms: u64,
    pub(crate) expires_at_ms: Option<u64>,
}

impl Cell {
    /// Whether a reader at `now_ms` sees it.
    pub(crate) fn is_live(&self, now_ms: u64) -> bool {
        self.value.is_some() && self.expires_at_ms.is_none_or(|expires| expires > now_ms)
    }

    /// As a reader at `now_ms` sees it.
    pub(crate) fn into_entry(self, key: &str, now_ms: u64) -> Option<Entry> {
        if !self.is_live(now_ms) {
            return None;
        }
        Some(Entry {
            key: key.to_owned(),
            value: self.value?,
            version: self.version,
            created_at_ms: self.created_at_ms,
            updated_at_ms: self.updated_at_ms,
            expires_at_ms: self.expires_at_ms,
        })
    }

    /// The cell after a put.
    pub(crate) fn put(current: Option<&Self>, value: String, expires_at_ms: Option<u64>, now_ms: u64) -> Self {
        let live = current.filter(|cell| cell.is_live(now_ms));
        Self {
            value: Some(value),
            version: current.map_or(0, |cell| cell.version) + 1,
            created_at_ms: live.map_or(now_ms, |cell| cell.created_at_ms),
            updated_at_ms: now_ms,
            expires_at_ms,
        }
    }

    /// The cell after a delete.
    pub(crate) fn delete(&self, now_ms: u64) -> Self {
        Self { value: None, expires_at_ms: None, updated_at_ms: now_ms, ..*self }
    }

    /// The cell after `by` was added to its number, and the sum.
    pub(crate) fn add(current: Option<&Self>, key: &str, by: f64, now_ms: u64) -> Result<(Self, f64)> {
        let live = current.filter(|cell| cell.is_live(now_ms));
        let before = match live.and_then(|cell| cell.value.as_deref()) {
            None => 0.0,
            Some(text) => {
                serde_json::from_str::<serde_json::Number>(text).ok().and_then(|number| number.as_f64()).ok_or_else(
                    || invalid("NOT_A_NUMBER", format!("the value of {key:?} is no number; increment needs one")),
                )?
            }
        };
        let sum = before + by;
        let text = number_text(sum)
            .ok_or_else(|| invalid("NOT_A_NUMBER", format!("the sum for {key:?} is no finite number; it was kept")))?;
        let expires_at_ms = live.and_then(|cell| cell.expires_at_ms);
        Ok((Self::put(current, text, expires_at_ms, now_ms), sum))
    }
}

/// Whether `condition` holds of what a reader at `now_ms` sees.
///
/// # Errors
/// `Conflict` with code `VERSION_CONFLICT`, and the expected and the actual version (null for none).
pub(crate) fn check(current: Option<&Cell>, key: &str, condition: Condition, now_ms: u64) -> Result<()> {
    let actual = current.filter(|cell| cell.is_live(now_ms)).map(|cell| cell.version);
    let expected = match condition {
        Condition::Any => return Ok(()),
        Condition::Absent => None,
        Condition::Version(version) => Some(version),
    };
    if expected == actual {
        return Ok(());
    }
    let is = actual.map_or("does not exist".to_owned(), |version| format!("has version {version}"));
    let wanted = expected.map_or("must not exist".to_owned(), |version| format!("version {version} was expected"));
    let message = format!("{key:?} {is}, but {wanted}; read it again and decide");
    Err(Error::new(ErrorKind::Conflict, "VERSION_CONFLICT", message)
        .with("key", key)
        .with("expected", expected)
        .with("actual", actual))
}

/// Refuses a value that is too large to be paged.
pub(crate) fn check_value(key: &str, value: &str) -> Result<()> {
    if value.len() <= MAX_VALUE_BYTES {
        return Ok(());
    }
    let bytes = value.len();
    let message = format!("the value of {key:?} has {bytes} bytes; at most {MAX_VALUE_BYTES} are possible: use a blob");
    Err(invalid("VALUE_TOO_LARGE", message))
}

pub(crate) fn invalid(code: &'static str, message: String) -> Error {
    Error::new(ErrorKind::Validation, code, message)
}

/// A number as JavaScript writes it, near enough to read back the same; `None` when it isn't finite.
pub(crate) fn number_text(number: f64) -> Option<String> {
    const SAFE: f64 = 9_007_199_254_740_991.0;
    if number.fract() == 0.0 && number.abs() <= SAFE {
        return Some(format!("{number:.0}").replace("-0", "0")).filter(|text| text != "0" || number == 0.0);
    }
    serde_json::Number::from_f64(number).map(|number| number.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_of(number: f64) -> Option<String> {
        number_text(number)
    }

    #[test]
    fn sums_are_written_as_json_numbers() {
        assert_eq!(text_of(-0.0).as_deref(), Some("0"));
        assert_eq!(text_of(-7.0).as_deref(), Some("-7"));
        assert_eq!(text_of(9_007_199_254_740_991.0).as_deref(), Some("9007199254740991"));
        assert_eq!(text_of(0.1).as_deref(), Some("0.1"));
        assert_eq!(text_of(f64::INFINITY), None);
    }

    #[test]
    fn a_version_goes_on_counting_after_a_delete_and_after_expiry() {
        let first = Cell::put(None, "1".to_owned(), Some(20), 10);
        assert_eq!((first.version, first.is_live(19), first.is_live(20)), (1, true, false));
        let again = Cell::put(Some(&first), "2".to_owned(), None, 30);
        assert_eq!((again.version, again.created_at_ms), (2, 30));
        let gone = again.delete(40);
        assert_eq!(Cell::put(Some(&gone), "3".to_owned(), None, 50).version, 3);
    }

    #[test]
    fn a_stale_version_conflicts() {
        let cell = Cell::put(None, "1".to_owned(), None, 10);
        assert!(check(Some(&cell), "k", Condition::Version(1), 10).is_ok());
        let error = check(Some(&cell.delete(11)), "k", Condition::Version(1), 12).unwrap_err();
        assert_eq!((error.code(), &error.details()["actual"]), ("VERSION_CONFLICT", &serde_json::Value::Null));
    }
}

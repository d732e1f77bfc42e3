use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use crate::operation::Operation;

/// How many requests are remembered; the oldest go first.
pub const MAX_RECORDS: usize = 10_000;

/// The longest name that is remembered whole, in bytes: that of a key. What is longer named nothing.
const MAX_NAME_BYTES: usize = 1024;

/// One request that was answered.
#[derive(Clone, Debug, PartialEq)]
pub struct RequestRecord {
    /// What was asked; `None` when the request named no operation of this server.
    pub operation: Option<Operation>,
    /// The bucket, if one was named.
    pub bucket: Option<String>,
    /// The key, if one was named.
    pub key: Option<String>,
    /// The HTTP status; 0 when the connection was cut instead.
    pub status: u16,
    /// The length of the request's body as declared, in bytes.
    pub bytes_in: u64,
    /// The length of the answer's body, in bytes.
    pub bytes_out: u64,
    /// When the request came, in milliseconds since 1970-01-01 UTC.
    pub at_ms: u64,
    /// The time until the answer began, in milliseconds.
    pub duration_ms: f64,
}

/// The last requests of a server, oldest first. A request is in it before its answer is sent.
#[derive(Debug, Default)]
pub struct RequestLog(Mutex<Remembered>);

#[derive(Debug, Default)]
struct Remembered {
    records: VecDeque<RequestRecord>,
    /// How many there were, those that are forgotten too.
    count: u64,
}

impl RequestLog {
    /// Every remembered request.
    pub fn records(&self) -> Vec<RequestRecord> {
        self.lock().records.iter().cloned().collect()
    }

    /// Forgets them all.
    pub fn clear(&self) {
        self.lock().records.clear();
    }

    /// What was remembered after the first `after` requests, oldest first and the last `most` of them; and the number
    /// of all requests so far, to ask with next.
    pub(crate) fn after(&self, after: u64, most: usize) -> (u64, Vec<RequestRecord>) {
        let remembered = self.lock();
        let new = usize::try_from(remembered.count.saturating_sub(after)).unwrap_or(usize::MAX);
        let told = new.min(most).min(remembered.records.len());
        let first = remembered.records.len() - told;
        (remembered.count, remembered.records.range(first..).cloned().collect())
    }

    pub(crate) fn push(&self, mut record: RequestRecord) {
        for name in [&mut record.bucket, &mut record.key].into_iter().flatten() {
            name.truncate(name.floor_char_boundary(MAX_NAME_BYTES));
            name.shrink_to_fit();
        }
        let mut remembered = self.lock();
        if remembered.records.len() == MAX_RECORDS {
            remembered.records.pop_front();
        }
        remembered.records.push_back(record);
        remembered.count += 1;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Remembered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(key: String) -> RequestRecord {
        let (bucket, operation) = (None, None);
        RequestRecord {
            operation,
            bucket,
            key: Some(key),
            status: 200,
            bytes_in: 0,
            bytes_out: 0,
            at_ms: 0,
            duration_ms: 0.0,
        }
    }

    #[test]
    fn what_is_new_is_told_once_and_not_what_was_forgotten() {
        let log = RequestLog::default();
        let keys =
            |records: Vec<RequestRecord>| records.into_iter().filter_map(|record| record.key).collect::<Vec<_>>();
        for key in ["a", "b", "c"] {
            log.push(record(key.into()));
        }
        let (next, records) = log.after(0, 2);
        assert_eq!((next, keys(records)), (3, vec!["b".to_owned(), "c".to_owned()]));
        log.push(record("d".into()));
        assert_eq!(keys(log.after(next, 2).1), ["d"]);
        log.clear();
        log.push(record("e".into()));
        assert_eq!(keys(log.after(0, 9).1), ["e"]);
        assert!(log.after(99, 9).1.is_empty());
    }

    #[test]
    fn the_oldest_go_first_and_names_are_bounded() {
        let log = RequestLog::default();
        for n in 0..=MAX_RECORDS {
            log.push(record(n.to_string()));
        }
        log.push(record("é".repeat(10_000)));
        let records = log.records();
        assert_eq!((records.len(), records[0].key.as_deref()), (MAX_RECORDS, Some("2")));
        assert_eq!(records.last().unwrap().key.as_ref().unwrap().len(), MAX_NAME_BYTES);
        log.clear();
        assert!(log.records().is_empty());
    }
}

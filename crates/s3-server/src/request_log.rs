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
pub struct RequestLog(Mutex<VecDeque<RequestRecord>>);

impl RequestLog {
    /// Every remembered request.
    pub fn records(&self) -> Vec<RequestRecord> {
        self.lock().iter().cloned().collect()
    }

    /// Forgets them all.
    pub fn clear(&self) {
        self.lock().clear();
    }

    pub(crate) fn push(&self, mut record: RequestRecord) {
        for name in [&mut record.bucket, &mut record.key].into_iter().flatten() {
            name.truncate(name.floor_char_boundary(MAX_NAME_BYTES));
            name.shrink_to_fit();
        }
        let mut records = self.lock();
        if records.len() == MAX_RECORDS {
            records.pop_front();
        }
        records.push_back(record);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<RequestRecord>> {
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

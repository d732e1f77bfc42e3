use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use crate::operation::Operation;

/// How many requests are remembered; the oldest go first.
pub const MAX_RECORDS: usize = 10_000;

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

    pub(crate) fn push(&self, record: RequestRecord) {
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

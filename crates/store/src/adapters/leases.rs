//! Which bodies of blobs are being read in this process: its sweep leaves those alone.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Bodies by their ids, and how many readers each has. Clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Leases(Arc<Mutex<HashMap<i64, u32>>>);

impl Leases {
    /// Keeps the sweep away from a body until the lease is dropped.
    pub(super) fn take(&self, body: i64) -> Lease {
        *self.lock().entry(body).or_insert(0) += 1;
        Lease { leases: self.clone(), body }
    }

    /// The bodies that somebody reads.
    pub(super) fn held(&self) -> Vec<i64> {
        self.lock().keys().copied().collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<i64, u32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One reader's hold on a body.
#[derive(Debug)]
pub(super) struct Lease {
    leases: Leases,
    body: i64,
}

impl Lease {
    pub(super) fn body(&self) -> i64 {
        self.body
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mut leases = self.leases.lock();
        if let Some(count) = leases.get_mut(&self.body) {
            *count -= 1;
            if *count == 0 {
                leases.remove(&self.body);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_held_until_its_last_reader_is_done() {
        let leases = Leases::default();
        let (first, second) = (leases.take(7), leases.take(7));
        drop(first);
        assert_eq!(leases.held(), [7]);
        drop(second);
        assert!(leases.held().is_empty());
    }
}

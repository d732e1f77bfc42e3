//! What goes wrong on purpose, for tests of clients.

mod disturbed_body;
mod fault;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

pub(crate) use disturbed_body::{Pace, disturb};
pub use fault::{Cut, Fault, FaultInWords};

use crate::operation::Operation;

/// The faults of a server, for tests of its clients.
#[derive(Debug, Default)]
pub struct Faults(Mutex<Vec<Added>>);

/// Tells the faults of a process apart.
static NEXT_ID: AtomicU64 = AtomicU64::new(1);

/// A fault that was added.
#[derive(Clone, Debug)]
pub struct FaultHandle(Arc<AtomicU64>);

impl FaultHandle {
    /// How many requests it has met so far.
    pub fn met(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }
}

#[derive(Debug)]
struct Added {
    id: u64,
    fault: Fault,
    met: Arc<AtomicU64>,
    random: fastrand::Rng,
}

impl Faults {
    /// Adds a fault. The first that fits a request meets it.
    pub fn add(&self, fault: Fault) -> FaultHandle {
        let random = fault.seed.map_or_else(fastrand::Rng::new, fastrand::Rng::with_seed);
        let met = Arc::default();
        let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
        self.lock().push(Added { id, fault, met: Arc::clone(&met), random });
        FaultHandle(met)
    }

    /// Removes a fault; whether it was still there.
    pub fn remove(&self, handle: &FaultHandle) -> bool {
        let mut faults = self.lock();
        let before = faults.len();
        faults.retain(|added| !Arc::ptr_eq(&added.met, &handle.0));
        faults.len() < before
    }

    /// Removes every fault.
    pub fn clear(&self) {
        self.lock().clear();
    }

    /// Every fault that is there: its id, itself, and how many requests it has met.
    pub(crate) fn all(&self) -> Vec<(u64, Fault, u64)> {
        let told = |added: &Added| (added.id, added.fault.clone(), added.met.load(Ordering::Acquire));
        self.lock().iter().map(told).collect()
    }

    /// Removes the fault of that id, if it is still there.
    pub(crate) fn remove_by_id(&self, id: u64) {
        self.lock().retain(|added| added.id != id);
    }

    /// The fault that meets a request, if one does; it is used up by that.
    pub(crate) fn meeting(
        &self,
        operation: Option<Operation>,
        bucket: Option<&str>,
        key: Option<&str>,
    ) -> Option<Fault> {
        let mut faults = self.lock();
        let index = faults.iter_mut().position(|added| added.fault.fits(operation, bucket, key) && added.happens())?;
        let fault = faults[index].fault.clone();
        let met = faults[index].met.fetch_add(1, Ordering::AcqRel) + 1;
        if fault.count.is_some_and(|count| met >= u64::from(count)) {
            faults.remove(index);
        }
        Some(fault)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Added>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Added {
    fn happens(&mut self) -> bool {
        self.fault.probability.is_none_or(|probability| self.random.f64() < probability)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_meets_what_it_fits_as_often_as_it_says() {
        let faults = Faults::default();
        let operation = Some(Operation::PutObject);
        faults.add(Fault { operation, bucket: Some("b".into()), count: Some(2), ..Fault::default() });
        assert!(faults.meeting(Some(Operation::GetObject), Some("b"), None).is_none());
        assert!(faults.meeting(operation, Some("c"), None).is_none());
        assert!(faults.meeting(operation, Some("b"), Some("k")).is_some());
        assert!(faults.meeting(operation, Some("b"), Some("k")).is_some());
        assert!(faults.meeting(operation, Some("b"), Some("k")).is_none());
    }

    #[test]
    fn a_probability_of_0_never_happens_and_of_1_always() {
        let faults = Faults::default();
        faults.add(Fault { probability: Some(0.0), ..Fault::default() });
        assert!((0..100).all(|_| faults.meeting(None, None, None).is_none()));
        faults.add(Fault { probability: Some(1.0), ..Fault::default() });
        assert!((0..100).all(|_| faults.meeting(None, None, None).is_some()));
    }

    #[test]
    fn the_same_seed_meets_the_same_requests_again() {
        let draws = |seed| {
            let faults = Faults::default();
            faults.add(Fault { probability: Some(0.5), seed: Some(seed), ..Fault::default() });
            (0..64).map(|_| faults.meeting(None, None, None).is_some()).collect::<Vec<_>>()
        };
        assert_eq!(draws(7), draws(7));
        assert_ne!(draws(7), draws(8));
        assert!(draws(7).contains(&true) && draws(7).contains(&false));
    }

    #[test]
    fn a_fault_is_removed_alone_and_counts_what_it_met() {
        let faults = Faults::default();
        let first = faults.add(Fault { count: Some(1), ..Fault::default() });
        let second = faults.add(Fault::default());
        assert!((0..3).all(|_| faults.meeting(None, None, None).is_some()));
        assert_eq!((first.met(), second.met()), (1, 2));
        assert!(!faults.remove(&first) && faults.remove(&second) && !faults.remove(&second));
        assert!(faults.meeting(None, None, None).is_none());
    }
}

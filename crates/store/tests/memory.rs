//! The memory adapter keeps the store's promises.
#![allow(clippy::unwrap_used, missing_docs)]

use std::sync::Arc;

use holdfast_base::ManualClock;
use holdfast_store::adapters::memory::Memory;
use holdfast_testkit::conformance::store::{BEGIN_MS, Subject};

async fn memory() -> Subject {
    let clock = Arc::new(ManualClock::at(BEGIN_MS));
    Subject { adapter: Arc::new(Memory::new(clock.clone())), clock, keep: Box::new(()) }
}

holdfast_testkit::store_conformance!(memory);

//! The p2p adapter: a single peer keeps the store's promises, and several keep one store.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod group;
mod peers;
mod strangers;

use std::sync::Arc;

use holdfast_base::ManualClock;
use holdfast_store::adapters::p2p::P2p;
use holdfast_testkit::conformance::store::{BEGIN_MS, Subject};

async fn p2p() -> Subject {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::at(BEGIN_MS));
    let settings = group::settings(&folder.path().join("data/app.db"), "topic", &[]);
    let adapter = Arc::new(P2p::open(settings, clock.clone()).await.unwrap());
    Subject { adapter, clock, keep: Box::new(folder) }
}

holdfast_testkit::store_conformance!(p2p);

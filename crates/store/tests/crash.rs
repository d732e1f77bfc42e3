//! The SQLite adapter, killed in the middle of its writes.
#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::TryStreamExt;
use holdfast_base::{Key, KeyRange, SystemClock};
use holdfast_store::adapters::sqlite::Sqlite;
use holdfast_store::ports::{Blobs, Entries, Events};
use holdfast_store::{Adapter, Batch, EntryQuery, EventQuery, PutOptions, Space, Step};
use holdfast_testkit::crash::{Child, CrashTest, Role};

const ROUNDS: u64 = 12;

fn open(folder: &Path) -> Sqlite {
    Sqlite::open(&holdfast_sqlite::Settings::new(folder.join("store.db")), Arc::new(SystemClock)).unwrap()
}

fn key(name: &str) -> Key {
    Key::new(name).unwrap()
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// Writes pairs of records in one batch each, events, and blobs of several chunks, until killed.
async fn write_until_killed(child: &Child) {
    let store = open(child.folder());
    for n in 0.. {
        let name = format!("{}-{n}", child.round());
        let steps = vec![
            Step::put(Space::Records, key(&format!("{name}/left")), "1"),
            Step::put(Space::Records, key(&format!("{name}/right")), "1"),
            Step::Append {
                stream: key("log"),
                payload: format!("\"{name}\""),
                expected_version: None,
                id: None,
                timestamp_ms: None,
            },
        ];
        store.commit(Batch { steps, atomic: true }).await.unwrap();
        child.acknowledge(&name);
        if n % 4 == 0 {
            let mut upload = store.open_upload(key(&name), PutOptions::default()).await.unwrap();
            upload.write(Bytes::from(vec![7; 600_000])).await.unwrap();
            upload.finish().await.unwrap();
            child.acknowledge(&format!("blob {name}"));
        }
    }
}

/// Everything acknowledged is there; every batch is there whole or not at all; every blob is whole.
async fn check(folder: &Path, acknowledged: &[String]) {
    let store = open(folder);
    let query = EntryQuery::of(KeyRange::all(), usize::MAX);
    let mut halves = BTreeMap::<String, u32>::new();
    for entry in store.list(Space::Records, query).await.unwrap().items {
        *halves.entry(entry.key.split('/').next().unwrap().to_owned()).or_default() += 1;
    }
    assert!(halves.values().all(|&count| count == 2), "a batch is there by half: {halves:?}");
    let query =
        EventQuery { stream: None, after: None, since_ms: None, reverse: false, by_arrival: false, limit: usize::MAX };
    let events = store.list_events(query).await.unwrap().items;
    let versions: Vec<_> = events.iter().map(|event| event.version).collect();
    assert_eq!(versions, (1..=events.len() as u64).collect::<Vec<_>>());
    assert_eq!(events.len(), halves.len());
    for what in acknowledged {
        match what.strip_prefix("blob ") {
            None => assert!(halves.contains_key(what), "{what} was acknowledged and is gone"),
            Some(name) => {
                let body = store.open_blob(key(name), None).await.unwrap().unwrap();
                let bytes = body.stream.try_collect::<Vec<_>>().await.unwrap().concat();
                assert!(bytes.len() == 600_000 && bytes.iter().all(|&byte| byte == 7));
            }
        }
    }
    store.close().await.unwrap();
}

#[test]
fn what_was_acknowledged_before_a_kill_is_there() {
    let test = CrashTest::named("what_was_acknowledged_before_a_kill_is_there");
    match test.role() {
        Role::Child(child) => runtime().block_on(write_until_killed(&child)),
        Role::Parent => {
            let folder = tempfile::tempdir().unwrap();
            let mut acknowledged = Vec::new();
            for round in 0..ROUNDS {
                acknowledged.extend(test.kill_one(folder.path(), round));
                runtime().block_on(check(folder.path(), &acknowledged));
            }
            assert!(!acknowledged.is_empty(), "no round got as far as one write");
        }
    }
}

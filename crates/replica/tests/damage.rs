//! Every object in a bucket, damaged in every way: what comes back is right, or an error that names the object.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, unreachable_pub)]

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use holdfast_base::{Error, ErrorKind};
use holdfast_replica::{Point, ReplicaSettings, SyncMode};
use support::{Machine, MemoryStore, rows_of, run, until};

const ROWS: usize = 200;

/// Two owners, three snapshots, packs, seals, rollovers; the same number of rows whatever the name.
async fn bucket(name: &str) -> MemoryStore {
    let machine = Machine::new(&MemoryStore::default());
    let mut row = 0;
    for owner in 0..2 {
        let replica = machine.open(SyncMode::Sync).await;
        run(&replica, "create table if not exists t (name text)").await;
        for _ in 0..ROWS / 2 {
            run(&replica, &format!("insert into t values ('{name} {row}')")).await;
            row += 1;
            if row == 150 {
                replica.snapshot().await.unwrap();
                until(|| !machine.store.keys(".pack").is_empty()).await;
            }
        }
        if owner == 0 {
            replica.close().await.unwrap();
        } else {
            // Not closed: a snapshot at the end would hide the log.
            std::mem::forget(replica);
        }
    }
    machine.store.copied()
}

fn kind_of(key: &str) -> &'static str {
    ["snapshot.db", "snapshot.meta.json", ".pack", ".seg", "lock.json"]
        .into_iter()
        .find(|kind| key.ends_with(kind))
        .unwrap_or_else(|| panic!("{key} is of no kind that is known"))
}

/// What each kind of damage leaves of an object; `None` for nothing.
fn damages(good: &Bytes, foreign: &Bytes) -> Vec<(&'static str, Option<Bytes>)> {
    let flipped = |at: usize| {
        let mut bytes = good.to_vec();
        bytes[at] ^= 0x20;
        Some(Bytes::from(bytes))
    };
    vec![
        ("missing", None),
        ("empty", Some(Bytes::new())),
        ("torn", Some(good.slice(..good.len() / 2))),
        ("flipped at its start", flipped(0)),
        ("flipped in the middle", flipped(good.len() / 2)),
        ("flipped at its end", flipped(good.len() - 1)),
        ("foreign", Some(foreign.clone())),
    ]
}

/// An object of the same kind, at the same place in another database where there is one.
fn foreign(other: &MemoryStore, kind: &str, nth: usize) -> Bytes {
    let keys = other.keys(kind);
    other.bytes(&keys[nth % keys.len()])
}

fn apply(store: &MemoryStore, key: &str, damaged: Option<Bytes>) {
    match damaged {
        Some(bytes) => store.set(key, bytes),
        None => store.remove(key),
    }
}

fn assert_named(error: &Error, key: &str, what: &str) {
    let generation = key.split('/').nth(1).unwrap_or("lock.json");
    let said = format!("{error} {:?}", error.details());
    assert!(
        matches!(error.kind(), ErrorKind::Integrity | ErrorKind::NotFound) && said.contains(generation),
        "{what}: {} does not name it: {said}",
        error.code()
    );
}

#[tokio::test]
async fn a_restore_over_any_damaged_object_is_right_or_names_it() {
    let (store, other) = (bucket("row").await, bucket("other").await);
    let expected: Vec<String> = (0..ROWS).map(|n| format!("row {n}")).collect();
    let mut outcomes: BTreeMap<&str, [usize; 2]> = BTreeMap::new();
    for (nth, key) in store.keys("").into_iter().enumerate() {
        let (kind, good) = (kind_of(&key), store.bytes(&key));
        // Each kind at every place would be thousands of restores; of segments, every seventh and the last ones.
        if kind == ".seg" && nth % 7 != 0 && store.keys(".seg").iter().rev().take(3).all(|last| *last != key) {
            continue;
        }
        for (damage, damaged) in damages(&good, &foreign(&other, kind, nth)) {
            let what = format!("{key}, {damage}");
            apply(&store, &key, damaged);
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("restored.db");
            let restored = holdfast_replica::restore(Arc::new(store.clone()), &path, Point::Newest).await;
            let outcome = outcomes.entry(kind).or_default();
            match restored {
                Ok(_) => {
                    let rows = rows_of(&path, "select name from t order by rowid");
                    // The last segment that is gone was never there, as far as anybody can tell from the log.
                    let is_cut = damage == "missing" && kind == ".seg" && rows == expected[..ROWS - 1];
                    assert!(rows == expected || is_cut, "{what}: wrong data, {} rows", rows.len());
                    outcome[0] += 1;
                }
                Err(error) => {
                    assert_named(&error, &key, &what);
                    assert!(!path.exists(), "{what}: something is left");
                    outcome[1] += 1;
                }
            }
            store.set(&key, good.clone());
        }
    }
    // What is checked is reached: each kind is met, and what a restore can't do without is missed.
    assert_eq!(outcomes.len(), 5, "{outcomes:?}");
    assert!(outcomes[".seg"][1] > 0, "{outcomes:?}");
    assert_eq!(outcomes["snapshot.db"][1] + outcomes["lock.json"][1], 0, "an older snapshot serves: {outcomes:?}");
}

#[tokio::test]
async fn a_start_over_any_damaged_object_is_right_or_names_it_and_a_write_after_it_is_kept() {
    let (store, other) = (bucket("row").await, bucket("other").await);
    for kind in ["snapshot.db", "snapshot.meta.json", ".pack", ".seg", "lock.json"] {
        let keys = store.keys(kind);
        let key = keys.last().unwrap();
        for (damage, damaged) in damages(&store.bytes(key), &foreign(&other, kind, keys.len() - 1)) {
            let what = format!("{key}, {damage}");
            let copy = store.copied();
            apply(&copy, key, damaged);
            let machine = Machine::new(&copy);
            let settings = ReplicaSettings { force_lock: true, ..machine.settings(SyncMode::Sync) };
            match machine.open_with(settings).await {
                Ok(replica) => {
                    run(&replica, "insert into t values ('after')").await;
                    replica.close().await.unwrap();
                    let (_folder, path) = machine.restored().await;
                    let rows = rows_of(&path, "select name from t order by rowid");
                    let cut = usize::from(damage == "missing" && kind == ".seg");
                    assert_eq!(rows.len(), ROWS + 1 - cut, "{what}");
                    assert_eq!(rows.last().map(String::as_str), Some("after"), "{what}");
                }
                Err(error) => {
                    assert_named(&error, key, &what);
                    assert!(copy.keys("lock.json").is_empty(), "{what}: the lease is free again");
                }
            }
        }
    }
}

//! The log in packs: few objects, every point still there, whoever looks while they are made.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, unreachable_pub)]

mod support;

use std::sync::Arc;

use holdfast_replica::{Point, Replica, ReplicaSettings, SyncMode};
use support::{Machine, MemoryStore, number, rows_of, run, until};

const ROWS: usize = 300;

async fn restored_rows(store: &MemoryStore, point: Point) -> usize {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("restored.db");
    holdfast_replica::restore(Arc::new(store.clone()), &path, point).await.unwrap();
    rows_of(&path, "select name from t").len()
}

/// Rows one by one in sync mode: as many segments. Gives the position after each.
async fn many_segments(replica: &Replica) -> Vec<u64> {
    run(replica, "create table t (name text)").await;
    let mut positions = Vec::new();
    for n in 0..ROWS {
        run(replica, &format!("insert into t values ('row {n}')")).await;
        positions.push(replica.status().unwrap().position);
    }
    positions
}

#[tokio::test]
async fn many_segments_become_few_objects_and_every_point_is_still_there() {
    let machine = Machine::new(&MemoryStore::default());
    let replica = machine.open(SyncMode::Sync).await;
    let positions = many_segments(&replica).await;
    until(|| machine.store.keys(".seg").len() < 140).await;
    assert!(!machine.store.keys(".pack").is_empty());
    for n in [0, 1, 62, 63, 64, 65, 127, 128, 200, 298, 299] {
        assert_eq!(restored_rows(&machine.store, Point::Position(positions[n])).await, n + 1, "row {n}");
    }
    let reads = machine.store.gets("log/");
    assert_eq!(restored_rows(&machine.store, Point::Newest).await, ROWS);
    assert!(machine.store.gets("log/") - reads < 150, "a restore needs fewer requests than there are segments");
    replica.close().await.unwrap();
}

#[tokio::test]
async fn the_log_of_a_generation_that_has_ended_is_packed_whole() {
    let machine = Machine::new(&MemoryStore::default());
    let replica = machine.open(SyncMode::Sync).await;
    many_segments(&replica).await;
    let generation = replica.status().unwrap().generation;
    replica.snapshot().await.unwrap();
    let log = format!("{generation}/log/");
    // The rollover stays where it is: it refuses a put of a former owner.
    until(|| machine.store.keys(&log).iter().filter(|key| key.ends_with(".seg")).count() == 1).await;
    until(|| machine.store.keys(&log).len() <= 6).await;
    assert_eq!(restored_rows(&machine.store, Point::Newest).await, ROWS);
    replica.close().await.unwrap();
}

#[tokio::test]
async fn a_machine_that_was_away_catches_up_out_of_packs() {
    let store = MemoryStore::default();
    let (one, two) = (Machine::new(&store), Machine::new(&store));
    let replica = one.open(SyncMode::Sync).await;
    run(&replica, "create table t (name text)").await;
    run(&replica, "insert into t values ('first')").await;
    replica.close().await.unwrap();
    let replica = two.open(SyncMode::Sync).await;
    for n in 0..ROWS {
        run(&replica, &format!("insert into t values ('row {n}')")).await;
    }
    until(|| !store.keys(".pack").is_empty()).await;
    replica.close().await.unwrap();
    let replica = one.open(SyncMode::Sync).await;
    assert_eq!(number(&replica, "select count(*) from t").await, ROWS as i64 + 1);
    replica.close().await.unwrap();
}

#[tokio::test]
async fn what_a_crash_left_between_a_pack_and_its_segments_is_removed_by_the_successor() {
    let machine = Machine::new(&MemoryStore::default());
    let replica = machine.open(SyncMode::Sync).await;
    many_segments(&replica).await;
    until(|| machine.store.keys(".pack").len() >= 2).await;
    // As a crash would: the segments are there, and the pack as well.
    let before = machine.store.removed();
    let leftover = before.iter().find(|(key, _)| key.ends_with(".seg")).unwrap().clone();
    machine.store.set(&leftover.0, leftover.1);
    assert_eq!(restored_rows(&machine.store, Point::Newest).await, ROWS);
    for n in 0..150 {
        run(&replica, &format!("insert into t values ('more {n}')")).await;
    }
    until(|| !machine.store.keys("").contains(&leftover.0)).await;
    assert_eq!(restored_rows(&machine.store, Point::Newest).await, ROWS + 150);
    replica.close().await.unwrap();
}

#[tokio::test]
async fn a_restore_goes_on_while_the_log_is_packed_under_it() {
    let machine = Machine::new(&MemoryStore::default());
    let replica = machine.open(SyncMode::Sync).await;
    many_segments(&replica).await;
    for n in 0..20 {
        let (rows, ()) = tokio::join!(restored_rows(&machine.store, Point::Newest), async {
            for more in 0..20 {
                run(&replica, &format!("insert into t values ('more {n} {more}')")).await;
            }
        });
        assert!(rows >= ROWS + n * 20, "{rows}");
    }
    replica.close().await.unwrap();
}

#[tokio::test]
async fn a_torn_or_missing_pack_is_an_error_that_names_it() {
    let machine = Machine::new(&MemoryStore::default());
    let replica = machine.open(SyncMode::Sync).await;
    many_segments(&replica).await;
    until(|| !machine.store.keys(".pack").is_empty()).await;
    // Nothing is packed any more while we look.
    std::mem::forget(replica);
    let key = machine.store.keys(".pack")[0].clone();
    let good = machine.store.bytes(&key);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("restored.db");
    for at in (0..good.len()).step_by(good.len() / 7) {
        let mut flipped = good.to_vec();
        flipped[at] ^= 1;
        machine.store.set(&key, flipped);
        let error = holdfast_replica::restore(Arc::new(machine.store.clone()), &path, Point::Newest).await.unwrap_err();
        assert_eq!((error.code(), error.details()["key"].as_str()), ("SEGMENT_CORRUPT", Some(key.as_str())));
    }
    machine.store.remove(&key);
    let error = holdfast_replica::restore(Arc::new(machine.store.clone()), &path, Point::Newest).await.unwrap_err();
    assert_eq!(error.code(), "LOG_HOLE");
    assert!(!path.exists());
}

#[tokio::test]
async fn a_former_owner_is_refused_also_where_the_log_is_packed() {
    let store = MemoryStore::default();
    let (one, two) = (Machine::new(&store), Machine::new(&store));
    let patient = ReplicaSettings { lock_refresh_ms: 99_999, lock_ttl_ms: 100_000, ..one.settings(SyncMode::Sync) };
    let old = one.open_with(patient).await.unwrap();
    let settings = ReplicaSettings { force_lock: true, ..two.settings(SyncMode::Sync) };
    let new = two.open_with(settings).await.unwrap();
    many_segments(&new).await;
    until(|| store.keys(".pack").len() >= 2).await;
    let error = support::try_run(&old, "create table lost (n)").await.unwrap_err();
    assert_eq!(error.code(), "FENCED");
    assert_eq!(restored_rows(&store, Point::Newest).await, ROWS);
    new.close().await.unwrap();
    drop(old.close().await);
}

//! The bucket does not grow without end, and every point in the window can be restored.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, unreachable_pub)]

mod support;

use std::sync::Arc;

use holdfast_base::{Clock, Result};
use holdfast_replica::{Event, Point, Replica, ReplicaSettings, RestoredState, SyncMode};
use support::{Machine, MemoryStore, rows_of, run, try_run, until};

const HOUR: u64 = 3_600_000;

fn settings(machine: &Machine) -> ReplicaSettings {
    ReplicaSettings { retention_ms: HOUR, snapshot_interval_ms: 0, ..machine.settings(SyncMode::Sync) }
}

async fn restore_to(store: &MemoryStore, point: Point) -> (usize, Result<RestoredState>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("restored.db");
    let restored = holdfast_replica::restore(Arc::new(store.clone()), &path, point).await;
    (if restored.is_ok() { rows_of(&path, "select name from t").len() } else { 0 }, restored)
}

/// A row and a snapshot every twenty minutes; for each row its position and its time.
async fn work(machine: &Machine, replica: &Replica, rows: std::ops::Range<usize>) -> Vec<(u64, u64)> {
    let mut points = Vec::new();
    for n in rows {
        machine.clock.advance_ms(HOUR / 3);
        // The lease is kept while time passes.
        run(replica, &format!("insert into t values ('row {n}')")).await;
        points.push((replica.status().unwrap().position, machine.clock.now_ms()));
        replica.snapshot().await.unwrap();
    }
    points
}

#[tokio::test]
async fn what_is_older_than_the_window_is_removed_and_all_in_it_can_be_restored() {
    let machine = Machine::new(&MemoryStore::default());
    let replica = machine.open_with(settings(&machine)).await.unwrap();
    run(&replica, "create table t (name text)").await;
    let points = work(&machine, &replica, 0..30).await;
    // The newest, the one before it, the window's base, and what is being removed.
    until(|| machine.store.keys("snapshot.db").len() <= 6).await;
    for (n, &(position, time_ms)) in points.iter().enumerate() {
        let is_in_window = time_ms + HOUR > machine.clock.now_ms();
        let (rows, restored) = restore_to(&machine.store, Point::Position(position)).await;
        if is_in_window {
            assert_eq!(rows, n + 1);
            assert_eq!(restore_to(&machine.store, Point::Time(time_ms)).await.0, n + 1);
        } else if let Err(error) = restored {
            assert_eq!(error.code(), "POINT_NOT_KEPT", "row {n}");
        } else {
            assert_eq!(rows, n + 1);
        }
    }
    assert!(restore_to(&machine.store, Point::Position(points[5].0)).await.1.is_err(), "the old is gone");
    replica.close().await.unwrap();
}

#[tokio::test]
async fn the_bucket_does_not_grow_with_the_age_of_the_database() {
    let machine = Machine::new(&MemoryStore::default());
    let replica = machine.open_with(settings(&machine)).await.unwrap();
    run(&replica, "create table t (name text)").await;
    let mut objects = Vec::new();
    for round in 0..4 {
        work(&machine, &replica, round * 15..(round + 1) * 15).await;
        until(|| machine.store.keys("snapshot.db").len() <= 6).await;
        objects.push(machine.store.keys("").len());
    }
    assert!(objects[3] <= objects[0] + 6, "{objects:?}");
    replica.close().await.unwrap();
    assert_eq!(restore_to(&machine.store, Point::Newest).await.0, 60);
}

#[tokio::test]
async fn a_database_at_rest_keeps_its_last_whole_generation_however_old() {
    let machine = Machine::new(&MemoryStore::default());
    let replica = machine.open_with(settings(&machine)).await.unwrap();
    run(&replica, "create table t (name text)").await;
    work(&machine, &replica, 0..3).await;
    machine.clock.advance_ms(1000 * HOUR);
    replica.snapshot().await.unwrap();
    replica.snapshot().await.unwrap();
    replica.close().await.unwrap();
    assert_eq!(restore_to(&machine.store, Point::Newest).await.0, 3);
    machine.lose_disk();
    let replica = machine.open_with(settings(&machine)).await.unwrap();
    assert_eq!(support::number(&replica, "select count(*) from t").await, 3);
    replica.close().await.unwrap();
}

#[tokio::test]
async fn generations_of_remult_sqlite_s3_are_left_alone() {
    let machine = Machine::new(&MemoryStore::default());
    let theirs = "generations/0f0f0f0f-0000-4000-8000-000000000000/wal/0000000000.wal";
    machine.store.set(theirs, "theirs");
    let replica = machine.open_with(settings(&machine)).await.unwrap();
    run(&replica, "create table t (name text)").await;
    work(&machine, &replica, 0..12).await;
    until(|| machine.store.keys("snapshot.db").len() <= 6).await;
    assert_eq!(machine.store.keys("wal/"), [theirs]);
    replica.close().await.unwrap();
}

#[tokio::test]
async fn a_former_owner_that_slept_until_its_key_was_free_again_is_fenced() {
    let store = MemoryStore::default();
    let (one, two) = (Machine::new(&store), Machine::new(&store));
    let old = one.open_with(ReplicaSettings { lock_refresh_ms: 999_999, lock_ttl_ms: 1_000_000, ..settings(&one) });
    let old = old.await.unwrap();
    run(&old, "create table t (name text)").await;
    run(&old, "insert into t values ('before')").await;
    let generation = old.status().unwrap().generation;
    let new = two.open_with(ReplicaSettings { force_lock: true, ..settings(&two) }).await.unwrap();
    work(&two, &new, 0..12).await;
    // The log that the old owner writes to is gone altogether, the fence in it too.
    until(|| store.keys(&generation).is_empty()).await;
    one.clock.advance_ms(5 * HOUR);
    let error = try_run(&old, "insert into t values ('lost')").await.unwrap_err();
    assert_eq!(error.code(), "LOCK_LOST");
    assert!(one.saw(|event| matches!(event, Event::LockLost { .. })));
    assert_eq!(restore_to(&store, Point::Newest).await.0, 13);
    new.close().await.unwrap();
    drop(old.close().await);
}

#[tokio::test]
async fn a_log_that_outgrows_the_database_is_ended_by_a_snapshot() {
    let machine = Machine::new(&MemoryStore::default());
    let replica = machine.open_with(settings(&machine)).await.unwrap();
    run(&replica, "create table t (name text)").await;
    run(&replica, "insert into t values (randomblob(400000))").await;
    let before = machine.store.puts("snapshot.meta.json");
    for _ in 0..16 {
        run(&replica, "update t set name = randomblob(400000)").await;
    }
    until(|| machine.store.puts("snapshot.meta.json") > before).await;
    replica.close().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_idle_hour_costs_the_renewals_of_the_lease_and_nothing_else() {
    let machine = Machine::new(&MemoryStore::default());
    let defaults = ReplicaSettings::new(machine.file());
    let replica = machine.open_with(defaults).await.unwrap();
    run(&replica, "create table t (name text)").await;
    replica.snapshot().await.unwrap();
    until(|| machine.store.keys("snapshot.db").len() == 2).await;
    tokio::time::sleep(std::time::Duration::from_secs(60)).await;
    let before = machine.store.requests();
    let locks = machine.store.puts("lock.json");
    tokio::time::sleep(std::time::Duration::from_secs(3600)).await;
    let made = machine.store.requests() - before;
    assert_eq!(machine.store.puts("lock.json") - locks, 120);
    assert_eq!(made, 120);
    replica.close().await.unwrap();
}

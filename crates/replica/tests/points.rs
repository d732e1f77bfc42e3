//! Restores to a point: by position and by time, to every state that is kept.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, unreachable_pub)]

mod support;

use std::sync::Arc;

use holdfast_base::{Clock, ErrorKind, Result};
use holdfast_replica::{Point, Replica, RestoredState, SyncMode};
use support::{Machine, MemoryStore, rows_of, run};

const SECOND: u64 = 1000;

async fn restore_to(store: &MemoryStore, point: Point) -> (Vec<String>, Result<RestoredState>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("restored.db");
    let restored = holdfast_replica::restore(Arc::new(store.clone()), &path, point).await;
    assert_eq!(path.exists(), restored.is_ok(), "nothing stands there after a failure");
    let has_rows = restored.is_ok() && !rows_of(&path, "select name from sqlite_schema").is_empty();
    (if has_rows { rows_of(&path, "select name from t") } else { Vec::new() }, restored)
}

/// Ten rows, a second apart, with a snapshot in the middle; for each row its position and its time.
async fn ten_rows(machine: &Machine) -> (Replica, Vec<(u64, u64)>) {
    let replica = machine.open(SyncMode::Sync).await;
    run(&replica, "create table t (name text)").await;
    let mut points = Vec::new();
    for n in 0..10 {
        machine.clock.advance_ms(SECOND);
        run(&replica, &format!("insert into t values ('row {n}')")).await;
        points.push((replica.status().unwrap().position, machine.clock.now_ms()));
        if n == 4 {
            replica.snapshot().await.unwrap();
        }
    }
    (replica, points)
}

fn rows(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("row {n}")).collect()
}

#[tokio::test]
async fn every_position_gives_the_state_as_of_that_segment() {
    let machine = Machine::new(&MemoryStore::default());
    let (replica, points) = ten_rows(&machine).await;
    for (n, &(position, time_ms)) in points.iter().enumerate() {
        let (found, restored) = restore_to(&machine.store, Point::Position(position)).await;
        assert_eq!(found, rows(n + 1));
        let restored = restored.unwrap();
        assert_eq!((restored.position, restored.time_ms), (position, time_ms));
    }
    replica.close().await.unwrap();
}

#[tokio::test]
async fn every_time_gives_what_was_committed_until_then() {
    let machine = Machine::new(&MemoryStore::default());
    let (replica, points) = ten_rows(&machine).await;
    for (n, &(_, time_ms)) in points.iter().enumerate() {
        for (until_ms, count) in [(time_ms - 1, n), (time_ms, n + 1), (time_ms + SECOND / 2, n + 1)] {
            assert_eq!(restore_to(&machine.store, Point::Time(until_ms)).await.0, rows(count), "row {n}");
        }
    }
    let (found, _) = restore_to(&machine.store, Point::Time(u64::MAX >> 20)).await;
    assert_eq!(found, rows(10), "a time to come gives all there is");
    replica.close().await.unwrap();
}

#[tokio::test]
async fn a_point_before_what_is_kept_is_refused_and_says_where_that_begins() {
    let machine = Machine::new(&MemoryStore::default());
    let (replica, points) = ten_rows(&machine).await;
    for point in [Point::Position(0), Point::Time(points[0].1 - SECOND * 3600)] {
        let error = restore_to(&machine.store, point).await.1.unwrap_err();
        assert_eq!((error.kind(), error.code()), (ErrorKind::NotFound, "POINT_NOT_KEPT"));
        let oldest = error.details()["oldestPosition"].as_u64().unwrap();
        assert_eq!(restore_to(&machine.store, Point::Position(oldest)).await.1.unwrap().position, oldest);
    }
    replica.close().await.unwrap();
}

#[tokio::test]
async fn a_position_behind_the_end_is_refused_and_says_where_that_is() {
    let machine = Machine::new(&MemoryStore::default());
    let (replica, points) = ten_rows(&machine).await;
    let last = points.last().unwrap().0;
    let error = restore_to(&machine.store, Point::Position(last + 1)).await.1.unwrap_err();
    assert_eq!((error.code(), error.details()["newestPosition"].as_u64()), ("POINT_NOT_KEPT", Some(last)));
    replica.close().await.unwrap();
}

#[tokio::test]
async fn a_damaged_segment_spares_the_points_before_it() {
    let machine = Machine::new(&MemoryStore::default());
    let (replica, points) = ten_rows(&machine).await;
    let key = machine.store.keys(&format!("{:016x}.seg", points[7].0)).pop().unwrap();
    machine.store.set(&key, machine.store.bytes(&key).slice(1..));
    assert_eq!(restore_to(&machine.store, Point::Position(points[6].0)).await.0, rows(7));
    for point in [Point::Position(points[7].0), Point::Time(points[9].1), Point::Newest] {
        assert_eq!(restore_to(&machine.store, point).await.1.unwrap_err().code(), "SEGMENT_CORRUPT");
    }
    drop(replica);
}

#[tokio::test]
async fn a_point_is_restored_from_an_older_snapshot_when_the_nearest_is_torn() {
    let machine = Machine::new(&MemoryStore::default());
    let (replica, points) = ten_rows(&machine).await;
    let newest = machine.store.keys("snapshot.db").pop().unwrap();
    machine.store.set(&newest, machine.store.bytes(&newest).slice(100..));
    assert_eq!(restore_to(&machine.store, Point::Position(points[6].0)).await.0, rows(7));
    let meta = machine.store.keys("snapshot.meta.json").pop().unwrap();
    machine.store.set(&meta, "torn");
    assert_eq!(restore_to(&machine.store, Point::Position(points[6].0)).await.0, rows(7));
    assert_eq!(restore_to(&machine.store, Point::Newest).await.0, rows(10));
    replica.close().await.unwrap();
}

#[tokio::test]
async fn times_never_go_back_along_the_log_when_a_successors_clock_is_behind() {
    let store = MemoryStore::default();
    let (ahead, behind) = (Machine::new(&store), Machine::new(&store));
    ahead.clock.advance_ms(3600 * SECOND);
    let (replica, points) = ten_rows(&ahead).await;
    replica.close().await.unwrap();
    let replica = behind.open_with(behind.settings(SyncMode::Sync)).await.unwrap();
    run(&replica, "insert into t values ('row 10')").await;
    replica.close().await.unwrap();
    for (n, &(_, time_ms)) in points.iter().enumerate().take(9) {
        assert_eq!(restore_to(&store, Point::Time(time_ms)).await.0, rows(n + 1));
    }
    assert_eq!(restore_to(&store, Point::Time(points[9].1)).await.0, rows(11), "the successor's count from there");
}

//! Time that no two machines agree on, and time that passes while the bucket is away.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, unreachable_pub)]

mod support;

use std::sync::Arc;
use std::time::Duration;

use holdfast_base::{Clock, ManualClock};
use holdfast_replica::{Event, Point, ReplicaSettings, SyncMode};
use support::{Machine, MemoryStore, number, rows_of, run, try_run};

const NOW: u64 = 1_800_000_000_000;
const MINUTE: u64 = 60_000;
const HOUR: u64 = 60 * MINUTE;

fn machine_at(store: &MemoryStore, now_ms: u64) -> Machine {
    Machine { clock: Arc::new(ManualClock::at(now_ms)), ..Machine::new(store) }
}

#[tokio::test]
async fn machines_whose_clocks_are_an_hour_apart_hand_a_database_over_and_lose_nothing() {
    let store = MemoryStore::default();
    let machines = [machine_at(&store, NOW), machine_at(&store, NOW + HOUR), machine_at(&store, NOW - HOUR)];
    let mut expected = Vec::new();
    let mut points = Vec::new();
    for turn in 0..9 {
        let machine = &machines[turn % 3];
        let replica = machine.open(SyncMode::Sync).await;
        run(&replica, "create table if not exists t (name text)").await;
        for n in 0..3 {
            let name = format!("turn {turn}, row {n}");
            run(&replica, &format!("insert into t values ('{name}')")).await;
            expected.push(name);
            points.push(replica.status().unwrap().position);
        }
        replica.close().await.unwrap();
        machines.iter().for_each(|machine| machine.clock.advance_ms(MINUTE));
        let (_folder, path) = machine.restored().await;
        assert_eq!(rows_of(&path, "select name from t order by rowid"), expected);
    }
    let mut last_ms = 0;
    for (n, position) in points.iter().enumerate() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("restored.db");
        let restored = holdfast_replica::restore(Arc::new(store.clone()), &path, Point::Position(*position)).await;
        let restored = restored.unwrap_or_else(|error| panic!("row {n}: {} {error}", error.code()));
        assert!(restored.time_ms >= last_ms, "times along the log never go back");
        last_ms = restored.time_ms;
        assert_eq!(rows_of(&path, "select name from t order by rowid"), expected[..=n]);
    }
}

#[tokio::test]
async fn a_lease_is_not_taken_from_a_live_holder_by_a_machine_whose_clock_is_an_hour_ahead() {
    let store = MemoryStore::default();
    let (behind, ahead) = (machine_at(&store, NOW), machine_at(&store, NOW + HOUR));
    // Far longer than this test waits, so that a machine that is slow for a second renews it in time all the same.
    let lease = |machine: &Machine| ReplicaSettings {
        lock_ttl_ms: 60_000,
        lock_wait_ms: 1000,
        ..machine.settings(SyncMode::Sync)
    };
    let holder = behind.open_with(lease(&behind)).await.unwrap();
    run(&holder, "create table t (name text)").await;
    // By the challenger's clock the lease ended an hour ago; but it has not stood still for its time.
    let challenger = tokio::time::timeout(Duration::from_secs(2), ahead.open_with(lease(&ahead))).await;
    assert!(!matches!(challenger, Ok(Ok(_))), "the lease was taken from a live holder");
    run(&holder, "insert into t values ('still the writer')").await;
    assert!(!behind.saw(|event| matches!(event, Event::LockLost { .. })));
    holder.close().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn async_writers_go_on_through_an_outage_of_an_hour_and_all_is_stored_after_it() {
    let machine = Machine::new(&MemoryStore::default());
    let settings = ReplicaSettings { mode: SyncMode::Async, ..ReplicaSettings::new(machine.file()) };
    let replica = machine.open_with(settings).await.unwrap();
    run(&replica, "create table t (n integer)").await;
    replica.sync().await.unwrap();
    machine.store.set_down(true);
    let before = machine.store.requests();
    for n in 0..60 {
        run(&replica, &format!("insert into t values ({n})")).await;
        tokio::time::sleep(Duration::from_secs(60)).await;
        machine.clock.advance_ms(MINUTE);
    }
    let status = replica.status().unwrap();
    assert_eq!((status.local_commits - status.durable_commits, status.last_error.is_some()), (60, true));
    assert!(status.lag_ms >= 59 * MINUTE, "{} ms", status.lag_ms);
    let requests = machine.store.requests() - before;
    assert!(requests <= 3600 / 2, "{requests} requests to a bucket that is away");
    machine.store.set_down(false);
    replica.sync().await.unwrap();
    let status = replica.status().unwrap();
    assert_eq!((status.lag_bytes, status.lag_ms, status.last_error.is_some()), (0, 0, false));
    let (_folder, path) = machine.restored().await;
    assert_eq!(rows_of(&path, "select count(*) || '' from t"), ["60"]);
    replica.close().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn sync_writers_are_told_through_an_outage_of_an_hour_and_go_on_after_it() {
    let machine = Machine::new(&MemoryStore::default());
    let settings = ReplicaSettings { mode: SyncMode::Sync, ..ReplicaSettings::new(machine.file()) };
    let replica = machine.open_with(settings).await.unwrap();
    run(&replica, "create table t (n integer)").await;
    machine.store.set_down(true);
    assert_eq!(try_run(&replica, "insert into t values (0)").await.unwrap_err().code(), "NOT_REPLICATED");
    for n in 1..60 {
        tokio::time::sleep(Duration::from_secs(60)).await;
        machine.clock.advance_ms(MINUTE);
        let error = try_run(&replica, &format!("insert into t values ({n})")).await.unwrap_err();
        assert_eq!(error.code(), "REPLICATION_BEHIND", "minute {n}");
    }
    assert_eq!(number(&replica, "select count(*) from t").await, 1, "reading goes on, and nothing else was begun");
    machine.store.set_down(false);
    run(&replica, "insert into t values (60)").await;
    let (_folder, path) = machine.restored().await;
    assert_eq!(rows_of(&path, "select n || '' from t"), ["0", "60"]);
    assert!(machine.clock.now_ms() >= NOW + 59 * MINUTE);
    replica.close().await.unwrap();
}

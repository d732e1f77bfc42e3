//! One writer, proven by the log; and puts whose outcome is not known.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, unreachable_pub)]

mod support;

use std::sync::Arc;

use holdfast_base::{ErrorKind, ManualClock};
use holdfast_replica::{Event, LockRecord, ReplicaSettings, SegmentKind, SyncMode};
use support::{Fault, Machine, MemoryStore, decoded, number, rows_of, run, try_run};

fn forced(machine: &Machine) -> ReplicaSettings {
    ReplicaSettings { force_lock: true, ..machine.settings(SyncMode::Sync) }
}

fn lock_of(store: &MemoryStore) -> LockRecord {
    serde_json::from_slice(&store.bytes("lock.json")).unwrap()
}

#[tokio::test]
async fn a_put_that_was_stored_and_not_answered_is_acknowledged_once() {
    let machine = Machine::new(&MemoryStore::default());
    let replica = machine.open(SyncMode::Sync).await;
    run(&replica, "create table t (n integer)").await;
    machine.store.fault(".seg", Fault::StoreThenDrop);
    run(&replica, "insert into t values (1)").await;
    machine.store.fault(".seg", Fault::Drop);
    run(&replica, "insert into t values (2)").await;
    let (_folder, path) = machine.restored().await;
    assert_eq!(rows_of(&path, "select n || '' from t"), ["1", "2"]);
    replica.close().await.unwrap();
}

#[tokio::test]
async fn in_sync_mode_a_write_that_is_not_stored_says_so_and_later_writes_wait_for_it() {
    let machine = Machine::new(&MemoryStore::default());
    let replica = machine.open(SyncMode::Sync).await;
    run(&replica, "create table t (n integer)").await;
    machine.store.set_down(true);
    let error = try_run(&replica, "insert into t values (1)").await.unwrap_err();
    assert_eq!((error.kind(), error.code(), error.is_retryable()), (ErrorKind::Connection, "NOT_REPLICATED", false));
    let error = try_run(&replica, "insert into t values (2)").await.unwrap_err();
    assert_eq!((error.code(), error.is_retryable()), ("REPLICATION_BEHIND", true));
    assert_eq!(number(&replica, "select count(*) from t").await, 1, "the second was not even begun");
    assert!(replica.status().unwrap().lag_bytes > 0);
    machine.store.set_down(false);
    run(&replica, "insert into t values (3)").await;
    let (_folder, path) = machine.restored().await;
    assert_eq!(rows_of(&path, "select n || '' from t"), ["1", "3"]);
    replica.close().await.unwrap();
}

#[tokio::test]
async fn in_async_mode_writes_go_on_without_the_bucket_until_the_backlog_is_full() {
    let machine = Machine::new(&MemoryStore::default());
    let settings = ReplicaSettings { backlog_bytes: 128 << 10, ..machine.settings(SyncMode::Async) };
    let replica = machine.open_with(settings).await.unwrap();
    run(&replica, "create table t (n)").await;
    replica.sync().await.unwrap();
    machine.store.gate.forget_permits(usize::MAX >> 4);
    let mut written = 0;
    while replica.status().unwrap().lag_bytes < 128 << 10 {
        run(&replica, "insert into t values (hex(randomblob(2000)))").await;
        written += 1;
    }
    let blocked = tokio::spawn({
        let replica = replica.clone();
        async move { run(&replica, "insert into t values ('late')").await }
    });
    tokio::task::yield_now().await;
    assert_eq!(number(&replica, "select count(*) from t").await, written);
    machine.store.gate.add_permits(1_000_000);
    blocked.await.unwrap();
    replica.close().await.unwrap();
    let (_folder, path) = machine.restored().await;
    assert_eq!(rows_of(&path, "select n from t").len() as i64, written + 1);
}

#[tokio::test]
async fn in_async_mode_a_bucket_that_is_down_does_not_stop_writers() {
    let machine = Machine::new(&MemoryStore::default());
    let replica = machine.open(SyncMode::Async).await;
    run(&replica, "create table t (n integer)").await;
    machine.store.set_down(true);
    run(&replica, "insert into t values (1)").await;
    assert_eq!(replica.sync().await.unwrap_err().code(), "NOT_REPLICATED");
    run(&replica, "insert into t values (2)").await;
    assert!(replica.status().unwrap().last_error.is_some());
    machine.store.set_down(false);
    replica.sync().await.unwrap();
    assert!(replica.status().unwrap().last_error.is_none());
    let (_folder, path) = machine.restored().await;
    assert_eq!(rows_of(&path, "select n || '' from t"), ["1", "2"]);
    replica.close().await.unwrap();
}

#[tokio::test]
async fn all_writers_that_wait_for_a_backlog_are_told_in_the_same_round() {
    let machine = Machine::new(&MemoryStore::default());
    let replica = machine.open(SyncMode::Sync).await;
    run(&replica, "create table t (n integer)").await;
    machine.store.set_down(true);
    try_run(&replica, "insert into t values (0)").await.unwrap_err();
    let puts = machine.events.lock().unwrap().len();
    let writes: Vec<_> = (0..20)
        .map(|n| {
            let replica = replica.clone();
            tokio::spawn(async move { try_run(&replica, &format!("insert into t values ({n})")).await })
        })
        .collect();
    for write in writes {
        assert_eq!(write.await.unwrap().unwrap_err().code(), "REPLICATION_BEHIND");
    }
    let attempts = machine.events.lock().unwrap().len() - puts;
    assert!(attempts <= 6, "{attempts} attempts for twenty writers");
    machine.store.set_down(false);
    replica.close().await.unwrap();
}

#[tokio::test]
async fn a_new_owner_seals_the_log_and_the_old_one_stops_unacknowledged() {
    let store = MemoryStore::default();
    let (one, two) = (Machine::new(&store), Machine::new(&store));
    let old = one.open(SyncMode::Sync).await;
    run(&old, "create table t (name text)").await;
    run(&old, "insert into t values ('before')").await;
    let new = two.open_with(forced(&two)).await.unwrap();
    let error = try_run(&old, "insert into t values ('lost')").await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Locked, "FENCED"));
    assert!(one.saw(|event| matches!(event, Event::LockLost { .. })));
    run(&new, "insert into t values ('after')").await;
    assert_eq!(try_run(&old, "insert into t values ('lost')").await.unwrap_err().code(), "FENCED");
    assert_eq!(number(&old, "select count(*) from t where name = 'before'").await, 1, "reading goes on");
    old.close().await.unwrap_err();
    new.close().await.unwrap();
    let (_folder, path) = two.restored().await;
    assert_eq!(rows_of(&path, "select name from t"), ["before", "after"]);
}

#[tokio::test]
async fn a_put_of_a_paused_owner_that_arrives_late_changes_nothing() {
    let store = MemoryStore::default();
    let (one, two) = (Machine::new(&store), Machine::new(&store));
    let old = one.open(SyncMode::Sync).await;
    run(&old, "create table t (name text)").await;
    // The old owner's puts are on their way, and nobody knows for how long.
    store.gate.forget_permits(usize::MAX >> 4);
    let late = tokio::spawn({
        let old = old.clone();
        async move { try_run(&old, "insert into t values ('late')").await }
    });
    while old.status().unwrap().local_commits < 2 {
        tokio::task::yield_now().await;
    }
    let unblocked = store.with_gate_of_its_own();
    let two = Machine { store: unblocked, ..two };
    let new = two.open_with(forced(&two)).await.unwrap();
    run(&new, "insert into t values ('new')").await;
    store.gate.add_permits(1_000_000);
    assert_eq!(late.await.unwrap().unwrap_err().code(), "FENCED");
    let (_folder, path) = two.restored().await;
    assert_eq!(rows_of(&path, "select name from t"), ["new"]);
    new.close().await.unwrap();
}

#[tokio::test]
async fn of_two_first_starts_at_once_one_owns_the_log() {
    for _ in 0..10 {
        let store = MemoryStore::default();
        let (one, two) = (Machine::new(&store), Machine::new(&store));
        let (a, b) = tokio::join!(one.open_with(forced(&one)), two.open_with(forced(&two)));
        let mut acknowledged = Vec::new();
        for (name, replica) in [("a", &a), ("b", &b)] {
            let Ok(replica) = replica else { continue };
            let made = try_run(replica, "create table if not exists t (name text)").await;
            let wrote = try_run(replica, &format!("insert into t values ('{name}')")).await;
            acknowledged.extend((made.is_ok() && wrote.is_ok()).then(|| name.to_owned()));
        }
        assert!(!acknowledged.is_empty(), "{:?} {:?}", a.err(), b.err());
        let (_folder, path) = one.restored().await;
        assert_eq!(rows_of(&path, "select name from t"), acknowledged);
    }
}

#[tokio::test]
async fn of_many_starts_at_once_exactly_one_is_open() {
    for _ in 0..5 {
        let store = MemoryStore::default();
        let machines: Vec<_> = (0..20).map(|_| Machine::new(&store)).collect();
        let starts = machines.iter().map(|machine| machine.open_with(machine.settings(SyncMode::Async)));
        let outcomes = futures_util::future::join_all(starts).await;
        let refused = outcomes.iter().filter_map(|outcome| outcome.as_ref().err());
        assert!(refused.clone().all(|error| error.code() == "DATABASE_LOCKED"), "{:?}", refused.collect::<Vec<_>>());
        let open: Vec<_> = outcomes.into_iter().flatten().collect();
        assert_eq!(open.len(), 1);
        open[0].close().await.unwrap();
    }
}

#[tokio::test]
async fn epochs_never_fall_along_the_log() {
    let store = MemoryStore::default();
    let machine = Machine::new(&store);
    for _ in 0..3 {
        let replica = machine.open_with(forced(&machine)).await.unwrap();
        run(&replica, "create table if not exists t (n integer)").await;
        run(&replica, "insert into t values (1)").await;
        replica.close().await.unwrap();
        machine.lose_disk();
    }
    let mut keys = store.keys(".seg");
    keys.sort_by_key(|key| key.rsplit('/').next().unwrap().to_owned());
    let segments: Vec<_> = keys.iter().map(|key| decoded(&store, key).segment).collect();
    assert!(segments.is_sorted_by_key(|segment| segment.epoch));
    assert_eq!(segments.iter().filter(|segment| segment.kind == SegmentKind::Seal).count(), 3);
    assert_eq!(segments.last().unwrap().epoch, 3);
}

#[tokio::test]
async fn a_bucket_that_ignores_conditions_is_refused_unless_allowed() {
    let machine = Machine::new(&MemoryStore::without_conditions());
    let error = machine.open_with(machine.settings(SyncMode::Async)).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Capability, "CONDITIONAL_WRITES_IGNORED"));
    assert!(machine.store.keys("").is_empty(), "nothing is left behind");
    let machine = Machine::new(&MemoryStore::without_conditions());
    let allowed = ReplicaSettings { allow_unsafe_lock: true, ..machine.settings(SyncMode::Async) };
    machine.open_with(allowed).await.unwrap().close().await.unwrap();
}

#[tokio::test]
async fn a_held_lease_refuses_with_its_holder_and_expiry() {
    let store = MemoryStore::default();
    let (one, two) = (Machine::new(&store), Machine::new(&store));
    let holder = one.open(SyncMode::Async).await;
    let error = two.open_with(two.settings(SyncMode::Async)).await.unwrap_err();
    assert_eq!((error.kind(), error.code(), error.is_retryable()), (ErrorKind::Locked, "DATABASE_LOCKED", true));
    assert_eq!(error.details()["holder"], holder.status().unwrap().holder);
    assert_eq!(error.details()["expiresAt"], lock_of(&store).expires_at);
    holder.close().await.unwrap();
    assert!(store.keys("lock.json").is_empty());
    two.open(SyncMode::Async).await.close().await.unwrap();
}

#[tokio::test]
async fn two_providers_of_one_file_on_one_machine_are_refused() {
    let machine = Machine::new(&MemoryStore::default());
    let first = machine.open(SyncMode::Async).await;
    let error = machine.open_with(forced(&machine)).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Locked, "DATABASE_LOCKED"));
    first.close().await.unwrap();
}

#[tokio::test]
async fn a_dead_holders_lease_is_taken_after_it_stood_still_for_its_time_whatever_the_clocks_say() {
    let store = MemoryStore::default();
    let (one, mut two) = (Machine::new(&store), Machine::new(&store));
    let mut dead = lock_after_open(&one, &store).await;
    dead.lock_id = "dead".to_owned();
    store.set("lock.json", serde_json::to_vec(&dead).unwrap());
    // Our clock is an hour behind: by it, the lease stands for another hour.
    two.clock = Arc::new(ManualClock::at(1_800_000_000_000 - 3_600_000));
    let settings = ReplicaSettings { lock_wait_ms: 60_000, ..two.settings(SyncMode::Async) };
    let started = tokio::time::Instant::now();
    let replica = two.open_with(settings).await.unwrap();
    assert!(started.elapsed() >= std::time::Duration::from_secs(1), "the lease's time to live");
    replica.close().await.unwrap();
}

#[tokio::test]
async fn a_process_that_died_on_this_machine_does_not_keep_its_successor_waiting() {
    let store = MemoryStore::default();
    let machine = Machine::new(&store);
    let replica = machine.open(SyncMode::Sync).await;
    run(&replica, "create table t (n integer)").await;
    let again = Machine::new(&store);
    for entry in std::fs::read_dir(machine.folder.path()).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, again.folder.path().join(path.file_name().unwrap())).unwrap();
    }
    let second = again.open(SyncMode::Sync).await;
    assert_eq!(number(&second, "select count(*) from t").await, 0);
    second.close().await.unwrap();
}

async fn lock_after_open(machine: &Machine, store: &MemoryStore) -> LockRecord {
    let replica = machine.open(SyncMode::Async).await;
    let lock = lock_of(store);
    replica.close().await.unwrap();
    lock
}

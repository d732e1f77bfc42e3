//! What others do to the file, and what the machine runs out of.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, unreachable_pub)]

mod support;

use holdfast_replica::{Event, ReplicaSettings, SyncMode};
use holdfast_sqlite::rusqlite::Connection;
use support::{Machine, MemoryStore, number, rows_of, run, try_run, until};

#[tokio::test]
async fn a_long_reader_of_another_connection_keeps_its_view_and_holds_nobody_up() {
    let machine = Machine::new(&MemoryStore::default());
    let settings = ReplicaSettings { wal_threshold_bytes: 16 << 10, ..machine.settings(SyncMode::Sync) };
    let replica = machine.open_with(settings).await.unwrap();
    run(&replica, "create table t (name text)").await;
    run(&replica, "insert into t values ('seen')").await;
    let reader = Connection::open(machine.file()).unwrap();
    reader.execute_batch("begin").unwrap();
    let seen = || reader.query_row("select count(*) from t", [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(seen(), 1);
    for _ in 0..200 {
        run(&replica, "insert into t values (hex(randomblob(300)))").await;
    }
    assert_eq!(seen(), 1);
    assert_eq!(number(&replica, "select count(*) from t").await, 201);
    let (_folder, path) = machine.restored().await;
    assert_eq!(rows_of(&path, "select name from t").len(), 201);
    reader.execute_batch("commit").unwrap();
    replica.close().await.unwrap();
}

#[tokio::test]
async fn a_full_database_refuses_the_statement_and_goes_on() {
    let machine = Machine::new(&MemoryStore::default());
    let replica = machine.open(SyncMode::Sync).await;
    run(&replica, "create table t (body blob)").await;
    // SQLite's own limit gives the error that a full disk gives.
    run(&replica, "pragma max_page_count = 20").await;
    assert_eq!(try_run(&replica, "insert into t values (randomblob(200000))").await.unwrap_err().code(), "DISK_FULL");
    run(&replica, "insert into t values ('fits')").await;
    let (_folder, path) = machine.restored().await;
    assert_eq!(rows_of(&path, "select cast(body as text) from t"), ["fits"]);
    replica.close().await.unwrap();
}

#[tokio::test]
async fn a_snapshot_gives_way_when_the_log_grows_too_large_beside_it() {
    let machine = Machine::new(&MemoryStore::default());
    let settings = ReplicaSettings {
        wal_threshold_bytes: 64 << 10,
        snapshot_wal_bytes: 256 << 10,
        snapshot_interval_ms: 0,
        ..machine.settings(SyncMode::Sync)
    };
    let replica = machine.open_with(settings).await.unwrap();
    run(&replica, "create table t (body blob)").await;
    run(&replica, "insert into t values (randomblob(900000))").await;
    machine.store.chunks.forget_permits(usize::MAX >> 4);
    let snapshot = tokio::spawn({
        let replica = replica.clone();
        async move { replica.snapshot().await }
    });
    let generation = replica.status().unwrap().generation;
    until(|| replica.status().unwrap().generation != generation).await;
    for _ in 0..200 {
        run(&replica, "insert into t values (randomblob(3000))").await;
    }
    machine.store.chunks.add_permits(1_000_000);
    assert_eq!(snapshot.await.unwrap().unwrap_err().code(), "SNAPSHOT_GAVE_WAY");
    run(&replica, "insert into t values ('last')").await;
    let wal = || std::fs::metadata(machine.folder.path().join("app.db-wal")).unwrap().len();
    assert!(wal() > 0);
    let (_folder, path) = machine.restored().await;
    assert_eq!(rows_of(&path, "select count(*) || '' from t"), ["202"]);
    replica.snapshot().await.unwrap();
    assert!(!machine.saw(|event| matches!(event, Event::LockLost { .. })));
    replica.close().await.unwrap();
}

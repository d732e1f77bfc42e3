//! A replicated database, from commit to restore.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, unreachable_pub)]

mod support;

use holdfast_replica::{Event, Statement, StoredSegment, SyncMode, Value, link};
use support::{Machine, MemoryStore, decoded, number, rows_of, run, try_run};

const BOTH: [SyncMode; 2] = [SyncMode::Async, SyncMode::Sync];

#[tokio::test]
async fn what_was_acknowledged_is_there_after_the_disk_is_lost() {
    for mode in BOTH {
        let machine = Machine::new(&MemoryStore::default());
        let replica = machine.open(mode).await;
        run(&replica, "create table t (id integer primary key, name text)").await;
        for n in 0..50 {
            run(&replica, &format!("insert into t (name) values ('row {n}') returning id")).await;
        }
        run(&replica, "update t set name = 'changed' where id = 7").await;
        run(&replica, "delete from t where id = 8").await;
        replica.close().await.unwrap();
        machine.lose_disk();
        let replica = machine.open(mode).await;
        assert_eq!(number(&replica, "select count(*) from t").await, 49);
        assert_eq!(number(&replica, "select count(*) from t where name = 'changed'").await, 1);
        replica.close().await.unwrap();
    }
}

#[tokio::test]
async fn in_sync_mode_a_commit_is_stored_when_it_is_acknowledged() {
    let machine = Machine::new(&MemoryStore::default());
    let replica = machine.open(SyncMode::Sync).await;
    run(&replica, "create table t (name text)").await;
    for n in 0..5 {
        run(&replica, &format!("insert into t values ('{n}')")).await;
        let (_folder, path) = machine.restored().await;
        assert_eq!(rows_of(&path, "select name from t").len(), n + 1);
    }
    replica.close().await.unwrap();
}

#[tokio::test]
async fn a_snapshot_begins_a_generation_and_the_rows_after_it_are_restored() {
    let machine = Machine::new(&MemoryStore::default());
    let replica = machine.open(SyncMode::Sync).await;
    run(&replica, "create table t (name text)").await;
    run(&replica, "insert into t values ('before')").await;
    replica.snapshot().await.unwrap();
    replica.snapshot().await.unwrap();
    run(&replica, "insert into t values ('after')").await;
    assert_eq!(machine.store.keys("snapshot.meta.json").len(), 3);
    let (_folder, path) = machine.restored().await;
    assert_eq!(rows_of(&path, "select name from t"), ["before", "after"]);
    replica.close().await.unwrap();
}

#[tokio::test]
async fn a_snapshot_is_a_plain_file_that_any_sqlite_opens() {
    let machine = Machine::new(&MemoryStore::default());
    let replica = machine.open(SyncMode::Async).await;
    run(&replica, "create table t (name text)").await;
    run(&replica, "insert into t values ('x')").await;
    replica.close().await.unwrap();
    let key = machine.store.keys("snapshot.db").pop().unwrap();
    let path = machine.folder.path().join("plain.db");
    std::fs::write(&path, machine.store.bytes(&key)).unwrap();
    assert_eq!(rows_of(&path, "select name from t"), ["x"]);
    assert_eq!(rows_of(&path, "pragma journal_mode"), ["delete"]);
}

#[tokio::test]
async fn a_clean_restart_uploads_no_data() {
    let machine = Machine::new(&MemoryStore::default());
    let replica = machine.open(SyncMode::Async).await;
    run(&replica, "create table t (name text)").await;
    replica.close().await.unwrap();
    let before = machine.store.puts("generations/");
    let replica = machine.open(SyncMode::Async).await;
    replica.close().await.unwrap();
    assert_eq!(machine.store.puts("generations/"), before);
}

#[tokio::test]
async fn a_small_write_uploads_little_whatever_the_size_of_the_database() {
    let machine = Machine::new(&MemoryStore::default());
    let replica = machine.open(SyncMode::Sync).await;
    run(&replica, "create table t (id integer primary key, n integer, filler blob)").await;
    let mut sizes = Vec::new();
    for _ in 0..2 {
        run(
            &replica,
            "insert into t (n, filler) select 0, randomblob(900) from generate_series(1, 2000)"
                .replace(
                    "generate_series(1, 2000)",
                    "(with recursive c(x) as (values(1) union all select x+1 from c where x<2000) select x from c)",
                )
                .as_str(),
        )
        .await;
        run(&replica, "update t set n = n + 1 where id = 1000").await;
        let last = machine.store.keys(".seg").pop().unwrap();
        sizes.push(machine.store.bytes(&last).len());
    }
    assert!(sizes.iter().all(|&size| size < 250), "{sizes:?}");
    replica.close().await.unwrap();
}

#[tokio::test]
async fn many_writers_share_segments() {
    let machine = Machine::new(&MemoryStore::default());
    let replica = machine.open(SyncMode::Sync).await;
    run(&replica, "create table t (n integer)").await;
    machine.store.gate.forget_permits(usize::MAX >> 4);
    let before = machine.store.puts(".seg");
    let writes: Vec<_> = (0..50)
        .map(|n| {
            let replica = replica.clone();
            tokio::spawn(async move { run(&replica, &format!("insert into t values ({n})")).await })
        })
        .collect();
    while replica.status().unwrap().local_commits < 51 {
        tokio::task::yield_now().await;
    }
    machine.store.gate.add_permits(1_000_000);
    for write in writes {
        write.await.unwrap();
    }
    assert!(machine.store.puts(".seg") - before <= 2, "one put in flight, all others in the next");
    replica.close().await.unwrap();
}

#[tokio::test]
async fn every_segment_follows_from_the_one_before_it() {
    let machine = Machine::new(&MemoryStore::default());
    let replica = machine.open(SyncMode::Sync).await;
    run(&replica, "create table t (n integer)").await;
    for n in 0..10 {
        run(&replica, &format!("insert into t values ({n})")).await;
    }
    // Before the end, which packs them.
    let mut keys = machine.store.keys(".seg");
    keys.sort_by_key(|key| key.rsplit('/').next().unwrap().to_owned());
    let mut before: Option<StoredSegment> = None;
    for key in keys {
        let stored = decoded(&machine.store, &key);
        if let Some(before) = before {
            assert_eq!(stored.segment.previous, link(&before.digest));
            assert_eq!(stored.segment.sequence, before.segment.sequence + 1);
            assert!(stored.segment.epoch >= before.segment.epoch);
        }
        before = Some(stored);
    }
    replica.close().await.unwrap();
}

#[tokio::test]
async fn the_local_file_goes_on_where_it_was_after_a_crash() {
    let machine = Machine::new(&MemoryStore::default());
    let replica = machine.open(SyncMode::Async).await;
    run(&replica, "create table t (name text)").await;
    replica.sync().await.unwrap();
    machine.store.set_down(true);
    run(&replica, "insert into t values ('only local')").await;
    // The process ends without closing anything: what it left is copied, as if the machine had gone on.
    let again = Machine::new(&machine.store);
    for name in ["app.db", "app.db-wal", "app.db.s3state", "app.db.s3lock"] {
        std::fs::copy(machine.folder.path().join(name), again.folder.path().join(name)).unwrap();
    }
    machine.store.set_down(false);
    let snapshots = machine.store.puts("snapshot.db");
    let second = again.open(SyncMode::Sync).await;
    let (_folder, path) = again.restored().await;
    assert_eq!(rows_of(&path, "select name from t"), ["only local"]);
    assert_eq!(machine.store.puts("snapshot.db"), snapshots, "only the tail of the log was shipped");
    second.close().await.unwrap();
}

#[tokio::test]
async fn a_machine_that_was_away_fetches_what_it_missed() {
    let store = MemoryStore::default();
    let (one, two) = (Machine::new(&store), Machine::new(&store));
    let replica = one.open(SyncMode::Sync).await;
    run(&replica, "create table t (name text)").await;
    replica.close().await.unwrap();
    let replica = two.open(SyncMode::Sync).await;
    run(&replica, "insert into t values ('from two')").await;
    replica.close().await.unwrap();
    let replica = one.open(SyncMode::Sync).await;
    assert_eq!(number(&replica, "select count(*) from t").await, 1);
    assert!(!one.saw(|event| matches!(event, Event::Diverged { .. })));
    replica.close().await.unwrap();
}

#[tokio::test]
async fn a_local_file_with_another_history_is_kept_and_replaced() {
    let store = MemoryStore::default();
    let (one, two) = (Machine::new(&store), Machine::new(&store));
    let replica = one.open(SyncMode::Sync).await;
    run(&replica, "create table t (name text)").await;
    replica.close().await.unwrap();
    let other = MemoryStore::default();
    let stranger = Machine { store: other, ..two };
    let replica = stranger.open(SyncMode::Sync).await;
    run(&replica, "create table mine (name text)").await;
    run(&replica, "insert into mine values ('kept')").await;
    replica.close().await.unwrap();
    let stranger = Machine { store, ..stranger };
    let replica = stranger.open(SyncMode::Sync).await;
    assert_eq!(number(&replica, "select count(*) from t").await, 0);
    let events = stranger.events.lock().unwrap().clone();
    let kept = events.iter().find_map(|event| match event {
        Event::Diverged { kept } => Some(kept.clone()),
        _ => None,
    });
    assert_eq!(rows_of(kept.unwrap().as_ref(), "select name from mine"), ["kept"]);
    replica.close().await.unwrap();
}

#[tokio::test]
async fn values_keep_their_type_and_empty_results_their_columns() {
    let machine = Machine::new(&MemoryStore::default());
    let replica = machine.open(SyncMode::Async).await;
    run(&replica, "create table t (a, b, c, d, e)").await;
    let values = vec![
        Value::Integer(9_007_199_254_740_991),
        Value::Real(1.5),
        Value::Text("é".to_owned()),
        Value::Blob(vec![0, 255]),
        Value::Null,
    ];
    let insert = "insert into t values (:0, :1, :2, :3, :4) returning *";
    let rows = replica.execute(Statement::new(insert, values.clone())).await.unwrap();
    assert_eq!(rows.rows, [values]);
    let empty = run(&replica, "select a, b as second from t where a = 0").await;
    assert_eq!((empty.columns, empty.rows.len()), (vec!["a".to_owned(), "second".to_owned()], 0));
    let missing = replica.execute(Statement::new("select :3", vec![Value::Null])).await.unwrap_err();
    assert_eq!(missing.code(), "MISSING_PARAMETER");
    replica.close().await.unwrap();
}

#[tokio::test]
async fn statements_that_would_take_the_log_away_are_refused() {
    let machine = Machine::new(&MemoryStore::default());
    let replica = machine.open(SyncMode::Async).await;
    run(&replica, "create table t (name text)").await;
    for (sql, code) in [
        ("pragma journal_mode = delete", "PRAGMA_REFUSED"),
        ("PRAGMA main.Journal_Mode(off)", "PRAGMA_REFUSED"),
        ("pragma locking_mode = exclusive", "PRAGMA_REFUSED"),
        ("pragma wal_checkpoint", "PRAGMA_REFUSED"),
        ("pragma wal_checkpoint(truncate)", "PRAGMA_REFUSED"),
        ("pragma wal_autocheckpoint = 10", "PRAGMA_REFUSED"),
        ("attach 'other.db' as other", "ATTACH_REFUSED"),
        ("begin", "TRANSACTION_REFUSED"),
        ("commit", "TRANSACTION_REFUSED"),
        ("savepoint a", "TRANSACTION_REFUSED"),
    ] {
        assert_eq!(try_run(&replica, sql).await.unwrap_err().code(), code, "{sql}");
    }
    assert_eq!(run(&replica, "pragma journal_mode").await.rows, [[Value::Text("wal".to_owned())]]);
    assert_eq!(run(&replica, "pragma table_info(t)").await.rows.len(), 1);
    run(&replica, "create temp table scratch (n)").await;
    run(&replica, "insert into scratch values (1)").await;
    assert_eq!(number(&replica, "select count(*) from scratch").await, 1);
    replica.close().await.unwrap();
}

#[tokio::test]
async fn after_close_every_call_says_so() {
    let machine = Machine::new(&MemoryStore::default());
    let replica = machine.open(SyncMode::Async).await;
    replica.close().await.unwrap();
    replica.close().await.unwrap();
    assert_eq!(try_run(&replica, "select 1").await.unwrap_err().code(), "CLOSED");
    assert_eq!(replica.begin().await.unwrap_err().code(), "CLOSED");
    assert_eq!(replica.status().unwrap_err().code(), "CLOSED");
}

#[tokio::test]
async fn another_connection_can_write_but_not_take_frames_away() {
    let machine = Machine::new(&MemoryStore::default());
    let replica = machine.open(SyncMode::Sync).await;
    run(&replica, "create table t (name text)").await;
    let other = holdfast_sqlite::rusqlite::Connection::open(machine.file()).unwrap();
    other.busy_timeout(std::time::Duration::ZERO).unwrap();
    other.pragma_update(None, "wal_autocheckpoint", 1).unwrap();
    for n in 0..20 {
        other.execute("insert into t values (?)", [format!("theirs {n}")]).unwrap();
    }
    let checkpoint = "pragma wal_checkpoint(truncate)";
    let busy: i64 = other.query_row(checkpoint, [], |row| row.get(0)).unwrap();
    assert_eq!(busy, 1, "the log is held");
    run(&replica, "insert into t values ('ours')").await;
    let (_folder, path) = machine.restored().await;
    assert_eq!(rows_of(&path, "select name from t").len(), 21);
    drop(other);
    run(&replica, "insert into t values ('ours again')").await;
    let (_folder, path) = machine.restored().await;
    assert_eq!(rows_of(&path, "select name from t").len(), 22);
    replica.close().await.unwrap();
}

#[tokio::test]
async fn what_another_connection_committed_last_is_stored_at_close() {
    let machine = Machine::new(&MemoryStore::default());
    let replica = machine.open(SyncMode::Async).await;
    run(&replica, "create table t (name text)").await;
    let other = holdfast_sqlite::rusqlite::Connection::open(machine.file()).unwrap();
    other.execute("insert into t values ('theirs')", []).unwrap();
    replica.close().await.unwrap();
    let (_folder, path) = machine.restored().await;
    assert_eq!(rows_of(&path, "select name from t"), ["theirs"]);
}

#[tokio::test]
async fn commits_of_another_connection_survive_our_checkpoints() {
    let machine = Machine::new(&MemoryStore::default());
    let settings =
        holdfast_replica::ReplicaSettings { wal_threshold_bytes: 8 << 10, ..machine.settings(SyncMode::Sync) };
    let replica = machine.open_with(settings).await.unwrap();
    run(&replica, "create table t (name text)").await;
    let path = machine.file();
    let theirs = std::thread::spawn(move || {
        let other = holdfast_sqlite::rusqlite::Connection::open(path).unwrap();
        other.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
        for _ in 0..200 {
            other.execute("insert into t values (hex(randomblob(300)))", []).unwrap();
        }
    });
    for _ in 0..200 {
        run(&replica, "insert into t values (hex(randomblob(300)))").await;
    }
    theirs.join().unwrap();
    run(&replica, "insert into t values ('last')").await;
    let (_folder, path) = machine.restored().await;
    assert_eq!(rows_of(&path, "select name from t").len(), 401);
    replica.close().await.unwrap();
}

#[tokio::test]
async fn a_snapshot_does_not_stop_writers_and_is_the_state_where_it_began() {
    let machine = Machine::new(&MemoryStore::default());
    let settings =
        holdfast_replica::ReplicaSettings { wal_threshold_bytes: 64 << 10, ..machine.settings(SyncMode::Sync) };
    let replica = machine.open_with(settings).await.unwrap();
    run(&replica, "create table t (id integer primary key, n integer, filler blob)").await;
    let rows = "with recursive c(x) as (values(1) union all select x + 1 from c where x < 1500) select x, 0, randomblob(1000) from c";
    run(&replica, &format!("insert into t {rows}")).await;
    machine.store.chunks.forget_permits(usize::MAX >> 4);
    let counted = machine.store.keys("snapshot.meta.json").len();
    machine.events.lock().unwrap().clear();
    let snapshot = tokio::spawn({
        let replica = replica.clone();
        async move { replica.snapshot().await }
    });
    // Its first segment ends the old generation's log: from there on it is the snapshot's.
    while !machine.saw(|event| matches!(event, Event::WalUploaded { .. })) {
        tokio::task::yield_now().await;
    }
    // While the snapshot is on its way every page changes, acknowledged.
    for _ in 0..5 {
        run(&replica, "update t set n = n + 1, filler = randomblob(1000)").await;
    }
    assert!(!snapshot.is_finished());
    let (_folder, path) = machine.restored().await;
    assert_eq!(rows_of(&path, "select sum(n) || '' from t"), ["7500"], "restored without the snapshot");
    machine.store.chunks.add_permits(1_000_000);
    snapshot.await.unwrap().unwrap();
    assert_eq!(machine.store.keys("snapshot.meta.json").len(), counted + 1);
    let newest = machine.store.keys("snapshot.db").pop().unwrap();
    let plain = machine.folder.path().join("plain.db");
    std::fs::write(&plain, machine.store.bytes(&newest)).unwrap();
    assert_eq!(rows_of(&plain, "select sum(n) || '' from t"), ["0"], "the state where it began");
    let (_folder, path) = machine.restored().await;
    assert_eq!(rows_of(&path, "select sum(n) || '' from t"), ["7500"], "restored from the snapshot");
    replica.close().await.unwrap();
}

#[tokio::test]
async fn the_log_is_checkpointed_when_it_grows_and_nothing_is_lost() {
    let machine = Machine::new(&MemoryStore::default());
    let settings =
        holdfast_replica::ReplicaSettings { wal_threshold_bytes: 64 << 10, ..machine.settings(SyncMode::Sync) };
    let replica = machine.open_with(settings).await.unwrap();
    run(&replica, "create table t (name text)").await;
    for _ in 0..300 {
        run(&replica, "insert into t values (hex(randomblob(500)))").await;
    }
    assert!(std::fs::metadata(machine.file()).unwrap().len() > 200_000, "frames have moved to the main file");
    let (_folder, path) = machine.restored().await;
    assert_eq!(rows_of(&path, "select name from t").len(), 300);
    replica.close().await.unwrap();
}

//! After random work the restored database is the local one, byte for byte.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, unreachable_pub)]

mod support;

use holdfast_replica::{Point, Replica, SegmentKind, Statement, SyncMode};
use holdfast_sqlite::rusqlite::Connection;
use holdfast_testkit::Dice;
use support::{Machine, MemoryStore, decoded, number, rows_of, run, until};

/// The database as one file, its log moved into it.
fn image(machine: &Machine) -> Vec<u8> {
    let folder = tempfile::TempDir::new().unwrap();
    let copy = folder.path().join("copy.db");
    std::fs::copy(machine.file(), &copy).unwrap();
    std::fs::copy(machine.folder.path().join("app.db-wal"), folder.path().join("copy.db-wal")).unwrap();
    let connection = Connection::open(&copy).unwrap();
    connection.query_row("pragma wal_checkpoint(truncate)", [], |_| Ok(())).unwrap();
    drop(connection);
    std::fs::read(copy).unwrap()
}

async fn assert_same(machine: &Machine, replica: &Replica, what: &str) {
    replica.sync().await.unwrap();
    let (_folder, path) = machine.restored().await;
    let (restored, local) = (std::fs::read(&path).unwrap(), image(machine));
    assert_eq!(restored.len(), local.len(), "{what}");
    let differs = restored.iter().zip(&local).position(|(one, other)| one != other);
    assert_eq!(differs, None, "{what}: the first byte that differs");
}

async fn random_step(replica: &Replica, dice: &mut Dice) -> String {
    let (a, b) = (dice.below(1000), dice.below(3000));
    let sql = match dice.below(12) {
        0 => format!("create table if not exists extra_{} (n integer primary key, body blob)", a % 5),
        1 => format!("drop table if exists extra_{}", a % 5),
        2 => format!("create index if not exists by_{} on t (n, body)", a % 3),
        3 => format!("drop index if exists by_{}", a % 3),
        4 => format!("delete from t where id % 7 = {}", a % 7),
        5 => format!("update t set n = n + 1 where id % 11 = {}", a % 11),
        6 => "vacuum".to_owned(),
        7 => format!(
            "insert into t (n, body) with recursive c(x) as (values(1) union all select x + 1 from c where x < {}) select x, randomblob({}) from c",
            a / 2 + 1,
            b % 300
        ),
        _ => format!("insert into t (n, body) values ({a}, randomblob({b}))"),
    };
    run(replica, &sql).await;
    sql
}

async fn random_transaction(replica: &Replica, dice: &mut Dice) {
    let mut transaction = replica.begin().await.unwrap();
    for _ in 0..dice.below(4) {
        let insert = format!("insert into t (n, body) values (1, randomblob({}))", dice.below(20_000));
        transaction.execute(Statement::new(insert.as_str(), Vec::new())).await.unwrap();
        transaction.begin_nested().await.unwrap();
        transaction.execute(Statement::new(insert, Vec::new())).await.unwrap();
        transaction.end_nested(dice.below(2) == 0).await.unwrap();
    }
    if dice.below(3) == 0 {
        transaction.roll_back().await.unwrap();
    } else {
        transaction.commit().await.unwrap();
    }
}

/// A machine whose file exists already, with this page size.
fn machine_with(page_bytes: u32) -> Machine {
    let machine = Machine::new(&MemoryStore::default());
    let connection = Connection::open(machine.file()).unwrap();
    connection
        .execute_batch(&format!(
            "pragma page_size = {page_bytes}; create table t (id integer primary key, n integer, body blob)"
        ))
        .unwrap();
    machine
}

#[tokio::test]
async fn random_work_is_restored_byte_for_byte_at_every_page_size() {
    for (seed, page_bytes) in [512, 1024, 4096, 16_384, 65_536].into_iter().enumerate() {
        let mut dice = Dice::new(seed as u64);
        let machine = machine_with(page_bytes);
        let settings =
            holdfast_replica::ReplicaSettings { wal_threshold_bytes: 256 << 10, ..machine.settings(SyncMode::Async) };
        let replica = machine.open_with(settings).await.unwrap();
        for round in 0..40 {
            let mut what = random_step(&replica, &mut dice).await;
            if dice.below(3) == 0 {
                random_transaction(&replica, &mut dice).await;
                what.push_str(", then a transaction");
            }
            if dice.below(12) == 0 {
                replica.snapshot().await.unwrap();
            }
            if dice.below(4) == 0 {
                assert_same(&machine, &replica, &format!("page size {page_bytes}, round {round}, after {what}")).await;
            }
        }
        replica.close().await.unwrap();
    }
}

/// As if the writer had died before it: a rollover behind it, whose snapshot is not stored, goes as well.
async fn cut_off_the_last_commit(store: &MemoryStore) {
    let keys = || {
        let mut keys = store.keys(".seg");
        keys.sort_by_key(|key| key.rsplit('/').next().unwrap().to_owned());
        keys
    };
    let kind = |key: &String| decoded(store, key).segment.kind;
    // A log that has outgrown its database ends with one.
    until(|| matches!(keys().last().map(kind), Some(SegmentKind::Rollover(_)))).await;
    for key in keys().iter().rev() {
        let is_commit = kind(key) == SegmentKind::Commit;
        store.remove(key);
        if is_commit {
            return;
        }
    }
}

#[tokio::test]
async fn a_transaction_larger_than_the_cache_and_than_a_segment_is_whole_or_not_there() {
    let machine = machine_with(4096);
    let replica = machine.open(SyncMode::Sync).await;
    let before = machine.store.puts(".seg");
    let insert = "insert into t (n, body) with recursive c(x) as (values(1) union all select x + 1 from c where x < 22000) select x, randomblob(1000) from c";
    run(&replica, insert).await;
    assert!(machine.store.puts(".seg") - before >= 3, "it was split");
    assert_same(&machine, &replica, "after a large insert").await;
    run(&replica, "delete from t where id > 100").await;
    run(&replica, "vacuum").await;
    assert_same(&machine, &replica, "after shrinking").await;
    run(&replica, "insert into t (n) values (1)").await;
    // The last part is missing, as when the writer died in the middle: nothing of the transaction counts.
    machine.store.chunks.forget_permits(usize::MAX >> 4);
    run(&replica, insert).await;
    std::mem::forget(replica);
    cut_off_the_last_commit(&machine.store).await;
    let (_folder, path) = machine.restored().await;
    assert_eq!(rows_of(&path, "select count(*) || '' from t"), ["101"]);
}

#[tokio::test]
async fn a_successor_goes_on_after_a_transaction_that_was_cut_off() {
    let machine = machine_with(4096);
    let replica = machine.open(SyncMode::Sync).await;
    machine.store.chunks.forget_permits(usize::MAX >> 4);
    run(&replica, "insert into t (n, body) with recursive c(x) as (values(1) union all select x + 1 from c where x < 22000) select x, randomblob(1000) from c").await;
    cut_off_the_last_commit(&machine.store).await;
    let other = Machine::new(&machine.store.with_gate_of_its_own());
    let settings = holdfast_replica::ReplicaSettings { force_lock: true, ..other.settings(SyncMode::Sync) };
    let successor = other.open_with(settings).await.unwrap();
    assert_eq!(number(&successor, "select count(*) from t").await, 0);
    run(&successor, "insert into t (n) values (7)").await;
    let (_folder, path) = other.restored().await;
    assert_eq!(rows_of(&path, "select n || '' from t"), ["7"]);
    successor.close().await.unwrap();
    std::mem::forget(replica);
}

#[tokio::test]
async fn every_position_of_random_work_is_restored_byte_for_byte() {
    for (seed, page_bytes) in [(11, 512), (12, 4096), (13, 65_536)] {
        let mut dice = Dice::new(seed);
        let machine = machine_with(page_bytes);
        let settings =
            holdfast_replica::ReplicaSettings { wal_threshold_bytes: 128 << 10, ..machine.settings(SyncMode::Sync) };
        let replica = machine.open_with(settings).await.unwrap();
        run(&replica, "create virtual table found using fts5(body)").await;
        let mut states = Vec::new();
        for round in 0..60 {
            let what = if dice.below(4) == 0 {
                let insert = "insert into found (body) select hex(randomblob(40)) || ' ' || hex(randomblob(9))";
                run(&replica, insert).await;
                insert.to_owned()
            } else {
                random_step(&replica, &mut dice).await
            };
            if dice.below(15) == 0 {
                replica.snapshot().await.unwrap();
            }
            states.push((replica.status().unwrap().position, image(&machine), format!("round {round}: {what}")));
        }
        for (position, image, what) in states.iter().rev().step_by(5) {
            let folder = tempfile::TempDir::new().unwrap();
            let path = folder.path().join("restored.db");
            let store = std::sync::Arc::new(machine.store.clone());
            holdfast_replica::restore(store, &path, Point::Position(*position)).await.unwrap();
            let restored = std::fs::read(&path).unwrap();
            let differs = restored.iter().zip(image).position(|(one, other)| one != other);
            assert_eq!((differs, restored.len()), (None, image.len()), "page size {page_bytes}, {what}");
        }
        replica.close().await.unwrap();
    }
}

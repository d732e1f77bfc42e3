//! Followers: consistent reads of another's database, without a lease.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, unreachable_pub)]

mod support;

use std::sync::Arc;

use holdfast_base::{ErrorKind, Result};
use holdfast_replica::{Follower, FollowerSettings, Replica, ReplicaSettings, Rows, Statement, SyncMode, Value};
use support::{Machine, MemoryStore, run, until};

async fn follow(machine: &Machine, poll_ms: u64) -> Follower {
    try_follow(machine, poll_ms).await.unwrap()
}

async fn try_follow(machine: &Machine, poll_ms: u64) -> Result<Follower> {
    let settings = FollowerSettings { file: machine.file(), poll_ms };
    Follower::open(settings, Arc::new(machine.store.clone()), machine.clock.clone(), Arc::new(|_| ())).await
}

async fn ask(follower: &Follower, sql: &str) -> Result<Rows> {
    follower.execute(Statement::new(sql, Vec::new())).await
}

async fn count(follower: &Follower) -> i64 {
    match ask(follower, "select count(*) from t").await.unwrap().rows[0][0] {
        Value::Integer(count) => count,
        ref other => panic!("{other:?}"),
    }
}

/// A writer with a table, and another machine on the same bucket.
async fn writer(mode: SyncMode) -> (Machine, Replica, Machine) {
    let store = MemoryStore::default();
    let (one, two) = (Machine::new(&store), Machine::new(&store));
    let replica = one.open(mode).await;
    run(&replica, "create table t (id integer primary key, name text)").await;
    run(&replica, "insert into t (name) values ('first')").await;
    replica.sync().await.unwrap();
    (one, replica, two)
}

#[tokio::test]
async fn a_follower_sees_what_is_stored_without_a_lease_and_goes_on_seeing() {
    let (_one, replica, two) = writer(SyncMode::Sync).await;
    let follower = follow(&two, 5).await;
    assert_eq!(count(&follower).await, 1);
    for n in 0..20 {
        run(&replica, &format!("insert into t (name) values ('row {n}')")).await;
    }
    let position = replica.status().unwrap().position;
    until(|| follower.status().position == position).await;
    assert_eq!(count(&follower).await, 21);
    follower.close().await;
    replica.close().await.unwrap();
}

#[tokio::test]
async fn a_follower_goes_through_schema_changes_vacuum_snapshots_and_packs() {
    let (_one, replica, two) = writer(SyncMode::Sync).await;
    let follower = follow(&two, 3_600_000).await;
    for sql in [
        "create table other (n integer)",
        "insert into t (name) with recursive c(x) as (values(1) union all select x + 1 from c where x < 3000) select hex(randomblob(200)) from c",
        "create index by_name on t (name)",
        "delete from t where id > 10",
        "vacuum",
        "alter table other add column more text",
        "insert into other values (1, 'x')",
    ] {
        run(&replica, sql).await;
        follower.sync().await.unwrap();
    }
    replica.snapshot().await.unwrap();
    for n in 0..150 {
        run(&replica, &format!("insert into t (name) values ('row {n}')")).await;
    }
    until(|| !two.store.keys(".pack").is_empty()).await;
    follower.sync().await.unwrap();
    assert_eq!(count(&follower).await, 160);
    assert_eq!(ask(&follower, "select more from other").await.unwrap().rows, [[Value::Text("x".to_owned())]]);
    assert_eq!(ask(&follower, "pragma integrity_check").await.unwrap().rows, [[Value::Text("ok".to_owned())]]);
    follower.close().await;
    replica.close().await.unwrap();
}

#[tokio::test]
async fn every_statement_sees_one_committed_state() {
    let (_one, replica, two) = writer(SyncMode::Sync).await;
    run(&replica, "create table pair (a integer, b integer)").await;
    run(&replica, "insert into pair values (0, 0)").await;
    let follower = follow(&two, 1).await;
    let reading = {
        let follower = follower.clone();
        tokio::spawn(async move {
            for _ in 0..300 {
                let rows = ask(&follower, "select (select a from pair), (select b from pair)").await.unwrap().rows;
                assert_eq!(rows[0][0], rows[0][1]);
                tokio::task::yield_now().await;
            }
        })
    };
    for _ in 0..50 {
        let mut transaction = replica.begin().await.unwrap();
        transaction.execute(Statement::new("update pair set a = a + 1", Vec::new())).await.unwrap();
        transaction.execute(Statement::new("update pair set b = b + 1", Vec::new())).await.unwrap();
        transaction.commit().await.unwrap();
    }
    reading.await.unwrap();
    follower.close().await;
    replica.close().await.unwrap();
}

#[tokio::test]
async fn a_follower_refuses_every_write() {
    let (_one, replica, two) = writer(SyncMode::Sync).await;
    let follower = follow(&two, 1000).await;
    for sql in ["insert into t (name) values ('x')", "create table x (n)", "delete from t", "vacuum", "begin"] {
        let error = ask(&follower, sql).await.unwrap_err();
        assert_eq!((error.kind(), error.code()), (ErrorKind::Capability, "READ_ONLY"), "{sql}");
    }
    assert_eq!(ask(&follower, "select * from nowhere").await.unwrap_err().kind(), ErrorKind::Validation);
    follower.close().await;
    assert_eq!(ask(&follower, "select 1").await.unwrap_err().code(), "CLOSED");
    replica.close().await.unwrap();
}

#[tokio::test]
async fn a_follower_that_starts_again_fetches_only_what_is_new() {
    let (_one, replica, two) = writer(SyncMode::Sync).await;
    follow(&two, 1000).await.close().await;
    run(&replica, "insert into t (name) values ('second')").await;
    let snapshots = two.store.gets("snapshot.db");
    let follower = follow(&two, 1000).await;
    assert_eq!(count(&follower).await, 2);
    assert_eq!(two.store.gets("snapshot.db"), snapshots, "no snapshot was fetched");
    follower.close().await;
    std::fs::write(two.file(), "something else").unwrap();
    let follower = follow(&two, 1000).await;
    assert_eq!(count(&follower).await, 2, "a file that is not what it was is made anew");
    follower.close().await;
    replica.close().await.unwrap();
}

#[tokio::test]
async fn a_follower_that_missed_more_than_is_kept_begins_anew() {
    let (one, replica, two) = writer(SyncMode::Sync).await;
    let follower = follow(&two, 3_600_000).await;
    replica.close().await.unwrap();
    let settings = ReplicaSettings { retention_ms: 3_600_000, ..one.settings(SyncMode::Sync) };
    let replica = one.open_with(settings).await.unwrap();
    for n in 0..10 {
        one.clock.advance_ms(1_200_000);
        run(&replica, &format!("insert into t (name) values ('row {n}')")).await;
        replica.snapshot().await.unwrap();
    }
    until(|| one.store.keys("snapshot.db").len() <= 6).await;
    follower.sync().await.unwrap();
    assert_eq!(count(&follower).await, 11);
    follower.close().await;
    replica.close().await.unwrap();
}

#[tokio::test]
async fn a_follower_stays_where_it_is_while_the_bucket_is_silent_and_says_how_far_behind_it_may_be() {
    let (_one, replica, two) = writer(SyncMode::Sync).await;
    let follower = follow(&two, 2).await;
    two.store.set_down(true);
    until(|| follower.status().last_error.is_some()).await;
    two.clock.advance_ms(5000);
    assert!(follower.status().lag_ms >= 5000);
    assert_eq!(count(&follower).await, 1);
    two.store.set_down(false);
    until(|| follower.status().last_error.is_none() && follower.status().lag_ms == 0).await;
    follower.close().await;
    replica.close().await.unwrap();
}

#[tokio::test]
async fn a_bucket_without_a_database_can_not_be_followed() {
    let error = try_follow(&Machine::new(&MemoryStore::default()), 10).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::NotFound, "NO_REPLICA"));
}

#[tokio::test]
async fn the_inventory_names_generations_positions_sizes_and_the_lease() {
    let (one, replica, _two) = writer(SyncMode::Sync).await;
    replica.snapshot().await.unwrap();
    run(&replica, "insert into t (name) values ('second')").await;
    let inventory = holdfast_replica::inventory(&one.store).await.unwrap();
    let snapshots: Vec<_> = inventory.generations.iter().filter_map(|one| one.snapshot.as_ref()).collect();
    assert_eq!(snapshots.len(), 2);
    assert!(snapshots[0].position < snapshots[1].position && snapshots[1].bytes >= 8192);
    assert_eq!(inventory.position, replica.status().unwrap().position);
    assert_eq!(inventory.lease.unwrap().holder, replica.status().unwrap().holder);
    assert!(inventory.generations.iter().all(|one| one.log_bytes > 0 && one.problem.is_none()));
    replica.close().await.unwrap();
    assert!(holdfast_replica::inventory(&one.store).await.unwrap().lease.is_none());
}

//! The process is killed in the middle of commits, checkpoints and snapshots, again and again, on a real server.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, unreachable_pub)]

use std::path::Path;
use std::sync::Arc;

use holdfast_base::SystemClock;
use holdfast_replica::{BucketStore, Point, Replica, ReplicaSettings, Statement, SyncMode, Value};
use holdfast_s3_client::{Client, ClientSettings};
use holdfast_sqlite::rusqlite::Connection;
use holdfast_testkit::TestServer;
use holdfast_testkit::crash::{Child, CrashTest, Role};
use tokio::runtime::Runtime;

const ROUNDS: u64 = 20;

fn store(endpoint: &str) -> Arc<BucketStore> {
    let settings = ClientSettings { endpoint: Some(endpoint.to_owned()), ..ClientSettings::default() };
    Arc::new(BucketStore::new(Client::new(settings).unwrap().bucket("bucket", "app/").unwrap()))
}

/// Inserts rows one after the other, with checkpoints and snapshots in between, until it is killed.
async fn work(child: &Child, mode: SyncMode) -> ! {
    let endpoint = std::fs::read_to_string(child.folder().join("endpoint")).unwrap();
    let settings = ReplicaSettings {
        mode,
        interval_ms: 3,
        wal_threshold_bytes: 32 << 10,
        snapshot_interval_ms: 40,
        force_lock: true,
        ..ReplicaSettings::new(child.folder().join("local/app.db"))
    };
    let replica = Replica::open(settings, store(&endpoint), Arc::new(SystemClock), Arc::new(|_| ())).await.unwrap();
    let run = |sql: &str| replica.execute(Statement::new(sql, Vec::new()));
    run("create table if not exists t (id integer primary key autoincrement, filler blob)").await.unwrap();
    loop {
        let rows = run("insert into t (filler) values (randomblob(abs(random()) % 3000)) returning id").await.unwrap();
        let Value::Integer(id) = rows.rows[0][0] else { panic!("an id is a number") };
        child.acknowledge(&id.to_string());
    }
}

async fn restored_ids(endpoint: &str, folder: &Path) -> Vec<i64> {
    let path = folder.join("restored.db");
    holdfast_replica::restore(store(endpoint), &path, Point::Newest).await.unwrap();
    let ids = ids_in(&Connection::open(&path).unwrap());
    std::fs::remove_file(path).unwrap();
    ids
}

fn ids_in(connection: &Connection) -> Vec<i64> {
    // In async mode the table itself may not be there yet.
    let Ok(mut statement) = connection.prepare("select id from t order by id") else { return Vec::new() };
    statement.query_map([], |row| row.get(0)).unwrap().map(|id| id.unwrap()).collect()
}

fn kill_again_and_again(name: &'static str, mode: SyncMode) {
    let test = CrashTest::named(name);
    let runtime = Runtime::new().unwrap();
    if let Role::Child(child) = test.role() {
        runtime.block_on(work(&child, mode))
    }
    let server = runtime.block_on(TestServer::start(&["bucket"])).unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("endpoint"), server.endpoint()).unwrap();
    let mut acknowledged: Vec<i64> = Vec::new();
    for round in 0..ROUNDS {
        let new = test.kill_one(folder.path(), round);
        acknowledged.extend(new.iter().map(|id| id.parse::<i64>().unwrap()));
        // Killed before its first acknowledgement, the first child may not even have made the table.
        if acknowledged.is_empty() {
            continue;
        }
        let loses_disk = round % 3 == 2;
        if mode == SyncMode::Sync || !loses_disk {
            check(&runtime, &server, folder.path(), mode, &acknowledged, round);
        }
        if loses_disk {
            std::fs::remove_dir_all(folder.path().join("local")).unwrap();
            if mode == SyncMode::Async {
                acknowledged.clear();
            }
        }
    }
    runtime.block_on(server.stop());
}

fn check(runtime: &Runtime, server: &TestServer, folder: &Path, mode: SyncMode, acknowledged: &[i64], round: u64) {
    let ids = runtime.block_on(restored_ids(&server.endpoint(), folder));
    let prefix: Vec<i64> = (1..=ids.len() as i64).collect();
    assert_eq!(ids, prefix, "round {round}: what is restored is a prefix of the order of commits");
    if mode == SyncMode::Sync {
        let last = acknowledged.iter().max().unwrap();
        assert!(ids.last() >= Some(last), "round {round}: {last} was acknowledged, {:?} is restored", ids.last());
    }
}

#[test]
fn in_sync_mode_what_was_acknowledged_is_restored() {
    kill_again_and_again("in_sync_mode_what_was_acknowledged_is_restored", SyncMode::Sync);
}

#[test]
fn in_async_mode_what_is_restored_is_a_prefix() {
    kill_again_and_again("in_async_mode_what_is_restored_is_a_prefix", SyncMode::Async);
}

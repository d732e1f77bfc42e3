//! Many instances start at the same moment, on a real server with real connections.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, unreachable_pub)]

use std::path::Path;
use std::sync::Arc;

use holdfast_base::{Result, SystemClock};
use holdfast_replica::{BucketStore, Point, Replica, ReplicaSettings, Statement, SyncMode};
use holdfast_s3_client::{Client, ClientSettings};
use holdfast_testkit::{Dice, TestServer};
use tokio::sync::Barrier;

const STARTS: usize = 100;

fn store(endpoint: &str) -> Arc<BucketStore> {
    let settings = ClientSettings { endpoint: Some(endpoint.to_owned()), ..ClientSettings::default() };
    Arc::new(BucketStore::new(Client::new(settings).unwrap().bucket("bucket", "app/").unwrap()))
}

/// Opens a database of its own folder, as another machine would, within 20 ms of all the others.
async fn start(endpoint: &str, folder: &Path, n: usize, force_lock: bool, together: &Barrier) -> Result<Replica> {
    let file = folder.join(format!("{n}/app.db"));
    let settings = ReplicaSettings { mode: SyncMode::Sync, force_lock, ..ReplicaSettings::new(file) };
    let store = store(endpoint);
    together.wait().await;
    tokio::time::sleep(std::time::Duration::from_millis(Dice::new(n as u64).below(20))).await;
    Replica::open(settings, store, Arc::new(SystemClock), Arc::new(|_| ())).await
}

async fn all(endpoint: &str, folder: &Path, force_lock: bool) -> Vec<Result<Replica>> {
    let together = Barrier::new(STARTS);
    let starts = (0..STARTS).map(|n| start(endpoint, folder, n, force_lock, &together));
    futures_util::future::join_all(starts).await
}

async fn write(replica: &Replica, n: usize) -> Result<()> {
    let run = |sql: String| replica.execute(Statement::new(sql, Vec::new()));
    run("create table if not exists t (n integer)".to_owned()).await?;
    run(format!("insert into t values ({n})")).await.map(drop)
}

async fn restored(endpoint: &str, folder: &Path) -> Vec<i64> {
    let path = folder.join("restored.db");
    holdfast_replica::restore(store(endpoint), &path, Point::Newest).await.unwrap();
    let connection = holdfast_sqlite::rusqlite::Connection::open(path).unwrap();
    let mut statement = connection.prepare("select n from t order by n").unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().map(|n| n.unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_a_hundred_starts_at_once_exactly_one_is_open() {
    let server = TestServer::start(&["bucket"]).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let outcomes = all(&server.endpoint(), folder.path(), false).await;
    let refused: Vec<_> = outcomes.iter().filter_map(|outcome| outcome.as_ref().err()).collect();
    assert!(refused.iter().all(|error| error.code() == "DATABASE_LOCKED"), "{refused:?}");
    let open: Vec<_> = outcomes.into_iter().flatten().collect();
    assert_eq!(open.len(), 1);
    write(&open[0], 7).await.unwrap();
    open[0].close().await.unwrap();
    assert_eq!(restored(&server.endpoint(), folder.path()).await, [7]);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_a_hundred_starts_that_force_the_lock_none_writes_over_another() {
    let server = TestServer::start(&["bucket"]).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let outcomes = all(&server.endpoint(), folder.path(), true).await;
    let mut acknowledged = Vec::new();
    for (n, outcome) in outcomes.iter().enumerate() {
        let Ok(replica) = outcome else { continue };
        match write(replica, n).await {
            Ok(()) => acknowledged.push(n as i64),
            Err(error) => assert!(matches!(error.code(), "FENCED" | "LOCK_LOST"), "{n}: {} {error}", error.code()),
        }
    }
    assert!(!acknowledged.is_empty(), "the last one to take the log may write");
    let rows = restored(&server.endpoint(), folder.path()).await;
    assert_eq!(rows, acknowledged);
    for replica in outcomes.into_iter().flatten() {
        drop(replica.close().await);
    }
    server.stop().await;
}

//! The PostgreSQL adapter keeps the store's promises, and some of its own, on a real server.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::print_stderr, missing_docs)]

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use futures_util::TryStreamExt;
use holdfast_base::{Clock, Key, ManualClock};
use holdfast_store::adapters::postgres::Postgres;
use holdfast_store::ports::Blobs;
use holdfast_store::{Adapter, Batch, Condition, Outcome, PostgresSettings, PutOptions, Space, Step};
use holdfast_testkit::PostgresServer;
use holdfast_testkit::conformance::store::{BEGIN_MS, Subject};
use tokio_postgres::NoTls;

/// One server a test process. Its shell stops it when the process ends.
fn server() -> &'static PostgresServer {
    static SERVER: OnceLock<PostgresServer> = OnceLock::new();
    SERVER.get_or_init(PostgresServer::start)
}

/// Settings of a schema that nobody has used.
fn fresh() -> PostgresSettings {
    static SCHEMAS: AtomicU32 = AtomicU32::new(0);
    let schema = format!("Schema \"{}\"", SCHEMAS.fetch_add(1, Ordering::Relaxed));
    PostgresSettings { connection_string: Some(server().url()), schema: Some(schema), ..PostgresSettings::default() }
}

async fn open(settings: &PostgresSettings, clock: &Arc<ManualClock>) -> Postgres {
    let clock: Arc<dyn Clock> = clock.clone();
    Postgres::open(settings, clock).await.unwrap()
}

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::at(BEGIN_MS))
}

async fn postgres() -> Subject {
    let clock = clock();
    let adapter = Arc::new(open(&fresh(), &clock).await);
    Subject { adapter, clock, keep: Box::new(()) }
}

holdfast_testkit::store_conformance!(postgres, in turn);

fn key(name: &str) -> Key {
    Key::new(name).unwrap()
}

/// A connection of the test's own, with the schema's tables in reach.
async fn own_connection(settings: &PostgresSettings) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(&server().url(), NoTls).await.unwrap();
    tokio::spawn(connection);
    let schema = settings.schema.as_deref().unwrap().replace('"', "\"\"");
    client.batch_execute(&format!("set search_path to \"{schema}\"")).await.unwrap();
    client
}

async fn number(client: &tokio_postgres::Client, sql: &str) -> i64 {
    client.query_one(sql, &[]).await.unwrap().get(0)
}

fn put(name: &str, condition: Condition, ttl_ms: Option<u64>) -> Step {
    Step::Put { space: Space::Kv, key: key(name), value: "1".to_owned(), condition, ttl_ms }
}

async fn upload(store: &Postgres, name: &str, length: usize) {
    let mut upload = store.open_upload(key(name), PutOptions::default()).await.unwrap();
    upload.write(Bytes::from(vec![7; length])).await.unwrap();
    upload.finish().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sweep_takes_what_nobody_can_see_and_leaves_what_is_read() {
    let (settings, clock) = (fresh(), clock());
    let store = open(&settings, &clock).await;
    let rows = own_connection(&settings).await;
    let steps = (0..300).map(|n| put(&format!("k{n}"), Condition::Any, Some(10))).collect();
    store.commit(Batch { steps, atomic: true }).await.unwrap();
    for (name, length) in [("replaced", 2 << 20), ("replaced", 10), ("deleted", 600_000), ("read", 2 << 20)] {
        upload(&store, name, length).await;
    }
    let mut body = store.open_blob(key("read"), None).await.unwrap().unwrap();
    body.stream.try_next().await.unwrap().unwrap();
    store.delete_blobs(vec![key("deleted"), key("read")]).await.unwrap();
    let mut abandoned = store.open_upload(key("abandoned"), PutOptions::default()).await.unwrap();
    abandoned.write(Bytes::from(vec![7; 600_000])).await.unwrap();
    store.sweep().await.unwrap();
    assert_eq!(number(&rows, "select count(*) from blob_bodies").await, 5, "nothing goes before its time");

    clock.advance_ms(2 * 60 * 60_000);
    store.sweep().await.unwrap();
    assert_eq!(number(&rows, "select count(*) from entries where value is not null").await, 0);
    let put = store.commit(Batch::one(put("k1", Condition::Any, None))).await.unwrap();
    assert!(matches!(put[0], Outcome::Put { version: 2, .. }));
    assert_eq!(abandoned.finish().await.unwrap_err().code(), "UPLOAD_ABANDONED");
    let rest = body.stream.try_collect::<Vec<_>>().await.unwrap().concat();
    assert_eq!(rest.len(), (2 << 20) - (256 << 10));
    // The reader moved the time of what it read on: it goes a while after the reader is gone.
    clock.advance_ms(10 * 60_000);
    store.sweep().await.unwrap();
    assert_eq!(number(&rows, "select count(*) from blob_chunks").await, 1);
    assert_eq!(number(&rows, "select count(*) from blob_bodies").await, 1);
    store.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_of_somebody_else_and_a_newer_one_are_refused_and_left_alone() {
    let clock = clock();
    let foreign = fresh();
    let rows = own_connection(&foreign).await;
    let schema = foreign.schema.as_deref().unwrap().replace('"', "\"\"");
    rows.batch_execute(&format!("create schema \"{schema}\"; create table events (theirs int)")).await.unwrap();
    let refused = Postgres::open(&foreign, clock.clone()).await.err().unwrap();
    assert_eq!(refused.code(), "FOREIGN_SCHEMA");
    assert_eq!(number(&rows, "select count(*) from pg_tables where schemaname = current_schema()").await, 1);

    let newer = fresh();
    open(&newer, &clock).await.close().await.unwrap();
    own_connection(&newer).await.batch_execute("update holdfast set version = 99").await.unwrap();
    assert_eq!(Postgres::open(&newer, clock.clone()).await.err().unwrap().code(), "NEWER_SCHEMA");
}

#[tokio::test(flavor = "multi_thread")]
async fn stores_that_decide_by_an_entry_that_is_absent_decide_one_after_the_other() {
    let (settings, clock) = (fresh(), clock());
    let (one, two) = (open(&settings, &clock).await, open(&settings, &clock).await);
    // Each puts its own entry when the other's is absent: both at once may not go through.
    let step = |absent: &str, own: &str| Batch {
        steps: vec![
            Step::Check { space: Space::Kv, key: key(absent), condition: Condition::Absent },
            put(own, Condition::Any, None),
        ],
        atomic: true,
    };
    for round in 0..20 {
        let (a, b) = (format!("a{round}"), format!("b{round}"));
        let (first, second) =
            tokio::join!(one.commit(step(&a, &b)).into_future(), two.commit(step(&b, &a)).into_future());
        assert_eq!(usize::from(first.is_ok()) + usize::from(second.is_ok()), 1, "round {round}");
    }
    let rows = own_connection(&settings).await;
    assert_eq!(number(&rows, "select count(*) from entries where version = 0").await, 0);
    one.close().await.unwrap();
    two.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_the_server_refuses_harms_no_other_that_came_with_it() {
    let (settings, clock) = (fresh(), clock());
    let store = open(&settings, &clock).await;
    own_connection(&settings).await.batch_execute("alter table entries add check (key <> 'refused')").await.unwrap();
    let commits =
        ["a", "refused", "b"].map(|name| store.commit(Batch::one(put(name, Condition::Any, None))).into_future());
    let [a, refused, b] = commits;
    assert!(a.await.is_ok());
    assert_eq!(refused.await.unwrap_err().code(), "POSTGRES_FAILED");
    assert!(b.await.is_ok());
    store.close().await.unwrap();
}

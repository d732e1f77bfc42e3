//! What is torn, missing or foreign in the bucket is named; wrong data never comes back.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, unreachable_pub)]

mod support;

use std::sync::Arc;

use holdfast_base::Result;
use holdfast_replica::{Point, RestoredState, SnapshotMeta, SyncMode};
use support::{Machine, MemoryStore, rows_of, run};
use tempfile::TempDir;

/// A bucket with a snapshot and a log of ten rows behind it.
async fn bucket() -> MemoryStore {
    let machine = Machine::new(&MemoryStore::default());
    let replica = machine.open(SyncMode::Sync).await;
    run(&replica, "create table t (name text)").await;
    replica.snapshot().await.unwrap();
    for n in 0..10 {
        run(&replica, &format!("insert into t values ('row {n}')")).await;
    }
    // Not closed: a snapshot at the end would hide the log.
    std::mem::forget(replica);
    machine.store.clone()
}

async fn restore(store: &MemoryStore) -> (TempDir, Result<RestoredState>) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("restored.db");
    let restored = holdfast_replica::restore(Arc::new(store.clone()), &path, Point::Newest).await;
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), usize::from(restored.is_ok()), "{left:?}");
    (folder, restored)
}

fn newest_log(store: &MemoryStore) -> Vec<String> {
    let newest = store.keys("snapshot.meta.json").pop().unwrap();
    store
        .keys(newest.strip_suffix("snapshot.meta.json").unwrap())
        .into_iter()
        .filter(|key| key.ends_with(".seg"))
        .collect()
}

#[tokio::test]
async fn a_missing_segment_is_a_hole_that_is_named() {
    let store = bucket().await;
    let key = newest_log(&store)[4].clone();
    store.remove(&key);
    let (_folder, restored) = restore(&store).await;
    let error = restored.unwrap_err();
    assert_eq!((error.code(), error.details()["key"].as_str()), ("LOG_HOLE", Some(key.as_str())));
}

#[tokio::test]
async fn a_flipped_or_torn_segment_is_refused_by_name() {
    let store = bucket().await;
    let key = newest_log(&store)[4].clone();
    let good = store.bytes(&key);
    for at in (0..good.len()).step_by(7) {
        let mut flipped = good.to_vec();
        flipped[at] ^= 0x40;
        store.set(&key, flipped);
        let (_folder, restored) = restore(&store).await;
        let error = restored.unwrap_err();
        assert_eq!((error.code(), error.details()["key"].as_str()), ("SEGMENT_CORRUPT", Some(key.as_str())));
    }
    store.set(&key, good.slice(..good.len() / 2));
    assert_eq!(restore(&store).await.1.unwrap_err().code(), "SEGMENT_CORRUPT");
}

#[tokio::test]
async fn a_segment_of_another_log_is_refused() {
    let (store, other) = (bucket().await, bucket().await);
    let (key, foreign) = (newest_log(&store)[4].clone(), newest_log(&other)[4].clone());
    store.set(&key, other.bytes(&foreign));
    assert_eq!(restore(&store).await.1.unwrap_err().code(), "SEGMENT_CORRUPT");
}

#[tokio::test]
async fn a_torn_snapshot_falls_back_to_the_one_before_it_and_loses_nothing() {
    let store = bucket().await;
    let newest = store.keys("snapshot.db").pop().unwrap();
    let good = store.bytes(&newest);
    store.set(&newest, good.slice(..good.len() / 2));
    let (folder, restored) = restore(&store).await;
    restored.unwrap();
    assert_eq!(rows_of(&folder.path().join("restored.db"), "select name from t").len(), 10);
}

#[tokio::test]
async fn when_every_snapshot_is_torn_that_is_said() {
    let store = bucket().await;
    for key in store.keys("snapshot.db") {
        let mut bytes = store.bytes(&key).to_vec();
        bytes[200] ^= 1;
        store.set(&key, bytes);
    }
    assert_eq!(restore(&store).await.1.unwrap_err().code(), "SNAPSHOT_CORRUPT");
}

#[tokio::test]
async fn a_snapshot_without_its_description_does_not_count() {
    let store = bucket().await;
    let newest = store.keys("snapshot.meta.json").pop().unwrap();
    store.remove(&newest);
    let (folder, restored) = restore(&store).await;
    restored.unwrap();
    assert_eq!(rows_of(&folder.path().join("restored.db"), "select name from t").len(), 10);
}

#[tokio::test]
async fn an_empty_bucket_holds_no_replica() {
    assert_eq!(restore(&MemoryStore::default()).await.1.unwrap_err().code(), "NO_REPLICA");
}

#[tokio::test]
async fn a_bucket_of_remult_sqlite_s3_opens_at_its_newest_whole_snapshot() {
    let store = MemoryStore::default();
    let machine = Machine::new(&store);
    for (generation, at, row, is_whole) in [
        ("f0000000-0000-4000-8000-000000000000", "2025-01-01T00:00:00.000Z", "older", true),
        ("10000000-0000-4000-8000-000000000000", "2025-01-02T00:00:00.000Z", "newer", true),
        ("20000000-0000-4000-8000-000000000000", "2025-01-03T00:00:00.000Z", "torn", false),
    ] {
        let path = machine.folder.path().join(generation);
        let connection = holdfast_sqlite::rusqlite::Connection::open(&path).unwrap();
        connection.execute_batch(&format!("create table t (name text); insert into t values ('{row}')")).unwrap();
        drop(connection);
        let bytes = std::fs::read(&path).unwrap();
        let checksum = sha256(&bytes);
        let meta = SnapshotMeta {
            generation: generation.to_owned(),
            created_at: at.to_owned(),
            size: bytes.len() as u64,
            checksum: if is_whole { checksum } else { "00".repeat(32) },
            place: None,
        };
        store.set(&format!("generations/{generation}/snapshot.db"), bytes);
        store.set(&format!("generations/{generation}/snapshot.meta.json"), serde_json::to_vec(&meta).unwrap());
        store.set(&format!("generations/{generation}/wal/0000000000.wal"), "old pages");
    }
    let replica = machine.open(SyncMode::Sync).await;
    run(&replica, "insert into t values ('ours')").await;
    replica.close().await.unwrap();
    let (_folder, path) = machine.restored().await;
    assert_eq!(rows_of(&path, "select name from t"), ["newer", "ours"]);
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    sha2::Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

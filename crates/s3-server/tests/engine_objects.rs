//! What the disk engine promises of objects.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod engine_bench;

use bytes::Bytes;
use engine_bench::{Bench, attributes};
use holdfast_s3_server::engine::{Condition, EngineError};

#[tokio::test]
async fn an_object_is_read_back_as_it_was_put() {
    let bench = Bench::new().await;
    let bytes = Bytes::from(vec![7; 1_000_000]);
    let put = bench.put_bytes("photos/cat.jpg", bytes.clone()).await.unwrap();
    assert_eq!(put.size, 1_000_000);
    let (info, read) = bench.get("photos/cat.jpg").await.unwrap();
    assert_eq!((info, read), (put, bytes));
}

#[tokio::test]
async fn an_object_is_a_plain_file_that_a_person_finds() {
    let bench = Bench::new().await;
    bench.put("photos/cat.jpg", "meow").await;
    let files = bench.files();
    let [file] = files.as_slice() else { panic!("{files:?}") };
    assert!(file.starts_with("bucket/photos/cat.jpg~"), "{file}");
    assert_eq!(std::fs::read(bench.path().join(file)).unwrap(), b"meow");
}

#[tokio::test]
async fn a_replaced_and_a_deleted_object_leave_no_file_and_no_folder() {
    let bench = Bench::new().await;
    bench.put("a/b/c", "one").await;
    bench.put("a/b/c", "two").await;
    assert_eq!(bench.files().len(), 1);
    assert!(bench.engine.delete("bucket", "a/b/c", Condition::Always).await.unwrap().existed);
    assert!(bench.files().is_empty());
    assert!(bench.path().join("bucket").exists() && !bench.path().join("bucket/a").exists());
    assert!(!bench.engine.delete("bucket", "a/b/c", Condition::Always).await.unwrap().existed);
    assert!(matches!(bench.get("a/b/c").await.unwrap_err(), EngineError::NoSuchKey(_)));
}

#[tokio::test]
async fn a_body_that_is_staged_and_dropped_disappears() {
    let bench = Bench::new().await;
    let mut staged = bench.engine.stage("bucket").await.unwrap();
    staged.write(Bytes::from(vec![1; 600_000])).await.unwrap();
    // What is written after the first buffer waits for it, so the file is there now.
    staged.write(Bytes::from(vec![1; 600_000])).await.unwrap();
    drop(staged);
    let bench = bench.reopen().await;
    assert!(bench.files().is_empty());
}

#[tokio::test]
async fn a_condition_that_fails_changes_nothing() {
    let bench = Bench::new().await;
    bench.put("key", "old").await;
    let staged = bench.stage("new").await;
    let refused = bench.engine.put("bucket", "key", staged, attributes("new"), Condition::Absent).await;
    assert!(matches!(refused.unwrap_err(), EngineError::PreconditionFailed));
    let wanted = Condition::EtagIn(vec!["other".to_owned()]);
    assert!(matches!(bench.engine.delete("bucket", "key", wanted).await.unwrap_err(), EngineError::PreconditionFailed));
    let staged = bench.stage("new").await;
    let refused = bench.engine.put("bucket", "none", staged, attributes("new"), Condition::Present).await;
    assert!(matches!(refused.unwrap_err(), EngineError::NoSuchKey(_)));
    assert_eq!(bench.get("key").await.unwrap().1, "old");
    assert_eq!(bench.files().len(), 1);
}

//! What the disk engine promises of buckets and their documents.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod engine_bench;

use engine_bench::Bench;
use holdfast_s3_server::engine::{Condition, EngineError, ListQuery};

#[tokio::test]
async fn a_bucket_is_a_folder() {
    let bench = Bench::new().await;
    let made = bench.engine.create_bucket("my-bucket", "eu-central-1").await.unwrap();
    assert!(bench.path().join("my-bucket").is_dir());
    assert_eq!((made.region.as_str(), made.created_at_ms), ("eu-central-1", 1_700_000_000_000));
    let bench = bench.reopen().await;
    assert_eq!(bench.engine.bucket("my-bucket").await.unwrap(), made);
}

#[tokio::test]
async fn a_name_that_s3_refuses_is_refused_and_makes_no_folder() {
    let bench = Bench::new().await;
    for name in ["../evil", "UPPER", "ab", ".holdfast", ""] {
        let refused = bench.engine.create_bucket(name, "us-east-1").await.unwrap_err();
        assert!(matches!(refused, EngineError::InvalidBucketName(_)));
    }
    assert!(!bench.path().parent().unwrap().join("evil").exists());
    assert_eq!(bench.engine.list_buckets(None, "", 10).await.unwrap().items.len(), 1);
}

#[tokio::test]
async fn a_bucket_that_exists_is_not_made_again() {
    let bench = Bench::new().await;
    bench.put("key", "body").await;
    let refused = bench.engine.create_bucket("bucket", "us-east-1").await.unwrap_err();
    assert!(matches!(refused, EngineError::BucketAlreadyOwnedByYou(_)));
    assert_eq!(bench.get("key").await.unwrap().1, "body");
}

#[tokio::test]
async fn only_an_empty_bucket_is_deleted() {
    let bench = Bench::new().await;
    bench.put("key", "body").await;
    assert!(matches!(bench.engine.delete_bucket("bucket").await.unwrap_err(), EngineError::BucketNotEmpty(_)));
    bench.engine.delete("bucket", "key", Condition::Always).await.unwrap();
    bench.engine.delete_bucket("bucket").await.unwrap();
    assert!(!bench.path().join("bucket").exists());
    assert!(matches!(bench.engine.delete_bucket("bucket").await.unwrap_err(), EngineError::NoSuchBucket(_)));
    assert!(matches!(bench.engine.stage("bucket").await.unwrap_err(), EngineError::NoSuchBucket(_)));
    let list = bench.engine.list("bucket", ListQuery::default()).await;
    assert!(matches!(list.unwrap_err(), EngineError::NoSuchBucket(_)));
}

#[tokio::test]
async fn a_bucket_made_again_holds_nothing_of_the_old_one() {
    let bench = Bench::new().await;
    bench.engine.set_document("bucket", "policy", "{}").await.unwrap();
    bench.engine.delete_bucket("bucket").await.unwrap();
    bench.engine.create_bucket("bucket", "us-east-1").await.unwrap();
    assert_eq!(bench.engine.document("bucket", "policy").await.unwrap(), None);
}

#[tokio::test]
async fn foreign_files_in_a_deleted_buckets_folder_stay() {
    let bench = Bench::new().await;
    std::fs::write(bench.path().join("bucket/mine.txt"), "mine").unwrap();
    bench.engine.delete_bucket("bucket").await.unwrap();
    assert_eq!(std::fs::read(bench.path().join("bucket/mine.txt")).unwrap(), b"mine");
}

#[tokio::test]
async fn buckets_are_paged_by_name() {
    let bench = Bench::new().await;
    for name in ["zoo", "app-2", "app-1", "app-3"] {
        bench.engine.create_bucket(name, "us-east-1").await.unwrap();
    }
    let names = |items: Vec<_>| items.into_iter().map(|bucket: holdfast_s3_server::engine::BucketInfo| bucket.name);
    let first = bench.engine.list_buckets(None, "app-", 2).await.unwrap();
    assert_eq!(first.next.as_deref(), Some("app-2"));
    assert_eq!(names(first.items).collect::<Vec<_>>(), ["app-1", "app-2"]);
    let second = bench.engine.list_buckets(Some("app-2"), "app-", 2).await.unwrap();
    assert_eq!(second.next, None);
    assert_eq!(names(second.items).collect::<Vec<_>>(), ["app-3"]);
    let all = bench.engine.list_buckets(None, "", 10).await.unwrap();
    assert_eq!(names(all.items).collect::<Vec<_>>(), ["app-1", "app-2", "app-3", "bucket", "zoo"]);
}

#[tokio::test]
async fn a_document_is_set_replaced_and_deleted() {
    let bench = Bench::new().await;
    assert_eq!(bench.engine.document("bucket", "cors").await.unwrap(), None);
    bench.engine.set_document("bucket", "cors", "[1]").await.unwrap();
    bench.engine.set_document("bucket", "cors", "[2]").await.unwrap();
    bench.engine.set_document("bucket", "policy", "{}").await.unwrap();
    let bench = bench.reopen().await;
    assert_eq!(bench.engine.document("bucket", "cors").await.unwrap().as_deref(), Some("[2]"));
    assert!(bench.engine.delete_document("bucket", "cors").await.unwrap());
    assert!(!bench.engine.delete_document("bucket", "cors").await.unwrap());
    assert_eq!(bench.engine.document("bucket", "policy").await.unwrap().as_deref(), Some("{}"));
    let missing = bench.engine.set_document("missing", "cors", "[]").await;
    assert!(matches!(missing.unwrap_err(), EngineError::NoSuchBucket(_)));
}

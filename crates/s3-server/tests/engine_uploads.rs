//! What the disk engine promises of uploads in parts.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod engine_bench;

use engine_bench::{Bench, attributes};
use holdfast_s3_server::engine::{
    CompletedPart, Condition, EngineError, ObjectInfo, PartAttributes, Result, UploadEntry, UploadQuery,
};

async fn begin(bench: &Bench, key: &str) -> String {
    bench.engine.create_upload("bucket", key, attributes("")).await.unwrap().id
}

async fn put_part(bench: &Bench, key: &str, upload: &str, number: u16, bytes: Vec<u8>) -> Result<String> {
    let etag = format!("{number}-{}-{}", bytes.len(), bytes.first().unwrap_or(&0));
    let staged = bench.stage(bytes).await;
    let part = PartAttributes { etag: etag.clone(), checksum: None };
    bench.engine.put_part(("bucket", key, upload), number, staged, part).await?;
    Ok(etag)
}

fn named(parts: &[(u16, &str)]) -> Vec<CompletedPart> {
    let part =
        |(number, etag): &(u16, &str)| CompletedPart { number: *number, etag: (*etag).to_owned(), checksum: None };
    parts.iter().map(part).collect()
}

async fn complete(bench: &Bench, key: &str, upload: &str, parts: &[(u16, &str)]) -> Result<ObjectInfo> {
    let whole = |_: &_, parts: &[_]| Ok(attributes(&format!("whole-{}", parts.len())));
    bench.engine.complete_upload(("bucket", key, upload), named(parts), whole, Condition::Always).await
}

#[tokio::test]
async fn an_object_completed_of_parts_is_one_plain_file_of_their_bytes_in_order() {
    let bench = Bench::new().await;
    let upload = begin(&bench, "big").await;
    let third = put_part(&bench, "big", &upload, 7, vec![3; 10]).await.unwrap();
    let first = put_part(&bench, "big", &upload, 1, vec![1; 700_000]).await.unwrap();
    let second = put_part(&bench, "big", &upload, 2, vec![2; 300_000]).await.unwrap();
    let info = complete(&bench, "big", &upload, &[(1, &first), (2, &second), (7, &third)]).await.unwrap();
    assert_eq!((info.size, info.attributes.etag.as_str()), (1_000_010, "whole-3"));
    let sizes: Vec<(u16, u64)> = info.parts.iter().map(|part| (part.number, part.size)).collect();
    assert_eq!(sizes, [(1, 700_000), (2, 300_000), (7, 10)]);

    let expected = [vec![1; 700_000], vec![2; 300_000], vec![3; 10]].concat();
    let (read_info, bytes) = bench.get("big").await.unwrap();
    assert_eq!((read_info, bytes.as_ref()), (info, expected.as_slice()));
    let files = bench.files();
    assert_eq!(files.len(), 1, "{files:?}");
    assert_eq!(std::fs::read(bench.path().join(&files[0])).unwrap(), expected);
}

#[tokio::test]
async fn a_completed_upload_is_gone() {
    let bench = Bench::new().await;
    let upload = begin(&bench, "key").await;
    let etag = put_part(&bench, "key", &upload, 1, b"hello".to_vec()).await.unwrap();
    complete(&bench, "key", &upload, &[(1, &etag)]).await.unwrap();
    let again = complete(&bench, "key", &upload, &[(1, &etag)]).await;
    assert!(matches!(again.unwrap_err(), EngineError::NoSuchUpload(_)));
    assert_eq!(bench.get("key").await.unwrap().1, "hello");
    assert_eq!(bench.files().len(), 1);
}

#[tokio::test]
async fn parts_that_are_not_named_are_discarded() {
    let bench = Bench::new().await;
    let upload = begin(&bench, "key").await;
    put_part(&bench, "key", &upload, 1, b"not this".to_vec()).await.unwrap();
    let etag = put_part(&bench, "key", &upload, 2, b"this".to_vec()).await.unwrap();
    complete(&bench, "key", &upload, &[(2, &etag)]).await.unwrap();
    assert_eq!(bench.get("key").await.unwrap().1, "this");
    assert_eq!(bench.files().len(), 1);
}

#[tokio::test]
async fn a_part_put_again_replaces_the_first() {
    let bench = Bench::new().await;
    let upload = begin(&bench, "key").await;
    let old = put_part(&bench, "key", &upload, 1, b"old".to_vec()).await.unwrap();
    let new = put_part(&bench, "key", &upload, 1, b"newer".to_vec()).await.unwrap();
    assert_eq!(bench.files().len(), 1);
    let stale = complete(&bench, "key", &upload, &[(1, &old)]).await;
    assert!(matches!(stale.unwrap_err(), EngineError::InvalidPart(1)));
    complete(&bench, "key", &upload, &[(1, &new)]).await.unwrap();
    assert_eq!(bench.get("key").await.unwrap().1, "newer");
}

#[tokio::test]
async fn a_completion_that_is_refused_leaves_the_upload_and_the_old_object() {
    let bench = Bench::new().await;
    bench.put("key", "old").await;
    let upload = begin(&bench, "key").await;
    let small = put_part(&bench, "key", &upload, 1, b"tiny".to_vec()).await.unwrap();
    let last = put_part(&bench, "key", &upload, 2, b"last".to_vec()).await.unwrap();
    let before = bench.files();
    let refused = [
        complete(&bench, "key", &upload, &[(1, &small), (2, &last)]).await.unwrap_err(),
        complete(&bench, "key", &upload, &[(2, &last), (1, &small)]).await.unwrap_err(),
        complete(&bench, "key", &upload, &[(2, &last), (2, &last)]).await.unwrap_err(),
        complete(&bench, "key", &upload, &[(3, &last)]).await.unwrap_err(),
        complete(&bench, "key", &upload, &[]).await.unwrap_err(),
        complete(&bench, "other", &upload, &[(2, &last)]).await.unwrap_err(),
    ];
    assert!(matches!(refused[0], EngineError::EntityTooSmall { number: 1, size: 4, min_bytes: 5 }));
    assert!(matches!(refused[1], EngineError::InvalidPartOrder));
    assert!(matches!(refused[2], EngineError::InvalidPartOrder));
    assert!(matches!(refused[3], EngineError::InvalidPart(3)));
    assert!(matches!(refused[4], EngineError::InvalidArgument(_)));
    assert!(matches!(refused[5], EngineError::NoSuchUpload(_)));
    let whole = |_: &_, _: &[_]| Ok(attributes("new"));
    let id = ("bucket", "key", upload.as_str());
    let refused = bench.engine.complete_upload(id, named(&[(2, &last)]), whole, Condition::Absent).await;
    assert!(matches!(refused.unwrap_err(), EngineError::PreconditionFailed));
    assert_eq!(bench.files(), before);
    assert_eq!(bench.get("key").await.unwrap().1, "old");
    complete(&bench, "key", &upload, &[(2, &last)]).await.unwrap();
    assert_eq!(bench.get("key").await.unwrap().1, "last");
}

#[tokio::test]
async fn an_aborted_upload_leaves_nothing() {
    let bench = Bench::new().await;
    let upload = begin(&bench, "key").await;
    put_part(&bench, "key", &upload, 1, b"hello".to_vec()).await.unwrap();
    bench.engine.abort_upload("bucket", "key", &upload).await.unwrap();
    assert!(bench.files().is_empty());
    let gone = put_part(&bench, "key", &upload, 2, b"late".to_vec()).await;
    assert!(matches!(gone.unwrap_err(), EngineError::NoSuchUpload(_)));
    assert!(bench.files().is_empty());
}

#[tokio::test]
async fn uploads_and_their_parts_survive_a_restart() {
    let bench = Bench::new().await;
    let upload = begin(&bench, "key").await;
    let etag = put_part(&bench, "key", &upload, 1, b"hello".to_vec()).await.unwrap();
    let bench = bench.reopen().await;
    assert_eq!(bench.engine.list_parts(("bucket", "key", &upload), 0, 10).await.unwrap().parts[0].size, 5);
    complete(&bench, "key", &upload, &[(1, &etag)]).await.unwrap();
    let bench = bench.reopen().await;
    assert_eq!(bench.get("key").await.unwrap().1, "hello");
}

#[tokio::test]
async fn old_uploads_are_aborted_by_age() {
    let bench = Bench::new().await;
    let upload = begin(&bench, "key").await;
    put_part(&bench, "key", &upload, 1, b"hello".to_vec()).await.unwrap();
    let begun_at = bench.engine.upload("bucket", "key", &upload).await.unwrap().initiated_at_ms;
    assert_eq!(bench.engine.abort_uploads_before(begun_at).await.unwrap(), 0);
    assert_eq!(bench.engine.abort_uploads_before(begun_at + 1).await.unwrap(), 1);
    assert!(bench.files().is_empty());
}

#[tokio::test]
async fn a_deleted_bucket_takes_its_unfinished_uploads_along() {
    let bench = Bench::new().await;
    let upload = begin(&bench, "key").await;
    put_part(&bench, "key", &upload, 1, b"hello".to_vec()).await.unwrap();
    bench.engine.delete_bucket("bucket").await.unwrap();
    assert!(bench.files().is_empty());
    bench.engine.create_bucket("bucket", "us-east-1").await.unwrap();
    let found = bench.engine.upload("bucket", "key", &upload).await;
    assert!(matches!(found.unwrap_err(), EngineError::NoSuchUpload(_)));
}

#[tokio::test]
async fn uploads_are_paged_by_key_then_by_age_and_rolled_up() {
    let bench = Bench::new().await;
    let mut expected = Vec::new();
    for key in ["a", "b/1", "b/2", "b/2", "c", "c", "c"] {
        expected.push((key.to_owned(), begin(&bench, key).await));
    }
    for max in 1..=8 {
        let mut query = UploadQuery { max, ..UploadQuery::default() };
        let mut listed = Vec::new();
        loop {
            let page = bench.engine.list_uploads("bucket", query.clone()).await.unwrap();
            assert!(page.entries.len() <= max);
            listed.extend(page.entries.into_iter().map(|entry| match entry {
                UploadEntry::Upload(upload) => (upload.key, upload.id),
                UploadEntry::CommonPrefix(prefix) => panic!("{prefix}"),
            }));
            let Some((key, upload)) = page.next else { break };
            (query.after_key, query.after_upload) = (Some(key), upload);
        }
        assert_eq!(listed, expected);
    }
    let mut query = UploadQuery { delimiter: Some("/".to_owned()), max: 2, ..UploadQuery::default() };
    let page = bench.engine.list_uploads("bucket", query.clone()).await.unwrap();
    assert_eq!(page.entries[1], UploadEntry::CommonPrefix("b/".to_owned()));
    query.after_key = page.next.unwrap().0.into();
    let page = bench.engine.list_uploads("bucket", query).await.unwrap();
    assert!(matches!(&page.entries[0], UploadEntry::Upload(upload) if upload.key == "c"));
}

//! Blobs.
#![allow(missing_docs, reason = "each case is named for what it shows")]

use bytes::Bytes;
use futures_util::TryStreamExt;
use holdfast_base::{ErrorKind, KeyRange, Result};
use holdfast_store::{BlobInfo, BlobQuery, ByteRange, PutOptions};

use super::{Subject, key};

async fn put_with(subject: &Subject, name: &str, bytes: &[u8], options: PutOptions) -> Result<BlobInfo> {
    let mut upload = subject.adapter.open_upload(key(name), options).await?;
    for part in bytes.chunks(100_000) {
        upload.write(Bytes::copy_from_slice(part)).await?;
    }
    upload.finish().await
}

async fn put(subject: &Subject, name: &str, bytes: &[u8]) -> BlobInfo {
    put_with(subject, name, bytes, PutOptions::default()).await.unwrap()
}

async fn read_range(subject: &Subject, name: &str, range: Option<ByteRange>) -> Result<Option<Vec<u8>>> {
    let Some(body) = subject.adapter.open_blob(key(name), range).await? else { return Ok(None) };
    let parts: Vec<Bytes> = body.stream.try_collect().await?;
    Ok(Some(parts.concat()))
}

async fn read(subject: &Subject, name: &str) -> Option<Vec<u8>> {
    read_range(subject, name, None).await.unwrap()
}

/// Bytes that differ from chunk to chunk, so that a chunk in the wrong place shows.
fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at ^ (at >> 8) ^ (at >> 16)) as u8).collect()
}

pub async fn a_blob_is_read_back_exactly(subject: Subject) {
    let info = put(&subject, "a/b.txt", b"hello").await;
    assert_eq!((info.key.as_str(), info.size), ("a/b.txt", 5));
    assert!(!info.etag.is_empty() && !info.etag.contains('"'));
    assert_eq!(read(&subject, "a/b.txt").await.unwrap(), b"hello");
    let head = subject.adapter.head(key("a/b.txt")).await.unwrap().unwrap();
    assert_eq!((head.size, head.etag), (5, info.etag));
}

pub async fn an_absent_blob_is_nothing(subject: Subject) {
    assert_eq!(read(&subject, "a").await, None);
    assert_eq!(subject.adapter.head(key("a")).await.unwrap(), None);
    assert_eq!(subject.adapter.copy_blob(key("a"), key("b")).await.unwrap(), None);
}

pub async fn an_empty_blob_is_a_blob(subject: Subject) {
    assert_eq!(put(&subject, "a", b"").await.size, 0);
    assert_eq!(read(&subject, "a").await.unwrap(), b"");
}

pub async fn a_blob_larger_than_every_chunk_is_read_back_exactly(subject: Subject) {
    let bytes = pattern(18 * 1024 * 1024 + 7);
    assert_eq!(put(&subject, "a", &bytes).await.size, bytes.len() as u64);
    assert!(read(&subject, "a").await.unwrap() == bytes);
}

pub async fn a_range_gives_its_bytes(subject: Subject) {
    let bytes = pattern(700_000);
    put(&subject, "a", &bytes).await;
    let from = |start, end| Some(ByteRange::From { start, end });
    for (range, expected) in [
        (from(0, Some(0)), 0..1),
        (from(262_143, Some(262_144)), 262_143..262_145),
        (from(100, None), 100..700_000),
        (from(699_999, Some(9_000_000)), 699_999..700_000),
        (Some(ByteRange::Last(3)), 699_997..700_000),
        (Some(ByteRange::Last(9_000_000)), 0..700_000),
    ] {
        let part = read_range(&subject, "a", range).await.unwrap().unwrap();
        assert!(part == bytes[expected.clone()], "{range:?} gave {} bytes, not {expected:?}", part.len());
    }
}

pub async fn a_range_behind_the_end_is_refused(subject: Subject) {
    put(&subject, "a", b"hello").await;
    let error = read_range(&subject, "a", Some(ByteRange::From { start: 5, end: None })).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Validation, "INVALID_RANGE"));
}

pub async fn media_type_and_metadata_come_back(subject: Subject) {
    let options = PutOptions {
        content_type: Some("text/plain; charset=utf-8".to_owned()),
        metadata: [("owner".to_owned(), "Ada".to_owned())].into(),
        ..PutOptions::default()
    };
    put_with(&subject, "a", b"x", options.clone()).await.unwrap();
    let head = subject.adapter.head(key("a")).await.unwrap().unwrap();
    assert_eq!((&head.content_type, &head.metadata), (&options.content_type, &options.metadata));
    let copy = subject.adapter.copy_blob(key("a"), key("b")).await.unwrap().unwrap();
    assert_eq!(copy.key, "b");
    let head = subject.adapter.head(key("b")).await.unwrap().unwrap();
    assert_eq!((head.content_type, head.metadata), (options.content_type, options.metadata));
}

pub async fn nothing_is_visible_before_the_upload_is_finished(subject: Subject) {
    let mut upload = subject.adapter.open_upload(key("a"), PutOptions::default()).await.unwrap();
    upload.write(Bytes::from(pattern(600_000))).await.unwrap();
    assert_eq!(read(&subject, "a").await, None);
    upload.finish().await.unwrap();
    assert_eq!(read(&subject, "a").await.unwrap().len(), 600_000);
}

pub async fn an_aborted_upload_leaves_what_was_there(subject: Subject) {
    put(&subject, "a", b"before").await;
    let mut upload = subject.adapter.open_upload(key("a"), PutOptions::default()).await.unwrap();
    upload.write(Bytes::from(pattern(600_000))).await.unwrap();
    upload.abort().await.unwrap();
    assert_eq!(read(&subject, "a").await.unwrap(), b"before");
}

pub async fn a_blob_that_must_be_the_first_conflicts_with_one(subject: Subject) {
    let first = || PutOptions { if_none_match: true, ..PutOptions::default() };
    put_with(&subject, "a", b"1", first()).await.unwrap();
    let error = put_with(&subject, "a", b"2", first()).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Conflict, "BLOB_CHANGED"));
    assert_eq!(read(&subject, "a").await.unwrap(), b"1");
}

pub async fn a_blob_with_a_stale_etag_conflicts(subject: Subject) {
    let first = put(&subject, "a", b"1").await;
    let with = |etag: &str| PutOptions { if_match: Some(etag.to_owned()), ..PutOptions::default() };
    put_with(&subject, "a", b"2", with(&first.etag)).await.unwrap();
    let error = put_with(&subject, "a", b"3", with(&first.etag)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert_eq!(read(&subject, "a").await.unwrap(), b"2");
}

pub async fn deleting_blobs_says_which_were_there(subject: Subject) {
    put(&subject, "a", b"1").await;
    put(&subject, "b", b"1").await;
    let deleted = subject.adapter.delete_blobs(vec![key("a"), key("x"), key("b")]).await.unwrap();
    assert_eq!(deleted, [true, false, true]);
    assert_eq!(read(&subject, "a").await, None);
}

pub async fn a_copy_is_a_blob_of_its_own(subject: Subject) {
    put(&subject, "a", &pattern(300_000)).await;
    assert_eq!(subject.adapter.copy_blob(key("a"), key("b")).await.unwrap().unwrap().size, 300_000);
    subject.adapter.delete_blobs(vec![key("a")]).await.unwrap();
    assert!(read(&subject, "b").await.unwrap() == pattern(300_000));
}

fn all(limit: usize) -> BlobQuery {
    let (range, prefix) = (KeyRange::all(), String::new());
    BlobQuery { range, prefix, delimiter: None, reverse: false, after: None, limit }
}

/// Names of blobs and folded prefixes, page by page.
async fn names(subject: &Subject, mut query: BlobQuery) -> Vec<String> {
    let mut names = Vec::new();
    loop {
        let page = subject.adapter.list_blobs(query.clone()).await.unwrap();
        assert!(page.items.len() + page.prefixes.len() <= query.limit);
        names.extend(page.items.into_iter().map(|info| info.key));
        names.extend(page.prefixes);
        let Some(next) = page.next else { return names };
        query.after = Some(next);
    }
}

pub async fn blobs_are_listed_in_order_and_in_pages(subject: Subject) {
    let mut expected = vec!["a", "a/1", "a/2", "a0", "é", "🦀"];
    for name in &expected {
        put(&subject, name, b"1").await;
    }
    expected.sort_unstable();
    assert_eq!(names(&subject, all(4)).await, expected);
    let prefixed = BlobQuery { range: KeyRange::prefix(b"a/"), prefix: "a/".to_owned(), ..all(10) };
    assert_eq!(names(&subject, prefixed).await, ["a/1", "a/2"]);
    expected.reverse();
    assert_eq!(names(&subject, BlobQuery { reverse: true, ..all(4) }).await, expected);
    let page = subject.adapter.list_blobs(all(10)).await.unwrap();
    assert_eq!((page.items[0].size, page.items[0].etag.is_empty()), (1, false));
}

pub async fn a_delimiter_folds_folders(subject: Subject) {
    for name in ["a/1", "a/2", "b", "c/d/1", "c/e"] {
        put(&subject, name, b"1").await;
    }
    let folded = BlobQuery { delimiter: Some("/".to_owned()), ..all(10) };
    let page = subject.adapter.list_blobs(folded.clone()).await.unwrap();
    assert_eq!(page.prefixes, ["a/", "c/"]);
    assert_eq!(page.items.iter().map(|info| info.key.as_str()).collect::<Vec<_>>(), ["b"]);
    let mut one_by_one = names(&subject, BlobQuery { limit: 1, ..folded.clone() }).await;
    one_by_one.sort_unstable();
    assert_eq!(one_by_one, ["a/", "b", "c/"]);
    let inside = BlobQuery { range: KeyRange::prefix(b"c/"), prefix: "c/".to_owned(), ..folded };
    let page = subject.adapter.list_blobs(inside).await.unwrap();
    assert_eq!((page.prefixes.len(), page.items[0].key.as_str()), (1, "c/e"));
}

pub async fn a_reader_goes_on_reading_what_was_replaced(subject: Subject) {
    let before = pattern(600_000);
    put(&subject, "a", &before).await;
    let mut body = subject.adapter.open_blob(key("a"), None).await.unwrap().unwrap();
    let first = body.stream.try_next().await.unwrap().unwrap();
    put(&subject, "a", b"after").await;
    let rest: Vec<Bytes> = body.stream.try_collect().await.unwrap();
    assert!([first.to_vec(), rest.concat()].concat() == before);
    assert_eq!(read(&subject, "a").await.unwrap(), b"after");
}

pub async fn metadata_that_no_header_can_carry_is_refused(subject: Subject) {
    for (name, value) in [("", "x"), ("a b", "x"), ("a", "é"), ("a", "line\nbreak")] {
        let metadata = [(name.to_owned(), value.to_owned())].into();
        let refused = put_with(&subject, "a", b"1", PutOptions { metadata, ..PutOptions::default() }).await;
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::Validation, "{name:?}: {value:?}");
    }
    assert_eq!(read(&subject, "a").await, None);
}

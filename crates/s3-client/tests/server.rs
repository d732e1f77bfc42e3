//! The client against a real server.
#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::BTreeMap;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use holdfast_base::ErrorKind;
use holdfast_s3_client::{
    Bucket, Client, ClientSettings, CopyOptions, Credentials, GetOptions, ListRequest, PresignMethod, PutOptions,
    UploadOptions,
};

mod fixture;
use fixture::Fixture;

fn text(text: &str) -> Bytes {
    Bytes::from(text.to_owned())
}

async fn put(bucket: &Bucket, key: &str, value: &str) -> String {
    bucket.put(key, text(value), &PutOptions::default()).await.unwrap().etag
}

async fn keys(bucket: &Bucket, request: ListRequest) -> Vec<String> {
    let pages: Vec<_> = bucket.pages(request).try_collect().await.unwrap();
    pages.into_iter().flat_map(|page| page.objects).map(|object| object.key).collect()
}

#[tokio::test]
async fn what_is_put_comes_back_with_its_description() {
    let server = Fixture::start().await;
    let metadata = BTreeMap::from([("color".to_owned(), "red".to_owned())]);
    let options = PutOptions { content_type: Some("text/x".to_owned()), metadata, ..PutOptions::default() };
    let stored = server.bucket.put("a/b", text("hello"), &options).await.unwrap();
    let object = server.bucket.get("a/b", &GetOptions::default()).await.unwrap();
    assert_eq!((object.meta.size, object.body_bytes, &object.meta.etag), (5, 5, &stored.etag));
    assert_eq!((object.meta.content_type.as_deref(), object.meta.metadata["color"].as_str()), (Some("text/x"), "red"));
    assert_eq!(server.bucket.head("a/b").await.unwrap().as_ref(), Some(&object.meta));
    assert_eq!(object.body.bytes().await.unwrap(), "hello");
}

#[tokio::test]
async fn a_range_is_cut_to_the_object_and_knows_the_whole_size() {
    let server = Fixture::start().await;
    put(&server.bucket, "k", "0123456789").await;
    assert_eq!(server.bucket.get_range("k", 2..5).await.unwrap(), "234");
    assert_eq!(server.bucket.get_range("k", 8..100).await.unwrap(), "89");
    let options = GetOptions { range: Some(2..5), ..GetOptions::default() };
    let object = server.bucket.get("k", &options).await.unwrap();
    assert_eq!((object.meta.size, object.body_bytes), (10, 3));
    assert_eq!(server.bucket.get_range("k", 10..11).await.unwrap_err().code(), "INVALID_RANGE");
}

#[tokio::test]
async fn what_is_absent_is_not_found() {
    let server = Fixture::start().await;
    assert_eq!(server.bucket.head("no").await.unwrap(), None);
    assert_eq!(server.bucket.find_bytes("no").await.unwrap(), None);
    assert_eq!(server.bucket.get_bytes("no").await.unwrap_err().code(), "NO_SUCH_KEY");
    let absent = server.bucket.client().bucket("no-such-bucket", "").unwrap();
    assert_eq!(absent.find_bytes("no").await.unwrap_err().code(), "NO_SUCH_BUCKET");
    assert!(!server.bucket.client().bucket_exists("no-such-bucket").await.unwrap());
    assert!(server.bucket.client().bucket_exists(server.bucket.name()).await.unwrap());
}

#[tokio::test]
async fn conditions_are_kept() {
    let server = Fixture::start().await;
    let bucket = &server.bucket;
    let first = bucket.put("k", text("1"), &PutOptions::absent()).await.unwrap().etag;
    assert_eq!(bucket.put("k", text("2"), &PutOptions::absent()).await.unwrap_err().code(), "PRECONDITION_FAILED");
    let second = bucket.put("k", text("2"), &PutOptions::replacing(&first)).await.unwrap().etag;
    let stale = bucket.put("k", text("3"), &PutOptions::replacing(&first)).await.unwrap_err();
    assert_eq!((stale.kind(), stale.code()), (ErrorKind::Conflict, "PRECONDITION_FAILED"));
    assert_eq!(bucket.delete("k", Some(&first)).await.unwrap_err().code(), "PRECONDITION_FAILED");
    assert_eq!(bucket.get_bytes("k").await.unwrap(), "2");
    bucket.delete("k", Some(&second)).await.unwrap();
    assert_eq!(bucket.head("k").await.unwrap(), None);
}

#[tokio::test]
async fn of_many_that_create_one_object_at_once_one_succeeds() {
    let server = Fixture::start().await;
    let puts = (0..16).map(|n| {
        let bucket = server.bucket.clone();
        async move { bucket.put("k", text(&n.to_string()), &PutOptions::absent()).await.is_ok() }
    });
    let won: Vec<bool> = stream::iter(puts).buffer_unordered(16).collect().await;
    assert_eq!(won.into_iter().filter(|&won| won).count(), 1);
}

#[tokio::test]
async fn lists_come_in_pages_in_byte_order_under_the_prefix() {
    let server = Fixture::start().await;
    let inside = server.bucket.under("in/");
    put(&server.bucket, "outside", "").await;
    for key in ["b", "a//b", "a/1", "\u{ff00}", "🦀", "x+y z", "c/1", "c/2"] {
        put(&inside, key, key).await;
    }
    let paged = ListRequest { max_keys: Some(3), ..ListRequest::default() };
    let all = ["a//b", "a/1", "b", "c/1", "c/2", "x+y z", "\u{ff00}", "🦀"];
    assert_eq!(keys(&inside, paged).await, all);
    let after = ListRequest { start_after: Some("b".to_owned()), prefix: "c".to_owned(), ..ListRequest::default() };
    assert_eq!(keys(&inside, after).await, ["c/1", "c/2"]);
    let rolled = ListRequest { delimiter: Some("/".to_owned()), ..ListRequest::default() };
    let page = inside.list(&rolled).await.unwrap();
    assert_eq!(page.common_prefixes, ["a/", "c/"]);
    assert_eq!(page.objects.len(), 4);
}

#[tokio::test]
async fn a_key_with_control_characters_is_listed_and_deleted() {
    let server = Fixture::start().await;
    let odd = "a\u{1}b\tc".to_owned();
    put(&server.bucket, &odd, "v").await;
    assert_eq!(keys(&server.bucket, ListRequest::default()).await, std::slice::from_ref(&odd));
    server.bucket.delete_many(&[odd, "absent".to_owned()]).await.unwrap();
    assert_eq!(keys(&server.bucket, ListRequest::default()).await, Vec::<String>::new());
}

#[tokio::test]
async fn bulk_deletes_go_a_thousand_at_a_time() {
    let server = Fixture::start().await;
    let doomed: Vec<String> = (0..1500).map(|n| format!("k{n:04}")).collect();
    put(&server.bucket, "k0000", "").await;
    put(&server.bucket, "k1499", "").await;
    put(&server.bucket, "other", "").await;
    let bucket = server.bucket.clone();
    tokio::spawn(async move { bucket.delete_many(&doomed).await }).await.unwrap().unwrap();
    assert_eq!(keys(&server.bucket, ListRequest::default()).await, ["other"]);
    assert_eq!(server.bucket.client().stats().by_operation()["DeleteObjects"], 2);
}

#[tokio::test]
async fn a_stream_longer_than_a_part_is_stored_whole_in_parts() {
    let server = Fixture::start().await;
    let chunks: Vec<Bytes> = (0..13_u8).map(|n| Bytes::from(vec![n; 1 << 20])).collect();
    let whole = chunks.concat();
    let options = UploadOptions { part_bytes: 5 << 20, concurrency: Some(2), ..UploadOptions::default() };
    let progress = std::sync::Mutex::new(Vec::new());
    let heard = |bytes| progress.lock().unwrap().push(bytes);
    let stored =
        server.bucket.put_stream("big", stream::iter(chunks.into_iter().map(Ok)), &options, heard).await.unwrap();
    assert_eq!(stored.size, whole.len() as u64);
    assert_eq!(progress.lock().unwrap().last(), Some(&stored.size));
    assert!(server.bucket.get_bytes("big").await.unwrap() == whole);
    assert_eq!(server.bucket.client().stats().by_operation()["UploadPart"], 3);
    assert!(server.bucket.list_uploads("", None).await.unwrap().uploads.is_empty());
}

#[tokio::test]
async fn a_stream_that_fits_in_a_part_takes_one_request() {
    let server = Fixture::start().await;
    let data = stream::iter(["a", "", "b"].map(|chunk| Ok(text(chunk))));
    server.bucket.put_stream("small", data, &UploadOptions::default(), |_| ()).await.unwrap();
    assert_eq!(server.bucket.get_bytes("small").await.unwrap(), "ab");
    assert!(!server.bucket.client().stats().by_operation().contains_key("CreateMultipartUpload"));
}

#[tokio::test]
async fn a_conditional_upload_in_parts_does_not_overwrite() {
    let server = Fixture::start().await;
    put(&server.bucket, "k", "first").await;
    let data = stream::iter([Ok(Bytes::from(vec![0; 6 << 20]))]);
    let options = UploadOptions { put: PutOptions::absent(), part_bytes: 5 << 20, ..UploadOptions::default() };
    let refused = server.bucket.put_stream("k", data, &options, |_| ()).await.unwrap_err();
    assert_eq!(refused.code(), "PRECONDITION_FAILED");
    assert_eq!(server.bucket.get_bytes("k").await.unwrap(), "first");
}

#[tokio::test]
async fn a_copy_takes_odd_keys_and_keeps_or_replaces_the_description() {
    let server = Fixture::start().await;
    let options = PutOptions { content_type: Some("text/x".to_owned()), ..PutOptions::default() };
    server.bucket.put("from é+ 🦀", text("v"), &options).await.unwrap();
    let to = server.bucket.under("copies/");
    server.bucket.copy("from é+ 🦀", &to, "kept", &CopyOptions::default()).await.unwrap();
    assert_eq!(to.head("kept").await.unwrap().unwrap().content_type.as_deref(), Some("text/x"));
    let replace = Some((Some("text/y".to_owned()), BTreeMap::new()));
    let options = CopyOptions { replace, ..CopyOptions::default() };
    server.bucket.copy("from é+ 🦀", &to, "replaced", &options).await.unwrap();
    assert_eq!(to.head("replaced").await.unwrap().unwrap().content_type.as_deref(), Some("text/y"));
    assert_eq!(to.get_bytes("replaced").await.unwrap(), "v");
}

#[tokio::test]
async fn a_presigned_url_names_the_object_and_hides_the_secret() {
    let server = Fixture::start().await;
    let url = server.bucket.presign("a b", PresignMethod::Get, 60).await.unwrap();
    assert!(url.contains("/a%20b?") && url.contains("X-Amz-Signature=") && url.contains("X-Amz-Expires=60"), "{url}");
    let refused = server.bucket.presign("a", PresignMethod::Put, 0).await.unwrap_err();
    assert_eq!(refused.code(), "INVALID_EXPIRY");
}

#[tokio::test]
async fn a_bucket_is_made_once() {
    let server = Fixture::start().await;
    let client = server.bucket.client();
    assert!(client.create_bucket("another-box").await.unwrap());
    assert!(client.bucket_exists("another-box").await.unwrap());
    client.create_bucket("another-box").await.unwrap();
}

#[tokio::test]
async fn uploads_left_behind_are_listed_and_aborted() {
    let server = Fixture::start().await;
    let bucket = server.bucket.under("in/");
    let (landed, mut has_landed) = tokio::sync::mpsc::unbounded_channel();
    let upload = tokio::spawn({
        let bucket = bucket.clone();
        let stuck = stream::iter([Ok(Bytes::from(vec![0; 5 << 20]))]).chain(stream::pending());
        let options = UploadOptions { part_bytes: 5 << 20, concurrency: Some(1), ..UploadOptions::default() };
        async move { bucket.put_stream("stuck", stuck, &options, move |bytes| landed.send(bytes).unwrap()).await }
    });
    has_landed.recv().await.unwrap();
    let pending = bucket.list_uploads("", None).await.unwrap();
    assert!(pending.next.is_none() && pending.uploads.len() == 1 && pending.uploads[0].begun_ms > 0);
    assert_eq!(pending.uploads[0].key, "stuck");
    for _ in 0..2 {
        bucket.abort_upload("stuck", &pending.uploads[0].upload_id).await.unwrap();
    }
    assert!(bucket.list_uploads("", None).await.unwrap().uploads.is_empty());
    upload.abort();
}

#[test]
fn settings_that_cannot_work_are_refused_at_once() {
    let bad = |endpoint: &str| {
        let settings = ClientSettings { endpoint: Some(endpoint.to_owned()), ..ClientSettings::default() };
        Client::new(settings).unwrap_err().code()
    };
    assert_eq!(bad("localhost:9000"), "INVALID_ENDPOINT");
    assert_eq!(bad(""), "INVALID_ENDPOINT");
    let client = Client::new(ClientSettings { credentials: Some(Credentials::new("a", "b")), ..Default::default() });
    assert_eq!(client.unwrap().bucket("a/b", "").unwrap_err().code(), "INVALID_BUCKET_NAME");
}

//! The S3 adapter keeps the store's promises, on our own server, and some of its own.
#![allow(clippy::unwrap_used, missing_docs)]

use std::sync::Arc;

use bytes::Bytes;
use holdfast_base::{ErrorKind, Key, KeyRange, ManualClock};
use holdfast_store::adapters::s3::S3;
use holdfast_store::ports::{Blobs, Entries, Events};
use holdfast_store::{
    Adapter, Batch, EventQuery, PutOptions, S3Credentials, S3Multipart, S3Prefixes, S3Settings, Space, Step,
};
use holdfast_testkit::TestServer;
use holdfast_testkit::conformance::store::{BEGIN_MS, Subject};

async fn s3() -> Subject {
    let server = TestServer::start(&["bucket"]).await.unwrap();
    let clock = Arc::new(ManualClock::at(BEGIN_MS));
    let adapter = Arc::new(S3::open(&settings(&server), clock.clone()).await.unwrap());
    Subject { adapter, clock, keep: Box::new(server) }
}

fn settings(server: &TestServer) -> S3Settings {
    S3Settings {
        bucket: "bucket".to_owned(),
        region: None,
        endpoint: Some(server.endpoint()),
        force_path_style: None,
        credentials: Some(S3Credentials {
            access_key_id: server.credentials().0.to_owned(),
            secret_access_key: server.credentials().1.to_owned(),
            session_token: None,
        }),
        prefix: String::new(),
        prefixes: S3Prefixes::default(),
        multipart: S3Multipart { part_size: Some(5 << 20), concurrency: Some(2) },
    }
}

async fn open(settings: &S3Settings) -> S3 {
    S3::open(settings, Arc::new(ManualClock::at(BEGIN_MS))).await.unwrap()
}

holdfast_testkit::store_conformance!(s3);

fn key(name: &str) -> Key {
    Key::new(name).unwrap()
}

async fn put_blob(store: &S3, name: &str, bytes: &[u8]) -> holdfast_base::Result<()> {
    let mut upload = store.open_upload(key(name), PutOptions::default()).await?;
    upload.write(Bytes::copy_from_slice(bytes)).await?;
    upload.finish().await.map(|_| ())
}

async fn blob_names(store: &S3) -> Vec<String> {
    let query = holdfast_store::BlobQuery {
        range: KeyRange::all(),
        prefix: String::new(),
        delimiter: None,
        reverse: false,
        after: None,
        limit: 100,
    };
    store.list_blobs(query).await.unwrap().items.into_iter().map(|info| info.key).collect()
}

#[tokio::test]
async fn a_missing_bucket_is_told_at_opening() {
    let server = TestServer::start(&["bucket"]).await.unwrap();
    let settings = S3Settings { bucket: "other".to_owned(), ..settings(&server) };
    let error = S3::open(&settings, Arc::new(ManualClock::at(BEGIN_MS))).await.err().unwrap();
    assert_eq!((error.kind(), error.code()), (ErrorKind::NotFound, "NO_SUCH_BUCKET"));
}

#[tokio::test]
async fn blobs_neither_see_nor_touch_what_the_store_keeps_for_itself() {
    let server = TestServer::start(&["bucket"]).await.unwrap();
    let store = open(&settings(&server)).await;
    store.commit(Batch::one(Step::put(Space::Records, key("a"), "1"))).await.unwrap();
    for name in [".a", ".persist", "a", "z"] {
        put_blob(&store, name, b"x").await.unwrap();
    }
    assert_eq!(blob_names(&store).await, [".a", ".persist", "a", "z"]);
    let error = put_blob(&store, ".persist/records/a", b"x").await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Validation, "RESERVED_KEY"));
    assert_eq!(store.delete_blobs(vec![key(".persist/records/a")]).await.unwrap_err().code(), "RESERVED_KEY");
}

#[tokio::test]
async fn stores_under_different_prefixes_share_a_bucket_and_nothing_else() {
    let server = TestServer::start(&["bucket"]).await.unwrap();
    let one = open(&S3Settings { prefix: "one/".to_owned(), ..settings(&server) }).await;
    let two = open(&S3Settings { prefix: "two/".to_owned(), ..settings(&server) }).await;
    one.commit(Batch::one(Step::put(Space::Records, key("a"), "1"))).await.unwrap();
    put_blob(&one, "a", b"x").await.unwrap();
    assert_eq!(two.get(Space::Records, &key("a")).await.unwrap(), None);
    assert!(blob_names(&two).await.is_empty());
    assert_eq!(blob_names(&one).await, ["a"]);
}

#[tokio::test]
async fn prefixes_that_lie_in_each_other_are_refused() {
    let server = TestServer::start(&["bucket"]).await.unwrap();
    let prefixes = S3Prefixes { records: Some("x/".to_owned()), kv: Some("x/kv/".to_owned()), events: None };
    let settings = S3Settings { prefixes, ..settings(&server) };
    let error = S3::open(&settings, Arc::new(ManualClock::at(BEGIN_MS))).await.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Config);
}

#[tokio::test]
async fn two_stores_append_to_one_log_without_gaps() {
    let server = TestServer::start(&["bucket"]).await.unwrap();
    let (one, two) = (open(&settings(&server)).await, open(&settings(&server)).await);
    let appends = (0..10).map(|n| {
        let store = if n % 2 == 0 { one.clone() } else { two.clone() };
        tokio::spawn(async move {
            let step = Step::Append {
                stream: key(if n % 3 == 0 { "a" } else { "b" }),
                payload: n.to_string(),
                expected_version: None,
                id: None,
                timestamp_ms: None,
            };
            store.commit(Batch::one(step)).await.map(|_| ())
        })
    });
    for append in appends.collect::<Vec<_>>() {
        append.await.unwrap().unwrap();
    }
    let query = EventQuery { stream: None, after: None, since_ms: None, reverse: false, by_arrival: false, limit: 100 };
    let all = one.list_events(query.clone()).await.unwrap().items;
    assert_eq!(all.len(), 10);
    assert_eq!(two.list_events(query.clone()).await.unwrap().items, all);
    for stream in ["a", "b"] {
        let of_stream: Vec<_> = all.iter().filter(|event| event.stream == stream).cloned().collect();
        let versions: Vec<_> = of_stream.iter().map(|event| event.version).collect();
        assert_eq!(versions, (1..=versions.len() as u64).collect::<Vec<_>>());
        let query = EventQuery { stream: Some(stream.to_owned()), ..query.clone() };
        assert_eq!(one.list_events(query).await.unwrap().items, of_stream);
    }
}

/// Uploads that were begun and neither completed nor aborted.
async fn pending_uploads(settings: &S3Settings) -> usize {
    let client = holdfast_s3_client::ClientSettings {
        endpoint: settings.endpoint.clone(),
        ..holdfast_s3_client::ClientSettings::default()
    };
    let client = holdfast_s3_client::Client::new(client).unwrap();
    client.bucket("bucket", "").unwrap().list_uploads("", None).await.unwrap().uploads.len()
}

#[tokio::test]
async fn an_aborted_upload_leaves_no_parts_behind() {
    let server = TestServer::start(&["bucket"]).await.unwrap();
    let settings = settings(&server);
    let store = open(&settings).await;
    let part = Bytes::from(vec![7; 6 << 20]);
    let mut aborted = store.open_upload(key("a"), PutOptions::default()).await.unwrap();
    for _ in 0..5 {
        aborted.write(part.clone()).await.unwrap();
    }
    assert_eq!(pending_uploads(&settings).await, 1, "the upload is under way");
    aborted.abort().await.unwrap();
    assert_eq!(pending_uploads(&settings).await, 0);
    assert!(blob_names(&store).await.is_empty());
}

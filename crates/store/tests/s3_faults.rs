//! The S3 adapter when the answer to a write is lost, and when a process died between two writes.
#![allow(clippy::unwrap_used, missing_docs)]

use std::sync::Arc;

use bytes::Bytes;
use holdfast_base::{Key, ManualClock};
use holdfast_s3_server::{Cut, Fault, Operation};
use holdfast_store::adapters::s3::S3;
use holdfast_store::ports::{Entries, Events};
use holdfast_store::{Adapter, Batch, EventQuery, Outcome, S3Multipart, S3Prefixes, S3Settings, Space, Step};
use holdfast_testkit::TestServer;
use holdfast_testkit::conformance::store::BEGIN_MS;

async fn start() -> (TestServer, S3) {
    let server = TestServer::start(&["bucket"]).await.unwrap();
    let settings = S3Settings {
        bucket: "bucket".to_owned(),
        region: None,
        endpoint: Some(server.endpoint()),
        force_path_style: None,
        credentials: None,
        prefix: String::new(),
        prefixes: S3Prefixes::default(),
        multipart: S3Multipart::default(),
    };
    let store = S3::open(&settings, Arc::new(ManualClock::at(BEGIN_MS))).await.unwrap();
    (server, store)
}

/// Cuts the next put of a key.
fn cut_put(server: &TestServer, key: &str, cut: Cut) {
    server.server().faults().add(Fault {
        operation: Some(Operation::PutObject),
        key: Some(key.to_owned()),
        count: Some(1),
        cut: Some(cut),
        ..Fault::default()
    });
}

/// How many connections were cut: a test whose faults met nothing shows nothing.
fn cuts(server: &TestServer) -> usize {
    server.server().log().records().iter().filter(|record| record.status == 0).count()
}

fn key(name: &str) -> Key {
    Key::new(name).unwrap()
}

async fn add_one(store: &S3) -> Outcome {
    let step = Step::Add { space: Space::Kv, key: key("n"), by: 1.0 };
    store.commit(Batch::one(step)).await.unwrap().remove(0)
}

fn append(payload: &str) -> Batch {
    Batch::one(Step::Append {
        stream: key("s"),
        payload: payload.to_owned(),
        expected_version: None,
        id: None,
        timestamp_ms: None,
    })
}

async fn payloads(store: &S3, stream: Option<&str>) -> Vec<String> {
    let stream = stream.map(str::to_owned);
    let query = EventQuery { stream, after: None, since_ms: None, reverse: false, by_arrival: false, limit: 100 };
    store.list_events(query).await.unwrap().items.into_iter().map(|event| event.payload).collect()
}

#[tokio::test]
async fn an_addition_whose_answer_is_lost_is_counted_once() {
    let (server, store) = start().await;
    add_one(&store).await;
    for (cut, expected) in [(Cut::After, 2.0), (Cut::Before, 3.0)] {
        cut_put(&server, ".persist/kv/n", cut);
        assert_eq!(add_one(&store).await, Outcome::Added { value: expected, version: expected as u64 });
    }
    assert_eq!(cuts(&server), 2);
    let entry = store.get(Space::Kv, &key("n")).await.unwrap().unwrap();
    assert_eq!((entry.value.as_str(), entry.version), ("3", 3));
}

#[tokio::test]
async fn an_event_whose_answer_is_lost_is_appended_once() {
    let (server, store) = start().await;
    for (cut, number) in [(Cut::After, 1), (Cut::Before, 2)] {
        cut_put(&server, &format!(".persist/events/log/{number:016}"), cut);
        store.commit(append(&number.to_string())).await.unwrap();
    }
    assert_eq!(cuts(&server), 2);
    assert_eq!(payloads(&store, None).await, ["1", "2"]);
    assert_eq!(payloads(&store, Some("s")).await, ["1", "2"]);
}

#[tokio::test]
async fn a_commit_without_its_index_is_made_up_for_by_the_next_reader_and_writer() {
    let (server, store) = start().await;
    let client = holdfast_s3_client::ClientSettings { endpoint: Some(server.endpoint()), ..Default::default() };
    let bucket = holdfast_s3_client::Client::new(client).unwrap().bucket("bucket", ".persist/events/").unwrap();
    // What a process leaves that is killed between the commit and its index.
    let commit = |version: u32| {
        let event =
            format!(r#"{{"id":"e{version}","stream":"s","version":{version},"timestamp":5,"payload":{version}}}"#);
        Bytes::from(format!(r#"{{"write":"w","events":[{event}]}}"#))
    };
    bucket.put("log/0000000000000001", commit(1), &Default::default()).await.unwrap();
    assert_eq!(store.stream_version(&key("s")).await.unwrap(), 1);
    assert_eq!(payloads(&store, Some("s")).await, ["1"]);
    bucket.put("log/0000000000000002", commit(2), &Default::default()).await.unwrap();
    match store.commit(append("3")).await.unwrap().remove(0) {
        Outcome::Appended(event) => assert_eq!(event.version, 3),
        other => panic!("an append answered {other:?}"),
    }
    assert_eq!(payloads(&store, Some("s")).await, ["1", "2", "3"]);
    assert_eq!(payloads(&store, None).await, ["1", "2", "3"]);
}

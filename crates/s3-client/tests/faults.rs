//! What the client does when the other side misbehaves.
#![allow(clippy::unwrap_used, missing_docs)]

mod endpoint;

use bytes::Bytes;
use endpoint::{Act, Endpoint, bucket_at};
use futures_util::stream;
use holdfast_base::ErrorKind;
use holdfast_s3_client::{GetOptions, OUTCOME_UNKNOWN, PutOptions, UploadOptions, is_outcome_unknown};

const MISMATCH: Act = Act::Answer(412, "", "<Error><Code>PreconditionFailed</Code><Message>no</Message></Error>");
const RACE: Act = Act::Answer(409, "", "<Error><Code>ConditionalRequestConflict</Code><Message>no</Message></Error>");
const DENIED: Act = Act::Answer(403, "", "<Error><Code>AccessDenied</Code><Message>no</Message></Error>");
const BROKEN: Act = Act::Answer(500, "", "<Error><Code>InternalError</Code><Message>no</Message></Error>");
const BEGUN: Act =
    Act::Answer(200, "", "<InitiateMultipartUploadResult><UploadId>u1</UploadId></InitiateMultipartUploadResult>");

#[tokio::test]
async fn a_conditional_put_whose_connection_breaks_is_sent_once_and_reported_unknown() {
    for act in [Act::Cut, BROKEN, Act::Hang] {
        let endpoint = Endpoint::start([act.clone(), MISMATCH]).await;
        let put = endpoint.bucket().put("k", Bytes::from_static(b"v"), &PutOptions::absent()).await;
        assert!(is_outcome_unknown(&put.unwrap_err()), "{act:?}");
        assert_eq!(endpoint.seen().len(), 1, "{act:?}");
    }
}

#[tokio::test]
async fn a_conditional_delete_whose_connection_breaks_is_sent_once_and_reported_unknown() {
    let endpoint = Endpoint::start([Act::Cut, MISMATCH]).await;
    let error = endpoint.bucket().delete("k", Some("\"e\"")).await.unwrap_err();
    assert_eq!((error.code(), endpoint.seen().len()), (OUTCOME_UNKNOWN, 1));
}

#[tokio::test]
async fn a_conditional_put_that_is_refused_is_reported_as_not_stored() {
    let endpoint = Endpoint::start([MISMATCH]).await;
    let error = endpoint.bucket().put("k", Bytes::new(), &PutOptions::absent()).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Conflict, "PRECONDITION_FAILED"));
}

#[tokio::test]
async fn a_conditional_put_that_never_connected_is_reported_as_not_stored() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let bucket = bucket_at(&format!("http://{closed}"));
    let error = bucket.put("k", Bytes::new(), &PutOptions::absent()).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Connection, "CONNECTION_FAILED"));
}

#[tokio::test]
async fn two_conditional_puts_that_raced_are_tried_again() {
    let endpoint = Endpoint::start([RACE, Act::Answer(200, "", "")]).await;
    let stored = endpoint.bucket().put("k", Bytes::new(), &PutOptions::absent()).await.unwrap();
    assert_eq!((stored.etag.as_str(), endpoint.seen().len()), ("\"e\"", 2));
}

#[tokio::test]
async fn an_unconditional_put_is_tried_again() {
    let endpoint = Endpoint::start([Act::Cut, BROKEN, Act::Answer(200, "", "")]).await;
    endpoint.bucket().put("k", Bytes::new(), &PutOptions::default()).await.unwrap();
    assert_eq!(endpoint.seen().len(), 3);
}

#[tokio::test]
async fn refused_credentials_fail_at_the_first_answer() {
    let endpoint = Endpoint::start([DENIED]).await;
    let error = endpoint.bucket().get("k", &GetOptions::default()).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Connection, "ACCESS_DENIED"));
    assert!(!error.is_retryable() && endpoint.seen().len() == 1);
}

#[tokio::test]
async fn an_endpoint_that_never_answers_is_a_timeout() {
    let endpoint = Endpoint::start([Act::Hang, Act::Hang, Act::Hang]).await;
    let error = endpoint.bucket().head("k").await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Timeout, "TIMEOUT"));
}

#[tokio::test]
async fn a_body_that_breaks_off_is_an_error_and_never_a_short_value() {
    let endpoint = Endpoint::start([Act::Truncate("half")]).await;
    let object = endpoint.bucket().get("k", &GetOptions::default()).await.unwrap();
    assert_eq!(object.body.bytes().await.unwrap_err().code(), "BODY_BROKE_OFF");
}

#[tokio::test]
async fn whole_bytes_are_asked_for_again_when_the_body_breaks_off() {
    let endpoint = Endpoint::start([Act::Truncate("half"), Act::Answer(200, "", "whole")]).await;
    assert_eq!(endpoint.bucket().get_bytes("k").await.unwrap(), "whole");
}

#[tokio::test]
async fn an_endpoint_may_have_a_base_path_and_keys_travel_unchanged() {
    let endpoint = Endpoint::start([]).await;
    let bucket = bucket_at(&format!("{}/base/path/", endpoint.address));
    for key in ["plain", "a//b", "../x", ".", "sp ace+plus", "\u{1}?#%", "🦀"] {
        bucket.put(key, Bytes::new(), &PutOptions::default()).await.unwrap();
    }
    let paths: Vec<String> = endpoint.seen().iter().map(|line| line.split(' ').nth(1).unwrap().to_owned()).collect();
    let expected = ["plain", "a//b", "../x", ".", "sp%20ace%2Bplus", "%01%3F%23%25", "%F0%9F%A6%80"];
    assert_eq!(paths, expected.map(|key| format!("/base/path/box/{key}?x-id=PutObject")));
}

#[tokio::test]
async fn an_upload_whose_part_fails_is_aborted() {
    let endpoint = Endpoint::start([BEGUN, DENIED, DENIED, DENIED]).await;
    let data = stream::iter((0..3).map(|_| Ok(Bytes::from(vec![0; 5 << 20]))));
    let options = UploadOptions { part_bytes: 5 << 20, concurrency: Some(1), ..UploadOptions::default() };
    let error = endpoint.bucket().put_stream("k", data, &options, |_| ()).await.unwrap_err();
    assert_eq!(error.code(), "ACCESS_DENIED");
    assert!(endpoint.seen().last().unwrap().starts_with("DELETE /box/k?x-id=AbortMultipartUpload&uploadId=u1"));
}

#[tokio::test]
async fn an_upload_that_is_dropped_is_aborted() {
    let mut endpoint = Endpoint::start([BEGUN, Act::Hang]).await;
    let bucket = endpoint.bucket();
    let options = UploadOptions { part_bytes: 5 << 20, ..UploadOptions::default() };
    let upload = tokio::spawn(async move {
        let data = stream::iter((0..3).map(|_| Ok(Bytes::from(vec![0; 5 << 20]))));
        bucket.put_stream("k", data, &options, |_| ()).await
    });
    endpoint.saw("PUT /box/k?").await;
    upload.abort();
    endpoint.saw("DELETE /box/k?").await;
}

#[tokio::test]
async fn an_upload_whose_source_fails_is_aborted_and_the_error_comes_back() {
    let endpoint = Endpoint::start([BEGUN]).await;
    let broken = holdfast_base::Error::new(ErrorKind::Aborted, "ABORTED", "the user had enough");
    let data = stream::iter([Ok(Bytes::from(vec![0; 5 << 20])), Err(broken)]);
    let options = UploadOptions { part_bytes: 5 << 20, ..UploadOptions::default() };
    let error = endpoint.bucket().put_stream("k", data, &options, |_| ()).await.unwrap_err();
    assert_eq!(error.code(), "ABORTED");
    assert!(endpoint.seen().iter().any(|line| line.starts_with("DELETE /box/k?")));
}

#[tokio::test]
async fn every_attempt_is_counted_by_operation() {
    let endpoint = Endpoint::start([Act::Cut]).await;
    let bucket = endpoint.bucket();
    bucket.put("k", Bytes::new(), &PutOptions::default()).await.unwrap();
    bucket.head("k").await.unwrap();
    let counts = bucket.client().stats().by_operation();
    assert_eq!((counts["PutObject"], counts["HeadObject"], bucket.client().stats().total()), (2, 1, 3));
}

//! Limits of connections, heads and patience; what is told of them.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::{Fixture, Reply};

/// Reads to the end of the connection, however it comes.
async fn rest(mut stream: TcpStream) -> Vec<u8> {
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    answer
}

#[tokio::test]
async fn a_sender_that_stops_is_told_and_leaves_nothing() {
    let s3 = Fixture::with(|settings| settings.idle_timeout_ms = 50).await;
    s3.put("/bkt/k", b"old").await;
    let mut stream = TcpStream::connect(s3.server.address()).await.unwrap();
    stream.write_all(b"PUT /bkt/k HTTP/1.1\r\nhost: h\r\ncontent-length: 100\r\n\r\nbegun").await.unwrap();
    assert_eq!(Reply::read(&rest(stream).await, false).error(), (400, "RequestTimeout".into()));
    assert_eq!(s3.get("/bkt/k").await.text(), "old");
}

#[tokio::test]
async fn a_head_that_does_not_end_and_an_idle_connection_are_hung_up_on() {
    let s3 = Fixture::with(|settings| settings.idle_timeout_ms = 50).await;
    for begun in ["", "GET /bkt HTTP/1.1\r\nhost: h\r\n"] {
        let mut stream = TcpStream::connect(s3.server.address()).await.unwrap();
        stream.write_all(begun.as_bytes()).await.unwrap();
        let answer = rest(stream).await;
        assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 408"), "{:?}", String::from_utf8_lossy(&answer));
    }
    assert!(s3.server.log().records().is_empty());
}

#[tokio::test]
async fn a_client_that_does_not_read_its_answer_is_hung_up_on() {
    let s3 = Fixture::with(|settings| settings.idle_timeout_ms = 50).await;
    let body = vec![b'x'; 32 << 20];
    s3.put("/bkt/big", &body).await;
    let mut stream = TcpStream::connect(s3.server.address()).await.unwrap();
    stream.write_all(b"GET /bkt/big HTTP/1.1\r\nhost: h\r\n\r\n").await.unwrap();
    // As long as it is served, the server can't stop: it waits for what is in flight.
    while s3.server.log().records().len() < 2 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    s3.server.stop().await;
    assert!(rest(stream).await.len() < body.len());
}

#[tokio::test]
async fn only_so_many_connections_are_served_at_once() {
    let s3 = Fixture::with(|settings| settings.max_connections = 1).await;
    let head = b"GET /bkt?list-type=2 HTTP/1.1\r\nhost: h\r\n\r\n";
    let mut first = TcpStream::connect(s3.server.address()).await.unwrap();
    first.write_all(head).await.unwrap();
    let mut answer = [0; 12];
    first.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
    let mut second = TcpStream::connect(s3.server.address()).await.unwrap();
    second.write_all(head).await.unwrap();
    let waits = tokio::time::timeout(Duration::from_millis(50), second.read_exact(&mut answer)).await;
    assert!(waits.is_err() && s3.server.log().records().len() == 1, "it waits for the first to go");
    drop(first);
    second.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
}

#[tokio::test]
async fn the_largest_head_is_a_setting() {
    let s3 = Fixture::with(|settings| settings.max_head_bytes = 8192).await;
    let header = "a".repeat(9000);
    assert_eq!(s3.send("GET", "/bkt", &[("x-amz-meta-a", &header)], b"").await.status, 431);
    assert_eq!(s3.send("GET", "/bkt", &[("x-amz-meta-a", &header[..4000])], b"").await.status, 200);
}

#[tokio::test]
async fn conflicting_and_impossible_lengths_are_refused() {
    let s3 = Fixture::start().await;
    for lengths in [
        "content-length: 3\r\ncontent-length: 4",
        "content-length: 3\r\ntransfer-encoding: chunked",
        "content-length: -1",
        "content-length: 99999999999999999999999",
        "content-length: 3, 4",
    ] {
        let request = format!("PUT /bkt/k HTTP/1.1\r\nhost: h\r\n{lengths}\r\nconnection: close\r\n\r\nabc");
        let reply = s3.send_raw(request.as_bytes(), false).await;
        assert!((400..600).contains(&reply.status), "{lengths}: {}", reply.status);
        assert_eq!(s3.get("/bkt/k").await.status, 404, "{lengths}");
    }
}

#[tokio::test]
async fn health_and_metrics_are_told_where_that_is_on() {
    let off = Fixture::start().await;
    for target in ["/_health", "/_metrics"] {
        assert!(off.get(target).await.status >= 400, "{target}");
    }
    let s3 = Fixture::with(|settings| {
        (settings.answers_health, settings.answers_metrics, settings.auth_enabled) = (true, true, true);
    });
    let s3 = s3.await;
    let health = s3.get("/_health").await;
    assert_eq!((health.status, health.text().as_str()), (200, r#"{"status":"ok"}"#));
    assert_eq!(s3.get("/bkt/k").await.status, 403);
    let metrics = s3.get("/_metrics").await;
    assert_eq!(metrics.status, 200);
    let text = metrics.text();
    assert!(text.contains("holdfast_requests_total{operation=\"GetObject\",status=\"403\"} 1\n"), "{text}");
    assert!(text.contains("holdfast_request_duration_seconds_count{operation=\"GetObject\"} 1\n"), "{text}");
    assert!(text.contains("holdfast_connections ") && text.ends_with("# EOF\n"), "{text}");
    let posted = s3.put("/_health", b"").await;
    assert!(posted.status >= 400, "it is read alone");
    let host = [("host", "bkt.localhost")];
    assert_eq!(s3.send("GET", "/_health", &host, b"").await.status, 403, "there it is a key");
}

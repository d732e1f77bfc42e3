//! Faults, as a client meets them.

use std::time::{Duration, Instant};

use holdfast_s3_server::{Cut, Fault, Operation};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::{Fixture, Reply};

const KIB: usize = 1 << 10;

fn of(operation: Operation, fault: Fault) -> Fault {
    Fault { operation: Some(operation), count: Some(1), ..fault }
}

/// What comes back, to the end of the connection.
async fn raw(s3: &Fixture, head: &str, body: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(s3.server.address()).await.unwrap();
    let head = format!("{head}\r\nhost: h\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).await.unwrap();
    // The server may hang up before it has read everything.
    let _ = stream.write_all(body).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    answer
}

#[tokio::test]
async fn a_cut_in_the_request_leaves_what_was_there() {
    let s3 = Fixture::start().await;
    s3.put("/bkt/k", b"old").await;
    for at_byte in [None, Some(0), Some(199 * KIB as u64)] {
        s3.server
            .faults()
            .add(of(Operation::PutObject, Fault { cut: Some(Cut::Request), at_byte, ..Fault::default() }));
        assert!(raw(&s3, "PUT /bkt/k HTTP/1.1", &vec![b'n'; 200 * KIB]).await.is_empty());
        assert_eq!(s3.server.log().records().last().unwrap().status, 0);
        assert_eq!(s3.get("/bkt/k").await.text(), "old");
    }
    s3.server.faults().add(of(Operation::GetObject, Fault { cut: Some(Cut::Request), ..Fault::default() }));
    assert!(raw(&s3, "GET /bkt/k HTTP/1.1", b"").await.is_empty(), "without a body it is cut before");
}

#[tokio::test]
async fn a_cut_in_the_answer_gives_the_head_and_a_part_of_the_body() {
    let s3 = Fixture::start().await;
    let body: Vec<u8> = (0..100 * KIB).map(|n| (n % 251) as u8).collect();
    s3.put("/bkt/k", &body).await;
    for (at_byte, expected) in [(None, 50 * KIB), (Some(10), 10), (Some(1 << 40), 100 * KIB - 1)] {
        let fault = Fault { cut: Some(Cut::Response), at_byte, ..Fault::default() };
        s3.server.faults().add(of(Operation::GetObject, fault));
        let reply = Reply::read(&raw(&s3, "GET /bkt/k HTTP/1.1", b"").await, false);
        assert_eq!((reply.status, reply.header("content-length")), (200, "102400"));
        assert_eq!(reply.body, &body[..expected]);
    }
    s3.server.faults().add(of(Operation::PutObject, Fault { cut: Some(Cut::Response), ..Fault::default() }));
    assert!(raw(&s3, "PUT /bkt/new HTTP/1.1", b"data").await.is_empty());
    assert_eq!(s3.get("/bkt/new").await.text(), "data", "it happened");
}

#[tokio::test]
async fn a_corrupt_answer_differs_in_one_bit() {
    let s3 = Fixture::start().await;
    let body = vec![0; 100 * KIB];
    s3.put("/bkt/k", &body).await;
    for (at_byte, place) in [(None, 50 * KIB), (Some(70_000), 70_000)] {
        s3.server.faults().add(of(Operation::GetObject, Fault { corrupt: true, at_byte, ..Fault::default() }));
        let mut expected = body.clone();
        expected[place] = 1;
        assert!(s3.get("/bkt/k").await.body == expected);
    }
    assert!(s3.get("/bkt/k").await.body == body);
}

#[tokio::test]
async fn a_throttle_lets_so_many_bytes_a_second_through_both_ways() {
    let s3 = Fixture::start().await;
    let fault = Fault { bytes_per_second: Some(400 * KIB as u64), ..Fault::default() };
    s3.server.faults().add(fault);
    let body = vec![b'x'; 100 * KIB];
    // Only the least time is promised: a quarter of a second each way.
    let least = Duration::from_millis(250);
    let started = Instant::now();
    assert_eq!(s3.put("/bkt/k", &body).await.status, 200);
    assert!(started.elapsed() >= least);
    let started = Instant::now();
    assert!(s3.get("/bkt/k").await.body == body);
    assert!(started.elapsed() >= least);
}

#[tokio::test]
async fn an_error_that_is_answered_can_be_cut_too() {
    let s3 = Fixture::start().await;
    let error = holdfast_s3_server::Code::named("SlowDown");
    s3.server
        .faults()
        .add(of(Operation::GetObject, Fault { error, cut: Some(Cut::Response), at_byte: Some(5), ..Fault::default() }));
    let reply = Reply::read(&raw(&s3, "GET /bkt/k HTTP/1.1", b"").await, false);
    assert_eq!((reply.status, reply.body.as_slice()), (503, &b"<?xml"[..]));
}

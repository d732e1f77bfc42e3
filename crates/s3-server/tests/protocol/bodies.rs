//! Bodies: what fails its promise leaves nothing behind.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::{Fixture, Reply};

/// Waits until no file lies where bodies are staged: a write may still be on its way to the disk when its request
/// is over, and the file goes with it.
async fn nothing_staged(s3: &Fixture) {
    let swept = async {
        while s3.data_files().iter().any(|name| name.starts_with(".holdfast/staging/")) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), swept).await.expect("a staged file goes with its request");
}

#[tokio::test]
async fn an_unsigned_chunked_body_is_unwrapped_and_its_trailer_verified() {
    let s3 = Fixture::start().await;
    let headers = [
        ("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"),
        ("content-encoding", "gzip,aws-chunked"),
        ("x-amz-decoded-content-length", "9"),
        ("x-amz-trailer", "x-amz-checksum-crc32"),
    ];
    let right = b"5\r\n12345\r\n4\r\n6789\r\n0\r\nx-amz-checksum-crc32:y/Q5Jg==\r\n\r\n";
    let put = s3.send("PUT", "/bkt/right", &headers, right).await;
    assert_eq!((put.status, put.header("x-amz-checksum-crc32")), (200, "y/Q5Jg=="));
    let got = s3.send("GET", "/bkt/right", &[("x-amz-checksum-mode", "ENABLED")], b"").await;
    assert_eq!((got.text().as_str(), got.header("content-encoding")), ("123456789", "gzip"));
    assert_eq!((got.header("x-amz-checksum-crc32"), got.header("x-amz-checksum-type")), ("y/Q5Jg==", "FULL_OBJECT"));
    for (body, code) in [
        (&b"9\r\n123456789\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n"[..], "BadDigest"),
        (b"9\r\n123456789\r\n0\r\nx-amz-checksum-crc32:none\r\n\r\n", "InvalidRequest"),
        (b"9\r\n123456789\r\n0\r\n\r\n", "MalformedTrailerError"),
        (b"5\r\n12345\r\n0\r\nx-amz-checksum-crc32:y/Q5Jg==\r\n\r\n", "IncompleteBody"),
        (b"a\r\n1234567890\r\n0\r\nx-amz-checksum-crc32:y/Q5Jg==\r\n\r\n", "InvalidRequest"),
        (b"zz\r\n123456789\r\n0\r\n\r\n", "InvalidRequest"),
        (b"9\r\n123456789\r\n", "IncompleteBody"),
    ] {
        let refused = s3.send("PUT", "/bkt/wrong", &headers, body).await;
        assert_eq!(refused.error(), (400, code.into()), "{}", String::from_utf8_lossy(body));
    }
    assert_eq!(s3.get("/bkt/wrong").await.status, 404);
    nothing_staged(&s3).await;
}

#[tokio::test]
async fn digests_are_verified_and_kept() {
    let s3 = Fixture::start().await;
    let put = async |name: &str, value: &str| s3.send("PUT", "/bkt/sum", &[(name, value)], b"123456789").await;
    for (name, right) in [
        ("content-md5", "JfnnlDI7RTiF9RgfG2JNCw=="),
        ("x-amz-checksum-crc32", "y/Q5Jg=="),
        ("x-amz-checksum-crc32c", "4waSgw=="),
        ("x-amz-checksum-crc64nvme", "rosUhgp5mIg="),
        ("x-amz-checksum-sha1", "98O8HYCOBHMq32eZZczDTKeuNEE="),
        ("x-amz-checksum-sha256", "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU="),
    ] {
        assert_eq!(put(name, right).await.status, 200, "{name}");
        let wrong = right.replacen(|c: char| c.is_ascii_alphanumeric(), "Z", 1);
        assert_eq!(put(name, &wrong).await.error(), (400, "BadDigest".into()), "{name}");
    }
    assert_eq!(put("content-md5", "short").await.error(), (400, "InvalidDigest".into()));
    assert_eq!(put("x-amz-checksum-crc32", "short").await.error(), (400, "InvalidRequest".into()));
    assert_eq!(put("x-amz-sdk-checksum-algorithm", "CRC32").await.error(), (400, "InvalidRequest".into()));
    let by_default = s3.put("/bkt/plain", b"123456789").await;
    assert_eq!(by_default.header("x-amz-checksum-crc64nvme"), "rosUhgp5mIg=");
}

#[tokio::test]
async fn a_client_that_hangs_up_leaves_nothing() {
    let s3 = Fixture::start().await;
    s3.put("/bkt/k", b"old").await;
    let mut stream = TcpStream::connect(s3.server.address()).await.unwrap();
    let head = "PUT /bkt/k HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9000000\r\nexpect: 100-continue\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut asked = [0; 25];
    stream.read_exact(&mut asked).await.unwrap();
    assert_eq!(&asked, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(&vec![b'x'; 3_000_000]).await.unwrap();
    drop(stream);
    while s3.server.log().records().len() < 2 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    nothing_staged(&s3).await;
    assert_eq!(s3.get("/bkt/k").await.text(), "old");
}

#[tokio::test]
async fn a_body_that_is_not_wanted_is_not_asked_for() {
    let s3 = Fixture::with(|settings| settings.max_object_bytes = 10).await;
    for (target, code) in [("/bkt/k", "EntityTooLarge"), ("/nobucket/k", "NoSuchBucket")] {
        let head = format!("PUT {target} HTTP/1.1\r\nhost: h\r\ncontent-length: 11\r\nexpect: 100-continue\r\n\r\n");
        let mut stream = TcpStream::connect(s3.server.address()).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        assert_eq!(Reply::read(&answer, false).error().1, code);
    }
}

#[tokio::test]
async fn an_encoding_is_kept_as_it_was_written_without_that_of_the_transfer() {
    let s3 = Fixture::start().await;
    for (sent, kept) in [
        ("gzip", "gzip"),
        ("deflate, gzip", "deflate, gzip"),
        ("deflate,gzip", "deflate,gzip"),
        ("gzip, aws-chunked", "gzip"),
        ("deflate,gzip,AWS-Chunked", "deflate, gzip"),
        ("aws-chunked, aws-chunked", ""),
    ] {
        assert_eq!(s3.send("PUT", "/bkt/k", &[("content-encoding", sent)], b"data").await.status, 200);
        assert_eq!(s3.get("/bkt/k").await.header("content-encoding"), kept, "{sent}");
    }
}

#[tokio::test]
async fn a_length_must_be_told() {
    let s3 = Fixture::start().await;
    let chunked = s3.send("PUT", "/bkt/k", &[("transfer-encoding", "chunked")], b"1\r\na\r\n0\r\n\r\n").await;
    assert_eq!(chunked.error(), (411, "MissingContentLength".into()));
    let both =
        "PUT /bkt/k HTTP/1.1\r\nhost: h\r\ncontent-length: 1\r\ncontent-length: 2\r\nconnection: close\r\n\r\nab";
    assert_eq!(s3.send_raw(both.as_bytes(), false).await.status, 400);
    let negative = "PUT /bkt/k HTTP/1.1\r\nhost: h\r\ncontent-length: -1\r\nconnection: close\r\n\r\n";
    assert_eq!(s3.send_raw(negative.as_bytes(), false).await.status, 400);
    assert_eq!(s3.get("/bkt/k").await.status, 404);
}

#[tokio::test]
async fn documents_are_bounded() {
    let s3 = Fixture::start().await;
    let huge = vec![b' '; (8 << 20) + 1000];
    let refused = s3.send("POST", "/bkt?delete", &[], &huge).await;
    assert_eq!(refused.error(), (400, "MaxMessageLengthExceeded".into()));
}

#[tokio::test]
async fn a_client_that_stops_sending_is_not_waited_for_forever() {
    let s3 = Fixture::with(|settings| settings.request_timeout_ms = 100).await;
    let mut stream = TcpStream::connect(s3.server.address()).await.unwrap();
    stream.write_all(b"PUT /bkt/k HTTP/1.1\r\nhost: h\r\ncontent-length: 10\r\n\r\nhalf").await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    assert_eq!(Reply::read(&answer, false).error(), (400, "RequestTimeout".into()));
    assert_eq!(s3.get("/bkt/k").await.status, 404);
}

#[tokio::test]
async fn a_client_that_is_answered_without_the_continue_it_waits_for_is_told_that_the_connection_ends() {
    let s3 = Fixture::start().await;
    for (target, length, status) in [("/bkt/empty", 0, 200), ("/missing-bucket/k", 11, 404)] {
        let head =
            format!("PUT {target} HTTP/1.1\r\nhost: h\r\ncontent-length: {length}\r\nexpect: 100-continue\r\n\r\n");
        // Ends only when the server hangs up.
        let reply = s3.send_raw(head.as_bytes(), false).await;
        assert_eq!((reply.status, reply.header("connection")), (status, "close"), "{target}");
    }
}

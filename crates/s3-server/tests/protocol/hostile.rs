//! Input that means harm gets an error and changes nothing.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::{Fixture, Reply};

#[tokio::test]
async fn a_key_may_have_1024_bytes_and_no_more() {
    let s3 = Fixture::start().await;
    let longest = "k".repeat(1024);
    assert_eq!(s3.put(&format!("/bkt/{longest}"), b"x").await.status, 200);
    assert_eq!(s3.get(&format!("/bkt/{longest}")).await.text(), "x");
    assert_eq!(s3.put(&format!("/bkt/{longest}k"), b"x").await.error(), (400, "KeyTooLongError".into()));
}

#[tokio::test]
async fn a_path_leads_out_of_no_bucket() {
    let s3 = Fixture::start().await;
    std::fs::write(s3.directory.path().join("secret"), "hidden").unwrap();
    for target in [
        "/bkt/../secret",
        "/bkt/..%2fsecret",
        "/../secret",
        "/%2e%2e/secret",
        "/..%2f..%2fsecret/k",
        "/.holdfast/index.db",
    ] {
        assert_eq!(s3.get(target).await.status, 404, "{target}");
    }
    for target in ["/..", "/%2e%2e", "/.holdfast", "/a%2f..%2fb"] {
        assert_ne!(s3.put(target, b"").await.status, 200, "{target}");
    }
    assert_eq!(s3.put("/bkt/../secret", b"mine").await.status, 200);
    assert_eq!(std::fs::read(s3.directory.path().join("secret")).unwrap(), b"hidden");
    assert_eq!(s3.get("/").await.elements("Name"), ["bkt"]);
}

#[tokio::test]
async fn endless_heads_are_refused() {
    let s3 = Fixture::start().await;
    let long = format!("GET /bkt/k HTTP/1.1\r\nhost: h\r\nx-amz-meta-a: {}\r\n\r\n", "a".repeat(100_000));
    let mut stream = TcpStream::connect(s3.server.address()).await.unwrap();
    let mut answer = Vec::new();
    // The server hangs up on what it does not read, so that a reset may overtake its answer.
    if stream.write_all(long.as_bytes()).await.is_ok() && stream.read_to_end(&mut answer).await.is_ok() {
        assert_eq!(Reply::read(&answer, false).status, 431);
    }
    assert!(s3.server.log().records().is_empty(), "it was not even looked at");
    let many = "x: y\r\n".repeat(300);
    let many = format!("GET /bkt/k HTTP/1.1\r\nhost: h\r\n{many}\r\n");
    assert_eq!(s3.send_raw(many.as_bytes(), false).await.status, 431);
    assert_eq!(s3.get("/bkt?list-type=2").await.status, 200);
}

#[tokio::test]
async fn what_is_not_utf8_is_refused_in_a_path_and_a_query() {
    let s3 = Fixture::start().await;
    for target in ["/bkt/%ff", "/bkt?prefix=%ff"] {
        assert_eq!(s3.get(target).await.error(), (400, "InvalidURI".into()), "{target}");
    }
}

#[tokio::test]
async fn metadata_is_bounded_and_may_be_any_text() {
    let s3 = Fixture::start().await;
    let put = async |value: &str| s3.send("PUT", "/bkt/k", &[("x-amz-meta-a", value)], b"x").await;
    assert_eq!(put(&"v".repeat(2048)).await.error(), (400, "MetadataTooLarge".into()));
    assert_eq!(s3.get("/bkt/k").await.status, 404);
    assert_eq!(put("grün").await.status, 200);
    assert_eq!(s3.get("/bkt/k").await.header("x-amz-meta-a"), "=?UTF-8?B?Z3LDvG4=?=");
}

//! Requests that no well-meaning client sends, and how S3 answers them.

use crate::client::{Fixture, Reply};
use crate::guarded::Guarded;
use crate::signer::sha256;

fn error(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

#[tokio::test]
async fn an_empty_authorization_is_none() {
    let s3 = Guarded::start().await;
    let refused = s3.s3.send("PUT", "/bkt/k", &[("authorization", "")], b"data").await;
    assert_eq!(refused.error(), error(403, "AccessDenied"));
}

#[tokio::test]
async fn list_types_and_numbers_of_buckets_that_are_none_are_refused() {
    let s3 = Fixture::start().await;
    for target in ["/bkt?list-type=3", "/bkt?list-type=", "/?max-buckets=0", "/?max-buckets=10001"] {
        assert_eq!(s3.get(target).await.error(), error(400, "InvalidArgument"), "{target}");
    }
    assert_eq!(s3.get("/bkt?list-type=2").await.status, 200);
    assert_eq!(s3.get("/?max-buckets=1").await.elements("Bucket").len(), 1);
}

#[tokio::test]
async fn the_unknown_may_not_choose_the_headers_of_an_answer() {
    let s3 = Guarded::start().await;
    s3.put("k", b"data").await;
    let allow = r#"{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::bkt/*"}"#;
    assert_eq!(s3.put_policy(allow).await.status, 204);
    assert_eq!(s3.s3.get("/bkt/k").await.status, 200);
    let refused = s3.s3.get("/bkt/k?response-content-type=text%2Fhtml").await;
    assert_eq!(refused.error(), error(400, "InvalidRequest"));
    let headers = s3.signer().headers("GET", "/bkt/k?response-content-type=text%2Fhtml", &sha256(b""), &[]);
    let chosen = s3.send("GET", "/bkt/k?response-content-type=text%2Fhtml", &headers, b"").await;
    assert_eq!((chosen.status, chosen.header("content-type")), (200, "text/html"));
}

#[tokio::test]
async fn a_bucket_of_another_owner_than_expected_is_left_alone() {
    let s3 = Fixture::start().await;
    s3.put("/bkt/k", b"data").await;
    let expecting = async |account: &str| {
        s3.send("PUT", "/bkt/k", &[("x-amz-expected-bucket-owner", account)], b"new").await.error()
    };
    assert_eq!(expecting("123456789012").await, error(403, "AccessDenied"));
    assert_eq!(expecting("somebody").await, error(400, "InvalidBucketOwnerAWSAccountID"));
    assert_eq!(s3.get("/bkt/k").await.text(), "data");
    assert_eq!(expecting("000000000000").await.0, 200);
    let headers = [("x-amz-copy-source", "/bkt/k"), ("x-amz-source-expected-bucket-owner", "123456789012")];
    assert_eq!(s3.send("PUT", "/bkt/copy", &headers, b"").await.error(), error(403, "AccessDenied"));
}

#[tokio::test]
async fn a_delete_may_say_what_the_object_is_like() {
    let s3 = Fixture::start().await;
    let put = s3.put("/bkt/k", b"data").await;
    let modified = s3.get("/bkt/k").await.header("last-modified").to_owned();
    let past = "Sat, 29 Oct 1994 19:43:31 GMT";
    let delete = async |key: &str, headers: &[(&str, &str)]| {
        s3.send("DELETE", &format!("/bkt/{key}"), headers, b"").await.status
    };
    assert_eq!(delete("k", &[("x-amz-if-match-size", "5")]).await, 412);
    assert_eq!(delete("k", &[("x-amz-if-match-last-modified-time", past)]).await, 412);
    assert_eq!(delete("k", &[("x-amz-if-match-size", "4"), ("if-match", "\"other\"")]).await, 412);
    assert_eq!(delete("k", &[("x-amz-if-match-size", "large")]).await, 400);
    assert_eq!(delete("k", &[("x-amz-if-match-last-modified-time", "then")]).await, 400);
    assert_eq!(s3.get("/bkt/k").await.text(), "data");
    let all = [
        ("x-amz-if-match-size", "4"),
        ("x-amz-if-match-last-modified-time", modified.as_str()),
        ("if-match", put.header("etag")),
    ];
    assert_eq!(delete("k", &all).await, 204);
    assert_eq!(delete("missing", &[("x-amz-if-match-size", "4")]).await, 204);
}

#[tokio::test]
async fn each_of_many_deletes_may_say_what_its_object_is_like() {
    let s3 = Fixture::start().await;
    for key in ["size", "time", "right"] {
        s3.put(&format!("/bkt/{key}"), b"data").await;
    }
    let of = |key: &str, more: &str| format!("<Object><Key>{key}</Key>{more}</Object>");
    let modified = s3.get("/bkt?prefix=right").await.element("LastModified");
    let document = format!(
        "<Delete>{}{}{}</Delete>",
        of("size", "<Size>5</Size>"),
        of("time", "<LastModifiedTime>Sat, 29 Oct 1994 19:43:31 GMT</LastModifiedTime>"),
        of("right", &format!("<Size>4</Size><LastModifiedTime>{modified}</LastModifiedTime>")),
    );
    let answer = s3.send("POST", "/bkt?delete", &[], document.as_bytes()).await;
    assert_eq!(answer.elements("Code"), ["PreconditionFailed", "PreconditionFailed"]);
    assert_eq!(s3.get("/bkt").await.elements("Key"), ["size", "time"]);
    let wrong = format!("<Delete>{}</Delete>", of("size", "<Size>large</Size>"));
    assert_eq!(s3.send("POST", "/bkt?delete", &[], wrong.as_bytes()).await.error(), error(400, "MalformedXML"));
}

#[tokio::test]
async fn metadata_that_is_not_ascii_comes_back_as_an_encoded_word() {
    let s3 = Fixture::start().await;
    let metadata_of = async |value: &[u8]| -> Reply {
        let head = format!("PUT /bkt/k HTTP/1.1\r\nhost: {}\r\ncontent-length: 0\r\n", s3.server.address());
        let request = [head.as_bytes(), b"connection: close\r\nx-amz-meta-who: ", value, b"\r\n\r\n"].concat();
        assert_eq!(s3.send_raw(&request, false).await.status, 200);
        s3.send("HEAD", "/bkt/k", &[], b"").await
    };
    assert_eq!(metadata_of("Grüße 🦀".as_bytes()).await.header("x-amz-meta-who"), "=?UTF-8?B?R3LDvMOfZSDwn6aA?=");
    // Latin-1, which clients that follow the letter of HTTP send.
    assert_eq!(metadata_of(b"Gr\xfc\xdfe").await.header("x-amz-meta-who"), "=?UTF-8?B?R3LDvMOfZQ==?=");
    assert_eq!(metadata_of(b"=?UTF-8?Q?Gr=C3=BC?=").await.header("x-amz-meta-who"), "=?UTF-8?Q?Gr=C3=BC?=");
}

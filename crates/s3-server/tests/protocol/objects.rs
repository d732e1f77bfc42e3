//! Objects over the wire: put, read, listed, copied, deleted.

use crate::client::Fixture;

#[tokio::test]
async fn what_is_put_is_got_with_its_headers() {
    let s3 = Fixture::start().await;
    let headers = [("content-type", "text/plain"), ("x-amz-meta-colour", "green"), ("cache-control", "no-store")];
    let put = s3.send("PUT", "/bkt/a/b.txt", &headers, b"hello").await;
    assert_eq!((put.status, put.header("etag")), (200, "\"5d41402abc4b2a76b9719d911017c592\""));
    let got = s3.get("/bkt/a/b.txt").await;
    assert_eq!((got.status, got.body.as_slice()), (200, b"hello".as_slice()));
    for (name, value) in headers {
        assert_eq!(got.header(name), value);
    }
    assert_eq!(got.header("content-length"), "5");
    assert!(!got.header("x-amz-request-id").is_empty());
}

#[tokio::test]
async fn an_answer_to_head_has_the_headers_and_no_body() {
    let s3 = Fixture::start().await;
    s3.put("/bkt/k", b"hello").await;
    let head = s3.send("HEAD", "/bkt/k", &[], b"").await;
    assert_eq!((head.status, head.header("content-length")), (200, "5"));
    assert_eq!(s3.send("HEAD", "/bkt/none", &[], b"").await.status, 404);
    assert_eq!(s3.send("HEAD", "/bkt", &[], b"").await.status, 200);
    assert_eq!(s3.send("HEAD", "/nobucket", &[], b"").await.status, 404);
}

#[tokio::test]
async fn what_is_not_there_is_told_apart() {
    let s3 = Fixture::start().await;
    assert_eq!(s3.get("/bkt/none").await.error(), (404, "NoSuchKey".into()));
    assert_eq!(s3.get("/nobucket/none").await.error(), (404, "NoSuchBucket".into()));
    assert_eq!(s3.put("/nobucket/k", b"x").await.error(), (404, "NoSuchBucket".into()));
    let error = s3.get("/bkt/none").await;
    assert_eq!((error.element("Key").as_str(), error.element("Resource").as_str()), ("none", "/bkt/none"));
}

#[tokio::test]
async fn odd_keys_are_kept_exactly() {
    let s3 = Fixture::start().await;
    let keys = [
        "/bkt//a",
        "/bkt/a//b",
        "/bkt/../etc",
        "/bkt/a/./b",
        "/bkt/a+b",
        "/bkt/a%2Bb%2520c",
        "/bkt/%F0%9F%A6%80",
        "/bkt/x/",
    ];
    for key in keys {
        assert_eq!(s3.put(key, key.as_bytes()).await.status, 200, "{key}");
    }
    // `a+b` is a key with a plus sign, so `a%2Bb` would be the same one.
    for key in keys {
        assert_eq!(s3.get(key).await.text(), key);
    }
    let listed = s3.get("/bkt?list-type=2&encoding-type=url").await.elements("Key");
    assert_eq!(listed, ["../etc", "/a", "a%2Bb", "a%2Bb%2520c", "a/./b", "a//b", "x/", "%F0%9F%A6%80"]);
}

#[tokio::test]
async fn a_name_under_localhost_is_a_bucket() {
    let s3 = Fixture::start().await;
    let host = [("host", "bkt.localhost:3000")];
    assert_eq!(s3.send("PUT", "/a/b", &host, b"virtual").await.status, 200);
    assert_eq!(s3.get("/bkt/a/b").await.text(), "virtual");
    assert_eq!(s3.send("GET", "/?list-type=2", &host, b"").await.elements("Key"), ["a/b"]);
}

#[tokio::test]
async fn ranges_are_answered_as_asked() {
    let s3 = Fixture::start().await;
    s3.put("/bkt/k", b"0123456789").await;
    let range = async |range| s3.send("GET", "/bkt/k", &[("range", range)], b"").await;
    let part = range("bytes=2-4").await;
    assert_eq!((part.status, part.text().as_str(), part.header("content-range")), (206, "234", "bytes 2-4/10"));
    assert_eq!(range("bytes=-3").await.text(), "789");
    assert_eq!(range("bytes=8-").await.text(), "89");
    assert_eq!(range("bytes=10-").await.error(), (416, "InvalidRange".into()));
    assert_eq!(range("bytes=0-1,3-4").await.status, 200);
}

#[tokio::test]
async fn listings_page_by_key_and_roll_up_by_delimiter() {
    let s3 = Fixture::start().await;
    for key in ["a", "b/1", "b/2", "c", "d/1"] {
        s3.put(&format!("/bkt/{key}"), b"").await;
    }
    let first = s3.get("/bkt?list-type=2&delimiter=/&max-keys=2").await;
    assert_eq!((first.elements("Key"), first.elements("Prefix")), (vec!["a".into()], vec![String::new(), "b/".into()]));
    assert_eq!((first.element("IsTruncated").as_str(), first.element("KeyCount").as_str()), ("true", "2"));
    let token = first.element("NextContinuationToken");
    let second = s3.get(&format!("/bkt?list-type=2&delimiter=/&continuation-token={token}")).await;
    assert_eq!(second.elements("Key"), ["c"]);
    assert_eq!(second.element("IsTruncated"), "false");
    let v1 = s3.get("/bkt?marker=b/1&max-keys=1").await;
    assert_eq!(v1.elements("Key"), ["b/2"]);
    assert_eq!(s3.get("/bkt?list-type=2&start-after=c&prefix").await.elements("Key"), ["d/1"]);
    assert_eq!(s3.get("/bkt?list-type=2&max-keys=x").await.error(), (400, "InvalidArgument".into()));
    assert_eq!(s3.get("/bkt?list-type=2&continuation-token=!").await.error(), (400, "InvalidArgument".into()));
}

#[tokio::test]
async fn a_copy_keeps_or_replaces_what_its_source_says() {
    let s3 = Fixture::start().await;
    s3.send("PUT", "/bkt/from%20here", &[("x-amz-meta-a", "1"), ("content-type", "text/x")], b"data").await;
    let copy = s3.send("PUT", "/bkt/kept", &[("x-amz-copy-source", "/bkt/from%20here")], b"").await;
    assert_eq!((copy.status, copy.element("ETag").contains("8d777f385d3dfec8815d20f7496026dc")), (200, true));
    let kept = s3.get("/bkt/kept").await;
    assert_eq!(
        (kept.text().as_str(), kept.header("x-amz-meta-a"), kept.header("content-type")),
        ("data", "1", "text/x")
    );
    let replace = [("x-amz-copy-source", "bkt/kept"), ("x-amz-metadata-directive", "REPLACE"), ("x-amz-meta-b", "2")];
    s3.send("PUT", "/bkt/replaced", &replace, b"").await;
    let replaced = s3.get("/bkt/replaced").await;
    assert_eq!((replaced.header("x-amz-meta-a"), replaced.header("x-amz-meta-b")), ("", "2"));
    let onto_itself = s3.send("PUT", "/bkt/kept", &[("x-amz-copy-source", "bkt/kept")], b"").await;
    assert_eq!(onto_itself.error(), (400, "InvalidRequest".into()));
    let unmatched = [("x-amz-copy-source", "bkt/kept"), ("x-amz-copy-source-if-match", "\"nope\"")];
    assert_eq!(s3.send("PUT", "/bkt/x", &unmatched, b"").await.error(), (412, "PreconditionFailed".into()));
}

#[tokio::test]
async fn many_keys_are_deleted_at_once() {
    let s3 = Fixture::start().await;
    for key in ["a", "b&c", "d"] {
        s3.put(&format!("/bkt/{key}"), b"").await;
    }
    let body = b"<Delete><Object><Key>a</Key></Object><Object><Key>b&amp;c</Key></Object><Object><Key>none</Key></Object></Delete>";
    let deleted = s3.send("POST", "/bkt?delete", &[], body).await;
    assert_eq!(deleted.elements("Key"), ["a", "b&amp;c", "none"]);
    assert_eq!(s3.get("/bkt?list-type=2").await.elements("Key"), ["d"]);
    assert_eq!(s3.send("POST", "/bkt?delete", &[], b"<Delete>").await.error(), (400, "MalformedXML".into()));
    assert_eq!(s3.send("DELETE", "/bkt/d", &[], b"").await.status, 204);
    assert_eq!(s3.send("DELETE", "/bkt/d", &[], b"").await.status, 204);
}

#[tokio::test]
async fn buckets_are_made_listed_and_removed_when_empty() {
    let s3 = Fixture::start().await;
    assert_eq!(s3.put("/other", b"").await.status, 200);
    assert_eq!(s3.put("/Not_A_Name", b"").await.error(), (400, "InvalidBucketName".into()));
    assert_eq!(s3.get("/").await.elements("Name"), ["bkt", "other"]);
    s3.put("/other/k", b"").await;
    assert_eq!(s3.send("DELETE", "/other", &[], b"").await.error(), (409, "BucketNotEmpty".into()));
    s3.send("DELETE", "/other/k", &[], b"").await;
    assert_eq!(s3.send("DELETE", "/other", &[], b"").await.status, 204);
    assert_eq!(s3.send("DELETE", "/other", &[], b"").await.error(), (404, "NoSuchBucket".into()));
    assert!(s3.get("/bkt?location").await.text().contains("<LocationConstraint"));
}

#[tokio::test]
async fn what_is_not_done_is_refused_and_changes_nothing() {
    let s3 = Fixture::start().await;
    s3.put("/bkt/k", b"old").await;
    for target in ["/bkt/k?torrent", "/bkt/k?unheard-of", "/bkt/k?unheard-of=", "/bkt?inventory"] {
        assert_eq!(s3.put(target, b"new").await.error(), (501, "NotImplemented".into()), "{target}");
    }
    assert_eq!(s3.get("/bkt/k?overlooked=1").await.text(), "old");
    assert_eq!(s3.send("POST", "/bkt/k", &[], b"").await.error(), (405, "MethodNotAllowed".into()));
}

#[tokio::test]
async fn a_storage_class_is_kept_and_moves_nothing() {
    let s3 = Fixture::start().await;
    let class = |class| [("x-amz-storage-class", class)];
    assert_eq!(s3.send("PUT", "/bkt/cold", &class("GLACIER"), b"cold").await.status, 200);
    assert_eq!(s3.send("PUT", "/bkt/plain", &class("STANDARD"), b"x").await.status, 200);
    let got = s3.get("/bkt/cold").await;
    assert_eq!((got.text().as_str(), got.header("x-amz-storage-class")), ("cold", "GLACIER"));
    assert_eq!(s3.get("/bkt/plain").await.header("x-amz-storage-class"), "");
    assert_eq!(s3.get("/bkt").await.elements("StorageClass"), ["GLACIER", "STANDARD"]);
    assert_eq!(s3.get("/bkt?versions").await.elements("StorageClass"), ["GLACIER", "STANDARD"]);
    let begun = s3.send("POST", "/bkt/parts?uploads", &class("STANDARD_IA"), b"").await;
    assert_eq!(begun.status, 200);
    assert_eq!(s3.get("/bkt?uploads").await.element("StorageClass"), "STANDARD_IA");
    let refused = s3.send("PUT", "/bkt/new", &class("LUKEWARM"), b"x").await;
    assert_eq!(refused.error(), (400, "InvalidStorageClass".into()));
}

#[tokio::test]
async fn restoring_and_selecting_are_not_implemented() {
    let s3 = Fixture::start().await;
    s3.put("/bkt/k", b"old").await;
    let restore = b"<RestoreRequest><Days>1</Days></RestoreRequest>";
    for target in ["/bkt/k?restore", "/bkt/k?restore&versionId=null", "/bkt/k?select&select-type=2"] {
        let refused = s3.send("POST", target, &[], restore).await;
        assert_eq!(refused.error(), (501, "NotImplemented".into()), "{target}");
    }
    assert_eq!(s3.get("/bkt/k").await.text(), "old");
}

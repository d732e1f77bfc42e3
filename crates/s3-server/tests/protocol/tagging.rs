//! Tags of objects and buckets over the wire.

use crate::client::Fixture;
use crate::guarded::Guarded;

fn tagging(tags: &[(&str, &str)]) -> Vec<u8> {
    let tag = |(key, value): &(&str, &str)| format!("<Tag><Key>{key}</Key><Value>{value}</Value></Tag>");
    format!("<Tagging><TagSet>{}</TagSet></Tagging>", tags.iter().map(tag).collect::<String>()).into_bytes()
}

async fn tags(s3: &Fixture, target: &str) -> Vec<(String, String)> {
    let got = s3.get(target).await;
    assert_eq!(got.status, 200, "{}", got.text());
    got.elements("Key").into_iter().zip(got.elements("Value")).collect()
}

fn pairs(tags: &[(&str, &str)]) -> Vec<(String, String)> {
    tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

#[tokio::test]
async fn tags_are_put_got_and_deleted_and_the_object_stays() {
    let s3 = Fixture::start().await;
    s3.put("/bkt/k", b"body").await;
    assert_eq!(tags(&s3, "/bkt/k?tagging").await, []);
    assert_eq!(s3.put("/bkt/k?tagging", &tagging(&[("b", "2"), ("a", "")])).await.status, 200);
    assert_eq!(tags(&s3, "/bkt/k?tagging").await, pairs(&[("b", "2"), ("a", "")]));
    let got = s3.get("/bkt/k").await;
    assert_eq!((got.text().as_str(), got.header("x-amz-tagging-count")), ("body", "2"));
    assert_eq!(s3.send("HEAD", "/bkt/k", &[], b"").await.header("x-amz-tagging-count"), "2");
    assert_eq!(s3.send("DELETE", "/bkt/k?tagging", &[], b"").await.status, 204);
    assert_eq!(tags(&s3, "/bkt/k?tagging").await, []);
    assert_eq!(s3.get("/bkt/k").await.header("x-amz-tagging-count"), "");
    assert_eq!(s3.put("/bkt/none?tagging", &tagging(&[])).await.error(), (404, "NoSuchKey".into()));
}

#[tokio::test]
async fn a_write_brings_tags_in_a_header() {
    let s3 = Fixture::start().await;
    let header = [("x-amz-tagging", "a=1+2&b%2F=%C3%A4&c")];
    assert_eq!(s3.send("PUT", "/bkt/k", &header, b"x").await.status, 200);
    assert_eq!(tags(&s3, "/bkt/k?tagging").await, pairs(&[("a", "1 2"), ("b/", "ä"), ("c", "")]));
    s3.put("/bkt/k", b"without").await;
    assert_eq!(tags(&s3, "/bkt/k?tagging").await, []);
    let begun = s3.send("POST", "/bkt/parts?uploads", &[("x-amz-tagging", "a=b")], b"").await;
    let id = begun.element("UploadId");
    let part = s3.put(&format!("/bkt/parts?partNumber=1&uploadId={id}"), b"part").await;
    let part = format!("<Part><PartNumber>1</PartNumber><ETag>{}</ETag></Part>", part.header("etag"));
    let body = format!("<CompleteMultipartUpload>{part}</CompleteMultipartUpload>");
    assert_eq!(s3.send("POST", &format!("/bkt/parts?uploadId={id}"), &[], body.as_bytes()).await.status, 200);
    assert_eq!(tags(&s3, "/bkt/parts?tagging").await, pairs(&[("a", "b")]));
}

#[tokio::test]
async fn a_copy_keeps_or_replaces_the_tags_of_its_source() {
    let s3 = Fixture::start().await;
    s3.send("PUT", "/bkt/k", &[("x-amz-tagging", "a=1")], b"x").await;
    let copy = async |more: &[(&str, &str)]| {
        let headers = [&[("x-amz-copy-source", "/bkt/k")], more].concat();
        s3.send("PUT", "/bkt/copy", &headers, b"").await
    };
    copy(&[("x-amz-metadata-directive", "REPLACE")]).await;
    assert_eq!(tags(&s3, "/bkt/copy?tagging").await, pairs(&[("a", "1")]));
    copy(&[("x-amz-tagging-directive", "REPLACE"), ("x-amz-tagging", "b=2")]).await;
    assert_eq!(tags(&s3, "/bkt/copy?tagging").await, pairs(&[("b", "2")]));
    copy(&[("x-amz-tagging-directive", "REPLACE")]).await;
    assert_eq!(tags(&s3, "/bkt/copy?tagging").await, []);
    let itself = [("x-amz-copy-source", "/bkt/k?versionId=null"), ("x-amz-tagging-directive", "REPLACE")];
    assert_eq!(s3.send("PUT", "/bkt/k", &itself, b"").await.error(), (400, "InvalidRequest".into()));
    assert_eq!(copy(&[("x-amz-tagging-directive", "KEEP")]).await.error(), (400, "InvalidArgument".into()));
}

#[tokio::test]
async fn tags_that_s3_does_not_take_are_refused_and_change_nothing() {
    let s3 = Fixture::start().await;
    s3.send("PUT", "/bkt/k", &[("x-amz-tagging", "a=1")], b"old").await;
    let keys: Vec<String> = (0..11).map(|n| n.to_string()).collect();
    let many: Vec<(&str, &str)> = keys.iter().map(|key| (key.as_str(), "v")).collect();
    for (body, code) in [
        (tagging(&many), "BadRequest"),
        (tagging(&[(&"k".repeat(129), "v")]), "InvalidTag"),
        (tagging(&[("k", &"v".repeat(257))]), "InvalidTag"),
        (tagging(&[("k", "1"), ("k", "2")]), "InvalidTag"),
        (b"<Tagging>".to_vec(), "MalformedXML"),
    ] {
        assert_eq!(s3.put("/bkt/k?tagging", &body).await.error(), (400, code.into()));
    }
    let header = keys.iter().map(|key| format!("{key}=v")).collect::<Vec<_>>().join("&");
    for (header, code) in [(header.as_str(), "BadRequest"), ("a=1&a=2", "InvalidArgument"), ("a=%23", "InvalidTag")] {
        let refused = s3.send("PUT", "/bkt/k", &[("x-amz-tagging", header)], b"new").await;
        assert_eq!(refused.error(), (400, code.into()), "{header}");
    }
    assert_eq!(tags(&s3, "/bkt/k?tagging").await, pairs(&[("a", "1")]));
    assert_eq!(s3.get("/bkt/k").await.text(), "old");
}

#[tokio::test]
async fn tags_are_those_of_the_version_that_is_named() {
    let s3 = Fixture::start().await;
    let enabled = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    s3.put("/bkt?versioning", enabled).await;
    let first = s3.put("/bkt/k", b"1").await.header("x-amz-version-id").to_owned();
    s3.put("/bkt/k", b"2").await;
    let named = format!("/bkt/k?tagging&versionId={first}");
    let put = s3.put(&named, &tagging(&[("a", "1")])).await;
    assert_eq!((put.status, put.header("x-amz-version-id")), (200, first.as_str()));
    assert_eq!((tags(&s3, &named).await, tags(&s3, "/bkt/k?tagging").await), (pairs(&[("a", "1")]), vec![]));
    let deleted = s3.send("DELETE", &named, &[], b"").await;
    assert_eq!((deleted.status, deleted.header("x-amz-version-id")), (204, first.as_str()));
    s3.send("DELETE", "/bkt/k", &[], b"").await;
    assert_eq!(s3.get("/bkt/k?tagging").await.error(), (404, "NoSuchKey".into()));
}

#[tokio::test]
async fn a_bucket_has_tags_once_they_are_set() {
    let s3 = Fixture::start().await;
    assert_eq!(s3.get("/bkt?tagging").await.error(), (404, "NoSuchTagSet".into()));
    assert_eq!(s3.put("/bkt?tagging", &tagging(&[("team", "a b"), ("stage", "x")])).await.status, 204);
    assert_eq!(tags(&s3, "/bkt?tagging").await, pairs(&[("team", "a b"), ("stage", "x")]));
    assert_eq!(s3.put("/bkt?tagging", &tagging(&[("a", "1"), ("a", "2")])).await.error(), (400, "InvalidTag".into()));
    assert_eq!(s3.send("DELETE", "/bkt?tagging", &[], b"").await.status, 204);
    assert_eq!(s3.get("/bkt?tagging").await.error(), (404, "NoSuchTagSet".into()));
    assert_eq!(s3.get("/none?tagging").await.error(), (404, "NoSuchBucket".into()));
}

/// Everybody may do that with the bucket's objects, on a condition.
fn allow(actions: &str, condition: &str) -> String {
    format!(
        r#"{{"Effect":"Allow","Principal":"*","Action":[{actions}],"Resource":"arn:aws:s3:::bkt/*","Condition":{{{condition}}}}}"#
    )
}

#[tokio::test]
async fn a_policy_looks_at_the_tags_that_a_document_or_a_header_brings() {
    let guarded = Guarded::start().await;
    guarded.put("k", b"body").await;
    let of_green = r#""StringEquals":{"s3:RequestObjectTag/colour":"green"}"#;
    let set = guarded.put_policy(&allow(r#""s3:PutObjectTagging","s3:PutObject""#, of_green)).await;
    assert_eq!(set.status, 204, "{}", set.text());
    let put = async |tags: &[(&str, &str)]| guarded.s3.put("/bkt/k?tagging", &tagging(tags)).await.status;
    assert_eq!(put(&[("colour", "green"), ("size", "1")]).await, 200);
    assert_eq!((put(&[("colour", "red")]).await, put(&[]).await), (403, 403));
    let put = async |tags| guarded.s3.send("PUT", "/bkt/new", &[("x-amz-tagging", tags)], b"x").await.status;
    assert_eq!((put("colour=green").await, put("colour=red").await), (200, 403));
}

#[tokio::test]
async fn a_write_that_brings_tags_needs_the_right_to_set_them() {
    let guarded = Guarded::start().await;
    guarded.put_policy(&allow(r#""s3:PutObject""#, r#""Bool":{"aws:SecureTransport":"false"}"#)).await;
    let put = async |headers: &[(&str, &str)]| guarded.s3.send("PUT", "/bkt/k", headers, b"x").await.status;
    assert_eq!((put(&[]).await, put(&[("x-amz-tagging", "a=b")]).await), (200, 403));
    let begin = guarded.s3.send("POST", "/bkt/k?uploads", &[("x-amz-tagging", "a=b")], b"").await;
    assert_eq!(begin.error(), (403, "AccessDenied".into()));
    let replace = [("x-amz-copy-source", "/bkt/k"), ("x-amz-tagging-directive", "REPLACE"), ("x-amz-tagging", "a=b")];
    assert_eq!(guarded.s3.send("PUT", "/bkt/copy", &replace, b"").await.error(), (403, "AccessDenied".into()));
}

#[tokio::test]
async fn tags_of_a_bucket_are_at_most_fifty() {
    let s3 = Fixture::start().await;
    let keys: Vec<String> = (0..51).map(|n| n.to_string()).collect();
    let many: Vec<(&str, &str)> = keys.iter().map(|key| (key.as_str(), "v")).collect();
    let refused = s3.put("/bkt?tagging", &tagging(&many)).await;
    assert_eq!(refused.error(), (400, "BadRequest".into()));
    assert_eq!(refused.element("Message"), "Bucket tag count cannot be greater than 50");
    assert_eq!(s3.put("/bkt?tagging", &tagging(&many[..50])).await.status, 204);
    assert_eq!(tags(&s3, "/bkt?tagging").await.len(), 50);
    for (tag, code) in [(("aws:a", "v"), "InvalidTag"), (("", "v"), "InvalidTag"), (("a", "<"), "MalformedXML")] {
        assert_eq!(s3.put("/bkt?tagging", &tagging(&[tag])).await.error(), (400, code.into()), "{tag:?}");
    }
    assert_eq!(tags(&s3, "/bkt?tagging").await.len(), 50);
}

#[tokio::test]
async fn a_header_that_is_no_query_brings_no_tags() {
    let s3 = Fixture::start().await;
    let put = async |tags: &str| s3.send("PUT", "/bkt/k", &[("x-amz-tagging", tags)], b"x").await.error();
    for (tags, code) in [
        ("a=%ff", "InvalidArgument"),
        ("a=1&a=2", "InvalidArgument"),
        ("=v", "InvalidTag"),
        ("aws:a=v", "InvalidTag"),
        ("a=%3C", "InvalidTag"),
    ] {
        assert_eq!(put(tags).await, (400, code.into()), "{tags}");
    }
    assert_eq!(s3.get("/bkt/k").await.status, 404);
    assert_eq!(put("").await, (200, String::new()));
    assert_eq!(tags(&s3, "/bkt/k?tagging").await, []);
}

#[tokio::test]
async fn how_many_tags_there_are_is_told_to_who_may_read_them() {
    let guarded = Guarded::start().await;
    guarded.put("k", b"body").await;
    let body = tagging(&[("a", "1")]);
    assert_eq!(guarded.signed(&guarded.signer(), "PUT", "/bkt/k?tagging=", &body).await.status, 200);
    assert_eq!(guarded.get("k").await.header("x-amz-tagging-count"), "1");
    let anonymously = r#""Bool":{"aws:SecureTransport":"false"}"#;
    guarded.put_policy(&allow(r#""s3:GetObject""#, anonymously)).await;
    let got = guarded.s3.get("/bkt/k").await;
    assert_eq!((got.status, got.header("x-amz-tagging-count")), (200, ""));
    guarded.put_policy(&allow(r#""s3:GetObject","s3:GetObjectTagging""#, anonymously)).await;
    assert_eq!(guarded.s3.get("/bkt/k").await.header("x-amz-tagging-count"), "1");
}

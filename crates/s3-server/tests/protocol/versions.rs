//! Versions over the wire.

use crate::client::{Fixture, Reply};
use crate::guarded::Guarded;

const ENABLED: &[u8] = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
const SUSPENDED: &[u8] = b"<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>";

/// A server whose bucket keeps versions.
async fn versioned() -> Fixture {
    let s3 = Fixture::start().await;
    assert_eq!(s3.put("/bkt?versioning", ENABLED).await.status, 200);
    s3
}

async fn delete(s3: &Fixture, target: &str) -> Reply {
    s3.send("DELETE", target, &[], b"").await
}

fn version(reply: &Reply) -> String {
    reply.header("x-amz-version-id").to_owned()
}

#[tokio::test]
async fn versioning_is_off_until_it_is_enabled_and_never_off_again() {
    let s3 = Fixture::start().await;
    let status = async || s3.get("/bkt?versioning").await.element("Status");
    assert_eq!((s3.get("/bkt?versioning").await.status, status().await), (200, String::new()));
    assert_eq!(s3.put("/bkt/k", b"x").await.header("x-amz-version-id"), "");
    assert_eq!(s3.get("/bkt/k").await.header("x-amz-version-id"), "");
    s3.put("/bkt?versioning", ENABLED).await;
    assert_eq!(status().await, "Enabled");
    s3.put("/bkt?versioning", SUSPENDED).await;
    assert_eq!(status().await, "Suspended");
}

#[tokio::test]
async fn a_versioning_configuration_that_says_nothing_is_refused() {
    let s3 = Fixture::start().await;
    for (body, status, code) in [
        ("<VersioningConfiguration/>", 400, "IllegalVersioningConfigurationException"),
        ("<VersioningConfiguration><Status>On</Status></VersioningConfiguration>", 400, "MalformedXML"),
        ("<Versioning><Status>Enabled</Status></Versioning>", 400, "MalformedXML"),
        (
            "<VersioningConfiguration><Status>Enabled</Status><MfaDelete>Enabled</MfaDelete></VersioningConfiguration>",
            403,
            "AccessDenied",
        ),
    ] {
        assert_eq!(s3.put("/bkt?versioning", body.as_bytes()).await.error(), (status, code.into()), "{body}");
    }
    let with_mfa =
        b"<VersioningConfiguration><Status>Enabled</Status><MfaDelete>Enabled</MfaDelete></VersioningConfiguration>";
    let with_mfa = s3.send("PUT", "/bkt?versioning", &[("x-amz-mfa", "device 123456")], with_mfa).await;
    assert_eq!(with_mfa.error(), (501, "NotImplemented".into()));
    assert_eq!(s3.get("/bkt?versioning").await.element("Status"), "");
    assert_eq!(s3.put("/none?versioning", ENABLED).await.error(), (404, "NoSuchBucket".into()));
}

#[tokio::test]
async fn each_version_is_read_by_its_id() {
    let s3 = versioned().await;
    let first = version(&s3.put("/bkt/k", b"one").await);
    let second = version(&s3.put("/bkt/k", b"second").await);
    assert!(!first.is_empty() && first < second);
    let newest = s3.get("/bkt/k").await;
    assert_eq!((newest.text().as_str(), version(&newest)), ("second", second));
    let old = s3.get(&format!("/bkt/k?versionId={first}")).await;
    assert_eq!((old.text().as_str(), version(&old)), ("one", first.clone()));
    let head = s3.send("HEAD", &format!("/bkt/k?versionId={first}"), &[], b"").await;
    assert_eq!((head.status, head.header("content-length")), (200, "3"));
    let asked = [("x-amz-object-attributes", "ObjectSize")];
    let attributes = s3.send("GET", &format!("/bkt/k?attributes&versionId={first}"), &asked, b"").await;
    assert_eq!((attributes.element("ObjectSize").as_str(), version(&attributes)), ("3", first));
}

#[tokio::test]
async fn a_version_that_is_not_there_and_one_that_cannot_be_are_told_apart() {
    let s3 = versioned().await;
    let id = version(&s3.put("/bkt/k", b"x").await);
    delete(&s3, &format!("/bkt/k?versionId={id}")).await;
    assert_eq!(s3.get(&format!("/bkt/k?versionId={id}")).await.error(), (404, "NoSuchVersion".into()));
    assert_eq!(s3.get("/bkt/k?versionId=null").await.error(), (404, "NoSuchVersion".into()));
    assert_eq!(s3.get("/bkt/k?versionId=other").await.error(), (400, "InvalidArgument".into()));
    assert_eq!(s3.get("/bkt/k?versionId=").await.error(), (400, "InvalidArgument".into()));
    let again = delete(&s3, &format!("/bkt/k?versionId={id}")).await;
    assert_eq!((again.status, version(&again)), (204, id));
}

#[tokio::test]
async fn a_delete_leaves_a_marker_and_the_versions() {
    let s3 = versioned().await;
    let put = version(&s3.put("/bkt/k", b"body").await);
    let deleted = delete(&s3, "/bkt/k").await;
    assert_eq!((deleted.status, deleted.header("x-amz-delete-marker")), (204, "true"));
    let marker = version(&deleted);
    let gone = s3.get("/bkt/k").await;
    assert_eq!(gone.error(), (404, "NoSuchKey".into()));
    assert_eq!((gone.header("x-amz-delete-marker"), version(&gone)), ("true", marker.clone()));
    let named = format!("/bkt/k?versionId={marker}");
    let refused = s3.get(&named).await;
    assert_eq!(refused.error(), (405, "MethodNotAllowed".into()));
    assert_eq!((refused.header("x-amz-delete-marker"), refused.header("allow")), ("true", "DELETE"));
    assert!(!refused.header("last-modified").is_empty());
    assert_eq!(s3.send("HEAD", &named, &[], b"").await.status, 405);
    assert_eq!(s3.get(&format!("/bkt/k?versionId={put}")).await.text(), "body");
    let undeleted = delete(&s3, &named).await;
    assert_eq!((undeleted.header("x-amz-delete-marker"), version(&undeleted)), ("true", marker));
    assert_eq!(s3.get("/bkt/k").await.text(), "body");
    let removed = delete(&s3, &format!("/bkt/k?versionId={put}")).await;
    assert_eq!((removed.header("x-amz-delete-marker"), version(&removed)), ("", put));
}

#[tokio::test]
async fn a_suspended_bucket_writes_null_versions() {
    let s3 = versioned().await;
    s3.put("/bkt/k", b"kept").await;
    s3.put("/bkt?versioning", SUSPENDED).await;
    assert_eq!(version(&s3.put("/bkt/k", b"1").await), "null");
    assert_eq!(version(&s3.put("/bkt/k", b"2").await), "null");
    assert_eq!(s3.get("/bkt/k?versionId=null").await.text(), "2");
    assert_eq!(s3.get("/bkt?versions").await.elements("VersionId").len(), 2);
    let deleted = delete(&s3, "/bkt/k").await;
    assert_eq!((version(&deleted).as_str(), deleted.header("x-amz-delete-marker")), ("null", "true"));
    assert_eq!(s3.get("/bkt/k?versionId=null").await.error(), (405, "MethodNotAllowed".into()));
}

#[tokio::test]
async fn all_versions_are_listed_newest_first_and_in_pages() {
    let s3 = versioned().await;
    let first = version(&s3.put("/bkt/a", b"1").await);
    let second = version(&s3.put("/bkt/a", b"22").await);
    s3.put("/bkt/d%2F/e", b"333").await;
    let marker = version(&delete(&s3, "/bkt/a").await);
    let listed = s3.get("/bkt?versions&delimiter=/").await;
    assert_eq!(listed.elements("VersionId"), [marker.clone(), second.clone(), first.clone()]);
    assert_eq!(listed.elements("IsLatest"), ["true", "false", "false"]);
    assert_eq!((listed.elements("DeleteMarker").len(), listed.elements("Version").len()), (1, 2));
    assert_eq!(
        (listed.elements("Size"), listed.elements("Prefix")),
        (vec!["2".into(), "1".into()], vec![String::new(), "d/".into()])
    );
    let page = s3.get("/bkt?versions&max-keys=2").await;
    assert_eq!((page.element("IsTruncated"), page.element("NextKeyMarker")), ("true".into(), "a".into()));
    assert_eq!(page.element("NextVersionIdMarker"), second);
    let next = s3.get(&format!("/bkt?versions&key-marker=a&version-id-marker={second}&encoding-type=url")).await;
    assert_eq!(
        (next.elements("VersionId")[0].as_str(), next.elements("Key")),
        (first.as_str(), vec!["a".into(), "d//e".into()])
    );
    assert_eq!(next.element("IsTruncated"), "false");
    let without_key = s3.get(&format!("/bkt?versions&version-id-marker={second}")).await;
    assert_eq!(without_key.error(), (400, "InvalidArgument".into()));
}

#[tokio::test]
async fn many_versions_are_deleted_at_once() {
    let s3 = versioned().await;
    let id = version(&s3.put("/bkt/a", b"1").await);
    s3.put("/bkt/b", b"1").await;
    let marker = version(&delete(&s3, "/bkt/b").await);
    let object = |key: &str, id: &str| format!("<Object><Key>{key}</Key><VersionId>{id}</VersionId></Object>");
    let body = format!(
        "<Delete>{}{}<Object><Key>c</Key></Object>{}</Delete>",
        object("a", &id),
        object("b", &marker),
        object("d", "no-id")
    );
    let done = s3.send("POST", "/bkt?delete", &[], body.as_bytes()).await;
    assert_eq!(done.elements("DeleteMarker"), ["true", "true"]);
    assert_eq!(done.elements("DeleteMarkerVersionId")[0], marker);
    assert_eq!((done.element("Code").as_str(), done.elements("Error").len()), ("NoSuchVersion", 1));
    assert_eq!(s3.get("/bkt/b").await.text(), "1");
    assert_eq!(s3.get("/bkt?versions").await.elements("Key"), ["b", "c"]);
    assert_eq!(delete(&s3, "/bkt").await.error(), (409, "BucketNotEmpty".into()));
}

#[tokio::test]
async fn a_version_can_be_copied_also_over_its_own_key() {
    let s3 = versioned().await;
    let first = version(&s3.put("/bkt/k", b"one").await);
    s3.put("/bkt/k", b"second").await;
    let source = format!("/bkt/k?versionId={first}");
    let copied = s3.send("PUT", "/bkt/k", &[("x-amz-copy-source", &source)], b"").await;
    assert_eq!((copied.status, copied.header("x-amz-copy-source-version-id")), (200, first.as_str()));
    let newest = s3.get("/bkt/k").await;
    assert_eq!((newest.text(), version(&newest)), ("one".into(), version(&copied)));
    let marker = version(&delete(&s3, "/bkt/k").await);
    let source = format!("/bkt/k?versionId={marker}");
    let refused = s3.send("PUT", "/bkt/other", &[("x-amz-copy-source", &source)], b"").await;
    assert_eq!(refused.error(), (400, "InvalidRequest".into()));
    let refused = s3.send("PUT", "/bkt/other", &[("x-amz-copy-source", "/bkt/k")], b"").await;
    assert_eq!(refused.error(), (404, "NoSuchKey".into()));
}

#[tokio::test]
async fn conditions_are_about_the_newest_version_or_the_one_named() {
    let s3 = versioned().await;
    let put = s3.put("/bkt/k", b"one").await;
    let (id, etag) = (version(&put), put.header("etag").to_owned());
    s3.put("/bkt/k", b"second").await;
    let stale = s3.send("PUT", "/bkt/k", &[("if-match", &etag)], b"x").await;
    assert_eq!(stale.error(), (412, "PreconditionFailed".into()));
    let target = format!("/bkt/k?versionId={id}");
    let refused = s3.send("DELETE", &target, &[("if-match", "\"other\"")], b"").await;
    assert_eq!(refused.error(), (412, "PreconditionFailed".into()));
    assert_eq!(s3.send("DELETE", &target, &[("if-match", &etag)], b"").await.status, 204);
    delete(&s3, "/bkt/k").await;
    assert_eq!(s3.send("PUT", "/bkt/k", &[("if-none-match", "*")], b"new").await.status, 200);
}

#[tokio::test]
async fn a_method_that_a_sub_resource_does_not_take_never_means_the_bucket_or_the_object() {
    let s3 = Fixture::start().await;
    s3.put("/bkt/k", b"x").await;
    s3.put("/empty", b"").await;
    for (method, target) in [
        ("DELETE", "/empty?versioning"),
        ("DELETE", "/empty?location"),
        ("DELETE", "/empty?uploads"),
        ("DELETE", "/empty?versions"),
        ("PUT", "/new?versions"),
        ("DELETE", "/bkt/k?attributes"),
        ("DELETE", "/bkt/k?policy"),
        ("GET", "/bkt/k?versions"),
        ("PUT", "/bkt/k?versioning"),
    ] {
        let refused = s3.send(method, target, &[], b"").await;
        assert_eq!(refused.error(), (405, "MethodNotAllowed".into()), "{method} {target}");
    }
    assert_eq!(s3.get("/").await.elements("Name"), ["bkt", "empty"]);
    assert_eq!(s3.get("/bkt/k").await.text(), "x");
}

#[tokio::test]
async fn a_version_needs_rights_of_its_own() {
    let guarded = Guarded::start().await;
    let enabled = guarded.signed(&guarded.signer(), "PUT", "/bkt?versioning=", ENABLED).await;
    assert_eq!(enabled.status, 200, "{}", enabled.text());
    let id = version(&guarded.put("k", b"body").await);
    let allow = |actions: &str| {
        format!(r#"{{"Effect":"Allow","Principal":"*","Action":[{actions}],"Resource":"arn:aws:s3:::bkt/*"}}"#)
    };
    let s3 = &guarded.s3;
    let named = format!("/bkt/k?versionId={id}");
    let source = format!("/bkt/k?versionId={id}");
    let many = format!("<Delete><Object><Key>k</Key><VersionId>{id}</VersionId></Object></Delete>");
    let denied = (403, "AccessDenied".to_owned());

    guarded.put_policy(&allow(r#""s3:GetObject","s3:PutObject","s3:DeleteObject""#)).await;
    assert_eq!((s3.get("/bkt/k").await.status, s3.get(&named).await.error()), (200, denied.clone()));
    let copied = s3.send("PUT", "/bkt/copy", &[("x-amz-copy-source", &source)], b"").await;
    assert_eq!((copied.error(), delete(s3, &named).await.error()), (denied.clone(), denied.clone()));
    let refused = s3.send("POST", "/bkt?delete", &[], many.as_bytes()).await;
    assert_eq!((refused.status, refused.element("Code")), (200, "AccessDenied".into()));
    assert_eq!(s3.get("/bkt?versions").await.error(), denied);

    guarded.put_policy(&allow(r#""s3:GetObjectVersion","s3:DeleteObjectVersion""#)).await;
    assert_eq!((s3.get(&named).await.status, s3.get("/bkt/k").await.error()), (200, denied));
    let done = s3.send("POST", "/bkt?delete", &[], many.as_bytes()).await;
    assert_eq!(done.elements("Deleted").len(), 1, "{}", done.text());
}

#[tokio::test]
async fn what_was_deleted_can_not_be_changed() {
    let s3 = versioned().await;
    s3.put("/bkt/k", b"body").await;
    let marker = version(&delete(&s3, "/bkt/k").await);
    let tags = b"<Tagging><TagSet/></Tagging>";
    for target in ["/bkt/k?tagging".to_owned(), format!("/bkt/k?tagging&versionId={marker}")] {
        for reply in [s3.put(&target, tags).await, delete(&s3, &target).await] {
            assert_eq!(reply.error(), (405, "MethodNotAllowed".into()), "{target}");
            assert_eq!((reply.header("x-amz-delete-marker"), version(&reply).as_str()), ("true", marker.as_str()));
        }
    }
    assert_eq!(s3.get("/bkt/k?tagging").await.error(), (404, "NoSuchKey".into()));
    assert_eq!(s3.send("HEAD", "/bkt/k", &[], b"").await.header("x-amz-delete-marker"), "true");
}

#[tokio::test]
async fn a_page_begins_behind_a_version_that_is_named_in_full() {
    let s3 = versioned().await;
    let kept = version(&s3.put("/bkt/k", b"1").await);
    s3.put("/bkt?versioning", SUSPENDED).await;
    s3.put("/bkt/k", b"null").await;
    s3.put("/bkt/l", b"null").await;
    let behind = |marker: &str| format!("/bkt?versions&key-marker=k&version-id-marker={marker}");
    assert_eq!(s3.get(&behind("null")).await.elements("VersionId"), [kept.as_str(), "null"]);
    assert_eq!(s3.get(&behind(&kept)).await.elements("Key"), ["l"]);
    assert_eq!(s3.get("/bkt?versions&key-marker=k").await.elements("Key"), ["l"]);
    let page = s3.get("/bkt?versions&max-keys=1").await;
    assert_eq!((page.element("NextKeyMarker"), page.element("NextVersionIdMarker")), ("k".into(), "null".into()));
    assert_eq!(s3.get("/bkt?versions&max-keys=0").await.element("IsTruncated"), "false");
    for query in ["key-marker=k&version-id-marker=", "version-id-marker=null", "key-marker=&version-id-marker=null"] {
        let refused = s3.get(&format!("/bkt?versions&{query}")).await;
        assert_eq!(refused.error(), (400, "InvalidArgument".into()), "{query}");
    }
    assert_eq!(s3.get(&behind("other")).await.error(), (400, "InvalidArgument".into()));
}

#[tokio::test]
async fn many_clients_delete_the_same_versions_at_once() {
    let s3 = versioned().await;
    let mut objects = String::new();
    for n in 0..40 {
        let id = version(&s3.put(&format!("/bkt/{}", n % 10), b"body").await);
        objects += &format!("<Object><Key>{}</Key><VersionId>{id}</VersionId></Object>", n % 10);
    }
    let body = format!("<Delete>{objects}</Delete>");
    let answers = futures_util::future::join_all((0..8).map(|_| s3.send("POST", "/bkt?delete", &[], body.as_bytes())));
    for answer in answers.await {
        assert_eq!((answer.elements("Deleted").len(), answer.elements("Error").len()), (40, 0));
    }
    assert_eq!(s3.get("/bkt?versions").await.elements("Key").len(), 0);
    assert_eq!(delete(&s3, "/bkt").await.status, 204);
}

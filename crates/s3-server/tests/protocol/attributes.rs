//! GetObjectAttributes: what an object is made of.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use crate::client::{Fixture, Reply};

const ALL: &str = "ETag,Checksum,ObjectParts,StorageClass,ObjectSize";

async fn attributes(s3: &Fixture, target: &str, more: &[(&str, &str)]) -> Reply {
    s3.send("GET", target, &[&[("x-amz-object-attributes", ALL)], more].concat(), b"").await
}

fn sha256(bytes: &[u8]) -> String {
    STANDARD.encode(Sha256::digest(bytes))
}

/// An object of three parts with SHA-256 checksums, that of the parts' checksums too.
async fn three_parts(s3: &Fixture, key: &str) -> String {
    let asked = [("x-amz-checksum-algorithm", "SHA256")];
    let id = s3.send("POST", &format!("/bkt/{key}?uploads"), &asked, b"").await.element("UploadId");
    let bodies = [b"one".as_slice(), b"second", b"3"];
    let mut named = String::new();
    for (number, body) in (1..).zip(bodies) {
        let sum = sha256(body);
        let target = format!("/bkt/{key}?partNumber={number}&uploadId={id}");
        let part = s3.send("PUT", &target, &[("x-amz-checksum-sha256", &sum)], body).await;
        let etag = part.header("etag").replace('"', "&quot;");
        named.push_str(&format!(
            "<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag><ChecksumSHA256>{sum}</ChecksumSHA256></Part>"
        ));
    }
    let list = format!("<CompleteMultipartUpload>{named}</CompleteMultipartUpload>");
    let done = s3.send("POST", &format!("/bkt/{key}?uploadId={id}"), &[], list.as_bytes()).await;
    assert_eq!(done.status, 200, "{}", done.text());
    let sums: Vec<u8> = bodies.iter().flat_map(Sha256::digest).collect();
    sha256(&sums)
}

async fn small_parts() -> Fixture {
    Fixture::with(|settings| settings.min_part_bytes = 1).await
}

#[tokio::test]
async fn parts_are_told_in_pages_with_their_sizes_and_checksums() {
    let s3 = small_parts().await;
    three_parts(&s3, "k").await;
    let first = attributes(&s3, "/bkt/k?attributes", &[("x-amz-max-parts", "2")]).await;
    assert_eq!((first.element("PartsCount"), first.element("MaxParts")), ("3".into(), "2".into()));
    assert_eq!((first.element("IsTruncated"), first.element("NextPartNumberMarker")), ("true".into(), "2".into()));
    assert_eq!(
        (first.elements("PartNumber"), first.elements("Size")),
        (vec!["1".into(), "2".into()], vec!["3".into(), "6".into()])
    );
    assert!(first.elements("ChecksumSHA256").contains(&sha256(b"second")));
    let rest = attributes(&s3, "/bkt/k?attributes", &[("x-amz-part-number-marker", "2")]).await;
    assert_eq!((rest.element("IsTruncated"), rest.elements("PartNumber")), ("false".into(), vec!["3".into()]));
    assert_eq!(rest.element("PartNumberMarker"), "2");
    let behind = attributes(&s3, "/bkt/k?attributes", &[("x-amz-part-number-marker", "9")]).await;
    assert_eq!((behind.element("IsTruncated"), behind.elements("PartNumber").len()), ("false".into(), 0));
    for (name, value) in [("x-amz-max-parts", "-1"), ("x-amz-max-parts", "many"), ("x-amz-part-number-marker", "x")] {
        let refused = attributes(&s3, "/bkt/k?attributes", &[(name, value)]).await;
        assert_eq!(refused.error(), (400, "InvalidArgument".into()), "{name} {value}");
    }
}

#[tokio::test]
async fn a_checksum_is_told_with_its_type_whether_of_the_whole_or_of_the_parts() {
    let s3 = small_parts().await;
    let of_parts = three_parts(&s3, "parts").await;
    let told = attributes(&s3, "/bkt/parts?attributes", &[]).await;
    assert_eq!((told.element("ChecksumSHA256"), told.element("ChecksumType")), (of_parts, "COMPOSITE".into()));
    assert!(told.element("ETag").ends_with("-3") && told.element("ObjectSize") == "10", "{}", told.text());
    for (header, element, value) in [
        ("x-amz-checksum-crc32", "ChecksumCRC32", "rfPzYw=="),
        ("x-amz-checksum-sha256", "ChecksumSHA256", &*sha256(b"data")),
    ] {
        assert_eq!(s3.send("PUT", "/bkt/whole", &[(header, value)], b"data").await.status, 200);
        let told = attributes(&s3, "/bkt/whole?attributes", &[]).await;
        assert_eq!((told.element(element).as_str(), told.element("ChecksumType").as_str()), (value, "FULL_OBJECT"));
        assert!(!told.text().contains("ObjectParts"), "an object put in one piece has no parts");
        assert_eq!(told.element("ETag"), "8d777f385d3dfec8815d20f7496026dc");
        assert_eq!(told.element("StorageClass"), "STANDARD");
    }
}

#[tokio::test]
async fn only_what_is_asked_for_is_told() {
    let s3 = Fixture::start().await;
    s3.put("/bkt/k", b"data").await;
    for name in ALL.split(',').filter(|name| *name != "ObjectParts") {
        let told = s3.send("GET", "/bkt/k?attributes", &[("x-amz-object-attributes", name)], b"").await;
        for other in ALL.split(',') {
            assert_eq!(told.text().contains(&format!("<{other}>")), other == name, "{name}: {}", told.text());
        }
        assert!(!told.header("last-modified").is_empty());
    }
    let twice = [("x-amz-object-attributes", "ETag"), ("x-amz-object-attributes", "ObjectSize")];
    let told = s3.send("GET", "/bkt/k?attributes", &twice, b"").await;
    assert!(told.text().contains("<ETag>") && told.text().contains("<ObjectSize>"));
    assert_eq!(s3.get("/bkt/k?attributes").await.error(), (400, "InvalidRequest".into()));
    assert_eq!(attributes(&s3, "/bkt/none?attributes", &[]).await.error(), (404, "NoSuchKey".into()));
}

#[tokio::test]
async fn attributes_are_those_of_the_version_that_is_named_and_a_marker_has_none() {
    let s3 = Fixture::start().await;
    let enabled = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    s3.put("/bkt?versioning=", enabled).await;
    let old = s3.put("/bkt/k", b"old").await.header("x-amz-version-id").to_owned();
    s3.put("/bkt/k", b"newer").await;
    let told = attributes(&s3, &format!("/bkt/k?attributes&versionId={old}"), &[]).await;
    assert_eq!((told.element("ObjectSize").as_str(), told.header("x-amz-version-id")), ("3", old.as_str()));
    assert_eq!(attributes(&s3, "/bkt/k?attributes", &[]).await.element("ObjectSize"), "5");
    let marker = s3.send("DELETE", "/bkt/k", &[], b"").await.header("x-amz-version-id").to_owned();
    let gone = attributes(&s3, "/bkt/k?attributes", &[]).await;
    assert_eq!((gone.error(), gone.header("x-amz-delete-marker")), ((404, "NoSuchKey".into()), "true"));
    let named = attributes(&s3, &format!("/bkt/k?attributes&versionId={marker}"), &[]).await;
    assert_eq!(named.error(), (405, "MethodNotAllowed".into()));
}

#[tokio::test]
async fn a_part_that_is_read_by_its_number_has_its_own_checksum() {
    let s3 = small_parts().await;
    let of_parts = three_parts(&s3, "k").await;
    let wanted = [("x-amz-checksum-mode", "ENABLED")];
    for method in ["GET", "HEAD"] {
        let part = s3.send(method, "/bkt/k?partNumber=2", &wanted, b"").await;
        assert_eq!((part.status, part.header("x-amz-mp-parts-count")), (206, "3"));
        assert_eq!(part.header("x-amz-checksum-sha256"), sha256(b"second"));
        assert_eq!(part.header("x-amz-checksum-type"), "COMPOSITE");
        let whole = s3.send(method, "/bkt/k", &wanted, b"").await;
        assert_eq!(whole.header("x-amz-checksum-sha256"), format!("{of_parts}-3"));
        let range = s3.send(method, "/bkt/k", &[wanted[0], ("range", "bytes=0-1")], b"").await;
        assert_eq!((range.status, range.header("x-amz-checksum-sha256")), (206, ""));
    }
    let sum = sha256(b"data");
    s3.send("PUT", "/bkt/whole", &[("x-amz-checksum-sha256", &sum)], b"data").await;
    let only = s3.send("GET", "/bkt/whole?partNumber=1", &wanted, b"").await;
    assert_eq!((only.status, only.header("x-amz-checksum-sha256")), (206, sum.as_str()));
}

//! Uploads in parts.

use std::sync::Arc;

use holdfast_base::ManualClock;

use crate::client::{Fixture, Reply};

const MIB: usize = 1 << 20;

async fn begin(s3: &Fixture, key: &str, headers: &[(&str, &str)]) -> String {
    let begun = s3.send("POST", &format!("/bkt/{key}?uploads"), headers, b"").await;
    assert_eq!(begun.status, 200, "{}", begun.text());
    begun.element("UploadId")
}

async fn part(s3: &Fixture, key: &str, id: &str, number: usize, body: &[u8]) -> Reply {
    s3.put(&format!("/bkt/{key}?partNumber={number}&uploadId={id}"), body).await
}

async fn complete(s3: &Fixture, key: &str, id: &str, parts: &[(usize, &str)], headers: &[(&str, &str)]) -> Reply {
    let parts: String =
        parts.iter().map(|(number, rest)| format!("<Part><PartNumber>{number}</PartNumber>{rest}</Part>")).collect();
    let body = format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>");
    s3.send("POST", &format!("/bkt/{key}?uploadId={id}"), headers, body.as_bytes()).await
}

fn etag(reply: &Reply) -> String {
    format!("<ETag>{}</ETag>", reply.header("etag").replace('"', "&quot;"))
}

#[tokio::test]
async fn parts_become_one_object_and_can_be_read_one_by_one() {
    let s3 = Fixture::start().await;
    let id = begin(&s3, "big", &[("content-type", "text/big"), ("x-amz-meta-a", "1")]).await;
    let (one, two) = (vec![b'1'; 5 * MIB], b"the end".to_vec());
    let second = part(&s3, "big", &id, 7, &two).await;
    let first = part(&s3, "big", &id, 2, &one).await;
    assert_eq!(s3.get("/bkt/big").await.status, 404);
    let listed = s3.get(&format!("/bkt/big?uploadId={id}&max-parts=1")).await;
    assert_eq!((listed.elements("PartNumber"), listed.element("IsTruncated")), (vec!["2".into()], "true".into()));
    let done = complete(&s3, "big", &id, &[(2, &etag(&first)), (7, &etag(&second))], &[]).await;
    assert_eq!(done.status, 200, "{}", done.text());
    assert!(done.element("ETag").ends_with("-2\""), "{}", done.text());
    let got = s3.get("/bkt/big").await;
    assert_eq!((got.body, got.headers["content-type"].as_str()), ([one, two].concat(), "text/big"));
    let last = s3.get("/bkt/big?partNumber=2").await;
    assert_eq!((last.status, last.text().as_str(), last.header("x-amz-mp-parts-count")), (206, "the end", "2"));
    assert_eq!(s3.get("/bkt/big?partNumber=3").await.error(), (416, "InvalidPartNumber".into()));
    assert_eq!(s3.get(&format!("/bkt/big?uploadId={id}")).await.error(), (404, "NoSuchUpload".into()));
}

#[tokio::test]
async fn a_completion_that_is_wrong_keeps_the_upload() {
    let s3 = Fixture::start().await;
    let id = begin(&s3, "k", &[]).await;
    let small = part(&s3, "k", &id, 1, b"small").await;
    let last = part(&s3, "k", &id, 2, b"last").await;
    let (one, two) = (etag(&small), etag(&last));
    let wrong = async |parts: &[(usize, &str)]| complete(&s3, "k", &id, parts, &[]).await.error().1;
    assert_eq!(wrong(&[(1, &one), (2, &two)]).await, "EntityTooSmall");
    assert_eq!(wrong(&[(2, &two), (1, &one)]).await, "InvalidPartOrder");
    assert_eq!(wrong(&[(1, "<ETag>other</ETag>")]).await, "InvalidPart");
    assert_eq!(wrong(&[(3, &one)]).await, "InvalidPart");
    assert_eq!(wrong(&[(1, "")]).await, "MalformedXML");
    assert_eq!(wrong(&[]).await, "MalformedXML");
    let size = complete(&s3, "k", &id, &[(2, &two)], &[("x-amz-mp-object-size", "5")]).await;
    assert_eq!(size.error(), (400, "InvalidRequest".into()));
    assert_eq!(part(&s3, "k", &id, 0, b"").await.error(), (400, "InvalidArgument".into()));
    assert_eq!(part(&s3, "k", &id, 10_001, b"").await.error(), (400, "InvalidArgument".into()));
    assert_eq!(part(&s3, "k", "nonsense", 1, b"").await.error(), (404, "NoSuchUpload".into()));
    assert_eq!(complete(&s3, "k", &id, &[(2, &two)], &[]).await.status, 200);
    assert_eq!(s3.get("/bkt/k").await.text(), "last");
}

#[tokio::test]
async fn a_completion_that_is_sent_again_is_answered_again() {
    let s3 = Fixture::start().await;
    let (id, other) = (begin(&s3, "k", &[]).await, begin(&s3, "k", &[]).await);
    let one = etag(&part(&s3, "k", &id, 1, b"whole").await);
    let once = [("if-none-match", "*")];
    let first = complete(&s3, "k", &id, &[(1, &one)], &once).await;
    let again = complete(&s3, "k", &id, &[(1, &one)], &once).await;
    assert_eq!((again.status, again.text()), (200, first.text()));
    // Not of other parts, not by another upload, and not when the object is another by now.
    let missing = (404, "NoSuchUpload".to_owned());
    assert_eq!(complete(&s3, "k", &id, &[(1, "<ETag>other</ETag>")], &[]).await.error(), missing);
    part(&s3, "k", &other, 1, b"whole").await;
    s3.send("DELETE", &format!("/bkt/k?uploadId={other}"), &[], b"").await;
    assert_eq!(complete(&s3, "k", &other, &[(1, &one)], &[]).await.error(), missing);
    s3.put("/bkt/k", b"new").await;
    assert_eq!(complete(&s3, "k", &id, &[(1, &one)], &[]).await.error(), missing);
    assert_eq!(s3.get("/bkt/k").await.text(), "new");
}

#[tokio::test]
async fn only_one_completion_that_must_create_does() {
    let s3 = Fixture::start().await;
    s3.put("/bkt/k", b"there").await;
    let id = begin(&s3, "k", &[]).await;
    let only = etag(&part(&s3, "k", &id, 1, b"new").await);
    let refused = complete(&s3, "k", &id, &[(1, &only)], &[("if-none-match", "*")]).await;
    assert_eq!(refused.error(), (412, "PreconditionFailed".into()));
    assert_eq!(s3.get("/bkt/k").await.text(), "there");
    assert_eq!(complete(&s3, "k", &id, &[(1, &only)], &[]).await.status, 200);
}

#[tokio::test]
async fn checksums_are_composed_of_those_of_the_parts() {
    let s3 = Fixture::start().await;
    let one = vec![b'1'; 5 * MIB];
    let whole = [one.as_slice(), b"2"].concat();
    for (algorithm, kind, header) in [
        ("CRC32", "COMPOSITE", "x-amz-checksum-crc32"),
        ("CRC32", "FULL_OBJECT", "x-amz-checksum-crc32"),
        ("SHA256", "COMPOSITE", "x-amz-checksum-sha256"),
        ("CRC64NVME", "FULL_OBJECT", "x-amz-checksum-crc64nvme"),
    ] {
        let asked = [("x-amz-checksum-algorithm", algorithm), ("x-amz-checksum-type", kind)];
        let id = begin(&s3, "k", &asked).await;
        let mut named = Vec::new();
        for (number, body) in [(1, one.as_slice()), (2, b"2".as_slice())] {
            let put = part(&s3, "k", &id, number, body).await;
            let value = put.header(header);
            assert!(!value.is_empty(), "{algorithm}: {put:?}");
            named.push((number, format!("{}<Checksum{algorithm}>{value}</Checksum{algorithm}>", etag(&put))));
        }
        let named: Vec<_> = named.iter().map(|(number, rest)| (*number, rest.as_str())).collect();
        let done = complete(&s3, "k", &id, &named, &[]).await;
        assert_eq!(done.element("ChecksumType"), kind);
        let value = done.element(&format!("Checksum{algorithm}"));
        assert_eq!(value.ends_with("-2"), kind == "COMPOSITE", "{value}");
        let head = s3.send("HEAD", "/bkt/k", &[("x-amz-checksum-mode", "ENABLED")], b"").await;
        assert_eq!(head.header(header), value);
        if kind == "FULL_OBJECT" {
            let same = s3.send("PUT", "/bkt/same", &[(header, &value)], &whole).await;
            assert_eq!(same.status, 200, "the checksum is not that of the whole: {}", same.text());
        }
    }
    let impossible = [("x-amz-checksum-algorithm", "SHA1"), ("x-amz-checksum-type", "FULL_OBJECT")];
    assert_eq!(s3.send("POST", "/bkt/k?uploads", &impossible, b"").await.error(), (400, "InvalidRequest".into()));
}

#[tokio::test]
async fn a_checksum_that_a_completion_says_is_verified() {
    let s3 = Fixture::start().await;
    let header = "x-amz-checksum-sha256";
    let id = begin(&s3, "k", &[("x-amz-checksum-algorithm", "SHA256")]).await;
    let put = part(&s3, "k", &id, 1, b"data").await;
    let named = format!("{}<ChecksumSHA256>{}</ChecksumSHA256>", etag(&put), put.header(header));
    let of_other = put.header(header).to_owned();
    for (says, code) in [
        ((header, "bad"), "InvalidRequest"),
        ((header, &*of_other), "BadDigest"),
        (("x-amz-checksum-crc32", "AAAAAA=="), "BadDigest"),
        (("x-amz-checksum-type", "FULL_OBJECT"), "InvalidRequest"),
        (("x-amz-checksum-type", "SOME"), "InvalidRequest"),
    ] {
        let refused = complete(&s3, "k", &id, &[(1, &named)], &[says]).await;
        assert_eq!(refused.error(), (400, code.into()), "{says:?}");
    }
    // The SHA-256 of the part's SHA-256, with and without the number of parts.
    let whole = "RkRytWB53tPTWbF5NWJL24SHtqZIVgkHJSd921+1V2o=";
    let done = complete(&s3, "k", &id, &[(1, &named)], &[(header, whole), ("x-amz-checksum-type", "COMPOSITE")]).await;
    assert_eq!((done.status, done.element("ChecksumSHA256")), (200, format!("{whole}-1")), "{}", done.text());
}

#[tokio::test]
async fn a_part_can_be_copied_from_a_range_of_an_object() {
    let s3 = Fixture::start().await;
    s3.put("/bkt/source", b"0123456789").await;
    let id = begin(&s3, "copy", &[]).await;
    let target = format!("/bkt/copy?partNumber=1&uploadId={id}");
    let from = [("x-amz-copy-source", "/bkt/source"), ("x-amz-copy-source-range", "bytes=2-5")];
    let copied = s3.send("PUT", &target, &from, b"").await;
    for (range, code) in [("bytes=5-10", "InvalidArgument"), ("bytes=10-11", "InvalidRequest")] {
        let beyond = [from[0], ("x-amz-copy-source-range", range)];
        assert_eq!(s3.send("PUT", &target, &beyond, b"").await.error(), (400, code.into()), "{range}");
    }
    let named = format!("<ETag>{}</ETag>", copied.element("ETag"));
    assert_eq!(complete(&s3, "copy", &id, &[(1, &named)], &[]).await.status, 200);
    assert_eq!(s3.get("/bkt/copy").await.text(), "2345");
    let beyond = [("x-amz-copy-source", "/bkt/source"), ("x-amz-copy-source-range", "bytes=5-10")];
    assert_eq!(s3.send("PUT", &target, &beyond, b"").await.status, 404);
}

#[tokio::test]
async fn uploads_are_listed_in_pages_and_aborted() {
    let s3 = Fixture::start().await;
    let ids = [begin(&s3, "a", &[]).await, begin(&s3, "a", &[]).await, begin(&s3, "b/c", &[]).await];
    let page = s3.get("/bkt?uploads&max-uploads=1").await;
    assert_eq!((page.elements("UploadId"), page.element("IsTruncated")), (vec![ids[0].clone()], "true".into()));
    let (key, id) = (page.element("NextKeyMarker"), page.element("NextUploadIdMarker"));
    let rest = s3.get(&format!("/bkt?uploads&delimiter=/&key-marker={key}&upload-id-marker={id}")).await;
    assert_eq!(rest.elements("UploadId"), [ids[1].clone()]);
    assert!(rest.text().contains("<CommonPrefixes><Prefix>b/</Prefix>"));
    let target = format!("/bkt/a?uploadId={}", ids[0]);
    assert_eq!(s3.send("DELETE", &target, &[], b"").await.status, 204);
    assert_eq!(s3.send("DELETE", &target, &[], b"").await.error(), (404, "NoSuchUpload".into()));
}

#[tokio::test]
async fn what_an_object_is_made_of_can_be_asked() {
    let s3 = Fixture::start().await;
    let id = begin(&s3, "k", &[]).await;
    let only = etag(&part(&s3, "k", &id, 1, b"12345").await);
    complete(&s3, "k", &id, &[(1, &only)], &[]).await;
    let asked = [("x-amz-object-attributes", "ETag,Checksum,ObjectParts,ObjectSize,StorageClass")];
    let told = s3.send("GET", "/bkt/k?attributes", &asked, b"").await;
    assert_eq!((told.element("ObjectSize").as_str(), told.element("PartsCount").as_str()), ("5", "1"));
    assert!(told.element("ETag").ends_with("-1") && !told.element("ChecksumCRC64NVME").is_empty());
    let unknown = [("x-amz-object-attributes", "Colour")];
    assert_eq!(s3.send("GET", "/bkt/k?attributes", &unknown, b"").await.error(), (400, "InvalidArgument".into()));
}

#[tokio::test]
async fn an_upload_that_nobody_finishes_expires() {
    let clock = Arc::new(ManualClock::at(1_795_185_334_000));
    let of_server = Arc::clone(&clock);
    let s3 = Fixture::with(|settings| {
        settings.clock = of_server;
        settings.upload_expiration_ms = 1000;
        settings.upload_cleanup_interval_ms = 1;
    })
    .await;
    let id = begin(&s3, "k", &[]).await;
    part(&s3, "k", &id, 1, b"data").await;
    clock.advance_ms(1000);
    assert_eq!(s3.get("/bkt?uploads").await.elements("UploadId"), [id]);
    clock.advance_ms(1);
    while !s3.get("/bkt?uploads").await.elements("UploadId").is_empty() {}
}

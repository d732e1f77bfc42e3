//! Server-side encryption: of an object put in one piece, and the setting of a bucket.

use crate::client::{Fixture, Reply};
use crate::encrypted::{Mode, borrowed, bytes};
use crate::guarded::Guarded;
use crate::signer::sha256;

const KEY_ID: &str = "arn:aws:kms:us-east-1:123456789012:key/01234567-89ab-cdef-0123-456789abcdef";
pub(crate) const MODES: [Mode; 4] = [Mode::Plain, Mode::S3, Mode::Kms(KEY_ID), Mode::Customer(1)];
const CUSTOMER: &str = "x-amz-server-side-encryption-customer-algorithm";
const METHOD: &str = "x-amz-server-side-encryption";

pub(crate) async fn put(s3: &Fixture, target: &str, mode: Mode, body: &[u8]) -> Reply {
    s3.send("PUT", target, &borrowed(&mode.of_write()), body).await
}

pub(crate) async fn get(s3: &Fixture, target: &str, mode: Mode, range: Option<&str>) -> Reply {
    let mut headers = mode.of_read();
    headers.extend(range.map(|range| ("range".to_owned(), range.to_owned())));
    s3.send("GET", target, &borrowed(&headers), b"").await
}

#[tokio::test]
async fn what_is_put_is_read_back_and_answers_tell_how_it_is_encrypted() {
    let s3 = Fixture::start().await;
    for mode in MODES {
        for size in [0, 1, 1000, 65_480, 65_481, 200_000, 3 << 20] {
            let body = bytes(size);
            let written = put(&s3, "/bkt/k", mode, &body).await;
            assert_eq!(written.status, 200, "{mode:?} {}", written.text());
            let read = get(&s3, "/bkt/k", mode, None).await;
            assert!(read.body == body, "{mode:?}, {size} bytes");
            let head = s3.send("HEAD", "/bkt/k", &borrowed(&mode.of_read()), b"").await;
            assert_eq!(head.header("content-length"), size.to_string());
            for told in [&written, &read, &head] {
                assert!(mode.is_told_by(told), "{mode:?}: {:?}", told.headers);
            }
        }
    }
}

#[tokio::test]
async fn ranges_of_an_encrypted_object_are_those_of_its_plain_bytes() {
    let s3 = Fixture::start().await;
    let body = bytes(400_000);
    for mode in MODES {
        put(&s3, "/bkt/k", mode, &body).await;
        for (first, last) in [(0, 0), (65_470, 65_490), (65_480, 65_480), (131_000, 399_999), (399_999, 399_999)] {
            let read = get(&s3, "/bkt/k", mode, Some(&format!("bytes={first}-{last}"))).await;
            assert_eq!((read.status, read.header("content-range")), (206, &*format!("bytes {first}-{last}/400000")));
            assert!(read.body == body[first..=last], "{mode:?} {first} to {last}");
        }
        assert_eq!(get(&s3, "/bkt/k", mode, Some("bytes=-10")).await.body, body[399_990..]);
        assert_eq!(get(&s3, "/bkt/k", mode, Some("bytes=400000-")).await.error().0, 416);
    }
}

#[tokio::test]
async fn an_object_opens_with_its_own_key_and_with_nothing_else() {
    let s3 = Fixture::start().await;
    put(&s3, "/bkt/plain", Mode::Plain, b"data").await;
    put(&s3, "/bkt/s3", Mode::S3, b"data").await;
    put(&s3, "/bkt/mine", Mode::Customer(1), b"data").await;
    for (target, mode, refused) in [
        ("/bkt/mine", Mode::Plain, (400, "InvalidRequest")),
        ("/bkt/mine", Mode::Customer(2), (403, "AccessDenied")),
        ("/bkt/plain", Mode::Customer(1), (400, "InvalidRequest")),
        ("/bkt/s3", Mode::Customer(1), (400, "InvalidRequest")),
    ] {
        let read = get(&s3, target, mode, None).await;
        assert_eq!(read.error(), (refused.0, refused.1.into()), "{target} {mode:?}");
        let head = s3.send("HEAD", target, &borrowed(&mode.of_read()), b"").await;
        assert_eq!(head.status, refused.0, "{target} {mode:?}");
        let mut headers = mode.of_read();
        headers.push(("x-amz-object-attributes".into(), "ETag".into()));
        let attributes = s3.send("GET", &format!("{target}?attributes="), &borrowed(&headers), b"").await;
        assert_eq!(attributes.status, refused.0, "{target} {mode:?}");
    }
    let listed = s3.get("/bkt?list-type=2").await;
    assert_eq!(listed.elements("Key"), ["mine", "plain", "s3"]);
}

#[tokio::test]
async fn headers_that_can_not_be_are_refused_and_change_nothing() {
    let s3 = Fixture::start().await;
    let kms_id = "x-amz-server-side-encryption-aws-kms-key-id";
    let context = "x-amz-server-side-encryption-context";
    let customer = Mode::Customer(1).of_write();
    let [algorithm, key, md5] = &borrowed(&customer)[..] else { panic!("three headers") };
    let cases: [(&[(&str, &str)], &str); 14] = [
        (&[(METHOD, "AES128")], "InvalidArgument"),
        (&[(METHOD, "aes256")], "InvalidArgument"),
        (&[(METHOD, "aws:kms:dsse")], "NotImplemented"),
        (&[(METHOD, "AES256"), (kms_id, "k")], "InvalidArgument"),
        (&[(kms_id, "k")], "InvalidArgument"),
        (&[(METHOD, "aws:kms"), (kms_id, "a b")], "KMS.NotFoundException"),
        (&[(METHOD, "aws:kms"), (context, "e30")], "InvalidArgument"),
        (&[(METHOD, "aws:kms"), (context, "eyJhIjoxfQ==")], "InvalidArgument"),
        (&[(METHOD, "AES256"), *algorithm, *key, *md5], "InvalidArgument"),
        (&[*key, *md5], "InvalidArgument"),
        (&[*algorithm, *md5], "InvalidArgument"),
        (&[*algorithm, *key], "InvalidArgument"),
        (&[(CUSTOMER, "AES128"), *key, *md5], "InvalidEncryptionAlgorithmError"),
        (&[*algorithm, *key, ("x-amz-server-side-encryption-customer-key-MD5", "AAAA")], "InvalidArgument"),
    ];
    for (headers, code) in cases {
        let refused = s3.send("PUT", "/bkt/k", headers, b"data").await;
        assert_eq!(refused.error().1, code, "{headers:?}");
        assert!(!refused.text().contains("AQEB"), "an error shows the key: {}", refused.text());
        let begun = s3.send("POST", "/bkt/k?uploads", headers, b"").await;
        assert_eq!(begun.error().1, code, "{headers:?}");
    }
    assert_eq!(s3.get("/bkt/k").await.status, 404);
    put(&s3, "/bkt/k", Mode::S3, b"data").await;
    for (name, value) in [(METHOD, "AES256"), (kms_id, "k")] {
        let refused = s3.send("GET", "/bkt/k", &[(name, value)], b"").await;
        assert_eq!(refused.error(), (400, "InvalidArgument".into()));
        assert_eq!(s3.send("HEAD", "/bkt/k", &[(name, value)], b"").await.status, 400);
    }
}

#[tokio::test]
async fn a_ring_key_is_there_when_it_is_first_named_and_its_default_is_told() {
    let s3 = Fixture::start().await;
    for id in [KEY_ID, "alias/mine", "01234567-89ab-cdef-0123-456789abcdef", "testkey-1"] {
        put(&s3, "/bkt/k", Mode::Kms(id), b"data").await;
        let read = get(&s3, "/bkt/k", Mode::Kms(id), None).await;
        assert_eq!((read.text().as_str(), read.header("x-amz-server-side-encryption-aws-kms-key-id")), ("data", id));
    }
    let headers = [
        (METHOD, "aws:kms"),
        ("x-amz-server-side-encryption-context", "eyJhIjoiYiJ9"),
        ("x-amz-server-side-encryption-bucket-key-enabled", "true"),
    ];
    let written = s3.send("PUT", "/bkt/k", &headers, b"data").await;
    assert_eq!(written.header("x-amz-server-side-encryption-context"), "eyJhIjoiYiJ9");
    assert_eq!(written.header("x-amz-server-side-encryption-bucket-key-enabled"), "true");
    let id = written.header("x-amz-server-side-encryption-aws-kms-key-id");
    assert_eq!(id, "arn:aws:kms:us-east-1:000000000000:alias/aws/s3");
    assert_eq!(s3.get("/bkt/k").await.text(), "data");
}

#[tokio::test]
async fn checksums_are_of_the_plain_bytes_and_an_etag_is_their_md5_where_s3_has_the_key() {
    let s3 = Fixture::start().await;
    for mode in MODES {
        let mut headers = mode.of_write();
        headers.push(("content-md5".into(), "jXd/OF09/siBXSD3SWAm3A==".into()));
        headers.push(("x-amz-checksum-crc32".into(), "rfPzYw==".into()));
        let written = s3.send("PUT", "/bkt/k", &borrowed(&headers), b"data").await;
        assert_eq!((written.status, written.header("x-amz-checksum-crc32")), (200, "rfPzYw=="), "{mode:?}");
        let is_md5 = written.header("etag") == "\"8d777f385d3dfec8815d20f7496026dc\"";
        assert_eq!(is_md5, matches!(mode, Mode::Plain | Mode::S3), "{mode:?}");
        assert_eq!(written.header("etag").len(), 34);
        let mut if_match = mode.of_read();
        if_match.push(("if-match".into(), written.header("etag").into()));
        assert_eq!(s3.send("GET", "/bkt/k", &borrowed(&if_match), b"").await.text(), "data");
        if_match.last_mut().unwrap().0 = "if-none-match".into();
        assert_eq!(s3.send("GET", "/bkt/k", &borrowed(&if_match), b"").await.status, 304);
        headers.last_mut().unwrap().1 = "AAAAAA==".into();
        let refused = s3.send("PUT", "/bkt/k", &borrowed(&headers), b"data").await;
        assert_eq!(refused.error(), (400, "BadDigest".into()));
    }
}

fn by_default(of: &str) -> String {
    format!("<ServerSideEncryptionConfiguration><Rule>{of}</Rule></ServerSideEncryptionConfiguration>")
}

#[tokio::test]
async fn a_bucket_encrypts_what_asks_for_nothing() {
    let s3 = Fixture::start().await;
    let setting = "/bkt?encryption=";
    let missing = (404, "ServerSideEncryptionConfigurationNotFoundError".to_owned());
    assert_eq!(s3.get(setting).await.error(), missing);
    let kms = format!(
        "<ApplyServerSideEncryptionByDefault><SSEAlgorithm>aws:kms</SSEAlgorithm><KMSMasterKeyID>{KEY_ID}</KMSMasterKeyID>\
         </ApplyServerSideEncryptionByDefault><BucketKeyEnabled>true</BucketKeyEnabled>"
    );
    let aes =
        "<ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault>";
    for (rule, mode) in [(kms.as_str(), Mode::Kms(KEY_ID)), (aes, Mode::S3)] {
        assert_eq!(s3.put(setting, by_default(rule).as_bytes()).await.status, 200);
        assert!(s3.get(setting).await.text().contains(rule.split("</Apply").next().unwrap()));
        assert!(mode.is_told_by(&s3.put("/bkt/put", b"data").await));
        let copied = s3.send("PUT", "/bkt/copy", &[("x-amz-copy-source", "/bkt/put")], b"").await;
        assert!(mode.is_told_by(&copied), "{:?}", copied.headers);
        let begun = s3.send("POST", "/bkt/parts?uploads", &[], b"").await;
        assert!(mode.is_told_by(&begun));
        let asked = put(&s3, "/bkt/put", Mode::Customer(1), b"data").await;
        assert!(Mode::Customer(1).is_told_by(&asked));
        assert_eq!(get(&s3, "/bkt/copy", mode, None).await.text(), "data");
    }
    assert_eq!(s3.send("DELETE", setting, &[], b"").await.status, 204);
    assert_eq!(s3.get(setting).await.error(), missing);
    assert!(Mode::Plain.is_told_by(&s3.put("/bkt/put", b"data").await));
    assert_eq!(s3.put(setting, b"<ServerSideEncryptionConfiguration/>").await.error().1, "MalformedXML");
}

#[tokio::test]
async fn a_bucket_can_block_keys_of_customers() {
    let s3 = Fixture::start().await;
    let blocks = "<BlockedEncryptionTypes><EncryptionType>SSE-C</EncryptionType></BlockedEncryptionTypes>";
    assert_eq!(s3.put("/bkt?encryption=", by_default(blocks).as_bytes()).await.status, 200);
    assert_eq!(put(&s3, "/bkt/k", Mode::Customer(1), b"x").await.error(), (403, "AccessDenied".into()));
    assert_eq!(put(&s3, "/bkt/k", Mode::Plain, b"x").await.status, 200);
}

#[tokio::test]
async fn a_policy_can_deny_what_is_not_encrypted_as_it_wants() {
    let s3 = Guarded::start().await;
    let deny = |condition: &str| {
        format!(
            r#"{{"Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::bkt/*","Condition":{condition}}}"#
        )
    };
    let wanted = [
        deny(r#"{"StringNotEquals":{"s3:x-amz-server-side-encryption":"AES256"}}"#),
        deny(r#"{"Null":{"s3:x-amz-server-side-encryption":"true"}}"#),
    ];
    assert_eq!(s3.put_policy(&wanted.join(",")).await.status, 204);
    let put = async |method: Option<&str>| {
        let more: Vec<_> = method.map(|method| (METHOD, method)).into_iter().collect();
        let headers = s3.signer().headers("PUT", "/bkt/k", &sha256(b"data"), &more);
        s3.send("PUT", "/bkt/k", &headers, b"data").await.status
    };
    assert_eq!([put(None).await, put(Some("aws:kms")).await, put(Some("AES256")).await], [403, 403, 200]);
}

#[tokio::test]
async fn versions_keep_their_own_encryption() {
    let s3 = Fixture::start().await;
    let enabled = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    assert_eq!(s3.put("/bkt?versioning=", enabled).await.status, 200);
    let mut ids = Vec::new();
    for (n, mode) in MODES.into_iter().enumerate() {
        let written = put(&s3, "/bkt/k", mode, format!("version {n}").as_bytes()).await;
        ids.push(written.header("x-amz-version-id").to_owned());
    }
    for (n, mode) in MODES.into_iter().enumerate() {
        let read = get(&s3, &format!("/bkt/k?versionId={}", ids[n]), mode, None).await;
        assert_eq!(read.text(), format!("version {n}"), "{mode:?}");
        assert!(mode.is_told_by(&read));
    }
    for (n, id) in ids.iter().enumerate().skip(1).rev() {
        assert_eq!(s3.send("DELETE", &format!("/bkt/k?versionId={id}"), &[], b"").await.status, 204);
        assert_eq!(get(&s3, "/bkt/k", MODES[n - 1], None).await.text(), format!("version {}", n - 1));
    }
}

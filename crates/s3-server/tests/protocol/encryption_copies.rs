//! Copies of objects and of ranges into parts, from every kind of encryption to every other.

use crate::client::{Fixture, Reply};
use crate::encrypted::{Headers, Mode, borrowed, bytes, headers};
use crate::encryption::{get, put};

const MODES: [Mode; 6] =
    [Mode::Plain, Mode::S3, Mode::Kms("alias/one"), Mode::Kms("alias/two"), Mode::Customer(1), Mode::Customer(2)];
const SIZES: [usize; 4] = [1, 1 << 10, 1 << 20, 8 << 20];

/// What a copy says of its source.
fn of_source(mode: Mode) -> Headers {
    let of_copy = |name: &str| name.replacen("x-amz-", "x-amz-copy-source-", 1);
    mode.of_read().into_iter().map(|(name, value)| (of_copy(&name), value)).collect()
}

async fn copy(s3: &Fixture, source: (&str, Mode), target: (&str, Mode), more: &[(&str, &str)]) -> Reply {
    let mut all: Headers = headers(&[("x-amz-copy-source", source.0)]);
    all.extend(of_source(source.1));
    all.extend(target.1.of_write());
    all.extend(headers(more));
    s3.send("PUT", target.0, &borrowed(&all), b"").await
}

/// One test for each size: every source to every target.
async fn copies_of(size: usize) {
    let s3 = Fixture::start().await;
    let body = bytes(size);
    for from in MODES {
        assert_eq!(put(&s3, "/bkt/source", from, &body).await.status, 200);
        for to in MODES {
            let copied = copy(&s3, ("/bkt/source", from), ("/bkt/target", to), &[]).await;
            assert_eq!(copied.status, 200, "{from:?} to {to:?}: {}", copied.text());
            assert!(to.is_told_by(&copied), "{from:?} to {to:?}: {:?}", copied.headers);
            let read = get(&s3, "/bkt/target", to, None).await;
            assert!(read.body == body, "{from:?} to {to:?}");
            assert!(to.is_told_by(&read), "{from:?} to {to:?}: {:?}", read.headers);
            let range = get(&s3, "/bkt/target", to, Some(&format!("bytes={}-", size / 2))).await;
            assert!(range.body == body[size / 2..], "{from:?} to {to:?}");
        }
    }
}

macro_rules! matrix {
    ($($name:ident: $size:expr),* $(,)?) => {
        $(#[tokio::test]
        async fn $name() {
            copies_of(SIZES[$size]).await;
        })*
    };
}

matrix! {
    every_copy_of_one_byte: 0,
    every_copy_of_a_kibibyte: 1,
    every_copy_of_a_mebibyte: 2,
    every_copy_of_eight_mebibytes: 3,
}

#[tokio::test]
async fn every_range_becomes_a_part_of_every_upload() {
    let s3 = Fixture::start().await;
    let body = bytes(300_000);
    for from in MODES {
        put(&s3, "/bkt/source", from, &body).await;
        for to in MODES {
            let id = s3.send("POST", "/bkt/target?uploads", &borrowed(&to.of_write()), b"").await.element("UploadId");
            let target = format!("/bkt/target?partNumber=3&uploadId={id}");
            let mut all =
                headers(&[("x-amz-copy-source", "/bkt/source"), ("x-amz-copy-source-range", "bytes=100-270000")]);
            all.extend(of_source(from));
            all.extend(to.of_read());
            let part = s3.send("PUT", &target, &borrowed(&all), b"").await;
            assert_eq!(part.status, 200, "{from:?} to {to:?}: {}", part.text());
            assert!(to.is_told_by(&part), "{from:?} to {to:?}: {:?}", part.headers);
            let etag = part.element("ETag");
            let list = format!(
                "<CompleteMultipartUpload><Part><PartNumber>3</PartNumber><ETag>{etag}</ETag></Part></CompleteMultipartUpload>"
            );
            let done = s3.send("POST", &format!("/bkt/target?uploadId={id}"), &[], list.as_bytes()).await;
            assert_eq!(done.status, 200, "{}", done.text());
            let read = get(&s3, "/bkt/target", to, None).await;
            assert!(read.body == body[100..=270_000] && to.is_told_by(&read), "{from:?} to {to:?}");
        }
    }
}

#[tokio::test]
async fn a_copy_needs_the_key_of_its_source_and_leaves_the_target_as_it_was() {
    let s3 = Fixture::start().await;
    put(&s3, "/bkt/source", Mode::Customer(1), b"data").await;
    put(&s3, "/bkt/plain", Mode::Plain, b"data").await;
    put(&s3, "/bkt/target", Mode::Plain, b"old").await;
    for (source, mode, refused) in [
        ("/bkt/source", Mode::Plain, (400, "InvalidRequest")),
        ("/bkt/source", Mode::Customer(2), (403, "AccessDenied")),
        ("/bkt/plain", Mode::Customer(1), (400, "InvalidRequest")),
    ] {
        let copied = copy(&s3, (source, mode), ("/bkt/target", Mode::Plain), &[]).await;
        assert_eq!(copied.error(), (refused.0, refused.1.into()), "{source} {mode:?}");
    }
    let half = [("x-amz-copy-source-server-side-encryption-customer-algorithm", "AES256")];
    let copied = copy(&s3, ("/bkt/source", Mode::Plain), ("/bkt/target", Mode::Plain), &half).await;
    assert_eq!(copied.error(), (400, "InvalidArgument".into()));
    assert_eq!(s3.get("/bkt/target").await.text(), "old");
}

#[tokio::test]
async fn a_copy_onto_itself_may_change_the_encryption_alone() {
    let s3 = Fixture::start().await;
    let body = bytes(100_000);
    put(&s3, "/bkt/k", Mode::Plain, &body).await;
    let copied = copy(&s3, ("/bkt/k", Mode::Plain), ("/bkt/k", Mode::Plain), &[]).await;
    assert_eq!(copied.error(), (400, "InvalidRequest".into()));
    let chain = [Mode::S3, Mode::Customer(1), Mode::Customer(2), Mode::Customer(2), Mode::Kms("alias/a"), Mode::Plain];
    let mut from = Mode::Plain;
    for to in chain {
        let copied = copy(&s3, ("/bkt/k", from), ("/bkt/k", to), &[]).await;
        assert_eq!(copied.status, 200, "{from:?} to {to:?}: {}", copied.text());
        assert!(get(&s3, "/bkt/k", to, None).await.body == body, "{from:?} to {to:?}");
        from = to;
    }
}

#[tokio::test]
async fn conditions_on_the_source_of_an_encrypted_copy_hold() {
    let s3 = Fixture::start().await;
    let etag = put(&s3, "/bkt/k", Mode::Customer(1), b"data").await.header("etag").to_owned();
    let (source, target) = (("/bkt/k", Mode::Customer(1)), ("/bkt/copy", Mode::Customer(2)));
    let wrong = copy(&s3, source, target, &[("x-amz-copy-source-if-none-match", &etag)]).await;
    assert_eq!(wrong.error(), (412, "PreconditionFailed".into()));
    assert_eq!(copy(&s3, source, target, &[("x-amz-copy-source-if-match", &etag)]).await.status, 200);
}

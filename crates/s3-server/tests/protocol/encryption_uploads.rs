//! Encrypted uploads in parts, and by forms.

use crate::client::{Fixture, Reply};
use crate::encrypted::{Mode, borrowed, bytes};
use crate::encryption::get;

const MIB: usize = 1 << 20;
const MODES: [Mode; 4] = [Mode::Plain, Mode::S3, Mode::Kms("testkey-1"), Mode::Customer(1)];

pub(crate) async fn begin(s3: &Fixture, mode: Mode) -> String {
    let begun = s3.send("POST", "/bkt/k?uploads", &borrowed(&mode.of_write()), b"").await;
    assert!(begun.status == 200 && mode.is_told_by(&begun), "{mode:?}: {}", begun.text());
    begun.element("UploadId")
}

pub(crate) async fn part(s3: &Fixture, id: &str, number: u16, mode: Mode, body: &[u8]) -> Reply {
    let target = format!("/bkt/k?partNumber={number}&uploadId={id}");
    s3.send("PUT", &target, &borrowed(&mode.of_read()), body).await
}

pub(crate) async fn complete(s3: &Fixture, id: &str, parts: &[(u16, &Reply)], mode: Mode) -> Reply {
    let part = |(number, reply): &(u16, &Reply)| {
        let etag = reply.header("etag").replace('"', "&quot;");
        format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>")
    };
    let parts: String = parts.iter().map(part).collect();
    let list = format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>");
    s3.send("POST", &format!("/bkt/k?uploadId={id}"), &borrowed(&mode.of_read()), list.as_bytes()).await
}

#[tokio::test]
async fn encrypted_parts_become_one_object_that_is_read_as_a_whole_by_ranges_and_by_parts() {
    let s3 = Fixture::start().await;
    let (one, two, three) = (bytes(5 * MIB), bytes(6 * MIB + 77), bytes(5));
    let whole = [&one[..], &two, &three].concat();
    for mode in MODES {
        let id = begin(&s3, mode).await;
        let third = part(&s3, &id, 900, mode, &three).await;
        let replaced = part(&s3, &id, 2, mode, b"replaced").await;
        assert_eq!(replaced.status, 200, "{mode:?}: {}", replaced.text());
        let second = part(&s3, &id, 7, mode, &two).await;
        let first = part(&s3, &id, 2, mode, &one).await;
        assert!(mode.is_told_by(&first), "{mode:?}: {:?}", first.headers);
        let done = complete(&s3, &id, &[(2, &first), (7, &second), (900, &third)], mode).await;
        assert_eq!(done.status, 200, "{mode:?}: {}", done.text());
        assert!(done.element("ETag").ends_with("-3&quot;") || done.element("ETag").ends_with("-3\""));
        let read = get(&s3, "/bkt/k", mode, None).await;
        assert!(read.body == whole && mode.is_told_by(&read), "{mode:?}");
        for (first, last) in [(0, 10), (5 * MIB - 1, 5 * MIB), (5 * MIB, 11 * MIB), (11 * MIB + 70, 11 * MIB + 81)] {
            let range = get(&s3, "/bkt/k", mode, Some(&format!("bytes={first}-{last}"))).await;
            assert!(range.body == whole[first..=last], "{mode:?} {first} to {last}");
        }
        let by_part = get(&s3, "/bkt/k?partNumber=2", mode, None).await;
        assert!(by_part.body == two, "{mode:?}");
    }
}

#[tokio::test]
async fn small_parts_of_a_single_upload_are_read_too() {
    let s3 = Fixture::with(|settings| settings.min_part_bytes = 0).await;
    for mode in MODES {
        for sizes in [vec![10], vec![0], vec![0, 3, 0, 5], vec![100, 65_480, 1]] {
            let id = begin(&s3, mode).await;
            let (mut parts, mut whole) = (Vec::new(), Vec::new());
            for (number, size) in sizes.iter().enumerate() {
                whole.extend(bytes(*size));
                parts.push((number as u16 + 1, part(&s3, &id, number as u16 + 1, mode, &bytes(*size)).await));
            }
            let named: Vec<_> = parts.iter().map(|(number, reply)| (*number, reply)).collect();
            assert_eq!(complete(&s3, &id, &named, mode).await.status, 200);
            let read = get(&s3, "/bkt/k", mode, None).await;
            assert!(read.status == 200 && read.body == whole, "{mode:?} {sizes:?}");
        }
    }
}

#[tokio::test]
async fn every_part_carries_the_key_of_its_upload() {
    let s3 = Fixture::start().await;
    let id = begin(&s3, Mode::Customer(1)).await;
    let plain = begin(&s3, Mode::Plain).await;
    for (id, mode, says) in [
        (&id, Mode::Plain, "must include the appropriate encryption parameters"),
        (&id, Mode::Customer(2), "did not match the ones used originally"),
        (&plain, Mode::Customer(1), "did not request encryption"),
    ] {
        let refused = part(&s3, id, 1, mode, b"data").await;
        assert_eq!(refused.error(), (400, "InvalidRequest".into()), "{mode:?}");
        assert!(refused.text().contains(says), "{}", refused.text());
    }
    let only = part(&s3, &id, 1, Mode::Customer(1), b"data").await;
    let refused = complete(&s3, &id, &[(1, &only)], Mode::Customer(2)).await;
    assert_eq!(refused.error(), (400, "InvalidRequest".into()));
    // A completion moves no plain byte: it needs no key.
    assert_eq!(complete(&s3, &id, &[(1, &only)], Mode::Plain).await.status, 200);
    assert_eq!(get(&s3, "/bkt/k", Mode::Customer(1), None).await.text(), "data");
}

#[tokio::test]
async fn a_part_may_name_the_method_of_its_upload_and_no_other() {
    let s3 = Fixture::start().await;
    let id = begin(&s3, Mode::S3).await;
    let target = format!("/bkt/k?partNumber=1&uploadId={id}");
    let send = async |method: &str| s3.send("PUT", &target, &[("x-amz-server-side-encryption", method)], b"x").await;
    assert_eq!(send("AES256").await.status, 200);
    assert_eq!(send("aws:kms").await.error(), (400, "InvalidArgument".into()));
}

//! What encryption leaves on the disk, and what it makes of files that were changed there.

use std::path::{Path, PathBuf};

use crate::client::Fixture;
use crate::encrypted::{Mode, bytes};
use crate::encryption::{MODES, get, put};
use crate::encryption_uploads::{begin, complete, part};

/// Every file of the server's directory but those of the index.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if !path.file_name().unwrap().to_str().unwrap().starts_with("index.db") {
            found.push(path);
        }
    }
    found
}

fn data_file(s3: &Fixture) -> PathBuf {
    let mut found = files(&s3.directory.path().join("bkt"));
    assert_eq!(found.len(), 1);
    found.remove(0)
}

#[tokio::test]
async fn no_plain_byte_and_no_key_lies_on_the_disk() {
    let s3 = Fixture::start().await;
    let body = b"nobody should find these words on the disk".repeat(4000);
    for (n, mode) in MODES.into_iter().enumerate() {
        put(&s3, &format!("/bkt/{n}"), mode, &body).await;
    }
    let holds =
        |path: &Path, needle: &[u8]| std::fs::read(path).unwrap().windows(needle.len()).any(|window| window == needle);
    let found: Vec<_> = files(s3.directory.path()).into_iter().filter(|path| holds(path, b"these words")).collect();
    assert!(found.len() == 1 && found[0].to_str().unwrap().contains("/0~"), "{found:?}");
    for path in std::fs::read_dir(s3.directory.path().join(".holdfast")).unwrap() {
        let path = path.unwrap().path();
        assert!(!path.is_file() || !holds(&path, &[1; 32]), "{path:?}");
        assert!(!path.is_file() || !holds(&path, b"AQEBAQEBAQEBAQEBAQEB"), "{path:?}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn the_master_key_is_its_owners_alone_and_made_when_it_is_needed() {
    use std::os::unix::fs::PermissionsExt as _;
    let s3 = Fixture::start().await;
    let file = s3.directory.path().join(".holdfast/master.key");
    put(&s3, "/bkt/k", Mode::Plain, b"x").await;
    put(&s3, "/bkt/k", Mode::Customer(1), b"x").await;
    assert!(!file.exists());
    put(&s3, "/bkt/k", Mode::S3, b"x").await;
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn encrypted_objects_survive_a_restart_and_are_closed_without_the_master_key() {
    let s3 = Fixture::start().await;
    for (n, mode) in MODES.into_iter().enumerate() {
        put(&s3, &format!("/bkt/{n}"), mode, b"data").await;
    }
    let s3 = Fixture::again(s3).await;
    for (n, mode) in MODES.into_iter().enumerate() {
        assert_eq!(get(&s3, &format!("/bkt/{n}"), mode, None).await.text(), "data", "{mode:?}");
    }
    let file = s3.directory.path().join(".holdfast/master.key");
    let key = std::fs::read(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    let s3 = Fixture::again(s3).await;
    assert_eq!(get(&s3, "/bkt/1", Mode::S3, None).await.error(), (500, "InternalError".into()));
    // A second master key would hide that the first one is lost.
    let refused = put(&s3, "/bkt/new", Mode::S3, b"x").await;
    assert!(refused.status == 500 && refused.text().contains("MASTER_KEY_MISSING"), "{}", refused.text());
    assert!(!file.exists());
    assert_eq!(get(&s3, "/bkt/3", Mode::Customer(1), None).await.text(), "data");
    std::fs::write(&file, key).unwrap();
    assert_eq!(get(&s3, "/bkt/1", Mode::S3, None).await.text(), "data");
}

#[tokio::test]
async fn a_changed_or_cut_file_is_an_error_and_never_wrong_bytes() {
    for (size, mode) in [(100, Mode::S3), (100, Mode::Customer(1)), (1 << 20, Mode::S3), (1 << 20, Mode::Customer(1))] {
        let s3 = Fixture::start().await;
        let body = bytes(size);
        put(&s3, "/bkt/k", mode, &body).await;
        let path = data_file(&s3);
        let whole = std::fs::read(&path).unwrap();
        let (mut changed, mut exchanged) = (whole.clone(), whole.clone());
        changed[whole.len() - 20] ^= 1;
        exchanged.rotate_left(whole.len() / 2);
        let cut = whole[..whole.len() - 1].to_vec();
        for (spoilt, is_at_its_beginning) in [(changed, false), (cut, false), (exchanged, true)] {
            std::fs::write(&path, spoilt).unwrap();
            let read = get(&s3, "/bkt/k", mode, None).await;
            if size <= 100 || is_at_its_beginning {
                assert_eq!(read.error(), (500, "InternalError".into()));
            } else {
                // Headers are sent before the last segment is read: the connection is cut.
                assert!(read.body.len() < size && body.starts_with(&read.body), "{} bytes", read.body.len());
            }
        }
        std::fs::write(&path, whole).unwrap();
        assert!(get(&s3, "/bkt/k", mode, None).await.body == body);
    }
}

#[tokio::test]
async fn the_file_of_one_object_does_not_open_as_another() {
    let s3 = Fixture::start().await;
    put(&s3, "/bkt/one", Mode::S3, b"first").await;
    let one = std::fs::read(data_file(&s3)).unwrap();
    put(&s3, "/bkt/two", Mode::S3, b"other").await;
    for path in files(&s3.directory.path().join("bkt")) {
        std::fs::write(path, &one).unwrap();
    }
    assert_eq!(get(&s3, "/bkt/one", Mode::S3, None).await.text(), "first");
    assert_eq!(get(&s3, "/bkt/two", Mode::S3, None).await.error().0, 500);
}

#[tokio::test]
async fn an_encrypted_upload_survives_a_restart() {
    let s3 = Fixture::start().await;
    let (one, two) = (bytes(5 << 20), bytes(70_000));
    let id = begin(&s3, Mode::S3).await;
    let first = part(&s3, &id, 1, Mode::S3, &one).await;
    let s3 = Fixture::again(s3).await;
    let second = part(&s3, &id, 2, Mode::S3, &two).await;
    assert_eq!(complete(&s3, &id, &[(1, &first), (2, &second)], Mode::S3).await.status, 200);
    assert!(get(&s3, "/bkt/k", Mode::S3, None).await.body == [one, two].concat());
}

#[tokio::test]
async fn settings_survive_a_restart() {
    let s3 = Fixture::start().await;
    let encryption = "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault>\
        <SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>";
    let website = "<WebsiteConfiguration><IndexDocument><Suffix>i</Suffix></IndexDocument></WebsiteConfiguration>";
    assert_eq!(s3.put("/bkt?encryption=", encryption.as_bytes()).await.status, 200);
    assert_eq!(s3.put("/bkt?website=", website.as_bytes()).await.status, 200);
    let s3 = Fixture::again(s3).await;
    assert_eq!(s3.get("/bkt?website=").await.element("Suffix"), "i");
    assert!(Mode::S3.is_told_by(&s3.put("/bkt/k", b"data").await));
}

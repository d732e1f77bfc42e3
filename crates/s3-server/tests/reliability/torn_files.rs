use std::path::{Path, PathBuf};

use holdfast_s3_server::{Server, ServerSettings};
use holdfast_testkit::Dice;

use crate::client::Fixture;

const SIZE: usize = 1_000_000;

fn data_file(s3: &Fixture, key: &str) -> PathBuf {
    let mut files = std::fs::read_dir(s3.directory.path().join("bkt")).unwrap().map(|entry| entry.unwrap().path());
    let is_of_key = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().starts_with(key);
    files.find(is_of_key).unwrap()
}

#[tokio::test]
async fn an_object_whose_file_was_cut_is_never_answered_as_if_it_were_whole() {
    let s3 = Fixture::start().await;
    for key in ["cut", "gone", "whole"] {
        s3.put(&format!("/bkt/{key}"), &vec![b'x'; SIZE]).await;
    }
    std::fs::File::options().write(true).open(data_file(&s3, "cut")).unwrap().set_len(600_000).unwrap();
    std::fs::remove_file(data_file(&s3, "gone")).unwrap();

    // Its head is sent before the end of the file is reached: the client can tell that bytes are missing.
    let cut = s3.get("/bkt/cut").await;
    assert_eq!((cut.status, cut.header("content-length")), (200, "1000000"));
    assert!(cut.body.len() <= 600_000, "{} bytes of a file of 600,000", cut.body.len());
    let beyond = s3.send("GET", "/bkt/cut", &[("range", "bytes=700000-700010")], b"").await;
    assert_eq!(beyond.error(), (500, "InternalError".into()));
    assert_eq!(s3.get("/bkt/gone").await.error(), (500, "InternalError".into()));
    let copy = s3.send("PUT", "/bkt/copy", &[("x-amz-copy-source", "/bkt/cut")], b"").await;
    assert_eq!((copy.status, s3.get("/bkt/copy").await.status), (500, 404));

    assert_eq!(s3.get("/bkt/whole").await.body.len(), SIZE);
    for key in ["cut", "gone"] {
        assert_eq!(s3.put(&format!("/bkt/{key}"), b"new").await.status, 200);
        assert_eq!(s3.get(&format!("/bkt/{key}")).await.text(), "new");
        assert_eq!(s3.send("DELETE", &format!("/bkt/{key}"), &[], b"").await.status, 204);
    }
}

/// A power cut under `Durability::Process` may take what the index wrote last, and leaves files half written.
#[tokio::test]
async fn a_torn_tail_of_the_indexs_log_leaves_a_whole_state_from_before() {
    let s3 = Fixture::start().await;
    let body = |n: usize| format!("object {n} ").repeat(20_000);
    for n in 0..30 {
        assert_eq!(s3.put(&format!("/bkt/{n:02}"), body(n).as_bytes()).await.status, 200);
    }
    let mut dice = Dice::new(7);
    let wal_bytes = std::fs::metadata(s3.directory.path().join(".holdfast/index.db-wal")).unwrap().len();
    for _ in 0..12 {
        let image = tempfile::tempdir().unwrap();
        copy_folder(s3.directory.path(), image.path());
        let wal = std::fs::File::options().write(true).open(image.path().join(".holdfast/index.db-wal")).unwrap();
        wal.set_len(dice.below(wal_bytes)).unwrap();
        // The other processes' view of the log is memory: it does not outlive the machine.
        let _ = std::fs::remove_file(image.path().join(".holdfast/index.db-shm"));
        let again = Fixture { server: start(image.path()).await, directory: image };
        let keys = again.get("/bkt").await.elements("Key");
        for (n, key) in keys.iter().enumerate() {
            assert_eq!(*key, format!("{n:02}"), "the oldest writes are those that stay");
            assert_eq!(again.get(&format!("/bkt/{key}")).await.text(), body(n));
        }
        again.server.stop().await;
    }
}

async fn start(directory: &Path) -> Server {
    Server::start(ServerSettings::new(directory)).await.unwrap()
}

#[tokio::test]
async fn an_index_that_is_no_database_any_more_is_a_clear_error_and_is_left_as_it_is() {
    let s3 = Fixture::start().await;
    s3.put("/bkt/k", b"data").await;
    s3.server.stop().await;
    let index = s3.directory.path().join(".holdfast/index.db");
    let whole = std::fs::read(&index).unwrap();
    let mut broken = whole.clone();
    broken[..512].fill(b'?');
    std::fs::write(&index, &broken).unwrap();
    let Err(error) = Server::start(ServerSettings::new(s3.directory.path())).await else {
        panic!("the server started on a broken index")
    };
    assert_eq!(error.code(), "NOT_A_DATABASE");
    assert!(std::fs::read(&index).unwrap() == broken, "the index was changed");
    std::fs::write(&index, &whole).unwrap();
    let s3 = Fixture::again(s3).await;
    assert_eq!(s3.get("/bkt/k").await.text(), "data");
}

fn copy_folder(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            std::fs::create_dir(&target).unwrap();
            copy_folder(&path, &target);
        } else {
            std::fs::copy(&path, &target).unwrap();
        }
    }
}

//! What the disk engine does when it is opened, and what it refuses to open.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod engine_bench;

use std::fs;
use std::path::Path;
use std::process::Command;

use engine_bench::{Bench, settings};
use holdfast_base::ErrorKind;
use holdfast_s3_server::engine::{Condition, Durability, Engine, EngineError};

fn storage_code(error: &EngineError) -> &'static str {
    match error {
        EngineError::Storage(error) => error.code(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_directory_is_open_only_once() {
    let bench = Bench::new().await;
    let second = Engine::open(settings(bench.path())).await.unwrap_err();
    assert_eq!(storage_code(&second), "DIRECTORY_IN_USE");
    let bench = bench.reopen().await;
    bench.put("key", "body").await;
}

#[tokio::test]
async fn calls_after_close_say_that_it_is_closed() {
    let bench = Bench::new().await;
    bench.engine.close().await;
    bench.engine.close().await;
    let closed = bench.engine.create_bucket("another", "us-east-1").await.unwrap_err();
    assert_eq!(storage_code(&closed), "CLOSED");
    assert_eq!(storage_code(&bench.engine.stage("bucket").await.unwrap_err()), "CLOSED");
}

#[tokio::test]
async fn staged_files_that_nothing_names_are_swept_and_foreign_files_stay() {
    let bench = Bench::new().await;
    bench.put("key", "body").await;
    let staging = bench.path().join(".holdfast/staging");
    fs::write(staging.join("3v"), "an orphan").unwrap();
    fs::write(staging.join("notes.txt"), "somebody's").unwrap();
    fs::create_dir(staging.join("folder")).unwrap(); // named like one of ours, but no file
    fs::write(bench.path().join("bucket/mine.txt"), "somebody's").unwrap();
    let bench = bench.reopen().await;
    let files = bench.files();
    assert!(files.iter().any(|file| file == "bucket/mine.txt"), "{files:?}");
    assert!(files.iter().any(|file| file == ".holdfast/staging/notes.txt"), "{files:?}");
    assert_eq!(files.len(), 3, "{files:?}");
    assert_eq!(bench.get("key").await.unwrap().1, "body");
}

#[tokio::test]
async fn a_clean_slate_removes_what_the_index_names_and_nothing_else() {
    let bench = Bench::new().await;
    bench.put("folder/key", "body").await;
    bench.engine.create_upload("bucket", "unfinished", Default::default()).await.unwrap();
    fs::create_dir(bench.path().join("src")).unwrap(); // named as a bucket could be
    fs::write(bench.path().join("src/main.rs"), "somebody's").unwrap();
    fs::write(bench.path().join("bucket/mine.txt"), "somebody's").unwrap();
    let bench = bench.reopen_with(|settings| settings.clean_slate = true).await;
    assert_eq!(bench.engine.list_buckets(None, "", 10).await.unwrap().items.len(), 0);
    assert_eq!(bench.files(), ["bucket/mine.txt", "src/main.rs"]);
    assert!(!bench.path().join("bucket/folder").exists());
}

#[tokio::test]
async fn an_object_whose_place_is_blocked_can_be_read_and_is_moved_at_the_next_open() {
    let bench = Bench::new().await;
    let blocker = bench.path().join("bucket/folder");
    fs::write(&blocker, "a file where a folder must be").unwrap();
    bench.put("folder/key", "body").await;
    assert_eq!(bench.get("folder/key").await.unwrap().1, "body");
    let bench = bench.reopen().await;
    assert_eq!(bench.get("folder/key").await.unwrap().1, "body");
    fs::remove_file(&blocker).unwrap();
    let bench = bench.reopen().await;
    let files = bench.files();
    assert!(files.len() == 1 && files[0].starts_with("bucket/folder/key~"), "{files:?}");
    assert_eq!(bench.get("folder/key").await.unwrap().1, "body");
}

#[tokio::test]
async fn a_disk_that_refuses_leaves_the_old_object() {
    let bench = Bench::new().await;
    bench.put("key", "old").await;
    let staging = bench.path().join(".holdfast/staging");
    fs::remove_dir(&staging).unwrap();
    fs::write(&staging, "no folder any more").unwrap();
    let refused = bench.put_bytes("key", "new".into()).await.unwrap_err();
    assert_eq!(storage_code(&refused), "IO_ERROR");
    let mut large = bench.engine.stage("bucket").await.unwrap();
    let refused = loop {
        if let Err(error) = large.write(vec![1; 200_000].into()).await {
            break error;
        }
    };
    assert_eq!(storage_code(&refused), "IO_ERROR");
    drop(large);
    fs::remove_file(&staging).unwrap();
    fs::create_dir(&staging).unwrap();
    assert_eq!(bench.get("key").await.unwrap().1, "old");
    assert_eq!(bench.files().len(), 1);
    bench.put("key", "newer").await;
    assert_eq!(bench.get("key").await.unwrap().1, "newer");
}

/// A real refusal of the system in the middle of a body: this process may not write files over 2 MiB.
#[test]
fn a_body_that_the_disk_stops_taking_leaves_the_old_object() {
    let name = "a_body_that_the_disk_stops_taking_leaves_the_old_object";
    let runtime = tokio::runtime::Runtime::new().unwrap();
    if Path::new("started-as-the-child").exists() {
        return runtime.block_on(put_4_mib_over_a_small_object());
    }
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("started-as-the-child"), "").unwrap();
    let child = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 4096; exec \"$0\" \"$1\" --exact --nocapture"])
        .arg(std::env::current_exe().unwrap())
        .arg(name)
        .current_dir(folder.path())
        .status()
        .unwrap();
    assert!(child.success());
    assert!(folder.path().join("old-object-was-read").exists(), "the child ran another test");
}

async fn put_4_mib_over_a_small_object() {
    let bench = Bench::new().await;
    bench.put("key", "old").await;
    let mut staged = bench.engine.stage("bucket").await.unwrap();
    let refused = match staged.write(vec![1; 4 << 20].into()).await {
        Ok(()) => {
            let attributes = engine_bench::attributes("new");
            bench.engine.put("bucket", "key", staged, attributes, Condition::Always).await.unwrap_err()
        }
        Err(error) => {
            drop(staged);
            error
        }
    };
    assert_eq!(storage_code(&refused), "IO_ERROR", "{refused}");
    let bench = bench.reopen().await;
    assert_eq!(bench.get("key").await.unwrap().1, "old");
    assert_eq!(bench.files().len(), 1);
    fs::write("old-object-was-read", "").unwrap();
}

#[tokio::test]
async fn a_foreign_index_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join(".holdfast")).unwrap();
    let index = folder.path().join(".holdfast/index.db");
    fs::write(&index, "not a database, and long enough that nobody takes it for an empty one. ".repeat(9)).unwrap();
    let before = fs::read(&index).unwrap();
    let refused = Engine::open(settings(folder.path())).await.unwrap_err();
    assert_eq!(storage_code(&refused), "NOT_A_DATABASE");
    assert_eq!(fs::read(&index).unwrap(), before);
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_a_clear_error() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let EngineError::Storage(error) = Engine::open(settings(&file.join("below"))).await.unwrap_err() else { panic!() };
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(error.message().contains("file/below"), "{error}");
}

#[tokio::test]
async fn an_index_that_was_tampered_with_reaches_no_file_outside() {
    let bench = Bench::new().await;
    bench.put("key", "body").await;
    let outside = bench.path().parent().unwrap().join("holdfast-outside~1v");
    fs::write(&outside, "secret").unwrap();
    bench.engine.close().await;
    let index = holdfast_sqlite::Settings::new(bench.path().join(".holdfast/index.db")).connect_writer().unwrap();
    index.execute("update object set path = 'bucket/../../holdfast-outside~1v'", []).unwrap();
    drop(index);
    let bench = bench.reopen().await;
    assert_eq!(storage_code(&bench.get("key").await.unwrap_err()), "INDEX_CORRUPT");
    let deleted = bench.engine.delete("bucket", "key", Condition::Always).await;
    assert_eq!(storage_code(&deleted.unwrap_err()), "INDEX_CORRUPT");
    assert!(outside.exists());
    fs::remove_file(outside).unwrap();
}

#[tokio::test]
async fn a_data_file_that_somebody_removed_is_told_and_one_that_was_cut_is_not_served_as_whole() {
    let bench = Bench::new().await;
    bench.put("gone", "body").await;
    fs::remove_file(bench.path().join(&bench.files()[0])).unwrap();
    assert_eq!(storage_code(&bench.get("gone").await.unwrap_err()), "DATA_FILE_MISSING");
    bench.put("cut", "body").await;
    fs::write(bench.path().join(&bench.files()[0]), "bo").unwrap();
    assert_eq!(storage_code(&bench.get("cut").await.unwrap_err()), "IO_ERROR");
}

#[tokio::test]
async fn what_is_put_with_disk_durability_is_read_back_after_reopening() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = settings(folder.path());
    settings.durability = Durability::Disk;
    let engine = Engine::open(settings.clone()).await.unwrap();
    engine.create_bucket("bucket", "us-east-1").await.unwrap();
    let mut staged = engine.stage("bucket").await.unwrap();
    staged.write(vec![9; 400_000].into()).await.unwrap();
    let etag = engine_bench::attributes("nine");
    let put = engine.put("bucket", "a/b", staged, etag, Condition::Always).await.unwrap();
    engine.close().await;
    let engine = Engine::open(settings).await.unwrap();
    assert_eq!(engine.object("bucket", "a/b", None).await.unwrap(), put);
}

/// In a process of its own, since the working folder is the whole process's.
#[test]
fn a_relative_directory_is_the_same_after_the_working_folder_changed() {
    let name = "a_relative_directory_is_the_same_after_the_working_folder_changed";
    if Path::new("started-as-the-child").exists() {
        return tokio::runtime::Runtime::new().unwrap().block_on(put_and_get_from_two_working_folders());
    }
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("started-as-the-child"), "").unwrap();
    fs::create_dir(folder.path().join("elsewhere")).unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap());
    let child = child.args([name, "--exact", "--nocapture"]).current_dir(folder.path()).status().unwrap();
    assert!(child.success());
    assert!(folder.path().join("data/bucket").is_dir(), "the child ran another test");
}

async fn put_and_get_from_two_working_folders() {
    let engine = Engine::open(settings(Path::new("data"))).await.unwrap();
    engine.create_bucket("bucket", "us-east-1").await.unwrap();
    std::env::set_current_dir("elsewhere").unwrap();
    let mut staged = engine.stage("bucket").await.unwrap();
    staged.write("body".into()).await.unwrap();
    engine.put("bucket", "key", staged, engine_bench::attributes("etag"), Condition::Always).await.unwrap();
    let (_, file) = engine.open_object("bucket", "key", None).await.unwrap();
    assert_eq!(file.in_memory().unwrap(), "body");
}

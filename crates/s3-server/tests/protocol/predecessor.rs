//! A directory in the layout of smartstorage, written by hand as its document prints it.

use std::fs;
use std::path::Path;

use holdfast_s3_server::{Server, ServerSettings};
use tempfile::TempDir;

use crate::client::Fixture;

const POLICY: &str = r#"{"Version":"2012-10-17","Statement":[{"Sid":"PublicRead","Effect":"Allow","Principal":"*","Action":["s3:GetObject"],"Resource":["arn:aws:s3:::photos/*"]}]}"#;
/// The MD5 of `meow`.
const MEOW: &str = "4a4be40c96ac6314e91d93f38043a634";

fn write(root: &Path, name: &str, text: &str) {
    let path = root.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// The directory of a server that was never ours.
fn old_directory() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    write(root, "photos/2024/cat.jpg._storage_object", "meow");
    let metadata = r#"{"content-type":"image/jpeg","x-amz-meta-mood":"hungry","cache-control":"no-store"}"#;
    write(root, "photos/2024/cat.jpg._storage_object.metadata.json", metadata);
    write(root, "photos/2024/cat.jpg._storage_object.md5", MEOW);
    write(root, "photos/2024._storage_object", "a key beside a folder of its name");
    write(root, "photos/notes.txt", "somebody's own");
    write(root, ".multipart/some-upload/metadata.json", "{}");
    write(root, ".multipart/some-upload/part-1", "unfinished");
    write(root, ".policies/photos.policy.json", POLICY);
    fs::create_dir(root.join("empty")).unwrap();
    directory
}

async fn serve(directory: TempDir) -> Fixture {
    let server = Server::start(ServerSettings::new(directory.path())).await.unwrap();
    Fixture { server, directory }
}

#[tokio::test]
async fn its_objects_metadata_and_policies_are_served() {
    let s3 = serve(old_directory()).await;
    assert_eq!(s3.get("/").await.elements("Name"), ["empty", "photos"]);
    assert_eq!(s3.get("/photos?list-type=2").await.elements("Key"), ["2024", "2024/cat.jpg"]);
    let cat = s3.get("/photos/2024/cat.jpg").await;
    assert_eq!((cat.status, cat.text().as_str()), (200, "meow"));
    assert_eq!(cat.header("etag"), format!("\"{MEOW}\""));
    let told = ["content-type", "x-amz-meta-mood", "cache-control"].map(|name| cat.header(name));
    assert_eq!(told, ["image/jpeg", "hungry", "no-store"]);
    // Without the file beside it, the ETag is computed.
    assert_eq!(s3.get("/photos/2024").await.header("etag").len(), 34);
    assert_eq!(s3.get("/photos?policy").await.text(), POLICY);
    let left: Vec<_> = s3.data_files().into_iter().filter(|name| name.contains("_storage_object")).collect();
    assert!(left.is_empty(), "{left:?}");
    let root = s3.directory.path();
    assert!(root.join("photos/notes.txt").exists() && root.join(".multipart/some-upload/part-1").exists());
}

#[tokio::test]
async fn it_goes_on_as_a_directory_of_ours() {
    let s3 = serve(old_directory()).await;
    s3.put("/photos/2024/cat.jpg", b"purr").await;
    s3.send("DELETE", "/photos/2024", &[], b"").await;
    let s3 = Fixture::again(s3).await;
    assert_eq!(s3.get("/photos/2024/cat.jpg").await.text(), "purr");
    assert_eq!(s3.get("/photos?list-type=2").await.elements("Key"), ["2024/cat.jpg"]);
    // What is put there by hand later is somebody's own: no bucket's folder is searched again.
    write(s3.directory.path(), "photos/late._storage_object", "late");
    let s3 = Fixture::again(s3).await;
    assert_eq!(s3.get("/photos/late").await.status, 404);
}

#[tokio::test]
async fn a_crash_in_between_is_made_good_at_the_next_start() {
    let directory = old_directory();
    let old = directory.path().join("photos/2024/cat.jpg._storage_object");
    // As a crash between the commit and the removal of the old names leaves it.
    let kept = directory.path().join("kept");
    fs::hard_link(&old, &kept).unwrap();
    let s3 = serve(directory).await;
    s3.server.stop().await;
    let root = s3.directory.path();
    fs::hard_link(&kept, &old).unwrap();
    write(root, "photos/not-yet._storage_object", "not yet");
    fs::write(root.join(".holdfast/taking-over"), "").unwrap();
    let s3 = Fixture::again(s3).await;
    assert_eq!(s3.get("/photos/2024/cat.jpg").await.text(), "meow");
    assert_eq!(s3.get("/photos/not-yet").await.text(), "not yet");
    assert!(!s3.directory.path().join("photos/2024/cat.jpg._storage_object").exists());
    assert!(!s3.directory.path().join(".holdfast/taking-over").exists());
}

#[tokio::test]
async fn a_policy_that_can_not_be_followed_keeps_the_server_from_starting() {
    let directory = old_directory();
    write(directory.path(), ".policies/photos.policy.json", r#"{"Statement":[{"Effect":"Maybe"}]}"#);
    let error = Server::start(ServerSettings::new(directory.path())).await.err().unwrap();
    assert_eq!(error.code(), "POLICY_NOT_UNDERSTOOD");
    write(directory.path(), ".policies/photos.policy.json", POLICY);
    let s3 = serve(directory).await;
    assert_eq!(s3.get("/photos/2024/cat.jpg").await.text(), "meow");
}

#[tokio::test]
async fn other_folders_are_no_buckets() {
    let directory = tempfile::tempdir().unwrap();
    write(directory.path(), "photos/cat.jpg", "meow");
    let s3 = serve(directory).await;
    assert!(s3.get("/").await.elements("Name").is_empty());
}

use std::os::unix::fs::PermissionsExt as _;

use holdfast_s3_server::{Server, ServerSettings};

use crate::client::Fixture;
use crate::mount::Mount;

async fn code_of_start(directory: &std::path::Path) -> String {
    match Server::start(ServerSettings::new(directory)).await {
        Ok(_) => panic!("the server started in {}", directory.display()),
        Err(error) => error.code().to_owned(),
    }
}

#[tokio::test]
async fn a_directory_that_can_only_be_read_is_a_clear_error() {
    let folder = tempfile::tempdir().unwrap();
    // Root may write where the mode forbids it, but not where the mount does.
    let Some(mount) = Mount::read_only(folder.path()) else {
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o555)).unwrap();
        assert_eq!(code_of_start(folder.path()).await, "PERMISSION_DENIED");
        return;
    };
    assert_eq!(code_of_start(mount.path()).await, "PERMISSION_DENIED");
}

#[tokio::test]
async fn a_second_server_on_a_directory_is_refused_and_the_first_goes_on() {
    let s3 = Fixture::start().await;
    s3.put("/bkt/k", b"data").await;
    assert_eq!(code_of_start(s3.directory.path()).await, "DIRECTORY_IN_USE");
    assert_eq!(s3.get("/bkt/k").await.text(), "data");
    assert_eq!(s3.put("/bkt/k", b"more").await.status, 200);
}

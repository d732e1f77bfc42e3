//! What the disk keeps: after changes of the whole state, and over a restart.

use std::collections::BTreeSet;

use crate::client::Fixture;

#[tokio::test]
async fn a_reset_keeps_files_that_are_somebody_elses() {
    let s3 = Fixture::start().await;
    s3.put("/bkt/a", b"data").await;
    std::fs::write(s3.directory.path().join("bkt/notes.txt"), "mine").unwrap();
    s3.server.reset().await.unwrap();
    assert_eq!(s3.data_files(), BTreeSet::from(["bkt/notes.txt".to_owned()]));
}

#[tokio::test]
async fn a_reset_removes_the_folders_of_buckets_that_are_gone() {
    let s3 = Fixture::start().await;
    s3.put("/other", b"").await;
    s3.put("/other/a/b", b"data").await;
    s3.server.reset().await.unwrap();
    assert!(s3.directory.path().join("bkt").is_dir() && !s3.directory.path().join("other").exists());
}

#[tokio::test]
async fn a_snapshot_is_gone_after_a_restart_and_the_objects_are_not() {
    let s3 = Fixture::start().await;
    s3.put("/bkt/a", b"data").await;
    let snapshot = s3.server.snapshot().await.unwrap();
    s3.server.stop().await;
    let s3 = Fixture::again(s3).await;
    assert_eq!(s3.server.restore(snapshot).await.unwrap_err().code(), "SNAPSHOT_NOT_FOUND");
    assert_eq!(s3.get("/bkt/a").await.text(), "data");
    let kept = std::fs::read_dir(s3.directory.path().join(".holdfast/snapshots")).unwrap();
    assert_eq!(kept.filter(|entry| entry.as_ref().unwrap().path().is_dir()).count(), 0);
}

#[tokio::test]
async fn object_lock_of_a_bucket_survives_a_restart() {
    let s3 = Fixture::start().await;
    s3.send("PUT", "/locked", &[("x-amz-bucket-object-lock-enabled", "true")], b"").await;
    s3.server.stop().await;
    let s3 = Fixture::again(s3).await;
    assert_eq!(s3.get("/locked?object-lock").await.element("ObjectLockEnabled"), "Enabled");
}

#[tokio::test]
async fn access_control_lists_are_kept_over_a_restart() {
    let s3 = Fixture::start().await;
    for target in ["/bkt/a", "/bkt?acl"] {
        assert_eq!(s3.send("PUT", target, &[("x-amz-acl", "public-read")], b"").await.status, 200);
    }
    s3.server.stop().await;
    let s3 = Fixture::again(s3).await;
    for target in ["/bkt/a?acl", "/bkt?acl"] {
        assert_eq!(s3.get(target).await.elements("Permission"), ["FULL_CONTROL", "READ"], "{target}");
    }
}

#[tokio::test]
async fn lifecycle_rules_of_a_bucket_survive_a_restart() {
    let s3 = Fixture::start().await;
    let rule = "<ID>a</ID><Filter></Filter><Status>Enabled</Status><Expiration><Days>1</Days></Expiration>";
    let body = format!("<LifecycleConfiguration><Rule>{rule}</Rule></LifecycleConfiguration>");
    assert_eq!(s3.put("/bkt?lifecycle", body.as_bytes()).await.status, 200);
    s3.server.stop().await;
    let s3 = Fixture::again(s3).await;
    assert_eq!(s3.get("/bkt?lifecycle").await.elements("Rule"), [rule]);
}

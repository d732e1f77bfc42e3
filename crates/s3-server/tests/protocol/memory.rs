//! What is only so in memory.

use holdfast_s3_server::ServerSettings;

use crate::client::Fixture;

const MIB: usize = 1 << 20;

#[tokio::test]
async fn nothing_stands_in_the_directory_while_it_runs_nor_after() {
    let s3 = Fixture::start().await;
    s3.put("/bkt/a", &vec![b'a'; 3 * MIB]).await;
    let snapshot = s3.server.snapshot().await.unwrap();
    s3.server.restore(snapshot).await.unwrap();
    let entries = || std::fs::read_dir(s3.directory.path()).unwrap().count();
    assert_eq!(entries(), 0);
    s3.server.stop().await;
    assert_eq!(entries(), 0);
}

#[tokio::test]
async fn what_does_not_fit_is_refused_and_what_is_there_stays_whole() {
    let s3 = Fixture::with(|settings: &mut ServerSettings| settings.max_memory_bytes = Some(4 * MIB as u64)).await;
    let body = vec![b'a'; 3 * MIB];
    assert_eq!(s3.put("/bkt/fits", &body).await.status, 200);
    let refused = s3.put("/bkt/more", &body).await;
    assert_eq!(refused.error(), (500, "InternalError".into()));
    assert!(refused.element("Message").contains("DISK_FULL"), "{}", refused.text());
    assert_eq!(s3.get("/bkt/fits").await.body, body);
    assert_eq!(s3.get("/bkt/more").await.status, 404);
    s3.send("DELETE", "/bkt/fits", &[], b"").await;
    assert_eq!(s3.put("/bkt/more", &body).await.status, 200);
}

#[tokio::test]
async fn a_copy_and_a_range_of_a_large_object_are_its_bytes() {
    let s3 = Fixture::start().await;
    let body: Vec<u8> = (0..3 * MIB).map(|n| (n / 7 % 251) as u8).collect();
    s3.put("/bkt/a", &body).await;
    let copied = s3.send("PUT", "/bkt/b", &[("x-amz-copy-source", "/bkt/a")], b"").await;
    assert_eq!(copied.status, 200, "{}", copied.text());
    let range = s3.send("GET", "/bkt/b", &[("range", "bytes=300000-2000000")], b"").await;
    assert_eq!((range.status, range.body.as_slice()), (206, &body[300_000..=2_000_000]));
}

#[tokio::test]
async fn what_is_encrypted_is_read_back_from_anywhere() {
    let s3 = Fixture::start().await;
    let body: Vec<u8> = (0..MIB).map(|n| (n / 7 % 251) as u8).collect();
    let sse = [("x-amz-server-side-encryption", "AES256")];
    let put = s3.send("PUT", "/bkt/a", &sse, &body).await;
    assert_eq!((put.status, put.header("x-amz-server-side-encryption")), (200, "AES256"), "{}", put.text());
    assert_eq!(s3.get("/bkt/a").await.body, body);
    let range = s3.send("GET", "/bkt/a", &[("range", "bytes=300000-800000")], b"").await;
    assert_eq!(range.body, &body[300_000..=800_000]);
}

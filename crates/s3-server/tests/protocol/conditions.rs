//! Conditions on reads and writes.

use crate::client::Fixture;

#[tokio::test]
async fn a_read_is_answered_as_its_conditions_say() {
    let s3 = Fixture::start().await;
    let etag = s3.put("/bkt/k", b"data").await.header("etag").to_owned();
    let modified = s3.get("/bkt/k").await.header("last-modified").to_owned();
    let past = "Thu, 01 Jan 2015 00:00:00 GMT";
    let get = async |headers: &[(&str, &str)]| s3.send("GET", "/bkt/k", headers, b"").await.status;
    assert_eq!(get(&[("if-match", &etag)]).await, 200);
    assert_eq!(get(&[("if-match", "*")]).await, 200);
    assert_eq!(get(&[("if-match", "\"other\"")]).await, 412);
    assert_eq!(get(&[("if-none-match", &etag)]).await, 304);
    assert_eq!(get(&[("if-none-match", "\"other\"")]).await, 200);
    assert_eq!(get(&[("if-modified-since", &modified)]).await, 304);
    assert_eq!(get(&[("if-modified-since", past)]).await, 200);
    assert_eq!(get(&[("if-unmodified-since", &modified)]).await, 200);
    assert_eq!(get(&[("if-unmodified-since", past)]).await, 412);
    // An ETag is stronger than a time.
    assert_eq!(get(&[("if-match", &etag), ("if-unmodified-since", past)]).await, 200);
    assert_eq!(get(&[("if-none-match", &etag), ("if-modified-since", past)]).await, 304);
}

#[tokio::test]
async fn what_has_not_changed_is_told_without_a_body() {
    let s3 = Fixture::start().await;
    let etag = s3.put("/bkt/k", b"data").await.header("etag").to_owned();
    let unchanged = s3.send("GET", "/bkt/k", &[("if-none-match", &etag)], b"").await;
    assert_eq!((unchanged.status, unchanged.body.len(), unchanged.header("etag")), (304, 0, etag.as_str()));
}

#[tokio::test]
async fn exactly_one_of_racing_writers_creates() {
    let s3 = Fixture::start().await;
    let put =
        async |n: usize| s3.send("PUT", "/bkt/race", &[("if-none-match", "*")], format!("{n}").as_bytes()).await.status;
    let mut statuses = futures_util::future::join_all((0..32).map(put)).await;
    statuses.sort_unstable();
    assert_eq!(statuses[0], 200);
    assert!(statuses[1..].iter().all(|&status| status == 412), "{statuses:?}");
}

#[tokio::test]
async fn exactly_one_of_racing_writers_replaces() {
    let s3 = Fixture::start().await;
    let etag = s3.put("/bkt/race", b"first").await.header("etag").to_owned();
    let put = async |n: usize| {
        let body = format!("{n}");
        s3.send("PUT", "/bkt/race", &[("if-match", &etag)], body.as_bytes()).await.status
    };
    let mut statuses = futures_util::future::join_all((0..32).map(put)).await;
    statuses.sort_unstable();
    assert_eq!((statuses[0], statuses[1]), (200, 412), "{statuses:?}");
}

#[tokio::test]
async fn a_write_on_what_is_not_there_or_was_changed_changes_nothing() {
    let s3 = Fixture::start().await;
    let stale = [("if-match", "\"stale\"")];
    assert_eq!(s3.send("PUT", "/bkt/k", &stale, b"new").await.error(), (404, "NoSuchKey".into()));
    s3.put("/bkt/k", b"old").await;
    assert_eq!(s3.send("PUT", "/bkt/k", &stale, b"new").await.error(), (412, "PreconditionFailed".into()));
    assert_eq!(s3.send("DELETE", "/bkt/k", &stale, b"").await.error(), (412, "PreconditionFailed".into()));
    let unknown = [("if-none-match", "\"etag\"")];
    assert_eq!(s3.send("PUT", "/bkt/k", &unknown, b"new").await.error(), (501, "NotImplemented".into()));
    assert_eq!(s3.get("/bkt/k").await.text(), "old");
}

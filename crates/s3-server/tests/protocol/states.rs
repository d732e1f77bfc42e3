//! The state as a whole: emptied, kept, brought back.

use std::collections::BTreeSet;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::{Fixture, Reply};

const MIB: usize = 1 << 20;

async fn versions(s3: &Fixture) -> String {
    s3.get("/bkt?versions").await.text()
}

/// Sends the head of a put and half of its body; the rest comes later.
async fn half_a_put(s3: &Fixture, target: &str) -> TcpStream {
    let mut stream = TcpStream::connect(s3.server.address()).await.unwrap();
    let more = "content-length: 600000\r\nexpect: 100-continue\r\nconnection: close";
    let head = format!("PUT {target} HTTP/1.1\r\nhost: h\r\n{more}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    // The server asks for the body once it has begun to take it.
    let mut go_on = [0; 25];
    stream.read_exact(&mut go_on).await.unwrap();
    assert!(go_on.starts_with(b"HTTP/1.1 100"));
    stream.write_all(&vec![b'x'; 300_000]).await.unwrap();
    stream
}

async fn other_half(mut stream: TcpStream) -> Reply {
    stream.write_all(&vec![b'x'; 300_000]).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    Reply::read(&answer, false)
}

#[tokio::test]
async fn a_reset_leaves_the_buckets_of_the_settings_and_nothing_else() {
    let s3 = Fixture::start().await;
    s3.put("/other", b"").await;
    s3.put("/bkt?versioning", b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>").await;
    for target in ["/bkt/a/b", "/bkt/a/b", "/other/c"] {
        assert_eq!(s3.put(target, b"data").await.status, 200);
    }
    let begun = s3.send("POST", "/bkt/up?uploads", &[], b"").await;
    let id = begun.element("UploadId");
    s3.put(&format!("/bkt/up?partNumber=1&uploadId={id}"), b"part").await;

    s3.server.reset().await.unwrap();
    assert_eq!(s3.get("/").await.elements("Name"), ["bkt"]);
    assert_eq!(s3.get("/bkt?list-type=2").await.element("KeyCount"), "0");
    assert_eq!(s3.get("/bkt?versioning").await.element("Status"), "");
    assert!(s3.get("/bkt?uploads").await.elements("UploadId").is_empty());
    assert_eq!(s3.data_files(), BTreeSet::new());
    assert_eq!(s3.put("/bkt/new", b"new").await.status, 200);
    assert_eq!(s3.get("/bkt/new").await.text(), "new");
}

#[tokio::test]
async fn a_reset_of_many_objects_unlinks_every_file_in_the_end() {
    let s3 = Fixture::start().await;
    for n in 0..600 {
        let staged = s3.server.engine().stage("bkt").await.unwrap();
        let key = format!("k{n}");
        s3.server.engine().put("bkt", &key, staged, Default::default(), Default::default()).await.unwrap();
    }
    s3.server.reset().await.unwrap();
    assert_eq!(s3.get("/bkt?list-type=2").await.element("KeyCount"), "0");
    s3.server.stop().await; // waits for what still runs
    assert_eq!(s3.data_files(), BTreeSet::new());
}

#[tokio::test]
async fn a_body_that_was_on_its_way_is_no_object_after_a_reset() {
    let s3 = Fixture::start().await;
    let stream = half_a_put(&s3, "/bkt/late").await;
    s3.server.reset().await.unwrap();
    assert_eq!(other_half(stream).await.error(), (409, "OperationAborted".into()));
    assert_eq!(s3.get("/bkt/late").await.status, 404);
    assert_eq!(s3.data_files(), BTreeSet::new());
}

#[tokio::test]
async fn an_object_that_is_being_read_is_read_to_its_end_over_a_reset() {
    let s3 = Fixture::start().await;
    let body = vec![b'y'; 8 * MIB];
    s3.put("/bkt/big", &body).await;
    let mut stream = TcpStream::connect(s3.server.address()).await.unwrap();
    stream.write_all(b"GET /bkt/big HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut answer = vec![0; 1024];
    stream.read_exact(&mut answer).await.unwrap();
    s3.server.reset().await.unwrap();
    stream.read_to_end(&mut answer).await.unwrap();
    assert_eq!(Reply::read(&answer, false).body.len(), body.len());
}

#[tokio::test]
async fn a_snapshot_comes_back_as_often_as_wanted() {
    let s3 = Fixture::start().await;
    s3.put("/bkt?versioning", b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>").await;
    for (target, body) in [("/bkt/a", "1"), ("/bkt/a", "2"), ("/bkt/b", "3"), ("/bkt/c", "4")] {
        s3.put(target, body.as_bytes()).await;
    }
    s3.send("DELETE", "/bkt/c", &[], b"").await;
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::bkt/*"}]}"#;
    assert_eq!(s3.put("/bkt?policy", policy.as_bytes()).await.status, 204);
    let (listed, files) = (versions(&s3).await, s3.data_files());
    let snapshot = s3.server.snapshot().await.unwrap();

    for round in 0..3 {
        s3.put("/bkt/a", b"changed").await;
        s3.put("/more", b"").await;
        s3.put("/more/x", b"x").await;
        s3.send("DELETE", "/bkt?policy", &[], b"").await;
        let id = s3.get("/bkt?versions&prefix=b").await.element("VersionId");
        assert_eq!(s3.send("DELETE", &format!("/bkt/b?versionId={id}"), &[], b"").await.status, 204);
        assert_ne!(versions(&s3).await, listed);
        if round == 2 {
            s3.server.reset().await.unwrap();
        }
        s3.server.restore(snapshot).await.unwrap();
        assert_eq!(versions(&s3).await, listed);
        assert_eq!(s3.data_files(), files);
        assert_eq!((s3.get("/bkt/a").await.text(), s3.get("/bkt/b").await.text()), ("2".into(), "3".into()));
        assert_eq!(s3.get("/").await.elements("Name"), ["bkt"]);
        assert_eq!(s3.get("/bkt?policy").await.text(), policy);
    }
    s3.put("/bkt/after", b"goes on").await;
    assert_eq!(s3.get("/bkt/after").await.text(), "goes on");
}

#[tokio::test]
async fn an_upload_goes_on_from_a_snapshot_though_it_was_completed_since() {
    let s3 = Fixture::start().await;
    let id = s3.send("POST", "/bkt/up?uploads", &[], b"").await.element("UploadId");
    let part = s3.put(&format!("/bkt/up?partNumber=1&uploadId={id}"), b"the part").await.header("etag").to_owned();
    let complete = format!(
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{part}</ETag></Part></CompleteMultipartUpload>"
    );
    let begun = s3.server.snapshot().await.unwrap();
    let files = s3.data_files();
    // A single part becomes the object's file as it is, so that it must find its way back.
    let target = format!("/bkt/up?uploadId={id}");
    assert_eq!(s3.send("POST", &target, &[], complete.as_bytes()).await.status, 200);
    let completed = s3.server.snapshot().await.unwrap();
    for _ in 0..2 {
        s3.server.restore(begun).await.unwrap();
        assert_eq!(s3.data_files(), files);
        assert_eq!(s3.get("/bkt/up").await.status, 404);
        assert_eq!(s3.get(&target).await.elements("PartNumber").len(), 1);
        s3.server.restore(completed).await.unwrap();
        assert_eq!(s3.get("/bkt/up").await.text(), "the part");
        assert_eq!(s3.get(&target).await.error(), (404, "NoSuchUpload".into()));
    }
    s3.server.restore(begun).await.unwrap();
    assert_eq!(s3.send("POST", &target, &[], complete.as_bytes()).await.status, 200);
    assert_eq!(s3.get("/bkt/up").await.text(), "the part");
}

#[tokio::test]
async fn a_body_that_was_on_its_way_is_no_object_after_a_restore() {
    let s3 = Fixture::start().await;
    let snapshot = s3.server.snapshot().await.unwrap();
    let stream = half_a_put(&s3, "/bkt/late").await;
    s3.server.restore(snapshot).await.unwrap();
    assert_eq!(other_half(stream).await.error(), (409, "OperationAborted".into()));
    assert_eq!(s3.get("/bkt?list-type=2").await.element("KeyCount"), "0");
}

#[tokio::test]
async fn a_snapshot_lasts_until_it_is_forgotten() {
    let s3 = Fixture::start().await;
    s3.put("/bkt/a", b"data").await;
    let snapshot = s3.server.snapshot().await.unwrap();
    s3.server.forget_snapshot(snapshot).await.unwrap();
    s3.server.forget_snapshot(snapshot).await.unwrap();
    let code = |outcome: holdfast_base::Result<()>| outcome.unwrap_err().code();
    assert_eq!(code(s3.server.restore(snapshot).await), "SNAPSHOT_NOT_FOUND");
    assert_eq!(s3.get("/bkt/a").await.text(), "data");
}

#[tokio::test]
async fn writers_see_one_state_or_the_other_while_states_change() {
    let s3 = Fixture::start().await;
    s3.put("/bkt/kept", b"kept").await;
    let files = s3.data_files();
    let snapshot = s3.server.snapshot().await.unwrap();
    let writing = async {
        for n in 0..60 {
            let status = s3.put(&format!("/bkt/k{}", n % 7), b"data").await.status;
            assert!([200, 409].contains(&status), "{status}");
            let status = s3.send("DELETE", "/bkt/kept", &[], b"").await.status;
            assert_eq!(status, 204);
        }
    };
    let changing = async {
        for _ in 0..20 {
            s3.server.restore(snapshot).await.unwrap();
        }
    };
    tokio::join!(writing, changing);
    s3.server.restore(snapshot).await.unwrap();
    assert_eq!(s3.get("/bkt?list-type=2").await.elements("Key"), ["kept"]);
    assert_eq!(s3.get("/bkt/kept").await.text(), "kept");
    assert_eq!(s3.data_files(), files);
}

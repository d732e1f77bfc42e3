//! Writers and readers of the disk engine at the same time.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod engine_bench;

use std::sync::Arc;
use std::task::{Context, Waker};

use bytes::Bytes;
use engine_bench::{Bench, attributes};
use futures_util::{StreamExt as _, TryStreamExt as _};
use holdfast_s3_server::engine::{Condition, Deletion, EngineError, VersionEntry, VersionQuery};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_racing_puts_that_want_nothing_there_exactly_one_wins() {
    let bench = Arc::new(Bench::new().await);
    for round in 0..10 {
        let key = format!("key-{round}");
        let put = |n: usize| {
            let (bench, key) = (Arc::clone(&bench), key.clone());
            tokio::spawn(async move {
                let staged = bench.stage(n.to_string()).await;
                bench.engine.put("bucket", &key, staged, attributes(&n.to_string()), Condition::Absent).await
            })
        };
        let mut winners = Vec::new();
        for put in (0..16).map(put).collect::<Vec<_>>() {
            match put.await.unwrap() {
                Ok(info) => winners.push(info.attributes.etag),
                Err(EngineError::PreconditionFailed) => {}
                Err(error) => panic!("{error}"),
            }
        }
        let (info, body) = bench.get(&key).await.unwrap();
        assert_eq!(winners, [info.attributes.etag.as_str()]);
        assert_eq!(body, info.attributes.etag);
    }
    assert_eq!(bench.files().len(), 10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn racing_puts_on_the_etag_that_they_read_lose_no_update() {
    let bench = Arc::new(Bench::new().await);
    bench.put("counter", "0").await;
    let count = |_| {
        let bench = Arc::clone(&bench);
        tokio::spawn(async move {
            let mut added = 0;
            while added < 10 {
                let (info, body) = bench.get("counter").await.unwrap();
                let next = 1 + str::from_utf8(&body).unwrap().parse::<u32>().unwrap();
                let staged = bench.stage(next.to_string()).await;
                let unchanged = Condition::EtagIn(vec![info.attributes.etag]);
                let etag = attributes(&format!("etag-{next}"));
                match bench.engine.put("bucket", "counter", staged, etag, unchanged).await {
                    Ok(_) => added += 1,
                    Err(EngineError::PreconditionFailed) => {}
                    Err(error) => panic!("{error}"),
                }
            }
        })
    };
    for counter in (0..6).map(count).collect::<Vec<_>>() {
        counter.await.unwrap();
    }
    assert_eq!(bench.get("counter").await.unwrap().1, "60");
    assert_eq!(bench.files().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn racing_puts_and_deletes_of_one_key_leave_at_most_one_file() {
    let bench = Arc::new(Bench::new().await);
    let write = |n: usize| {
        let bench = Arc::clone(&bench);
        tokio::spawn(async move {
            if n.is_multiple_of(5) {
                bench.engine.delete("bucket", "a/b/c", Condition::Always).await.unwrap();
            } else {
                bench.put("a/b/c", &n.to_string()).await;
            }
        })
    };
    for round in 0..20 {
        for write in (0..20).map(|n| write(round * 20 + n)).collect::<Vec<_>>() {
            write.await.unwrap();
        }
    }
    let objects = usize::from(bench.get("a/b/c").await.is_ok());
    assert_eq!(bench.files().len(), objects, "{:?}", bench.files());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_read_beside_overwrites_is_always_of_one_whole_object() {
    let bench = Arc::new(Bench::new().await);
    bench.put_bytes("key", vec![0; 100_000].into()).await.unwrap();
    let writer = Arc::clone(&bench);
    let writes = tokio::spawn(async move {
        for n in 1..=100 {
            writer.put_bytes("key", vec![n; 100_000 + usize::from(n)].into()).await.unwrap();
        }
    });
    while !writes.is_finished() {
        let (info, body) = bench.get("key").await.unwrap();
        assert_eq!(info.size, body.len() as u64);
        assert!(body.iter().all(|byte| usize::from(*byte) == body.len() - 100_000));
    }
    writes.await.unwrap();
}

#[tokio::test]
async fn an_open_object_is_read_to_its_end_though_it_is_replaced_and_deleted() {
    let bench = Bench::new().await;
    let old = Bytes::from((0..3_000_000_u32).map(|n| n as u8).collect::<Vec<_>>());
    bench.put_bytes("key", old.clone()).await.unwrap();
    let (info, file) = bench.engine.open_object("bucket", "key", None).await.unwrap();
    let mut stream = file.stream(0..info.size);
    let mut read = stream.next().await.unwrap().unwrap().to_vec();
    bench.put("key", "new").await;
    bench.engine.delete("bucket", "key", Condition::Always).await.unwrap();
    assert!(bench.files().is_empty());
    while let Some(chunk) = stream.try_next().await.unwrap() {
        read.extend_from_slice(&chunk);
    }
    assert!(read == old);
}

#[tokio::test]
async fn a_put_whose_caller_goes_away_is_finished() {
    let bench = Bench::new().await;
    let staged = bench.stage(vec![5; 1000]).await;
    let mut put = Box::pin(bench.engine.put("bucket", "key", staged, attributes("five"), Condition::Always));
    // The first poll begins it; whether it is done by then is nobody's business.
    let _ = put.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    drop(put);
    let bench = bench.reopen().await;
    assert_eq!(bench.get("key").await.unwrap().1, vec![5; 1000]);
    assert_eq!(bench.files().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_version_is_found_and_listed_once_while_a_newer_one_comes_and_goes() {
    let bench = Arc::new(Bench::new().await);
    bench.engine.set_versioning("bucket", true).await.unwrap();
    let first = bench.put("key", "first").await.version;
    let writer = Arc::clone(&bench);
    let writes = tokio::spawn(async move {
        for _ in 0..200 {
            // The first version moves behind the newer one, and back.
            let version = writer.put("key", "newer").await.version;
            let deletion = Deletion { key: "key".to_owned(), version, ..Deletion::default() };
            writer.engine.delete_one("bucket", deletion).await.unwrap();
        }
    });
    while !writes.is_finished() {
        let found = bench.engine.open_object("bucket", "key", first).await.unwrap().0;
        assert_eq!((found.version, found.size), (first, 5));
        assert!(bench.engine.object("bucket", "key", None).await.is_ok(), "the key always has an object");
        let query = VersionQuery { max: 10, ..VersionQuery::default() };
        let listed = bench.engine.list_versions("bucket", query).await.unwrap().entries;
        let is_first =
            |entry: &&VersionEntry| matches!(entry, VersionEntry::Version(listed) if Some(listed.version) == first);
        assert_eq!(listed.iter().filter(is_first).count(), 1, "{listed:?}");
    }
    writes.await.unwrap();
    assert_eq!(bench.files().len(), 1);
}

//! Versions that end by themselves: what became something else meanwhile stays.
#![allow(clippy::unwrap_used, missing_docs)]

mod engine_bench;

use engine_bench::{Bench, attributes};
use holdfast_s3_server::engine::{
    Condition, Deletion, Ending, LockChange, ObjectAttributes, ObjectLock, Role, WalkedVersion,
};

async fn walked(bench: &Bench) -> Vec<WalkedVersion> {
    bench.engine.walk_versions("bucket", None, 1000).await.unwrap()
}

fn ending(version: &WalkedVersion, role: Role) -> Ending {
    Ending { at: version.at.clone(), version: version.version, role }
}

async fn end(bench: &Bench, endings: Vec<Ending>) -> Vec<bool> {
    bench.engine.end_versions("bucket", endings).await.unwrap()
}

#[tokio::test]
async fn a_walk_goes_by_key_and_newest_first_in_pages_of_any_size() {
    let bench = Bench::new().await;
    bench.engine.set_versioning("bucket", true).await.unwrap();
    for key in ["b", "a", "b", "b", "c"] {
        bench.put(key, key).await;
    }
    bench.engine.delete("bucket", "a", Condition::Always).await.unwrap();
    let all = walked(&bench).await;
    let seen: Vec<_> = all.iter().map(|version| (version.at.key.as_str(), version.object.is_some())).collect();
    assert_eq!(seen, [("a", false), ("a", true), ("b", true), ("b", true), ("b", true), ("c", true)]);
    assert!(all[2].version != all[3].version && all[2].modified_ms >= all[4].modified_ms);
    for size in 1..7 {
        let (mut paged, mut after) = (Vec::new(), None);
        loop {
            let page = bench.engine.walk_versions("bucket", after, size).await.unwrap();
            let Some(last) = page.last() else { break };
            after = Some(last.at.clone());
            paged.extend(page);
        }
        assert_eq!(paged, all, "pages of {size}");
    }
}

#[tokio::test]
async fn an_object_that_was_replaced_meanwhile_stays() {
    let bench = Bench::new().await;
    bench.put("k", "old").await;
    let old = ending(&walked(&bench).await[0], Role::Current);
    bench.put("k", "new").await;
    assert_eq!(end(&bench, vec![old]).await, [false]);
    assert_eq!(bench.get("k").await.unwrap().1, "new");
    let new = ending(&walked(&bench).await[0], Role::Current);
    assert_eq!(end(&bench, vec![new.clone(), new]).await, [true, false]);
    assert!(bench.get("k").await.is_err());
    assert_eq!(bench.files(), Vec::<String>::new());
}

#[tokio::test]
async fn a_noncurrent_version_that_is_the_object_again_stays() {
    let bench = Bench::new().await;
    bench.engine.set_versioning("bucket", true).await.unwrap();
    bench.put("k", "first").await;
    bench.put("k", "second").await;
    let versions = walked(&bench).await;
    let first = ending(&versions[1], Role::Noncurrent);
    let newest = Deletion { key: "k".into(), version: Some(versions[0].version), ..Deletion::default() };
    bench.engine.delete_one("bucket", newest).await.unwrap();
    assert_eq!(end(&bench, vec![first.clone()]).await, [false]);
    assert_eq!(bench.get("k").await.unwrap().1, "first");
    bench.put("k", "third").await;
    assert_eq!(end(&bench, vec![first]).await, [true]);
    assert_eq!((walked(&bench).await.len(), bench.files().len()), (1, 1));
}

#[tokio::test]
async fn a_delete_marker_that_hides_something_again_stays() {
    let bench = Bench::new().await;
    bench.engine.set_versioning("bucket", true).await.unwrap();
    bench.engine.delete("bucket", "k", Condition::Always).await.unwrap();
    let marker = ending(&walked(&bench).await[0], Role::LoneMarker);
    bench.put("k", "body").await;
    assert_eq!(end(&bench, vec![marker.clone()]).await, [false]);
    bench.engine.delete("bucket", "k", Condition::Always).await.unwrap();
    assert_eq!(end(&bench, vec![marker]).await, [false]);
    assert_eq!(walked(&bench).await.len(), 3);
}

#[tokio::test]
async fn a_version_that_was_locked_meanwhile_stays() {
    let bench = Bench::new().await;
    bench.engine.set_versioning("bucket", true).await.unwrap();
    bench.engine.set_object_lock("bucket", None).await.unwrap();
    bench.put("k", "first").await;
    bench.put("k", "second").await;
    let first = &walked(&bench).await[1];
    let noncurrent = ending(first, Role::Noncurrent);
    let hold = |is_on| bench.engine.change_lock("bucket", "k", Some(first.version), LockChange::LegalHold(is_on));
    hold(true).await.unwrap();
    assert_eq!(end(&bench, vec![noncurrent.clone()]).await, [false]);
    hold(false).await.unwrap();
    assert_eq!(end(&bench, vec![noncurrent]).await, [true]);
}

#[tokio::test]
async fn what_a_batch_refuses_keeps_nothing_else_of_it_back() {
    let bench = Bench::new().await;
    bench.engine.set_versioning("bucket", true).await.unwrap();
    bench.engine.set_object_lock("bucket", None).await.unwrap();
    let held = ObjectLock { retention: None, legal_hold: Some(true) };
    let locked = ObjectAttributes { lock: Some(held), ..attributes("etag") };
    let staged = bench.stage("locked").await;
    bench.engine.put("bucket", "b", staged, locked, Condition::Always).await.unwrap();
    for key in ["a", "b", "c"] {
        bench.put(key, "1").await;
        bench.put(key, "2").await;
    }
    let all = walked(&bench).await;
    let older = all.windows(2).filter(|pair| pair[0].at.key == pair[1].at.key);
    let endings = older.map(|pair| ending(&pair[1], Role::Noncurrent)).collect();
    assert_eq!(end(&bench, endings).await, [true, true, false, true]);
    assert_eq!(bench.files().len(), 4);
}

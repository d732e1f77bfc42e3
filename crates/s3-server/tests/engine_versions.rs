//! What the disk engine promises of versions.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod engine_bench;

use bytes::Bytes;
use engine_bench::{Bench, attributes};
use futures_util::TryStreamExt as _;
use holdfast_s3_server::engine::{
    Condition, Deleted, Deletion, EngineError, VersionEntry, VersionId, VersionPage, VersionQuery,
};

/// A bench whose bucket keeps versions.
async fn versioned() -> Bench {
    let bench = Bench::new().await;
    bench.engine.set_versioning("bucket", true).await.unwrap();
    bench
}

async fn delete(bench: &Bench, key: &str) -> Deleted {
    bench.engine.delete("bucket", key, Condition::Always).await.unwrap()
}

async fn delete_version(bench: &Bench, key: &str, version: VersionId) -> Deleted {
    let deletion = Deletion { key: key.to_owned(), version: Some(version), ..Deletion::default() };
    bench.engine.delete_one("bucket", deletion).await.unwrap()
}

async fn read(bench: &Bench, key: &str, version: Option<VersionId>) -> Result<Bytes, EngineError> {
    let (info, file) = bench.engine.open_object("bucket", key, version).await?;
    let bytes: Vec<Bytes> = file.stream(0..info.size).try_collect().await.unwrap();
    Ok(bytes.concat().into())
}

/// Each version of a page as `key size`, `key marker` or `prefix/`, a star behind the latest.
async fn list(bench: &Bench, query: VersionQuery) -> (Vec<String>, VersionPage) {
    let page = bench.engine.list_versions("bucket", query).await.unwrap();
    let line = |entry: &VersionEntry| match entry {
        VersionEntry::CommonPrefix(prefix) => prefix.clone(),
        VersionEntry::Version(listed) => {
            let what = if listed.is_marker { "marker".to_owned() } else { listed.object.size.to_string() };
            format!("{} {what}{}", listed.object.key, if listed.is_latest { "*" } else { "" })
        }
    };
    (page.entries.iter().map(line).collect(), page)
}

fn all() -> VersionQuery {
    VersionQuery { max: 1000, ..VersionQuery::default() }
}

#[tokio::test]
async fn every_put_makes_a_version_that_stays_readable() {
    let bench = versioned().await;
    let first = bench.put("a/key", "1").await.version;
    let second = bench.put("a/key", "22").await.version;
    assert!(first.is_some() && second.is_some() && first != second);
    assert_eq!(bench.get("a/key").await.unwrap().1, "22");
    assert_eq!(read(&bench, "a/key", first).await.unwrap(), "1");
    assert_eq!(bench.engine.object("bucket", "a/key", first).await.unwrap().version, first);
    assert_eq!(bench.files().len(), 2);
    let bench = bench.reopen().await;
    assert_eq!(read(&bench, "a/key", first).await.unwrap(), "1");
    assert_eq!(list(&bench, all()).await.0, ["a/key 2*", "a/key 1"]);
}

#[tokio::test]
async fn a_delete_hides_the_object_behind_a_marker_and_removing_the_marker_brings_it_back() {
    let bench = versioned().await;
    let put = bench.put("key", "body").await.version;
    let deleted = delete(&bench, "key").await;
    assert!(deleted.existed && deleted.is_marker);
    let marker = deleted.version.unwrap();
    match bench.get("key").await.unwrap_err() {
        EngineError::IsDeleteMarker(found) => assert!(found.version == marker && !found.is_named),
        other => panic!("{other:?}"),
    }
    match read(&bench, "key", Some(marker)).await.unwrap_err() {
        EngineError::IsDeleteMarker(found) => assert!(found.is_named),
        other => panic!("{other:?}"),
    }
    assert_eq!(read(&bench, "key", put).await.unwrap(), "body");
    assert_eq!(list(&bench, all()).await.0, ["key marker*", "key 4"]);
    let again = delete(&bench, "key").await;
    assert!(!again.existed && again.is_marker && again.version != Some(marker));
    delete_version(&bench, "key", again.version.unwrap()).await;
    assert!(bench.get("key").await.is_err());
    assert!(delete_version(&bench, "key", marker).await.is_marker);
    assert_eq!(bench.get("key").await.unwrap().1, "body");
    assert_eq!(list(&bench, all()).await.0, ["key 4*"]);
}

#[tokio::test]
async fn a_version_that_is_removed_takes_its_file_along_and_the_one_before_comes_back() {
    let bench = versioned().await;
    let mut versions = Vec::new();
    for text in ["1", "22", "333"] {
        versions.push(bench.put("key", text).await.version.unwrap());
    }
    assert!(delete_version(&bench, "key", versions[1]).await.existed);
    assert_eq!((bench.get("key").await.unwrap().1, bench.files().len()), ("333".into(), 2));
    let missing = read(&bench, "key", Some(versions[1])).await.unwrap_err();
    assert!(matches!(missing, EngineError::NoSuchVersion { .. }), "{missing:?}");
    assert!(delete_version(&bench, "key", versions[2]).await.existed);
    let (info, bytes) = bench.get("key").await.unwrap();
    assert_eq!((info.version, bytes), (Some(versions[0]), "1".into()));
    assert!(delete_version(&bench, "key", versions[0]).await.existed);
    assert!(matches!(bench.get("key").await.unwrap_err(), EngineError::NoSuchKey(_)));
    assert!(bench.files().is_empty());
    assert!(!delete_version(&bench, "key", versions[0]).await.existed);
}

#[tokio::test]
async fn what_was_there_before_versioning_is_the_null_version() {
    let bench = Bench::new().await;
    assert_eq!(bench.put("key", "old").await.version, None);
    assert_eq!(read(&bench, "key", Some(VersionId::NULL)).await.unwrap(), "old");
    bench.engine.set_versioning("bucket", true).await.unwrap();
    assert_eq!(bench.get("key").await.unwrap().0.version, Some(VersionId::NULL));
    bench.put("key", "newer").await;
    assert_eq!(read(&bench, "key", Some(VersionId::NULL)).await.unwrap(), "old");
    assert_eq!(list(&bench, all()).await.0, ["key 5*", "key 3"]);
}

#[tokio::test]
async fn a_suspended_bucket_replaces_the_null_version_alone() {
    let bench = Bench::new().await;
    bench.put("key", "1").await;
    bench.engine.set_versioning("bucket", true).await.unwrap();
    let kept = bench.put("key", "22").await.version;
    bench.engine.set_versioning("bucket", false).await.unwrap();
    assert_eq!(bench.put("key", "333").await.version, Some(VersionId::NULL));
    assert_eq!(list(&bench, all()).await.0, ["key 3*", "key 2"]);
    assert_eq!(bench.put("key", "4444").await.version, Some(VersionId::NULL));
    assert_eq!(list(&bench, all()).await.0, ["key 4*", "key 2"]);
    assert_eq!(bench.files().len(), 2);
    let deleted = delete(&bench, "key").await;
    assert_eq!((deleted.version, deleted.is_marker), (Some(VersionId::NULL), true));
    assert_eq!(list(&bench, all()).await.0, ["key marker*", "key 2"]);
    assert_eq!(bench.files().len(), 1);
    delete(&bench, "key").await;
    assert_eq!(list(&bench, all()).await.0, ["key marker*", "key 2"]);
    bench.put("key", "55555").await;
    assert_eq!(list(&bench, all()).await.0, ["key 5*", "key 2"]);
    assert_eq!(read(&bench, "key", kept).await.unwrap(), "22");
}

#[tokio::test]
async fn a_plain_listing_shows_the_newest_objects_alone() {
    let bench = versioned().await;
    bench.put("kept", "1").await;
    bench.put("kept", "2").await;
    bench.put("deleted", "1").await;
    delete(&bench, "deleted").await;
    let query = holdfast_s3_server::engine::ListQuery { max: 10, ..Default::default() };
    let page = bench.engine.list("bucket", query).await.unwrap();
    assert_eq!(page.entries.iter().map(|entry| entry.text()).collect::<Vec<_>>(), ["kept"]);
}

#[tokio::test]
async fn a_condition_is_about_the_object_that_is_shown() {
    let bench = versioned().await;
    let put = async |condition| {
        let staged = bench.stage("x").await;
        bench.engine.put("bucket", "key", staged, attributes("new"), condition).await
    };
    put(Condition::Absent).await.unwrap();
    assert!(matches!(put(Condition::Absent).await.unwrap_err(), EngineError::PreconditionFailed));
    put(Condition::EtagIn(vec!["new".to_owned()])).await.unwrap();
    delete(&bench, "key").await;
    assert!(matches!(put(Condition::Present).await.unwrap_err(), EngineError::NoSuchKey(_)));
    put(Condition::Absent).await.unwrap();
    assert_eq!(list(&bench, all()).await.0, ["key 1*", "key marker", "key 1", "key 1"]);
}

#[tokio::test]
async fn of_racing_creations_one_wins_and_makes_the_only_version() {
    let bench = versioned().await;
    let put = async |n: usize| {
        let staged = bench.stage("body").await;
        bench.engine.put("bucket", "key", staged, attributes(&n.to_string()), Condition::Absent).await.is_ok()
    };
    let won = futures_util::future::join_all((0..32).map(put)).await;
    assert_eq!(won.iter().filter(|won| **won).count(), 1);
    assert_eq!((list(&bench, all()).await.0, bench.files().len()), (vec!["key 4*".to_owned()], 1));
}

#[tokio::test]
async fn versions_are_listed_in_pages_of_any_size() {
    let bench = versioned().await;
    for (key, versions) in [("a", 3), ("b/1", 2), ("b/2", 1), ("c", 4)] {
        for n in 1..=versions {
            bench.put(key, &"x".repeat(n)).await;
        }
    }
    delete(&bench, "c").await;
    let whole = list(&bench, all()).await.0;
    assert_eq!(whole, ["a 3*", "a 2", "a 1", "b/1 2*", "b/1 1", "b/2 1*", "c marker*", "c 4", "c 3", "c 2", "c 1"]);
    for delimiter in [None, Some("/".to_owned())] {
        let one = |max| VersionQuery { max, delimiter: delimiter.clone(), ..VersionQuery::default() };
        let whole = list(&bench, one(1000)).await.0;
        for max in 1..=whole.len() {
            let mut paged = Vec::new();
            let mut query = one(max);
            loop {
                let (lines, page) = list(&bench, query.clone()).await;
                paged.extend(lines);
                let Some((key, version)) = page.next else { break };
                (query.after_key, query.after_version) = (Some(key), version);
            }
            assert_eq!(paged, whole, "pages of {max}");
        }
    }
    let under = VersionQuery { prefix: "b/".to_owned(), ..all() };
    assert_eq!(list(&bench, under).await.0, ["b/1 2*", "b/1 1", "b/2 1*"]);
    let after = VersionQuery { after_key: Some("b/1".to_owned()), ..all() };
    assert_eq!(list(&bench, after).await.0[0], "b/2 1*");
}

#[tokio::test]
async fn a_page_goes_on_where_it_ended_though_that_version_is_gone() {
    let bench = Bench::new().await;
    bench.put("key", "1").await;
    bench.engine.set_versioning("bucket", true).await.unwrap();
    bench.put("key", "22").await;
    bench.engine.set_versioning("bucket", false).await.unwrap();
    bench.put("key", "333").await; // the null version now, and the newest
    let (lines, page) = list(&bench, VersionQuery { max: 1, ..all() }).await;
    assert_eq!(lines, ["key 3*"]);
    let (key, version) = page.next.unwrap();
    assert_eq!(version, Some(VersionId::NULL));
    let next = VersionQuery { after_key: Some(key), after_version: version, ..all() };
    assert_eq!(list(&bench, next.clone()).await.0, ["key 2"]);
    delete_version(&bench, "key", VersionId::NULL).await;
    assert_eq!(list(&bench, next).await.0, ["key 2*"]);
}

#[tokio::test]
async fn versions_and_markers_are_deleted_in_one_call() {
    let bench = versioned().await;
    let first = bench.put("a", "1").await.version;
    bench.put("a", "2").await;
    bench.put("b", "1").await;
    let marker = delete(&bench, "b").await.version;
    let named = |key: &str, version| Deletion { key: key.to_owned(), version, ..Deletion::default() };
    let deletions = vec![named("a", first), named("b", marker), named("b", None), named("none", None)];
    let outcomes = bench.engine.delete_many("bucket", deletions).await.unwrap();
    let outcomes: Vec<(bool, bool)> =
        outcomes.into_iter().map(|outcome| outcome.unwrap()).map(|done| (done.existed, done.is_marker)).collect();
    assert_eq!(outcomes, [(true, false), (true, true), (true, true), (false, true)]);
    assert_eq!(list(&bench, all()).await.0, ["a 1*", "b marker*", "b 1", "none marker*"]);
    assert_eq!(bench.files().len(), 2);
}

#[tokio::test]
async fn a_bucket_with_nothing_but_a_delete_marker_is_not_empty() {
    let bench = versioned().await;
    let marker = delete(&bench, "key").await.version.unwrap();
    let refused = bench.engine.delete_bucket("bucket").await.unwrap_err();
    assert!(matches!(refused, EngineError::BucketNotEmpty(_)), "{refused:?}");
    delete_version(&bench, "key", marker).await;
    bench.engine.delete_bucket("bucket").await.unwrap();
}

#[tokio::test]
async fn a_clean_slate_removes_versions_too() {
    let bench = versioned().await;
    bench.put("key", "1").await;
    bench.put("key", "2").await;
    delete(&bench, "key").await;
    let bench = bench.reopen_with(|settings| settings.clean_slate = true).await;
    assert!(bench.files().is_empty());
    bench.engine.create_bucket("bucket", "us-east-1").await.unwrap();
    assert!(list(&bench, all()).await.0.is_empty());
    bench.engine.delete_bucket("bucket").await.unwrap();
}

#[tokio::test]
async fn tags_belong_to_a_version_and_change_without_a_new_one() {
    let bench = versioned().await;
    let first = bench.put("key", "1").await.version;
    let second = bench.put("key", "2").await.version;
    let tags = |text: &str| vec![("colour".to_owned(), text.to_owned())];
    assert_eq!(bench.engine.set_tags("bucket", "key", first, tags("red")).await.unwrap(), first);
    assert_eq!(bench.engine.set_tags("bucket", "key", None, tags("green")).await.unwrap(), second);
    let of = async |version| bench.engine.object("bucket", "key", version).await.unwrap().attributes.tags;
    assert_eq!((of(first).await, of(None).await), (tags("red"), tags("green")));
    delete_version(&bench, "key", second.unwrap()).await;
    assert_eq!(of(None).await, tags("red"));
    bench.engine.set_tags("bucket", "key", None, Vec::new()).await.unwrap();
    assert!(of(None).await.is_empty());
    assert_eq!(list(&bench, all()).await.0, ["key 1*"]);
    let marker = delete(&bench, "key").await.version;
    let refused = bench.engine.set_tags("bucket", "key", marker, tags("blue")).await.unwrap_err();
    assert!(matches!(refused, EngineError::IsDeleteMarker(_)), "{refused:?}");
}

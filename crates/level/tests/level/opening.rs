//! Which layout a location has.

use bytes::Bytes;
use holdfast_base::KeyRange;
use holdfast_level::{ClearOptions, Condition, KeyFormat, Layout, LevelSettings, Operation};

use crate::fixture::Fixture;

async fn stored(fixture: &Fixture) -> Vec<String> {
    let listed = fixture.bucket.list(&Default::default()).await.unwrap().objects;
    listed.into_iter().map(|object| object.key).collect()
}

fn existing(fixture: &Fixture, folder: &str) -> LevelSettings {
    LevelSettings { create_if_missing: false, ..LevelSettings::new(fixture.location(folder)) }
}

#[tokio::test]
async fn an_empty_location_becomes_a_tree_and_stays_one() {
    let fixture = Fixture::start().await;
    let level = fixture.open("db").await;
    level.put(b"a", Bytes::from_static(b"1"), &Condition::Always).await.unwrap();
    level.close().await.unwrap();
    let again = fixture.open_with(&existing(&fixture, "db")).await.unwrap();
    assert_eq!((again.layout(), again.get(b"a").await.unwrap().unwrap()), (Layout::Lsm, Bytes::from_static(b"1")));
    again.close().await.unwrap();
    let refused = fixture.open_with(&fixture.objects_in("db")).await.unwrap_err();
    assert_eq!(refused.code(), "LEVEL_LAYOUT_MISMATCH");
}

#[tokio::test]
async fn an_empty_bucket_becomes_a_tree_too() {
    let fixture = Fixture::start().await;
    let level = fixture.open("").await;
    assert_eq!(level.layout(), Layout::Lsm);
    level.close().await.unwrap();
    assert_eq!(fixture.open_with(&fixture.objects_in("")).await.unwrap_err().code(), "LEVEL_LAYOUT_MISMATCH");
}

#[tokio::test]
async fn what_s3leveldown_left_stays_objects() {
    let fixture = Fixture::start().await;
    fixture.bucket.put("old/x", Bytes::from_static(b"1"), &Default::default()).await.unwrap();
    for folder in ["old", ""] {
        let level = fixture.open(folder).await;
        assert_eq!(level.layout(), Layout::Objects, "{folder:?}");
    }
    assert_eq!(stored(&fixture).await, [".holdfast/level/=old/format.json", "old/x"], "nothing marks a whole bucket");
}

#[tokio::test]
async fn a_database_that_was_made_of_objects_stays_one_while_it_is_empty() {
    let fixture = Fixture::start().await;
    for folder in ["db", ""] {
        fixture.open_objects(folder).await;
        assert_eq!(fixture.open(folder).await.layout(), Layout::Objects, "{folder:?}");
        let tree = LevelSettings { layout: Some(Layout::Lsm), ..LevelSettings::new(fixture.location(folder)) };
        assert_eq!(fixture.open_with(&tree).await.unwrap_err().code(), "LEVEL_LAYOUT_MISMATCH");
    }
}

#[tokio::test]
async fn a_key_format_asks_for_objects() {
    let fixture = Fixture::start().await;
    for (folder, format) in [("hex", KeyFormat::Hex), ("utf8", KeyFormat::Utf8)] {
        let settings = LevelSettings { key_format: Some(format), ..LevelSettings::new(fixture.location(folder)) };
        assert_eq!(fixture.open_with(&settings).await.unwrap().layout(), Layout::Objects);
    }
}

#[tokio::test]
async fn an_empty_location_stays_empty_for_a_reader_and_without_leave_to_create() {
    let fixture = Fixture::start().await;
    let reader = LevelSettings { read_only: true, ..LevelSettings::new(fixture.location("db")) };
    let tree = LevelSettings { layout: Some(Layout::Lsm), ..existing(&fixture, "") };
    for settings in [reader, existing(&fixture, "db"), tree] {
        let refused = fixture.open_with(&settings).await.unwrap_err();
        assert_eq!(refused.code(), "LEVEL_DATABASE_NOT_FOUND", "{settings:?}");
    }
    // To s3leveldown every bucket is a database.
    let level = fixture.open_with(&existing(&fixture, "")).await.unwrap();
    assert_eq!(level.layout(), Layout::Objects);
    assert!(stored(&fixture).await.is_empty());
}

#[tokio::test]
async fn a_reader_of_objects_reads_and_writes_nothing() {
    let fixture = Fixture::start().await;
    fixture.bucket.put("old/x", Bytes::from_static(b"1"), &Default::default()).await.unwrap();
    let settings = LevelSettings { read_only: true, ..LevelSettings::new(fixture.location("old")) };
    let reader = fixture.open_with(&settings).await.unwrap();
    assert_eq!(reader.get(b"x").await.unwrap().unwrap(), "1");
    let all = ClearOptions { range: KeyRange::all(), reverse: false, limit: None };
    let refused = [
        reader.put(b"x", Bytes::new(), &Condition::Always).await.map(drop),
        reader.del(b"x", None).await,
        reader.batch(vec![Operation::Del { key: b"x".to_vec() }], true).await,
        reader.clear(all, &reader.view().unwrap()).await,
    ];
    assert_eq!(refused.map(|outcome| outcome.unwrap_err().code().to_owned()), ["LEVEL_READONLY"; 4]);
    assert_eq!(stored(&fixture).await, ["old/x"], "not even a marker");
}

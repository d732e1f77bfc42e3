//! Copies of databases into the other layout.

use bytes::Bytes;
use holdfast_base::Result;
use holdfast_level::{
    Condition, IteratorOptions, KeyFormat, Layout, Level, LevelSettings, Location, Migration, MigrationState, Operation,
};
use holdfast_s3_server::{Cut, Fault};

use crate::fixture::Fixture;

const COUNT: usize = 230;

fn into(fixture: &Fixture, folder: &str, layout: Layout) -> LevelSettings {
    LevelSettings { layout: Some(layout), ..LevelSettings::new(fixture.location(folder)) }
}

fn operations() -> Vec<Operation> {
    let put = |n: usize| Operation::Put { key: format!("k{n:05}").into_bytes(), value: Bytes::from(format!("v{n}")) };
    (0..COUNT).map(put).collect()
}

async fn migrate(fixture: &Fixture, source: &str, target: &LevelSettings) -> Result<Vec<MigrationState>> {
    let client = fixture.other_client();
    let mut migration = Migration::begin(&client, &fixture.location(source), target).await?.in_pieces_of(100);
    let mut heard = Vec::new();
    let outcome = loop {
        match migration.step().await {
            Ok(Some(state)) => heard.push(state),
            Ok(None) => break Ok(heard),
            Err(error) => break Err(error),
        }
    };
    let _ = migration.close().await;
    outcome
}

async fn count(level: &Level) -> usize {
    let mut iterator = level.iterator(IteratorOptions::default()).unwrap();
    let mut found = 0;
    loop {
        let page = iterator.next_page(1000, 1 << 20).await.unwrap();
        if page.entries.is_empty() {
            return found;
        }
        for entry in page.entries {
            assert_eq!(entry.key, format!("k{found:05}").into_bytes());
            assert_eq!(entry.value, format!("v{found}"));
            found += 1;
        }
    }
}

#[tokio::test]
async fn a_database_is_copied_both_ways_and_tells_how_far_it_is() {
    let fixture = Fixture::start().await;
    let tree = fixture.open_with(&into(&fixture, "a", Layout::Lsm)).await.unwrap();
    tree.batch(operations(), true).await.unwrap();
    tree.close().await.unwrap();
    let heard = migrate(&fixture, "a", &into(&fixture, "b", Layout::Objects)).await.unwrap();
    assert_eq!(heard.iter().map(|state| state.entries).collect::<Vec<_>>(), [100, 200, 230]);
    let plain = fixture.open("b").await;
    assert_eq!((plain.layout(), count(&plain).await), (Layout::Objects, COUNT));
    let heard = migrate(&fixture, "b", &into(&fixture, "c", Layout::Lsm)).await.unwrap();
    assert_eq!(heard.last().unwrap().entries, COUNT as u64);
    let again = fixture.open("c").await;
    assert_eq!((again.layout(), count(&again).await), (Layout::Lsm, COUNT));
    again.close().await.unwrap();
}

#[tokio::test]
async fn a_copy_that_was_interrupted_is_opened_by_nobody_and_goes_on_where_it_was() {
    let fixture = Fixture::start().await;
    let tree = fixture.open_with(&into(&fixture, "a", Layout::Lsm)).await.unwrap();
    tree.batch(operations(), true).await.unwrap();
    tree.close().await.unwrap();
    let target = into(&fixture, "b", Layout::Objects);
    // The second piece breaks off in the middle.
    let faults = fixture.server.server().faults();
    faults.add(Fault { key: Some("b/k00150".to_owned()), cut: Some(Cut::Before), ..Fault::default() });
    migrate(&fixture, "a", &target).await.unwrap_err();
    faults.clear();
    let refused = fixture.open_with(&LevelSettings::new(target.location.clone())).await.unwrap_err();
    assert_eq!(refused.code(), "LEVEL_MIGRATION_UNFINISHED");
    let heard = migrate(&fixture, "a", &target).await.unwrap();
    assert_eq!(heard.iter().map(|state| state.entries).collect::<Vec<_>>(), [200, 230], "the first is not repeated");
    assert_eq!(count(&fixture.open("b").await).await, COUNT);
}

#[tokio::test]
async fn a_copy_of_nothing_into_a_whole_bucket_stays_of_its_layout() {
    let fixture = Fixture::start().await;
    fixture.other_client().create_bucket("empty").await.unwrap();
    fixture.open("a").await.close().await.unwrap();
    let location = Location::parse("empty").unwrap();
    let target = LevelSettings { layout: Some(Layout::Objects), ..LevelSettings::new(location.clone()) };
    assert!(migrate(&fixture, "a", &target).await.unwrap().is_empty());
    assert_eq!(fixture.open_with(&LevelSettings::new(location)).await.unwrap().layout(), Layout::Objects);
}

#[tokio::test]
async fn nothing_is_copied_over_anything_else() {
    let fixture = Fixture::start().await;
    let source = fixture.open_objects("a").await;
    source.put(b"x", Bytes::new(), &Condition::Always).await.unwrap();
    fixture.open_objects("taken").await;
    fixture.bucket.put("unmarked/x", Bytes::new(), &Default::default()).await.unwrap();
    for folder in ["taken", "unmarked"] {
        let refused = migrate(&fixture, "a", &into(&fixture, folder, Layout::Objects)).await.unwrap_err();
        assert_eq!(refused.code(), "LEVEL_DATABASE_EXISTS", "{folder}");
    }
    let itself = migrate(&fixture, "a", &into(&fixture, "a", Layout::Lsm)).await.unwrap_err();
    assert_eq!(itself.code(), "LEVEL_INVALID_OPTION");
    let absent = migrate(&fixture, "nowhere", &into(&fixture, "new", Layout::Lsm)).await.unwrap_err();
    assert_eq!(absent.code(), "LEVEL_DATABASE_NOT_FOUND");
}

#[tokio::test]
async fn keys_that_are_no_text_are_refused_or_copied_in_hexadecimal() {
    let fixture = Fixture::start().await;
    let tree = fixture.open_with(&into(&fixture, "a", Layout::Lsm)).await.unwrap();
    tree.batch(vec![Operation::Put { key: b"\xff".to_vec(), value: Bytes::new() }], true).await.unwrap();
    tree.close().await.unwrap();
    let refused = migrate(&fixture, "a", &into(&fixture, "b", Layout::Objects)).await.unwrap_err();
    assert_eq!(refused.code(), "LEVEL_INVALID_KEY");
    let hex = LevelSettings { key_format: Some(KeyFormat::Hex), ..into(&fixture, "c", Layout::Objects) };
    migrate(&fixture, "a", &hex).await.unwrap();
    assert!(fixture.open("c").await.get(b"\xff").await.unwrap().is_some());
}

//! The objects layout on a real server.

use std::collections::BTreeMap;
use std::ops::Bound;

use crate::fixture::Fixture;
use bytes::Bytes;
use holdfast_base::KeyRange;
use holdfast_level::{
    ClearOptions, Condition, Entry, IteratorOptions, KeyFormat, Layout, Level, LevelIterator, LevelSettings, Location,
    Operation,
};

async fn put(level: &Level, key: &[u8], value: &str) -> String {
    level.put(key, Bytes::from(value.to_owned()), &Condition::Always).await.unwrap()
}

async fn rest(iterator: &mut LevelIterator) -> Vec<Entry> {
    let mut all = Vec::new();
    loop {
        let page = iterator.next_page(1000, 1 << 20).await.unwrap();
        if page.entries.is_empty() {
            return all;
        }
        all.extend(page.entries);
    }
}

async fn keys(level: &Level, options: IteratorOptions) -> Vec<String> {
    let entries = rest(&mut level.iterator(options).unwrap()).await;
    entries.into_iter().map(|entry| String::from_utf8(entry.key).unwrap()).collect()
}

fn numbered(count: usize) -> Vec<Operation> {
    let put = |n: usize| Operation::Put { key: format!("k{n:04}").into_bytes(), value: Bytes::from(format!("v{n}")) };
    (0..count).map(put).collect()
}

fn paged(page_keys: u16) -> IteratorOptions {
    IteratorOptions { page_keys: Some(page_keys), ..IteratorOptions::default() }
}

#[tokio::test]
async fn a_key_is_an_object_under_the_folder_and_its_value_the_bytes() {
    let fixture = Fixture::start().await;
    let level = fixture.open_objects("sub/folder").await;
    put(&level, "a//b é".as_bytes(), "hello").await;
    put(&level, b"", "empty key").await;
    assert_eq!(fixture.bucket.get_bytes("sub/folder/a//b é").await.unwrap(), "hello");
    assert_eq!(fixture.bucket.get_bytes("sub/folder/").await.unwrap(), "empty key");
    assert_eq!(level.get("a//b é".as_bytes()).await.unwrap().unwrap(), "hello");
    assert_eq!(level.get(b"absent").await.unwrap(), None);
}

#[tokio::test]
async fn data_that_was_there_before_is_read_and_changed() {
    let fixture = Fixture::start().await;
    fixture.bucket.put("old/x", Bytes::from_static(b"1"), &Default::default()).await.unwrap();
    let level = fixture.open("old").await;
    assert_eq!(keys(&level, IteratorOptions::default()).await, ["x"]);
    level.del(b"x", None).await.unwrap();
    level.del(b"x", None).await.unwrap();
    assert_eq!(level.get(b"x").await.unwrap(), None);
}

#[tokio::test]
async fn a_key_that_cannot_be_stored_is_refused_and_nothing_is_written() {
    let fixture = Fixture::start().await;
    let level = fixture.open_objects("db").await;
    let long = vec![b'x'; 1022];
    for key in [b"\xff".as_slice(), long.as_slice()] {
        let batch =
            [Operation::Put { key: b"good".to_vec(), value: Bytes::new() }, Operation::Del { key: key.to_vec() }];
        assert_eq!(level.batch(batch.to_vec(), true).await.unwrap_err().code(), "LEVEL_INVALID_KEY");
    }
    assert!(keys(&level, IteratorOptions::default()).await.is_empty());
}

#[tokio::test]
async fn a_whole_bucket_holds_plain_keys_and_hides_what_is_ours() {
    let fixture = Fixture::start().await;
    let other = fixture.open_objects("folder").await;
    put(&other, b"x", "").await;
    let whole = fixture.open_objects("").await;
    put(&whole, b"a", "").await;
    assert_eq!(keys(&whole, IteratorOptions::default()).await, ["a", "folder/x"]);
    let ours = whole.put(b".holdfast/level/x", Bytes::new(), &Condition::Always).await;
    assert_eq!(ours.unwrap_err().code(), "LEVEL_INVALID_KEY");
    let empty = whole.put(b"", Bytes::new(), &Condition::Always).await;
    assert_eq!(empty.unwrap_err().code(), "LEVEL_INVALID_KEY");
}

#[tokio::test]
async fn many_keys_are_answered_in_their_order() {
    let fixture = Fixture::start().await;
    let level = fixture.open_objects("db").await;
    put(&level, b"a", "1").await;
    put(&level, b"b", "2").await;
    let asked = ["b", "no", "a", "b"].map(|key| key.as_bytes().to_vec());
    let values: Vec<Option<String>> = level
        .get_many(&asked)
        .await
        .unwrap()
        .into_iter()
        .map(|value| value.map(|value| String::from_utf8(value.to_vec()).unwrap()))
        .collect();
    assert_eq!(values, [Some("2".into()), None, Some("1".into()), Some("2".into())]);
    assert_eq!(level.has_many(&asked).await.unwrap(), [true, false, true, true]);
}

#[tokio::test]
async fn of_several_writes_to_one_key_in_a_batch_the_last_counts() {
    let fixture = Fixture::start().await;
    let level = fixture.open_objects("db").await;
    let put = |value: &'static str| Operation::Put { key: b"k".to_vec(), value: Bytes::from_static(value.as_bytes()) };
    level.batch(vec![put("1"), Operation::Del { key: b"k".to_vec() }, put("2")], true).await.unwrap();
    assert_eq!(level.get(b"k").await.unwrap().unwrap(), "2");
    level.batch(vec![put("3"), Operation::Del { key: b"k".to_vec() }], true).await.unwrap();
    assert_eq!(level.get(b"k").await.unwrap(), None);
}

#[tokio::test]
async fn every_range_in_both_directions_is_what_an_ordered_map_gives() {
    let fixture = Fixture::start().await;
    let level = fixture.open_objects("db").await;
    let texts = ["", "a", "a\0", "aa", "ab", "b", "b/c", "\u{7f}", "é", "\u{ff00}", "🦀"];
    let mut model = BTreeMap::new();
    for text in texts {
        put(&level, text.as_bytes(), text).await;
        model.insert(text.as_bytes().to_vec(), Bytes::from(text));
    }
    let bounds: [&[u8]; 7] = [b"", b"a\0", b"ab", b"ab\xff", b"b", "\u{e000}".as_bytes(), b"\xff"];
    for (start, end) in bounds.iter().flat_map(|start| bounds.iter().map(move |end| (start.to_vec(), end.to_vec()))) {
        for (start, end) in [
            (Bound::Included(start.clone()), Bound::Excluded(end.clone())),
            (Bound::Excluded(start.clone()), Bound::Included(end.clone())),
            (Bound::Unbounded, Bound::Included(end.clone())),
        ] {
            let range = KeyRange { start, end };
            let mut expected: Vec<Vec<u8>> = model.keys().filter(|key| range.contains(key)).cloned().collect();
            for reverse in [false, true] {
                let options = IteratorOptions { range: range.clone(), reverse, values: false, ..paged(3) };
                let got = rest(&mut level.iterator(options).unwrap()).await;
                assert_eq!(got.into_iter().map(|entry| entry.key).collect::<Vec<_>>(), expected, "{range:?} {reverse}");
                expected.reverse();
            }
        }
    }
}

#[tokio::test]
async fn a_long_iteration_gives_every_value_in_order_both_ways() {
    let fixture = Fixture::start().await;
    let level = fixture.open_objects("db").await;
    level.batch(numbered(250), true).await.unwrap();
    let mut expected: Vec<Entry> =
        (0..250).map(|n| Entry { key: format!("k{n:04}").into_bytes(), value: Bytes::from(format!("v{n}")) }).collect();
    assert_eq!(rest(&mut level.iterator(paged(40)).unwrap()).await, expected);
    expected.reverse();
    let options = IteratorOptions { reverse: true, ..paged(40) };
    assert_eq!(rest(&mut level.iterator(options).unwrap()).await, expected);
}

#[tokio::test]
async fn a_limit_asks_for_no_more_keys_than_it_needs() {
    let fixture = Fixture::start().await;
    let level = fixture.open_objects("db").await;
    level.batch(numbered(50), true).await.unwrap();
    let before = level.stats();
    let options = IteratorOptions { limit: Some(10), ..IteratorOptions::default() };
    assert_eq!(keys(&level, options).await.len(), 10);
    let spent = |kind: &str| level.stats()[kind] - before.get(kind).copied().unwrap_or(0);
    assert_eq!((spent("ListObjectsV2"), spent("GetObject")), (1, 10));
}

#[tokio::test]
async fn a_limit_is_met_when_keys_vanish_during_the_scan() {
    let fixture = Fixture::start().await;
    let level = fixture.open_objects("db").await;
    let large = Bytes::from(vec![7; 6 << 20]);
    for key in ["a", "b", "c", "d", "e"] {
        level.put(key.as_bytes(), large.clone(), &Condition::Always).await.unwrap();
    }
    let options = IteratorOptions { limit: Some(4), ..paged(5) };
    let mut iterator = level.iterator(options).unwrap();
    // Two values of 6 MiB fit into what may be fetched ahead, so "d" is listed and not yet asked for.
    assert_eq!(iterator.next_page(1, 1).await.unwrap().entries[0].key, b"a");
    level.del(b"d", None).await.unwrap();
    let keys: Vec<Vec<u8>> = rest(&mut iterator).await.into_iter().map(|entry| entry.key).collect();
    assert_eq!(keys, [b"b", b"c", b"e"]);
}

#[tokio::test]
async fn without_values_nothing_but_lists_is_asked_for() {
    let fixture = Fixture::start().await;
    let level = fixture.open_objects("db").await;
    level.batch(numbered(20), true).await.unwrap();
    let options = IteratorOptions { values: false, ..IteratorOptions::default() };
    assert_eq!(keys(&level, options).await.len(), 20);
    assert!(!level.stats().contains_key("GetObject") || level.stats()["GetObject"] == 1, "{:?}", level.stats());
}

#[tokio::test]
async fn seeking_moves_in_both_directions_and_ends_outside_of_the_range() {
    let fixture = Fixture::start().await;
    let level = fixture.open_objects("db").await;
    for key in ["a", "c", "e"] {
        put(&level, key.as_bytes(), key).await;
    }
    async fn next(iterator: &mut LevelIterator) -> Option<Vec<u8>> {
        iterator.next_page(1, 1).await.unwrap().entries.pop().map(|entry| entry.key)
    }
    let range = KeyRange { start: Bound::Included(b"a".to_vec()), end: Bound::Included(b"e".to_vec()) };
    for (reverse, landed) in [(false, b"e"), (true, b"c")] {
        let mut iterator = level.iterator(IteratorOptions { range: range.clone(), reverse, ..paged(1) }).unwrap();
        next(&mut iterator).await.unwrap();
        iterator.seek(b"d");
        assert_eq!(next(&mut iterator).await.unwrap(), landed);
        iterator.seek(b"c");
        assert_eq!(next(&mut iterator).await.unwrap(), b"c");
        iterator.seek(b"f");
        assert_eq!(next(&mut iterator).await, None);
    }
}

#[tokio::test]
async fn clearing_deletes_a_range_a_thousand_keys_in_a_request() {
    let fixture = Fixture::start().await;
    let level = fixture.open_objects("db").await;
    level.batch(numbered(30), true).await.unwrap();
    let range = KeyRange { start: Bound::Excluded(b"k0004".to_vec()), end: Bound::Unbounded };
    level.clear(ClearOptions { range, reverse: true, limit: Some(20) }, &level.view().unwrap()).await.unwrap();
    assert_eq!(keys(&level, IteratorOptions::default()).await.len(), 10);
    assert_eq!(level.stats()["DeleteObjects"], 1);
    level
        .clear(ClearOptions { range: KeyRange::all(), reverse: false, limit: None }, &level.view().unwrap())
        .await
        .unwrap();
    assert!(keys(&level, IteratorOptions::default()).await.is_empty());
}

#[tokio::test]
async fn conditions_keep_a_write_from_overwriting_another() {
    let fixture = Fixture::start().await;
    let level = fixture.open_objects("db").await;
    let etag = level.put(b"k", Bytes::from_static(b"1"), &Condition::Absent).await.unwrap();
    let again = level.put(b"k", Bytes::from_static(b"2"), &Condition::Absent).await;
    assert_eq!(again.unwrap_err().code(), "LEVEL_CONFLICT");
    assert_eq!(level.get_with_etag(b"k").await.unwrap(), Some((Bytes::from_static(b"1"), etag.clone())));
    level.put(b"k", Bytes::from_static(b"3"), &Condition::Etag(etag.clone())).await.unwrap();
    assert_eq!(level.del(b"k", Some(&etag)).await.unwrap_err().code(), "LEVEL_CONFLICT");
    assert_eq!(level.get(b"k").await.unwrap().unwrap(), "3");
}

#[tokio::test]
async fn writers_that_count_with_etags_lose_no_update() {
    let fixture = Fixture::start().await;
    let level = fixture.open_objects("db").await;
    put(&level, b"n", "0").await;
    let count = |level: Level| async move {
        for _ in 0..5 {
            loop {
                let (value, etag) = level.get_with_etag(b"n").await.unwrap().unwrap();
                let next: u32 = std::str::from_utf8(&value).unwrap().parse::<u32>().unwrap() + 1;
                match level.put(b"n", Bytes::from(next.to_string()), &Condition::Etag(etag)).await {
                    Ok(_) => break,
                    Err(error) => assert_eq!(error.code(), "LEVEL_CONFLICT"),
                }
            }
        }
    };
    tokio::join!(count(level.clone()), count(level.clone()), count(level.clone()));
    assert_eq!(level.get(b"n").await.unwrap().unwrap(), "15");
}

#[tokio::test]
async fn hexadecimal_keys_take_any_bytes_and_are_remembered() {
    let fixture = Fixture::start().await;
    let mut settings = LevelSettings::new(fixture.location("bin"));
    settings.key_format = Some(KeyFormat::Hex);
    let level = fixture.open_with(&settings).await.unwrap();
    for key in [b"\xff".as_slice(), b"\xfe", b"\x00", b""] {
        put(&level, key, "v").await;
    }
    let again = fixture.open("bin").await;
    let found: Vec<Vec<u8>> =
        rest(&mut again.iterator(paged(2)).unwrap()).await.into_iter().map(|entry| entry.key).collect();
    assert_eq!(found, [b"".to_vec(), b"\x00".to_vec(), b"\xfe".to_vec(), b"\xff".to_vec()]);
    settings.key_format = Some(KeyFormat::Utf8);
    assert_eq!(fixture.open_with(&settings).await.unwrap_err().code(), "LEVEL_LAYOUT_MISMATCH");
}

#[tokio::test]
async fn plain_data_is_never_opened_in_another_format() {
    let fixture = Fixture::start().await;
    fixture.bucket.put("old/x", Bytes::new(), &Default::default()).await.unwrap();
    let mut settings = LevelSettings::new(fixture.location("old"));
    settings.key_format = Some(KeyFormat::Hex);
    assert_eq!(fixture.open_with(&settings).await.unwrap_err().code(), "LEVEL_LAYOUT_MISMATCH");
    settings = LevelSettings { layout: Some(Layout::Lsm), ..LevelSettings::new(fixture.location("old")) };
    assert_eq!(fixture.open_with(&settings).await.unwrap_err().code(), "LEVEL_LAYOUT_MISMATCH");
}

#[tokio::test]
async fn a_format_that_is_not_known_is_refused() {
    let fixture = Fixture::start().await;
    let newer = Bytes::from_static(br#"{"version":2,"layout":"objects","keyFormat":"utf8"}"#);
    fixture.bucket.put(".holdfast/level/=db/format.json", newer, &Default::default()).await.unwrap();
    let refused = fixture.open_with(&LevelSettings::new(fixture.location("db"))).await.unwrap_err();
    assert_eq!(refused.code(), "LEVEL_FORMAT_UNKNOWN");
}

#[tokio::test]
async fn what_is_missing_or_exists_is_refused_when_asked() {
    let fixture = Fixture::start().await;
    let strict = LevelSettings { create_if_missing: false, ..LevelSettings::new(fixture.location("db")) };
    assert_eq!(fixture.open_with(&strict).await.unwrap_err().code(), "LEVEL_DATABASE_NOT_FOUND");
    fixture.open_objects("db").await;
    fixture.open_with(&strict).await.unwrap();
    let fresh = LevelSettings { error_if_exists: true, ..LevelSettings::new(fixture.location("db")) };
    assert_eq!(fixture.open_with(&fresh).await.unwrap_err().code(), "LEVEL_DATABASE_EXISTS");
    let nowhere = LevelSettings { location: Location::parse("no-such-bucket/db").unwrap(), ..strict };
    assert_eq!(fixture.open_with(&nowhere).await.unwrap_err().code(), "LEVEL_BUCKET_NOT_FOUND");
}

#[tokio::test]
async fn destroying_removes_every_object_and_only_those() {
    let fixture = Fixture::start().await;
    let level = fixture.open_objects("db").await;
    level.batch(numbered(3), true).await.unwrap();
    fixture.bucket.put("db2/x", Bytes::new(), &Default::default()).await.unwrap();
    Level::destroy(fixture.bucket.client(), &fixture.location("db")).await.unwrap();
    let left = fixture.bucket.list(&Default::default()).await.unwrap().objects;
    assert_eq!(left.into_iter().map(|object| object.key).collect::<Vec<_>>(), ["db2/x"]);
}

#[tokio::test]
async fn a_closed_database_says_so() {
    let fixture = Fixture::start().await;
    let level = fixture.open_objects("db").await;
    level.close().await.unwrap();
    assert_eq!(level.get(b"k").await.unwrap_err().code(), "LEVEL_DATABASE_NOT_OPEN");
}

#[tokio::test]
async fn the_last_few_keys_are_found_without_walking_over_all_pages() {
    let fixture = Fixture::start().await;
    let level = fixture.open_objects("db").await;
    level.batch(numbered(300), true).await.unwrap();
    let options = IteratorOptions { reverse: true, limit: Some(3), values: false, ..paged(5) };
    assert_eq!(keys(&level, options).await, ["k0299", "k0298", "k0297"]);
    let lists = level.stats()["ListObjectsV2"];
    assert!(lists < 30, "{lists} lists where there are 60 pages");
}

#[tokio::test]
async fn the_last_few_keys_of_any_range_are_what_an_ordered_map_gives() {
    let fixture = Fixture::start().await;
    let level = fixture.open_objects("db").await;
    let mut texts: Vec<String> = (0..40).map(|n| format!("{n}/{}", "x".repeat(n % 7))).collect();
    texts.extend(["~", "\u{7f}", "é", "é\0", "é\0\0", "🦀", "🦀🦀", "\u{10ffff}"].map(str::to_owned));
    texts.sort();
    let put = |text: &String| Operation::Put { key: text.clone().into_bytes(), value: Bytes::new() };
    level.batch(texts.iter().map(put).collect(), true).await.unwrap();
    for end in &texts {
        let range = KeyRange { start: Bound::Unbounded, end: Bound::Excluded(end.clone().into_bytes()) };
        let expected: Vec<&String> = texts.iter().filter(|text| *text < end).rev().take(5).collect();
        let options = IteratorOptions { range, reverse: true, limit: Some(5), values: false, page_keys: Some(2) };
        assert_eq!(keys(&level, options).await.iter().collect::<Vec<_>>(), expected, "before {end:?}");
    }
}

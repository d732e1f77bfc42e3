//! The lsm layout on a real server.

use std::collections::BTreeMap;
use std::ops::Bound;

use bytes::Bytes;
use holdfast_base::KeyRange;
use holdfast_level::{
    ClearOptions, Condition, Entry, IteratorOptions, Layout, Level, LevelIterator, LevelSettings, Operation,
};
use holdfast_s3_client::{Client, ClientSettings, Timeouts};
use holdfast_s3_server::{Code, Cut, Fault, Operation as Request};

use crate::fixture::Fixture;

fn settings(fixture: &Fixture, folder: &str) -> LevelSettings {
    LevelSettings { layout: Some(Layout::Lsm), ..LevelSettings::new(fixture.location(folder)) }
}

async fn open(fixture: &Fixture) -> Level {
    fixture.open_with(&settings(fixture, "tree")).await.unwrap()
}

/// Opens with a client of its own, as another process does.
async fn open_elsewhere(fixture: &Fixture) -> Level {
    Level::open(&fixture.other_client(), &settings(fixture, "tree")).await.unwrap()
}

fn put(key: &[u8], value: &str) -> Operation {
    Operation::Put { key: key.to_vec(), value: Bytes::from(value.to_owned()) }
}

async fn rest(iterator: &mut LevelIterator, entries: usize) -> Vec<Entry> {
    let mut all = Vec::new();
    loop {
        let page = iterator.next_page(entries, 1 << 20).await.unwrap();
        if page.entries.is_empty() {
            return all;
        }
        all.extend(page.entries);
    }
}

async fn keys(level: &Level, options: IteratorOptions) -> Vec<Vec<u8>> {
    rest(&mut level.iterator(options).unwrap(), 3).await.into_iter().map(|entry| entry.key).collect()
}

#[tokio::test]
async fn what_was_acknowledged_is_there_when_its_process_dies() {
    let fixture = Fixture::start().await;
    let level = open_elsewhere(&fixture).await;
    level.put(b"put", Bytes::from_static(b"1"), &Condition::Always).await.unwrap();
    level.batch(vec![put(b"a", "2"), put(b"b", "3"), Operation::Del { key: b"put".to_vec() }], true).await.unwrap();
    // Never closed, and it can't write any more.
    drop(level);
    let again = open(&fixture).await;
    assert_eq!(keys(&again, IteratorOptions::default()).await, [b"a", b"b"]);
    assert_eq!(again.layout(), Layout::Lsm);
    again.close().await.unwrap();
}

#[tokio::test]
async fn a_batch_is_one_put_and_many_at_once_share_theirs() {
    let fixture = Fixture::start().await;
    let level = open(&fixture).await;
    let puts = || level.stats().get("PutObject").copied().unwrap_or(0);
    let before = puts();
    level.batch((0..200).map(|n| put(format!("k{n}").as_bytes(), "v")).collect(), true).await.unwrap();
    assert_eq!(puts() - before, 1);
    let before = puts();
    let writes = (0..100).map(|n| {
        let level = level.clone();
        async move { level.batch(vec![put(format!("x{n}").as_bytes(), "v")], true).await }
    });
    futures_util::future::try_join_all(writes).await.unwrap();
    let spent = puts() - before;
    assert!(spent <= 10, "{spent} puts for 100 writes at once");
    level.close().await.unwrap();
}

#[tokio::test]
async fn every_range_in_both_directions_is_what_an_ordered_map_gives() {
    let fixture = Fixture::start().await;
    let level = open(&fixture).await;
    let names: [&[u8]; 9] = [b"", b"\0", b"a", b"a\0", b"ab", b"b", "é".as_bytes(), b"\xfe", b"\xff\xff"];
    let model: BTreeMap<Vec<u8>, ()> = names.iter().map(|name| (name.to_vec(), ())).collect();
    level.batch(names.iter().map(|name| put(name, "v")).collect(), true).await.unwrap();
    let bounds: [&[u8]; 6] = [b"", b"a", b"a\0", b"aa", b"\xfe", b"\xff\xff\xff"];
    for (start, end) in bounds.iter().flat_map(|start| bounds.iter().map(move |end| (start.to_vec(), end.to_vec()))) {
        for (start, end) in [
            (Bound::Included(start.clone()), Bound::Excluded(end.clone())),
            (Bound::Excluded(start.clone()), Bound::Included(end.clone())),
            (Bound::Excluded(start.clone()), Bound::Excluded(end.clone())),
            (Bound::Unbounded, Bound::Excluded(end.clone())),
            (Bound::Included(start.clone()), Bound::Unbounded),
        ] {
            let range = KeyRange { start, end };
            let mut expected: Vec<Vec<u8>> = model.keys().filter(|key| range.contains(key)).cloned().collect();
            for reverse in [false, true] {
                let options = IteratorOptions { range: range.clone(), reverse, ..IteratorOptions::default() };
                assert_eq!(keys(&level, options).await, expected, "{range:?} {reverse}");
                expected.reverse();
            }
        }
    }
    level.close().await.unwrap();
}

#[tokio::test]
async fn a_view_is_one_moment_for_gets_and_for_iterators_that_seek_both_ways() {
    let fixture = Fixture::start().await;
    let level = open(&fixture).await;
    level.batch(["a", "b", "c", "d"].iter().map(|key| put(key.as_bytes(), "old")).collect(), true).await.unwrap();
    let view = level.view().unwrap();
    level.batch(vec![put(b"b", "new"), put(b"bb", "new"), Operation::Del { key: b"c".to_vec() }], true).await.unwrap();
    assert_eq!(view.get(b"b").await.unwrap().unwrap(), "old");
    assert_eq!(view.has_many(&[b"bb".to_vec(), b"c".to_vec()]).await.unwrap(), [false, true]);
    for reverse in [false, true] {
        let mut iterator = view.iterator(IteratorOptions { reverse, ..IteratorOptions::default() });
        rest(&mut iterator, 2).await;
        iterator.seek(b"bb");
        let found: Vec<Vec<u8>> = rest(&mut iterator, 1).await.into_iter().map(|entry| entry.key).collect();
        assert_eq!(found, if reverse { [b"b", b"a"] } else { [b"c", b"d"] });
    }
    assert_eq!(keys(&level, IteratorOptions::default()).await.len(), 4);
    level.close().await.unwrap();
}

#[tokio::test]
async fn clearing_deletes_what_a_view_has_and_nothing_later() {
    let fixture = Fixture::start().await;
    let level = open(&fixture).await;
    level.batch((0..2500).map(|n| put(format!("{n:04}").as_bytes(), "v")).collect(), true).await.unwrap();
    let view = level.view().unwrap();
    level.batch(vec![put(b"later", "v")], true).await.unwrap();
    let all = ClearOptions { range: KeyRange::all(), reverse: false, limit: None };
    level.clear(all, &view).await.unwrap();
    drop(level);
    assert_eq!(keys(&open(&fixture).await, IteratorOptions::default()).await, [b"later"]);
}

#[tokio::test]
async fn a_second_writer_takes_over_and_the_first_can_no_longer_write() {
    let fixture = Fixture::start().await;
    let first = open_elsewhere(&fixture).await;
    first.batch(vec![put(b"a", "1")], true).await.unwrap();
    let second = open(&fixture).await;
    assert_eq!(first.batch(vec![put(b"b", "lost")], true).await.unwrap_err().code(), "LEVEL_LOCKED");
    assert_eq!(first.batch(vec![put(b"c", "lost")], true).await.unwrap_err().code(), "LEVEL_LOCKED");
    second.batch(vec![put(b"d", "2")], true).await.unwrap();
    assert_eq!(keys(&second, IteratorOptions::default()).await, [b"a", b"d"]);
    let _ = first.close().await;
    second.close().await.unwrap();
}

#[tokio::test]
async fn a_reader_follows_its_writer_and_writes_nothing() {
    let fixture = Fixture::start().await;
    let writer = open(&fixture).await;
    writer.batch(vec![put(b"a", "1")], true).await.unwrap();
    let reading = LevelSettings { read_only: true, refresh_ms: 200, ..settings(&fixture, "tree") };
    let reader = Level::open(&fixture.other_client(), &reading).await.unwrap();
    assert_eq!(reader.get(b"a").await.unwrap().unwrap(), "1");
    assert_eq!(reader.batch(vec![put(b"x", "")], true).await.unwrap_err().code(), "LEVEL_READONLY");
    writer.batch(vec![put(b"b", "2")], true).await.unwrap();
    while reader.get(b"b").await.unwrap().is_none() {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(keys(&reader, IteratorOptions::default()).await, [b"a", b"b"]);
    writer.batch(vec![put(b"c", "3")], true).await.unwrap();
    reader.close().await.unwrap();
    writer.close().await.unwrap();
}

#[tokio::test]
async fn a_tree_claims_no_place_where_plain_data_is() {
    let fixture = Fixture::start().await;
    fixture.bucket.put("old/x", Bytes::new(), &Default::default()).await.unwrap();
    for folder in ["old", ""] {
        let refused = fixture.open_with(&settings(&fixture, folder)).await.unwrap_err();
        assert_eq!(refused.code(), "LEVEL_LAYOUT_MISMATCH", "{folder:?}");
    }
    let listed = fixture.bucket.list(&Default::default()).await.unwrap().objects;
    assert_eq!(listed.len(), 1, "nothing was written");
}

#[tokio::test]
async fn a_whole_bucket_may_be_a_tree_and_is_opened_as_nothing_else() {
    let fixture = Fixture::start().await;
    fixture.open_objects("beside").await;
    let level = fixture.open_with(&settings(&fixture, "")).await.unwrap();
    level.batch(vec![put(b"a", "1")], true).await.unwrap();
    level.close().await.unwrap();
    let again = fixture.open("").await;
    assert_eq!((again.layout(), again.get(b"a").await.unwrap().unwrap()), (Layout::Lsm, Bytes::from_static(b"1")));
    again.close().await.unwrap();
    let plain = LevelSettings { layout: Some(Layout::Objects), ..LevelSettings::new(fixture.location("")) };
    assert_eq!(fixture.open_with(&plain).await.unwrap_err().code(), "LEVEL_LAYOUT_MISMATCH");
}

#[tokio::test]
async fn what_the_layout_cannot_do_is_refused() {
    let fixture = Fixture::start().await;
    let level = open(&fixture).await;
    let refused = level.put(b"k", Bytes::new(), &Condition::Absent).await.unwrap_err();
    assert_eq!(refused.code(), "LEVEL_NOT_SUPPORTED");
    let long = level.batch(vec![put(b"good", ""), put(&vec![b'x'; 65_535], "")], true).await.unwrap_err();
    assert_eq!(long.code(), "LEVEL_INVALID_KEY");
    level.batch(vec![put(&vec![b'x'; 65_534], "")], true).await.unwrap();
    assert_eq!(keys(&level, IteratorOptions::default()).await.len(), 1);
    level.close().await.unwrap();
    assert_eq!(level.get(b"k").await.unwrap_err().code(), "LEVEL_DATABASE_NOT_OPEN");
}

#[tokio::test]
async fn short_failures_of_the_bucket_lose_and_double_nothing() {
    let fixture = Fixture::start().await;
    let level = open(&fixture).await;
    let faults = fixture.server.server().faults();
    for n in 0..12 {
        let cut = if n % 2 == 0 { Cut::Before } else { Cut::After };
        faults.add(Fault { count: Some(1 + n % 3), cut: Some(cut), ..Fault::default() });
        level.batch(vec![put(format!("{n:02}").as_bytes(), "v")], true).await.unwrap();
    }
    faults.clear();
    drop(level);
    assert_eq!(keys(&open(&fixture).await, IteratorOptions::default()).await.len(), 12);
}

#[tokio::test]
async fn a_bucket_that_does_not_answer_is_given_up_in_the_time_asked() {
    let fixture = Fixture::start().await;
    let timeouts = Timeouts { operation_ms: 1500, attempt_ms: 500, ..Timeouts::default() };
    let client = Client::new(ClientSettings {
        endpoint: Some(fixture.server.endpoint()),
        max_attempts: 1,
        timeouts,
        ..ClientSettings::default()
    });
    let client = client.unwrap();
    // A busy machine may need more than one turn.
    let level = loop {
        match Level::open(&client, &settings(&fixture, "tree")).await {
            Err(error) if error.is_retryable() => {}
            opened => break opened.unwrap(),
        }
    };
    fixture.server.server().faults().add(Fault { cut: Some(Cut::Before), ..Fault::default() });
    let refused = level.batch(vec![put(b"a", "")], true).await.unwrap_err();
    assert_eq!(refused.code(), "LEVEL_OUTCOME_UNKNOWN");
    assert!(Level::open(&client, &settings(&fixture, "tree")).await.is_err());
    // Closing ends too; what it says of a write whose outcome is unknown already does not matter.
    let _ = level.close().await;
}

#[tokio::test]
async fn a_batch_that_is_killed_at_any_request_is_wholly_there_after_the_next_opening_or_not_at_all() {
    let fixture = Fixture::start().await;
    let faults = fixture.server.server().faults();
    let mut acknowledged = 0;
    for round in 0..6_u32 {
        let doomed = open_elsewhere(&fixture).await;
        let (passed, cut) = (round / 2, if round % 2 == 0 { Cut::Before } else { Cut::After });
        let fault = |fault: Fault| faults.add(Fault { operation: Some(Request::PutObject), ..fault });
        if passed > 0 {
            fault(Fault { count: Some(passed), delay_ms: Some(0), ..Fault::default() });
        }
        fault(Fault { count: Some(1), cut: Some(cut), ..Fault::default() });
        fault(Fault { error: Some(Code::AccessDenied), ..Fault::default() });
        let batch = (0..50).map(|n| put(format!("{round}/{n:02}").as_bytes(), "v")).collect();
        let outcome = doomed.batch(batch, true).await;
        drop(doomed);
        faults.clear();
        let again = open(&fixture).await;
        let range = KeyRange::prefix(format!("{round}/").as_bytes());
        let found = keys(&again, IteratorOptions { range, ..IteratorOptions::default() }).await.len();
        assert!(found == 0 || found == 50, "{found} of 50 after {passed} requests and cut {cut:?}");
        assert!(outcome.is_err() || found == 50, "acknowledged and lost after {passed} requests and cut {cut:?}");
        acknowledged += usize::from(outcome.is_ok());
        again.close().await.unwrap();
    }
    assert!(acknowledged > 0, "a batch is one request: those cut later came through");
}

#[tokio::test]
async fn a_write_that_does_not_wait_is_read_at_once_and_stored_with_the_next_that_waits() {
    let fixture = Fixture::start().await;
    let level = open_elsewhere(&fixture).await;
    for n in 0..100 {
        level.batch(vec![put(format!("{n:03}").as_bytes(), "v")], false).await.unwrap();
    }
    assert_eq!(keys(&level, IteratorOptions::default()).await.len(), 100);
    level.put(b"last", Bytes::new(), &Condition::Always).await.unwrap();
    drop(level);
    assert_eq!(keys(&open(&fixture).await, IteratorOptions::default()).await.len(), 101);
}

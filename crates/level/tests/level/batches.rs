//! Batches that are cut off, and batches at once, on a real server that fails on purpose.

use std::collections::BTreeSet;

use crate::fixture::Fixture;
use bytes::Bytes;
use holdfast_level::{IteratorOptions, Level, LevelSettings, Operation};
use holdfast_s3_client::{Client, ListRequest};
use holdfast_s3_server::{Cut, Fault};

const JOURNAL: &str = ".holdfast/level/=db/batch.journal";

fn put(key: &str, value: &str) -> Operation {
    Operation::Put { key: key.as_bytes().to_vec(), value: Bytes::from(value.to_owned()) }
}

fn del(key: &str) -> Operation {
    Operation::Del { key: key.as_bytes().to_vec() }
}

/// Puts over an old value and beside it, and deletes.
fn batch() -> Vec<Operation> {
    vec![put("a", "new"), put("b", "new"), put("c", "new"), del("x"), del("y")]
}

async fn open(fixture: &Fixture, client: &Client) -> Level {
    let settings = LevelSettings { batch_patience_ms: 0, ..fixture.objects_in("db") };
    Level::open(client, &settings).await.unwrap()
}

async fn contents(level: &Level) -> Vec<String> {
    let mut iterator = level.iterator(IteratorOptions::default()).unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let mut found = Vec::new();
    loop {
        let page = iterator.next_page(100, usize::MAX).await.unwrap();
        if page.entries.is_empty() {
            return found;
        }
        found.extend(page.entries.iter().map(|entry| format!("{}={}", text(&entry.key), text(&entry.value))));
    }
}

/// What `batch()` starts from, and what it makes of it.
const BEFORE: [&str; 3] = ["a=old", "x=old", "y=old"];
const AFTER: [&str; 3] = ["a=new", "b=new", "c=new"];

async fn fill(level: &Level) {
    for key in ["b", "c"] {
        level.del(key.as_bytes(), None).await.unwrap();
    }
    for key in ["a", "x", "y"] {
        level.put(key.as_bytes(), Bytes::from_static(b"old"), &Default::default()).await.unwrap();
    }
}

/// Lets some requests pass, cuts the next, and every one after it: to the bucket it looks as if the process died.
fn die_at(fixture: &Fixture, passed: u32, cut: Cut) {
    let faults = fixture.server.server().faults();
    faults.clear();
    if passed > 0 {
        faults.add(Fault { count: Some(passed), delay_ms: Some(0), ..Fault::default() });
    }
    faults.add(Fault { count: Some(1), cut: Some(cut), ..Fault::default() });
    faults.add(Fault { cut: Some(Cut::Before), ..Fault::default() });
}

/// Kills a batch at its first request, at its second, and so on; gives back after how many it came through.
async fn kill_everywhere(fixture: &Fixture, patience_ms: u64) -> u32 {
    let settings = LevelSettings { batch_patience_ms: patience_ms, ..fixture.objects_in("db") };
    let (mut outcomes, mut passed) = (BTreeSet::new(), 0);
    loop {
        let mut succeeded = true;
        for cut in [Cut::Before, Cut::After] {
            let healthy = open(fixture, fixture.bucket.client()).await;
            fill(&healthy).await;
            let doomed = Level::open(&fixture.other_client(), &settings).await.unwrap();
            die_at(fixture, passed, cut);
            let outcome = doomed.batch(batch(), true).await;
            drop(doomed);
            fixture.server.server().faults().clear();
            let found = contents(&open(fixture, fixture.bucket.client()).await).await;
            assert!(found == BEFORE || found == AFTER, "cut {cut:?} after {passed} requests: {found:?}");
            assert!(outcome.is_err() || found == AFTER, "acknowledged and lost, {cut:?} after {passed}");
            assert!(fixture.bucket.find_bytes(JOURNAL).await.unwrap().is_none());
            succeeded &= outcome.is_ok();
            outcomes.insert((found == AFTER, outcome.is_ok()));
        }
        if succeeded {
            assert_eq!(outcomes, BTreeSet::from([(false, false), (true, false), (true, true)]));
            return passed;
        }
        passed += 1;
    }
}

#[tokio::test]
async fn a_batch_that_is_killed_at_any_request_is_wholly_there_after_the_next_opening_or_not_at_all() {
    // The journal, three puts, one bulk delete, and the journal's end.
    assert_eq!(kill_everywhere(&Fixture::start().await, 5000).await, 6);
}

#[tokio::test]
async fn so_is_a_batch_that_took_too_long_and_goes_on_with_care() {
    assert!(kill_everywhere(&Fixture::start().await, 0).await > 6);
}

#[tokio::test]
async fn a_batch_that_fails_is_completed_by_the_next_call_and_never_over_what_is_written_then() {
    let fixture = Fixture::start().await;
    for passed in 1..6 {
        fill(&open(&fixture, fixture.bucket.client()).await).await;
        let level = open(&fixture, &fixture.other_client()).await;
        die_at(&fixture, passed, Cut::Before);
        assert_eq!(level.batch(batch(), true).await.unwrap_err().code(), "LEVEL_OUTCOME_UNKNOWN");
        assert!(level.put(b"a", Bytes::from_static(b"newer"), &Default::default()).await.is_err());
        fixture.server.server().faults().clear();
        level.put(b"a", Bytes::from_static(b"newer"), &Default::default()).await.unwrap();
        assert_eq!(contents(&level).await, ["a=newer", "b=new", "c=new"], "cut after {passed}");
        assert!(fixture.bucket.find_bytes(JOURNAL).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn a_completion_that_is_killed_at_any_request_is_completed_by_the_next() {
    let fixture = Fixture::start().await;
    for passed in 0..20 {
        fill(&open(&fixture, fixture.bucket.client()).await).await;
        let doomed = open(&fixture, &fixture.other_client()).await;
        die_at(&fixture, 2, Cut::Before);
        doomed.batch(batch(), true).await.unwrap_err();
        die_at(&fixture, passed, Cut::After);
        let settings = LevelSettings { batch_patience_ms: 0, ..fixture.objects_in("db") };
        let _ = Level::open(&fixture.other_client(), &settings).await;
        fixture.server.server().faults().clear();
        assert_eq!(contents(&open(&fixture, fixture.bucket.client()).await).await, AFTER, "cut after {passed}");
    }
}

#[tokio::test]
async fn batches_at_once_are_applied_one_after_the_other_by_any_number_of_processes() {
    let fixture = Fixture::start().await;
    let keys: Vec<String> = (0..8).map(|n| format!("k{n}")).collect();
    let mut writers = Vec::new();
    for writer in 0..6 {
        // Three writers with a client of their own, each twice.
        let level = Level::open(&fixture.other_client(), &fixture.objects_in("db")).await.unwrap();
        for half in ["left", "right"] {
            let (level, keys) = (level.clone(), keys.clone());
            writers.push(tokio::spawn(async move {
                for round in 0..3 {
                    let value = format!("{writer}{half}{round}");
                    level.batch(keys.iter().map(|key| put(key, &value)).collect(), true).await.unwrap();
                }
            }));
        }
    }
    for writer in writers {
        writer.await.unwrap();
    }
    let found = contents(&open(&fixture, fixture.bucket.client()).await).await;
    let values: BTreeSet<&str> = found.iter().map(|entry| entry.split_once('=').unwrap().1).collect();
    assert_eq!((found.len(), values.len()), (8, 1), "{found:?}");
}

#[tokio::test]
async fn batches_that_wait_beside_each_other_share_a_journal() {
    let fixture = Fixture::start().await;
    let level = fixture.open_objects("db").await;
    let before = level.stats();
    let writes = (0..40).map(|n| {
        let level = level.clone();
        async move { level.batch(vec![put(&format!("a{n}"), ""), put(&format!("b{n}"), "")], true).await }
    });
    for outcome in futures_util::future::join_all(writes).await {
        outcome.unwrap();
    }
    assert_eq!(contents(&level).await.len(), 80);
    let journals = level.stats()["DeleteObject"] - before.get("DeleteObject").copied().unwrap_or(0);
    assert!(journals < 10, "{journals} journals for 40 batches");
}

#[tokio::test]
async fn what_is_written_after_a_batch_broke_off_is_not_undone_by_its_completion() {
    let fixture = Fixture::start().await;
    let other = open(&fixture, fixture.bucket.client()).await;
    fill(&other).await;
    let doomed = open(&fixture, &fixture.other_client()).await;
    die_at(&fixture, 1, Cut::Before);
    doomed.batch(batch(), true).await.unwrap_err();
    fixture.server.server().faults().clear();
    // Times in S3 are in whole seconds: wait until the bucket's clock has moved on by more than what counts as newer.
    let journal = fixture.bucket.head(JOURNAL).await.unwrap().unwrap().modified_ms;
    loop {
        other.put(b"a", Bytes::from_static(b"newer"), &Default::default()).await.unwrap();
        let written = fixture.bucket.head("db/a").await.unwrap().unwrap().modified_ms;
        if written > journal + 1000 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    let found = contents(&open(&fixture, fixture.bucket.client()).await).await;
    assert_eq!(found, ["a=newer", "b=new", "c=new"]);
}

#[tokio::test]
async fn a_batch_leaves_plain_objects_and_nothing_else() {
    let fixture = Fixture::start().await;
    let level = fixture.open_objects("db").await;
    level.batch(batch(), true).await.unwrap();
    let listed = fixture.bucket.list(&ListRequest::default()).await.unwrap().objects;
    let keys: Vec<String> = listed.into_iter().map(|object| object.key).collect();
    assert_eq!(keys, [".holdfast/level/=db/format.json", "db/a", "db/b", "db/c"]);
}

#[tokio::test]
async fn a_journal_of_a_newer_version_is_left_as_it_is() {
    let fixture = Fixture::start().await;
    fixture.open_objects("db").await;
    let newer = Bytes::from_static(b"{\"version\":2,\"id\":\"\",\"puts\":[],\"dels\":[]}\n");
    fixture.bucket.put(JOURNAL, newer.clone(), &Default::default()).await.unwrap();
    let settings = LevelSettings { batch_patience_ms: 0, ..fixture.objects_in("db") };
    assert_eq!(fixture.open_with(&settings).await.unwrap_err().code(), "LEVEL_FORMAT_UNKNOWN");
    assert_eq!(fixture.bucket.find_bytes(JOURNAL).await.unwrap(), Some(newer));
}

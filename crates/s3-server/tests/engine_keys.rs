//! Any key that S3 allows has a safe place and a place in the listing.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod engine_bench;

use std::collections::{BTreeMap, BTreeSet};

use engine_bench::{Bench, attributes, below};
use holdfast_s3_server::engine::{Condition, EngineError, ListEntry, ListQuery};
use holdfast_testkit::Dice;

const SEGMENTS: [&str; 24] = [
    "a",
    "b",
    "A",
    "a",
    "ab",
    "",
    "",
    ".",
    "..",
    "é",
    "e\u{301}",
    "🦀",
    "~",
    "a~1v",
    "%",
    "%2E",
    "\\",
    "con",
    "\n",
    "\0",
    "\u{10ffff}",
    "\u{7f}",
    ".holdfast",
    "index.db",
];

/// One to six segments, sometimes a very long one, cut to 1,024 bytes.
fn odd_key(dice: &mut Dice) -> String {
    let mut key = String::new();
    for n in 0..1 + dice.below(6) {
        if n > 0 {
            key.push('/');
        }
        if dice.below(40) == 0 {
            key.push_str(&"long🦀".repeat(dice.below(140) as usize));
        }
        key.push_str(dice.pick::<&str>(&SEGMENTS));
    }
    while key.len() > 1024 {
        key.pop();
    }
    if key.is_empty() { "/".to_owned() } else { key }
}

/// What a page must be, from all keys in order, the slow way.
fn model_page(keys: &BTreeMap<String, String>, query: &ListQuery) -> (Vec<String>, Option<String>) {
    let delimiter = query.delimiter.as_deref().unwrap_or_default();
    let roll_up = |key: &str| match key[query.prefix.len()..].find(delimiter) {
        Some(at) if !delimiter.is_empty() => key[..query.prefix.len() + at + delimiter.len()].to_owned(),
        _ => key.to_owned(),
    };
    let mut entries = BTreeSet::new();
    for key in keys.keys().filter(|key| key.starts_with(&query.prefix)) {
        let entry = roll_up(key);
        let is_behind = query.after.as_ref().is_none_or(|after| key > after && entry != *after);
        if is_behind {
            entries.insert(entry);
        }
    }
    let page: Vec<String> = entries.iter().take(query.max).cloned().collect();
    let next = page.last().filter(|_| entries.len() > page.len()).cloned();
    (page, next)
}

#[tokio::test]
async fn odd_keys_round_trip_and_list_in_byte_order() {
    let bench = Bench::new().await;
    let mut dice = Dice::new(2024);
    for round in 0..6 {
        let bucket = format!("bucket-{round}");
        bench.engine.create_bucket(&bucket, "us-east-1").await.unwrap();
        let mut model = BTreeMap::new();
        for n in 0..150 {
            let key = odd_key(&mut dice);
            if dice.below(4) == 0 {
                let deleted = bench.engine.delete(&bucket, &key, Condition::Always).await.unwrap();
                assert_eq!(deleted.existed, model.remove(&key).is_some(), "{key:?}");
            } else {
                let mut staged = bench.engine.stage(&bucket).await.unwrap();
                staged.write(format!("{n} {key}").into()).await.unwrap();
                bench.engine.put(&bucket, &key, staged, attributes(&n.to_string()), Condition::Always).await.unwrap();
                model.insert(key.clone(), format!("{n} {key}"));
            }
        }
        for (key, body) in &model {
            let (_, file) = bench.engine.open_object(&bucket, key, None).await.unwrap();
            assert_eq!(file.in_memory().unwrap(), body, "{key:?}");
        }
        assert_eq!(below(&bench.path().join(&bucket)).len(), model.len());
        for _ in 0..60 {
            let prefix: String = odd_key(&mut dice).chars().take(dice.below(4) as usize).collect();
            let delimiter = (*dice.pick(&["", "/", "/", "a", "🦀", "//"])).to_owned();
            let mut query =
                ListQuery { prefix, delimiter: Some(delimiter), after: None, max: 1 + dice.below(9) as usize };
            if dice.below(2) == 0 {
                query.after = Some(odd_key(&mut dice));
            }
            loop {
                let page = bench.engine.list(&bucket, query.clone()).await.unwrap();
                let texts = page.entries.iter().map(|entry| entry.text().to_owned()).collect();
                assert_eq!((texts, page.next.clone()), model_page(&model, &query), "{query:?}");
                query.after = page.next;
                if query.after.is_none() {
                    break;
                }
            }
        }
    }
}

#[tokio::test]
async fn a_key_cannot_reach_another_buckets_files() {
    let bench = Bench::new().await;
    bench.engine.create_bucket("other", "us-east-1").await.unwrap();
    let keys = ["../other/x", "../../x", "/etc/x", "..", "a/../../other/x", "\\..\\other\\x", "../.holdfast/index.db"];
    for key in keys {
        bench.put(key, "mine").await;
    }
    assert_eq!(below(&bench.path().join("bucket")).len(), keys.len());
    assert!(below(&bench.path().join("other")).is_empty());
    for key in keys {
        bench.engine.delete("bucket", key, Condition::Always).await.unwrap();
    }
    assert!(bench.files().is_empty());
    bench.engine.list("other", ListQuery { max: 1, ..ListQuery::default() }).await.unwrap();
}

#[tokio::test]
async fn keys_of_1024_bytes_are_taken_and_longer_and_empty_ones_refused() {
    let bench = Bench::new().await;
    for key in ["x".repeat(1024), "/".repeat(1024), "x/".repeat(512), "é".repeat(512)] {
        bench.put(&key, "body").await;
        assert_eq!(bench.get(&key).await.unwrap().1, "body");
    }
    let refused = bench.put_bytes(&"é".repeat(513), "body".into()).await;
    assert!(matches!(refused.unwrap_err(), EngineError::KeyTooLong(1026)));
    assert!(matches!(bench.put_bytes("", "body".into()).await.unwrap_err(), EngineError::InvalidArgument(_)));
    assert_eq!(bench.files().len(), 4);
}

#[tokio::test]
async fn names_that_differ_in_case_or_as_folder_and_file_stand_side_by_side() {
    let bench = Bench::new().await;
    let keys = ["A", "a", "a/", "a/b", "a/b/c", "a//b"];
    for key in keys {
        bench.put(key, key).await;
    }
    for key in keys {
        assert_eq!(bench.get(key).await.unwrap().1, key);
    }
}

#[tokio::test]
async fn a_listing_says_what_each_object_is() {
    let bench = Bench::new().await;
    let put = bench.put("key", "body").await;
    let page = bench.engine.list("bucket", ListQuery { max: 10, ..ListQuery::default() }).await.unwrap();
    let [ListEntry::Object(listed)] = page.entries.as_slice() else { panic!("{page:?}") };
    assert_eq!((listed.key.as_str(), listed.size), ("key", 4));
    assert_eq!((&listed.etag, listed.last_modified_ms), (&put.attributes.etag, put.last_modified_ms));
}

#[tokio::test]
async fn a_page_of_nothing_is_empty_and_the_last() {
    let bench = Bench::new().await;
    bench.put("key", "body").await;
    let page = bench.engine.list("bucket", ListQuery::default()).await.unwrap();
    assert_eq!((page.entries.len(), page.next), (0, None));
}

//! Records and kv.
#![allow(missing_docs, reason = "each case is named for what it shows")]

use std::ops::Bound;

use holdfast_base::{ErrorKind, KeyRange};
use holdfast_store::{Batch, Condition, EntryQuery, MAX_VALUE_BYTES, Outcome, Space, Step};

use super::{Subject, key, one};

fn put_for(name: &str, value: &str, ttl_ms: u64) -> Step {
    let (condition, value) = (Condition::Any, value.to_owned());
    Step::Put { space: Space::Records, key: key(name), value, condition, ttl_ms: Some(ttl_ms) }
}

async fn names(subject: &Subject, query: EntryQuery) -> Vec<String> {
    let page = subject.adapter.list(Space::Records, query).await.unwrap();
    page.items.into_iter().map(|entry| entry.key).collect()
}

fn all(limit: usize) -> EntryQuery {
    EntryQuery::of(KeyRange::all(), limit)
}

pub async fn a_key_never_put_is_absent(subject: Subject) {
    assert_eq!(subject.value("a").await, None);
    assert_eq!(subject.adapter.count(Space::Records, KeyRange::all()).await.unwrap(), 0);
}

pub async fn a_put_is_read_back_exactly(subject: Subject) {
    let value = r#"{"name":"Ada","tags":["x",null,1.5],"text":"\ud800 é 🦀"}"#;
    subject.put("a", value).await;
    assert_eq!(subject.value("a").await.as_deref(), Some(value));
}

pub async fn versions_count_from_one(subject: Subject) {
    assert_eq!([subject.put("a", "1").await, subject.put("a", "2").await, subject.put("b", "1").await], [1, 2, 1]);
}

pub async fn versions_go_on_counting_after_a_delete(subject: Subject) {
    subject.put("a", "1").await;
    assert!(subject.delete("a").await);
    assert!(subject.put("a", "2").await > 1);
    let stale = subject.put_if("a", "3", Condition::Version(1)).await;
    assert_eq!(stale.unwrap_err().kind(), ErrorKind::Conflict);
}

pub async fn a_put_that_must_be_the_first_conflicts_with_an_entry(subject: Subject) {
    assert_eq!(subject.put_if("a", "1", Condition::Absent).await.unwrap(), 1);
    let error = subject.put_if("a", "2", Condition::Absent).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Conflict, "VERSION_CONFLICT"));
    subject.delete("a").await;
    subject.put_if("a", "3", Condition::Absent).await.unwrap();
    assert_eq!(subject.value("a").await.as_deref(), Some("3"));
}

pub async fn a_put_with_a_stale_version_conflicts_and_changes_nothing(subject: Subject) {
    subject.put("a", "1").await;
    assert_eq!(subject.put_if("a", "2", Condition::Version(1)).await.unwrap(), 2);
    let error = subject.put_if("a", "3", Condition::Version(1)).await.unwrap_err();
    assert_eq!((&error.details()["expected"], &error.details()["actual"]), (&1.into(), &2.into()));
    assert_eq!(subject.value("a").await.as_deref(), Some("2"));
}

pub async fn only_one_of_many_racing_conditional_puts_wins(subject: Subject) {
    let puts = (0..8).map(|n| {
        let (value, condition) = (n.to_string(), Condition::Absent);
        let step = Step::Put { space: Space::Records, key: key("a"), value, condition, ttl_ms: None };
        tokio::spawn(std::future::IntoFuture::into_future(subject.adapter.commit(Batch::one(step))))
    });
    let mut won = 0;
    for put in puts.collect::<Vec<_>>() {
        won += usize::from(put.await.unwrap().is_ok());
    }
    assert_eq!(won, 1);
}

pub async fn the_time_of_creation_stays_and_the_time_of_update_moves(subject: Subject) {
    subject.put("a", "1").await;
    subject.clock.advance_ms(5);
    subject.put("a", "2").await;
    let entry = subject.adapter.get(Space::Records, &key("a")).await.unwrap().unwrap();
    assert_eq!((entry.created_at_ms, entry.updated_at_ms), (super::BEGIN_MS, super::BEGIN_MS + 5));
    subject.delete("a").await;
    subject.put("a", "3").await;
    let entry = subject.adapter.get(Space::Records, &key("a")).await.unwrap().unwrap();
    assert_eq!(entry.created_at_ms, super::BEGIN_MS + 5);
}

pub async fn deleting_says_whether_there_was_anything(subject: Subject) {
    subject.put("a", "1").await;
    assert_eq!([subject.delete("a").await, subject.delete("a").await, subject.delete("b").await], [true, false, false]);
    assert_eq!(subject.value("a").await, None);
}

pub async fn an_entry_is_invisible_at_its_last_millisecond(subject: Subject) {
    subject.adapter.commit(Batch::one(put_for("a", "1", 10))).await.unwrap();
    subject.clock.advance_ms(9);
    assert_eq!(subject.value("a").await.as_deref(), Some("1"));
    subject.clock.advance_ms(1);
    assert_eq!(subject.value("a").await, None);
    assert!(!subject.delete("a").await);
    assert_eq!(subject.put_if("a", "2", Condition::Absent).await.unwrap(), 2);
}

pub async fn a_put_without_ttl_takes_the_ttl_away(subject: Subject) {
    subject.adapter.commit(Batch::one(put_for("a", "1", 10))).await.unwrap();
    subject.put("a", "2").await;
    subject.clock.advance_ms(10);
    assert_eq!(subject.value("a").await.as_deref(), Some("2"));
}

pub async fn records_and_kv_do_not_see_each_other(subject: Subject) {
    subject.put("a", "1").await;
    assert_eq!(subject.adapter.get(Space::Kv, &key("a")).await.unwrap(), None);
    subject.adapter.commit(Batch::one(Step::put(Space::Kv, key("a"), "2"))).await.unwrap();
    subject.delete("a").await;
    assert_eq!(subject.adapter.get(Space::Kv, &key("a")).await.unwrap().unwrap().value, "2");
}

pub async fn odd_keys_are_kept_exactly_or_refused(subject: Subject) {
    let long = "k".repeat(1024);
    let odd = ["../x", "./x", "a//b", "/", "a/", " ", "a b+c%20?&#", "é\u{301}", "🦀", "\u{202e}rtl", "\u{1}", "\n"];
    let mut kept = Vec::new();
    for name in odd.into_iter().chain([long.as_str()]) {
        match subject.put_if(name, "1", Condition::Absent).await {
            Ok(_) => kept.push(name.to_owned()),
            Err(error) => assert_eq!(error.kind(), ErrorKind::Validation, "{name:?}: {error}"),
        }
    }
    kept.sort();
    assert!(kept.len() >= 5, "an adapter that refuses nearly everything is of no use");
    for name in &kept {
        assert_eq!(subject.value(name).await.as_deref(), Some("1"), "{name:?}");
    }
    assert_eq!(names(&subject, all(100)).await, kept);
}

pub async fn keys_are_listed_in_the_order_of_their_bytes(subject: Subject) {
    // In UTF-16 the crab sorts before U+FF5E; in UTF-8 behind it.
    let mut expected = vec!["a", "B", "b", "a/b", "a0", "é", "\u{ff5e}", "🦀"];
    for name in &expected {
        subject.put(name, "1").await;
    }
    expected.sort_unstable();
    assert_eq!(names(&subject, all(100)).await, expected);
}

pub async fn a_list_can_be_bounded_and_reversed(subject: Subject) {
    for name in ["a", "b", "c", "d"] {
        subject.put(name, "1").await;
    }
    let range = KeyRange { start: Bound::Included(b"b".to_vec()), end: Bound::Excluded(b"d".to_vec()) };
    assert_eq!(names(&subject, EntryQuery::of(range.clone(), 10)).await, ["b", "c"]);
    let reversed = EntryQuery { reverse: true, ..EntryQuery::of(range, 10) };
    assert_eq!(names(&subject, reversed).await, ["c", "b"]);
    let inverted = KeyRange { start: Bound::Included(b"d".to_vec()), end: Bound::Excluded(b"b".to_vec()) };
    assert!(names(&subject, EntryQuery::of(inverted, 10)).await.is_empty());
}

pub async fn pages_join_to_the_whole_list(subject: Subject) {
    let all_names: Vec<_> = (0..25).map(|n| format!("k{n:02}")).collect();
    for name in &all_names {
        subject.put(name, "1").await;
    }
    for reverse in [false, true] {
        let mut joined = Vec::new();
        let mut query = EntryQuery { reverse, ..all(10) };
        loop {
            let page = subject.adapter.list(Space::Records, query.clone()).await.unwrap();
            assert!(page.items.len() <= 10);
            joined.extend(page.items.into_iter().map(|entry| entry.key));
            let Some(next) = page.next else { break };
            query.after = Some(next);
        }
        if reverse {
            joined.reverse();
        }
        assert_eq!(joined, all_names);
    }
}

pub async fn a_prefix_that_ends_in_a_high_byte_finds_its_keys(subject: Subject) {
    for name in ["ÿa", "ÿ", "Āa", "þ", "\u{10ffff}x", "\u{10fffe}"] {
        subject.put(name, "1").await;
    }
    assert_eq!(names(&subject, EntryQuery::of(KeyRange::prefix("ÿ".as_bytes()), 10)).await, ["ÿ", "ÿa"]);
    let highest = KeyRange::prefix("\u{10ffff}".as_bytes());
    assert_eq!(names(&subject, EntryQuery::of(highest, 10)).await, ["\u{10ffff}x"]);
}

pub async fn a_list_of_keys_has_no_values(subject: Subject) {
    subject.put("a", "1").await;
    let query = EntryQuery { keys_only: true, ..all(10) };
    let page = subject.adapter.list(Space::Records, query).await.unwrap();
    assert_eq!((page.items[0].key.as_str(), page.items[0].value.as_str()), ("a", ""));
}

pub async fn a_list_leaves_out_what_was_deleted_or_expired(subject: Subject) {
    for name in ["a", "b"] {
        subject.put(name, "1").await;
    }
    subject.adapter.commit(Batch::one(put_for("c", "1", 10))).await.unwrap();
    subject.delete("a").await;
    subject.clock.advance_ms(10);
    assert_eq!(names(&subject, all(1)).await, ["b"]);
    assert_eq!(names(&subject, EntryQuery { keys_only: true, ..all(10) }).await, ["b"]);
}

pub async fn many_are_read_in_the_order_asked_for(subject: Subject) {
    for name in ["a", "b"] {
        subject.put(name, &format!("\"{name}\"")).await;
    }
    let keys = ["b", "x", "a", "b"].map(key).to_vec();
    let found = subject.adapter.get_many(Space::Records, keys).await.unwrap();
    let values: Vec<_> = found.iter().map(|entry| entry.as_ref().map(|entry| entry.value.as_str())).collect();
    assert_eq!(values, [Some("\"b\""), None, Some("\"a\""), Some("\"b\"")]);
}

pub async fn counting_counts_what_a_list_lists(subject: Subject) {
    for name in ["a/1", "a/2", "b/1"] {
        subject.put(name, "1").await;
    }
    subject.adapter.commit(Batch::one(put_for("a/3", "1", 10))).await.unwrap();
    subject.delete("a/2").await;
    subject.clock.advance_ms(10);
    let count = |range| subject.adapter.count(Space::Records, range);
    assert_eq!(count(KeyRange::all()).await.unwrap(), 2);
    assert_eq!(count(KeyRange::prefix(b"a/")).await.unwrap(), 1);
}

async fn add(subject: &Subject, by: f64) -> holdfast_base::Result<f64> {
    let step = Step::Add { space: Space::Records, key: key("n"), by };
    match one(subject.adapter.commit(Batch::one(step)).await?) {
        Outcome::Added { value, .. } => Ok(value),
        other => panic!("an addition answered {other:?}"),
    }
}

pub async fn adding_begins_at_zero_and_keeps_the_expiry(subject: Subject) {
    assert_eq!(add(&subject, 2.0).await.unwrap(), 2.0);
    assert_eq!(add(&subject, -0.5).await.unwrap(), 1.5);
    assert_eq!(subject.value("n").await.as_deref(), Some("1.5"));
    subject.adapter.commit(Batch::one(put_for("n", "1", 10))).await.unwrap();
    add(&subject, 1.0).await.unwrap();
    subject.clock.advance_ms(10);
    assert_eq!(add(&subject, 1.0).await.unwrap(), 1.0);
}

pub async fn adding_to_what_is_no_number_is_refused(subject: Subject) {
    subject.put("n", "\"1\"").await;
    let error = add(&subject, 1.0).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Validation, "NOT_A_NUMBER"));
    assert_eq!(subject.value("n").await.as_deref(), Some("\"1\""));
}

pub async fn concurrent_additions_are_all_counted(subject: Subject) {
    let additions = (0..10).map(|_| {
        let step = Step::Add { space: Space::Records, key: key("n"), by: 1.0 };
        tokio::spawn(std::future::IntoFuture::into_future(subject.adapter.commit(Batch::one(step))))
    });
    for addition in additions.collect::<Vec<_>>() {
        addition.await.unwrap().unwrap();
    }
    assert_eq!(subject.value("n").await.as_deref(), Some("10"));
}

pub async fn a_batch_that_fails_changes_nothing(subject: Subject) {
    subject.put("a", "1").await;
    let check = Step::Check { space: Space::Records, key: key("a"), condition: Condition::Version(7) };
    let append = Step::Append {
        stream: key("s"),
        payload: "1".to_owned(),
        expected_version: None,
        id: Some("e".to_owned()),
        timestamp_ms: None,
    };
    let steps =
        vec![Step::put(Space::Records, key("a"), "2"), Step::put(Space::Kv, key("b"), "2"), append.clone(), check];
    let refused = subject.adapter.commit(Batch { steps, atomic: true }).await.unwrap_err();
    let kind = if subject.adapter.capabilities().atomic { ErrorKind::Conflict } else { ErrorKind::Capability };
    assert_eq!(refused.kind(), kind);
    assert_eq!(subject.value("a").await.as_deref(), Some("1"));
    assert_eq!(subject.adapter.get(Space::Kv, &key("b")).await.unwrap(), None);
    assert_eq!(subject.adapter.stream_version(&key("s")).await.unwrap(), 0);
    // Nothing of the undone append is left in the way either.
    subject.adapter.commit(Batch::one(append)).await.unwrap();
    assert_eq!(subject.adapter.stream_version(&key("s")).await.unwrap(), 1);
}

pub async fn a_batch_without_demands_works_everywhere(subject: Subject) {
    let steps = (0..30).map(|n| Step::put(Space::Records, key(&format!("k{n:02}")), n.to_string())).collect();
    let outcomes = subject.adapter.commit(Batch { steps, atomic: false }).await.unwrap();
    assert_eq!(outcomes.len(), 30);
    assert_eq!(subject.adapter.count(Space::Records, KeyRange::all()).await.unwrap(), 30);
}

pub async fn a_value_that_is_too_large_is_refused(subject: Subject) {
    let error = subject.put_if("a", &"1".repeat(MAX_VALUE_BYTES + 1), Condition::Any).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Validation, "VALUE_TOO_LARGE"));
    assert_eq!(subject.value("a").await, None);
}

pub async fn a_large_value_is_read_back_exactly(subject: Subject) {
    let value = format!("\"{}\"", "é".repeat(1_000_000));
    subject.put("a", &value).await;
    subject.put("b", &value).await;
    assert!(subject.value("a").await.unwrap() == value);
    // A page ends early rather than grow with the values.
    let page = subject.adapter.list(Space::Records, all(100)).await.unwrap();
    assert_eq!((page.items.len(), page.next.as_deref()), (1, Some("a")));
}

pub async fn calls_after_close_are_closed_errors(subject: Subject) {
    subject.put("a", "1").await;
    subject.adapter.close().await.unwrap();
    subject.adapter.close().await.unwrap();
    let read = subject.adapter.get(Space::Records, &key("a")).await;
    assert_eq!(read.unwrap_err().kind(), ErrorKind::Closed);
    let write = subject.put_if("a", "2", Condition::Any).await;
    assert_eq!(write.unwrap_err().kind(), ErrorKind::Closed);
}

//! Events.
#![allow(missing_docs, reason = "each case is named for what it shows")]

use holdfast_base::ErrorKind;
use holdfast_store::{Batch, Event, EventQuery, Outcome, Step, StreamQuery};

use super::{Subject, key, one};

fn step(stream: &str, payload: &str) -> Step {
    Step::Append {
        stream: key(stream),
        payload: payload.to_owned(),
        expected_version: None,
        id: None,
        timestamp_ms: None,
    }
}

async fn append(subject: &Subject, stream: &str, payload: &str) -> Event {
    try_append(subject, step(stream, payload)).await.unwrap()
}

async fn try_append(subject: &Subject, step: Step) -> holdfast_base::Result<Event> {
    match one(subject.adapter.commit(Batch::one(step)).await?) {
        Outcome::Appended(event) => Ok(event),
        other => panic!("an append answered {other:?}"),
    }
}

fn all() -> EventQuery {
    EventQuery { stream: None, after: None, since_ms: None, reverse: false, by_arrival: false, limit: 100 }
}

async fn payloads(subject: &Subject, query: EventQuery) -> Vec<String> {
    let page = subject.adapter.list_events(query).await.unwrap();
    page.items.into_iter().map(|event| event.payload).collect()
}

pub async fn versions_of_a_stream_have_no_gaps(subject: Subject) {
    for expected in 1..=3 {
        let event = append(&subject, "s", "{}").await;
        assert_eq!((event.version, event.stream.as_str(), event.timestamp_ms), (expected, "s", super::BEGIN_MS));
    }
    assert_eq!(subject.adapter.stream_version(&key("s")).await.unwrap(), 3);
    assert_eq!(subject.adapter.stream_version(&key("t")).await.unwrap(), 0);
}

pub async fn positions_grow_over_all_streams(subject: Subject) {
    let mut last = 0;
    for n in 0..6 {
        let event = append(&subject, if n % 2 == 0 { "a" } else { "b" }, &n.to_string()).await;
        assert!(event.position > last);
        last = event.position;
    }
    assert_eq!(payloads(&subject, all()).await, ["0", "1", "2", "3", "4", "5"]);
}

pub async fn an_unexpected_version_conflicts_and_appends_nothing(subject: Subject) {
    let with = |expected| Step::Append {
        stream: key("s"),
        payload: "1".to_owned(),
        expected_version: Some(expected),
        id: None,
        timestamp_ms: None,
    };
    assert_eq!(try_append(&subject, with(0)).await.unwrap().version, 1);
    let error = try_append(&subject, with(0)).await.unwrap_err();
    assert_eq!((error.kind(), &error.details()["actual"]), (ErrorKind::Conflict, &1.into()));
    assert_eq!(try_append(&subject, with(1)).await.unwrap().version, 2);
    assert_eq!(payloads(&subject, all()).await.len(), 2);
}

fn with_id(payload: &str) -> Step {
    Step::Append {
        stream: key("s"),
        payload: payload.to_owned(),
        expected_version: None,
        id: Some("mine".to_owned()),
        timestamp_ms: None,
    }
}

pub async fn the_same_event_sent_again_is_stored_once(subject: Subject) {
    let first = try_append(&subject, with_id("1")).await.unwrap();
    append(&subject, "s", "2").await;
    assert_eq!(try_append(&subject, with_id("1")).await.unwrap(), first);
    assert_eq!((first.id.as_str(), payloads(&subject, all()).await), ("mine", vec!["1".to_owned(), "2".to_owned()]));
}

pub async fn another_event_with_a_taken_id_conflicts(subject: Subject) {
    try_append(&subject, with_id("1")).await.unwrap();
    let error = try_append(&subject, with_id("2")).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Conflict, "EVENT_ID_TAKEN"));
}

pub async fn a_stream_is_listed_by_itself(subject: Subject) {
    for (stream, payload) in [("a", "1"), ("ab", "2"), ("a", "3"), ("a/b", "4")] {
        append(&subject, stream, payload).await;
    }
    assert_eq!(payloads(&subject, EventQuery { stream: Some("a".to_owned()), ..all() }).await, ["1", "3"]);
    assert!(payloads(&subject, EventQuery { stream: Some("x".to_owned()), ..all() }).await.is_empty());
}

pub async fn a_list_can_be_reversed_and_cut(subject: Subject) {
    for n in 0..5 {
        append(&subject, "s", &n.to_string()).await;
    }
    for stream in [None, Some("s".to_owned())] {
        let mut query = EventQuery { stream, limit: 2, ..all() };
        let page = subject.adapter.list_events(query.clone()).await.unwrap();
        assert_eq!(page.items.len(), 2);
        query.after = page.next;
        assert_eq!(payloads(&subject, query.clone()).await, ["2", "3"]);
        query = EventQuery { reverse: true, after: None, ..query };
        let page = subject.adapter.list_events(query.clone()).await.unwrap();
        assert_eq!(page.items.iter().map(|event| event.payload.as_str()).collect::<Vec<_>>(), ["4", "3"]);
        query.after = page.next;
        assert_eq!(payloads(&subject, query.clone()).await, ["2", "1"]);
        let page = subject.adapter.list_events(EventQuery { after: None, reverse: false, limit: 5, ..query }).await;
        assert_eq!(page.unwrap().next, None);
    }
}

pub async fn events_since_a_time_are_found(subject: Subject) {
    append(&subject, "s", "1").await;
    subject.clock.advance_ms(10);
    append(&subject, "s", "2").await;
    let query = EventQuery { since_ms: Some(super::BEGIN_MS + 10), ..all() };
    assert_eq!(payloads(&subject, query).await, ["2"]);
}

pub async fn streams_are_listed_by_name(subject: Subject) {
    for stream in ["b", "a", "c", "a"] {
        append(&subject, stream, "1").await;
    }
    let page = subject.adapter.streams(StreamQuery { after: None, limit: 2 }).await.unwrap();
    assert_eq!(page.items, [("a".to_owned(), 2), ("b".to_owned(), 1)]);
    let page = subject.adapter.streams(StreamQuery { after: page.next, limit: 2 }).await.unwrap();
    assert_eq!((page.items, page.next), (vec![("c".to_owned(), 1)], None));
}

pub async fn concurrent_appends_all_get_their_own_version(subject: Subject) {
    let appends = (0..8).map(|n| {
        tokio::spawn(std::future::IntoFuture::into_future(
            subject.adapter.commit(Batch::one(step("s", &n.to_string()))),
        ))
    });
    for append in appends.collect::<Vec<_>>() {
        append.await.unwrap().unwrap();
    }
    let page = subject.adapter.list_events(EventQuery { stream: Some("s".to_owned()), ..all() }).await.unwrap();
    assert_eq!(page.items.iter().map(|event| event.version).collect::<Vec<_>>(), (1..=8).collect::<Vec<_>>());
}

pub async fn several_events_of_a_batch_follow_each_other(subject: Subject) {
    let steps = vec![step("s", "1"), step("s", "2"), step("t", "3")];
    let outcomes = subject.adapter.commit(Batch { steps, atomic: false }).await.unwrap();
    let versions: Vec<_> = outcomes
        .iter()
        .map(|outcome| match outcome {
            Outcome::Appended(event) => event.version,
            other => panic!("an append answered {other:?}"),
        })
        .collect();
    assert_eq!(versions, [1, 2, 1]);
    assert_eq!(payloads(&subject, all()).await, ["1", "2", "3"]);
}

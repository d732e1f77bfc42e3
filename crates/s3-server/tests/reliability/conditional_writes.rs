//! Many writers, one key: the recorded history of conditional writes has an order in which each makes sense.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::client::Fixture;

const WRITERS: usize = 64;
const WRITES_OF_A_WRITER: usize = 6;

/// One request: between `begun` and `ended`, as one clock for all counts.
#[derive(Clone, Debug)]
struct Event {
    begun: u64,
    ended: u64,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    /// The ETag that was read.
    Read(String),
    /// A write on condition of an ETag, of the ETag that it makes.
    Wrote { expected: String, made: String },
    /// The object had another ETag than the expected one.
    Refused { expected: String },
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn conditional_writes_of_64_writers_have_one_order_that_every_answer_fits() {
    let s3 = Arc::new(Fixture::start().await);
    let clock = Arc::new(AtomicU64::new(0));
    let first = s3.put("/bkt/k", b"the first").await.header("etag").to_owned();
    let writers = (0..WRITERS).map(|writer| tokio::spawn(write(Arc::clone(&s3), Arc::clone(&clock), writer)));
    let mut history = Vec::new();
    for writer in writers.collect::<Vec<_>>() {
        history.extend(writer.await.unwrap());
    }
    let last = s3.get("/bkt/k").await.header("etag").to_owned();
    let order = order_of(&history, &first);
    assert_eq!(order.last(), Some(&last), "the object is what the last write left");
    check_times(&history, &order);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_64_writers_that_must_create_exactly_one_does() {
    let s3 = Arc::new(Fixture::start().await);
    let create = |writer: usize| {
        let s3 = Arc::clone(&s3);
        tokio::spawn(async move {
            let body = format!("writer {writer}");
            (s3.send("PUT", "/bkt/once", &[("if-none-match", "*")], body.as_bytes()).await.status, body)
        })
    };
    let mut winners = Vec::new();
    for writer in (0..WRITERS).map(create).collect::<Vec<_>>() {
        match writer.await.unwrap() {
            (200, body) => winners.push(body),
            (status, _) => assert_eq!(status, 412),
        }
    }
    assert_eq!(winners, [s3.get("/bkt/once").await.text()]);
}

async fn write(s3: Arc<Fixture>, clock: Arc<AtomicU64>, writer: usize) -> Vec<Event> {
    let now = || clock.fetch_add(1, Ordering::SeqCst);
    let mut events = Vec::new();
    for n in 0..WRITES_OF_A_WRITER {
        let begun = now();
        let read = s3.get("/bkt/k").await;
        let expected = read.header("etag").to_owned();
        events.push(Event { begun, ended: now(), what: What::Read(expected.clone()) });
        let begun = now();
        let body = format!("{writer}-{n}");
        let put = s3.send("PUT", "/bkt/k", &[("if-match", &expected)], body.as_bytes()).await;
        let ended = now();
        let what = match put.status {
            200 => What::Wrote { expected, made: put.header("etag").to_owned() },
            412 => What::Refused { expected },
            status => panic!("a conditional write was answered with {status}: {}", put.text()),
        };
        events.push(Event { begun, ended, what });
    }
    events
}

/// The ETags that the object had, one after the other.
fn order_of(history: &[Event], first: &str) -> Vec<String> {
    let mut next = HashMap::new();
    for event in history {
        if let What::Wrote { expected, made } = &event.what {
            let other = next.insert(expected.clone(), made.clone());
            assert_eq!(other, None, "two writes replaced {expected}: one of them is lost");
        }
    }
    let writes = next.len();
    let mut order = vec![first.to_owned()];
    while let Some(made) = order.last().and_then(|etag| next.remove(etag)) {
        order.push(made);
    }
    assert_eq!(order.len(), writes + 1, "writes that replaced what was never there: {next:?}");
    assert!(writes > WRITES_OF_A_WRITER, "only {writes} writes had their way");
    order
}

/// No answer contradicts the time at which it was given: the n-th value was there between the n-th write and the next.
fn check_times(history: &[Event], order: &[String]) {
    let place: HashMap<&str, usize> = order.iter().enumerate().map(|(place, etag)| (etag.as_str(), place)).collect();
    let mut writes: Vec<(u64, u64)> = vec![(0, 0); order.len()];
    for event in history {
        if let What::Wrote { made, .. } = &event.what {
            writes[place[made.as_str()]] = (event.begun, event.ended);
        }
    }
    // The value of a place may be there from the begin of its write, and is gone for sure when a later one has ended.
    let may_be_there = |place: usize| writes[place].0;
    let surely_gone = |place: usize| writes[place + 1..].iter().map(|(_, ended)| *ended).min().unwrap_or(u64::MAX);
    for event in history {
        match &event.what {
            What::Read(etag) => {
                let place = *place.get(etag.as_str()).expect("what was read was written");
                assert!(may_be_there(place) < event.ended.max(1), "read before it was written: {event:?}");
                assert!(surely_gone(place) > event.begun, "read after it was replaced: {event:?}");
            }
            What::Wrote { expected, .. } => {
                assert!(surely_gone(place[expected.as_str()]) >= event.ended.min(event.begun), "{event:?}");
            }
            What::Refused { expected } => {
                let place = place[expected.as_str()];
                let replaced = writes.get(place + 1).map(|(begun, _)| *begun);
                assert!(replaced.is_some_and(|begun| begun < event.ended), "refused though nothing was new: {event:?}");
            }
        }
    }
    for (earlier, later) in writes.iter().zip(writes.iter().skip(1)) {
        assert!(earlier.0 <= later.1, "a write came before one that had ended when it began");
    }
}

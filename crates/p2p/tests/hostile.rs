//! What a peer that means harm sends: whatever it is, it ends in a refusal or in a merge, never in a panic, and
//! what is wrong with it changes nothing.
#![allow(clippy::unwrap_used, missing_docs)]

use holdfast_p2p::{
    Changes, Event, Frame, Ground, Heard, Item, Kind, Kv, Mirror, Node, Place, Record, Retention, Rows, Session, Stamp,
    State, TABLES, merge_items,
};
use holdfast_sqlite::Work;
use holdfast_sqlite::rusqlite::Connection;
use proptest::prelude::*;

struct Blind;

impl Mirror for Blind {
    fn show(&self, _: &Connection, _: Kind, _: &str, _: Option<&State>) -> Work<()> {
        Ok(())
    }
}

const NOW_MS: u64 = 1_700_000_000_000;

fn store() -> (Connection, Rows) {
    let connection = Connection::open_in_memory().unwrap();
    connection.execute_batch(TABLES).unwrap();
    let rows = Rows::open(&connection, 1).unwrap();
    (connection, rows)
}

fn stamp(author: u64) -> Stamp {
    Stamp { ms: NOW_MS, count: 0, author }
}

fn record(text: &str) -> State {
    let mut record = Record::default();
    record.put(text, None, NOW_MS, stamp(1));
    State::Record(record)
}

fn kv(text: &str) -> State {
    let mut kv = Kv::default();
    kv.set(text.to_owned(), None, NOW_MS, stamp(1));
    State::Kv(kv)
}

fn item(kind: Kind, key: &str, state: State) -> Item {
    Item { kind, key: key.to_owned(), state }
}

fn frames() -> Vec<Frame> {
    let event = State::Event(Event { stamp: stamp(1), timestamp_ms: 1, payload: "{}".to_owned() });
    let items = vec![
        item(Kind::Record, "r", record(r#"{"a":{"b":1}}"#)),
        item(Kind::Kv, "k", kv("1")),
        item(Kind::Event, "s\0id", event),
    ];
    let ids = items.iter().map(Item::id).collect::<Vec<_>>();
    let node = Node { sum: 7, count: 3 };
    vec![
        Frame::Hello { equal_ms: 1 },
        Frame::Root(node),
        Frame::Same,
        Frame::Nodes(Place::ROOT.children().map(|place| (place, node)).collect()),
        Frame::List { place: Place::ROOT, items: vec![(ids[0], [1; 8])] },
        Frame::WantNode(Place::ROOT),
        Frame::Want(ids.clone()),
        Frame::Put(items),
        Frame::Refused { ids: ids.clone(), ahead_ms: 5 },
        Frame::Gone(ids),
    ]
}

/// Does all that a node does with a frame; says whether it was one.
fn take(connection: &Connection, rows: &Rows, session: &mut Session, bytes: &[u8]) -> bool {
    let Ok(frame) = Frame::decode(bytes) else { return false };
    let ground = Ground { connection, rows };
    if let Heard::Put(items) = session.hear(frame, ground).unwrap() {
        let retention = Retention { now_ms: NOW_MS, forget_before_ms: 0, known_until_ms: 0 };
        let mut changes = Changes::default();
        let received = merge_items(rows, connection, &mut changes, items, retention, &Blind).unwrap();
        rows.committed(&changes);
        session.answer(&received);
    }
    for _ in 0..64 {
        let Some(frame) = session.next_frame(ground).unwrap() else { break };
        assert!(Frame::decode(&frame.encode()).is_ok(), "what is said is always a frame");
    }
    true
}

#[test]
fn every_frame_reads_back_as_it_was_written() {
    for frame in frames() {
        assert_eq!(Frame::decode(&frame.encode()), Ok(frame));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn bytes_at_random_are_refused_or_understood(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let (connection, rows) = store();
        take(&connection, &rows, &mut Session::begin(0), &bytes);
    }

    #[test]
    fn frames_with_changed_bytes_are_refused_or_understood(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in any::<prop::sample::Index>(),
    ) {
        let (connection, rows) = store();
        let mut session = Session::begin(0);
        for frame in frames() {
            let mut bytes = frame.encode();
            for (at, byte) in &changes {
                let at = at.index(bytes.len());
                bytes[at] = *byte;
            }
            take(&connection, &rows, &mut session, &bytes);
            bytes.truncate(cut.index(bytes.len()));
            take(&connection, &rows, &mut session, &bytes);
        }
    }
}

fn refusal(frame: &Frame) -> &'static str {
    Frame::decode(&frame.encode()).unwrap_err()
}

#[test]
fn what_no_store_could_have_written_is_refused() {
    let put = |kind, key: &str, state| Frame::Put(vec![item(kind, key, state)]);
    assert_eq!(refusal(&put(Kind::Kv, "k", kv("{"))), "a value that is no JSON");
    assert_eq!(refusal(&put(Kind::Record, "r", record("no"))), "a value that is no JSON");
    assert_eq!(refusal(&put(Kind::Kv, "", kv("1"))), "a key that no store takes");
    assert_eq!(refusal(&put(Kind::Kv, &"k".repeat(5000), kv("1"))), "a key that no store takes");
    assert_eq!(refusal(&put(Kind::Event, "s", kv("1"))), "a state of another class");
    let mut sum = Kv::default();
    sum.add(f64::NAN, stamp(1));
    assert_eq!(refusal(&put(Kind::Kv, "k", State::Kv(sum))), "a value that is no JSON");
}

#[test]
fn nodes_that_are_none_and_lists_in_disorder_are_refused() {
    let place = Place { level: 4, index: 1 << 16 };
    assert_eq!(refusal(&Frame::WantNode(place)), "a node that is none");
    assert_eq!(refusal(&Frame::Nodes(vec![(Place { level: 9, index: 0 }, Node::default())])), "a node that is none");
    let ids = ["a", "b"].map(|key| item(Kind::Kv, key, kv("1")).id());
    let (low, high) = (ids[0].min(ids[1]), ids[0].max(ids[1]));
    let list = |ids: &[holdfast_p2p::ItemId]| Frame::List {
        place: Place::ROOT,
        items: ids.iter().map(|id| (*id, [0; 8])).collect(),
    };
    assert!(Frame::decode(&list(&[low, high]).encode()).is_ok());
    assert_eq!(refusal(&list(&[high, low])), "a list in disorder");
    assert_eq!(refusal(&list(&[low, low])), "a list in disorder");
}

#[test]
fn a_peer_that_asks_without_end_costs_no_more_than_one_answer() {
    let (connection, rows) = store();
    let ground = Ground { connection: &connection, rows: &rows };
    let mut changes = Changes::default();
    rows.store(&connection, &mut changes, &item(Kind::Kv, "k", kv("1"))).unwrap();
    rows.committed(&changes);
    let mut session = Session::begin(0);
    for _ in 0..10_000 {
        session.hear(Frame::WantNode(Place::ROOT), ground).unwrap();
        session.hear(Frame::Want(changes.ids.clone()), ground).unwrap();
    }
    let mut said = 0;
    while session.next_frame(ground).unwrap().is_some() {
        said += 1;
    }
    assert!(said <= 3, "{said} frames were said");
}

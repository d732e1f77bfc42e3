//! The laws of merging: order, repetition and grouping of what peers tell each other never matter.
#![allow(clippy::unwrap_used, missing_docs)]

use holdfast_p2p::{Event, Hlc, Kv, KvValue, Record, Stamp, State};
use proptest::prelude::*;

const PEERS: usize = 3;

/// What a peer does.
#[derive(Clone, Debug)]
enum Act {
    Put(usize, &'static str),
    Delete(usize),
    Add(usize, f64),
    /// One peer takes in what another has.
    Merge(usize, usize),
}

const DOCUMENTS: [&str; 8] = [
    r#"{"a":1}"#,
    r#"{"a":2,"b":{"c":1}}"#,
    r#"{"b":{"c":2,"d":1}}"#,
    r#"{"b":5}"#,
    "{}",
    "[1]",
    r#"{"a":{},"b":{"d":null}}"#,
    r#"{"$holdfast":{"a":{"$date":"2026-01-01T00:00:00.000Z"},"b":1}}"#,
];

fn act() -> impl Strategy<Value = Act> {
    let peer = 0..PEERS;
    prop_oneof![
        4 => (peer.clone(), 0..DOCUMENTS.len()).prop_map(|(peer, at)| Act::Put(peer, DOCUMENTS[at])),
        1 => peer.clone().prop_map(Act::Delete),
        2 => (peer.clone(), -3..4).prop_map(|(peer, by)| Act::Add(peer, f64::from(by))),
        3 => (peer.clone(), peer).prop_map(|(to, from)| Act::Merge(to, from)),
    ]
}

fn histories() -> impl Strategy<Value = Vec<Act>> {
    prop::collection::vec(act(), 1..24)
}

fn clocks() -> Vec<Hlc> {
    (0..PEERS).map(|peer| Hlc::new(peer as u64 + 1, Stamp::default())).collect()
}

/// What the peers hold after the acts. Peers do not always have the same time.
fn play(acts: &[Act], make: &State) -> Vec<State> {
    let (mut clocks, mut states) = (clocks(), vec![make.clone(); PEERS]);
    for (at, act) in acts.iter().enumerate() {
        let now_ms = |peer: usize| (at as u64 + 1) * 10 + [0, 25, 3][peer];
        match *act {
            Act::Put(peer, text) => {
                let stamp = clocks[peer].next(now_ms(peer));
                match &mut states[peer] {
                    State::Record(record) => record.put(text, None, stamp.ms, stamp),
                    State::Kv(kv) => kv.set(text.to_owned(), None, stamp.ms, stamp),
                    State::Event(_) => {}
                }
            }
            Act::Delete(peer) => {
                let stamp = clocks[peer].next(now_ms(peer));
                match &mut states[peer] {
                    State::Record(record) => record.delete(stamp),
                    State::Kv(kv) => kv.delete(stamp),
                    State::Event(_) => {}
                }
            }
            Act::Add(peer, by) => {
                let stamp = clocks[peer].next(now_ms(peer));
                if let State::Kv(kv) = &mut states[peer] {
                    kv.add(by, stamp);
                }
            }
            Act::Merge(to, from) => {
                let theirs = states[from].clone();
                clocks[to].see(theirs.newest());
                states[to].merge(theirs);
            }
        }
    }
    states
}

fn merged(one: &State, other: &State) -> State {
    let mut result = one.clone();
    result.merge(other.clone());
    result
}

fn bytes(state: &State) -> Vec<u8> {
    postcard::to_stdvec(state).unwrap()
}

fn assert_laws(states: &[State]) {
    let [a, b, c] = states else { unreachable!() };
    for state in states {
        assert_eq!(merged(state, state), *state, "idempotent");
        assert_eq!(postcard::from_bytes::<State>(&bytes(state)).unwrap(), *state, "read back as written");
    }
    assert_eq!(bytes(&merged(a, b)), bytes(&merged(b, a)), "commutative");
    assert_eq!(bytes(&merged(&merged(a, b), c)), bytes(&merged(a, &merged(b, c))), "associative");
    let all = merged(&merged(a, b), c);
    assert_eq!(bytes(&merged(&all, b)), bytes(&all), "absorbing");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn records_merge_the_same_in_every_order(acts in histories()) {
        assert_laws(&play(&acts, &State::Record(Record::default())));
    }

    #[test]
    fn values_merge_the_same_in_every_order(acts in histories()) {
        assert_laws(&play(&acts, &State::Kv(Kv::default())));
    }

    #[test]
    fn events_merge_the_same_in_every_order(payloads in prop::collection::vec("[0-9]{1,3}", 3), ms in 1_u64..3) {
        let event = |(at, payload): (usize, &String)| {
            let stamp = Stamp { ms: ms + (at as u64 % 2), count: 0, author: at as u64 };
            State::Event(Event { stamp, timestamp_ms: 1, payload: payload.clone() })
        };
        assert_laws(&payloads.iter().enumerate().map(event).collect::<Vec<_>>());
    }

    #[test]
    fn a_record_reads_back_as_it_was_put_whatever_was_there(acts in histories(), at in 0..DOCUMENTS.len()) {
        for state in play(&acts, &State::Record(Record::default())) {
            let State::Record(mut record) = state else { unreachable!() };
            record.put(DOCUMENTS[at], None, 1, Stamp { ms: 1_000_000, count: 0, author: 1 });
            prop_assert_eq!(record.view().unwrap().value, DOCUMENTS[at]);
        }
    }

    #[test]
    fn after_a_delete_that_saw_everything_nothing_comes_back(acts in histories()) {
        let states = play(&acts, &State::Record(Record::default()));
        let all = merged(&merged(&states[0], &states[1]), &states[2]);
        let State::Record(mut deleted) = all else { unreachable!() };
        deleted.delete(Stamp { ms: 1_000_000, count: 0, author: 1 });
        let deleted = State::Record(deleted);
        for state in &states {
            let State::Record(record) = merged(&deleted, state) else { unreachable!() };
            prop_assert!(record.is_tombstone());
            prop_assert_eq!(record.view(), None);
        }
    }

    #[test]
    fn what_peers_add_adds_up(sums in prop::collection::vec((0..PEERS, -9..10), 1..20)) {
        let acts = sums.iter().map(|(peer, by)| Act::Add(*peer, f64::from(*by))).collect::<Vec<_>>();
        let states = play(&acts, &State::Kv(Kv::default()));
        let State::Kv(all) = merged(&merged(&states[0], &states[1]), &states[2]) else { unreachable!() };
        let total = sums.iter().map(|(_, by)| f64::from(*by)).sum::<f64>();
        prop_assert_eq!(all.value(), Some(KvValue::Sum(total)));
    }
}

fn at(ms: u64, author: u64) -> Stamp {
    Stamp { ms, count: 0, author }
}

fn record(text: &str, stamp: Stamp) -> Record {
    let mut record = Record::default();
    record.put(text, None, stamp.ms, stamp);
    record
}

fn value(record: &Record) -> Option<String> {
    record.view().map(|view| view.value)
}

/// Two peers change the same record without seeing each other; both then merge.
fn concurrently(begin: &Record, one: impl FnOnce(&mut Record), other: impl FnOnce(&mut Record)) -> Record {
    let (mut first, mut second) = (begin.clone(), begin.clone());
    one(&mut first);
    other(&mut second);
    let mut reversed = second.clone();
    reversed.merge(first.clone());
    first.merge(second);
    assert_eq!(first, reversed);
    first
}

#[test]
fn two_peers_that_change_different_fields_both_win() {
    let begin = record(r#"{"a":1,"b":{"c":1,"d":1}}"#, at(1, 1));
    let merged = concurrently(
        &begin,
        |mine| mine.put(r#"{"a":2,"b":{"c":1,"d":1}}"#, None, 1, at(5, 1)),
        |theirs| theirs.put(r#"{"a":1,"b":{"c":1,"d":2},"e":3}"#, None, 1, at(9, 2)),
    );
    assert_eq!(value(&merged).unwrap(), r#"{"a":2,"b":{"c":1,"d":2},"e":3}"#);
}

#[test]
fn the_same_field_goes_to_the_later_write_and_then_to_the_higher_peer() {
    let begin = record(r#"{"a":1}"#, at(1, 1));
    let put = |text: &'static str, stamp| move |record: &mut Record| record.put(text, None, 1, stamp);
    let later = concurrently(&begin, put(r#"{"a":2}"#, at(5, 2)), put(r#"{"a":3}"#, at(6, 1)));
    assert_eq!(value(&later).unwrap(), r#"{"a":3}"#);
    let higher = concurrently(&begin, put(r#"{"a":2}"#, at(5, 2)), put(r#"{"a":3}"#, at(5, 1)));
    assert_eq!(value(&higher).unwrap(), r#"{"a":2}"#);
}

#[test]
fn a_delete_later_than_an_edit_wins() {
    let begin = record(r#"{"a":1,"b":1}"#, at(1, 1));
    let merged =
        concurrently(&begin, |mine| mine.put(r#"{"a":2,"b":1}"#, None, 1, at(5, 1)), |theirs| theirs.delete(at(6, 2)));
    assert!(merged.is_tombstone());
}

#[test]
fn an_edit_later_than_a_delete_brings_back_the_whole_document() {
    let begin = record(r#"{"a":1,"b":1}"#, at(1, 1));
    let merged =
        concurrently(&begin, |mine| mine.put(r#"{"a":2,"b":1}"#, None, 1, at(6, 1)), |theirs| theirs.delete(at(5, 2)));
    assert_eq!(value(&merged).unwrap(), r#"{"a":2,"b":1}"#);
}

#[test]
fn a_record_that_is_made_again_holds_nothing_of_the_old_one() {
    let mut begin = record(r#"{"a":1,"b":1}"#, at(1, 1));
    let old = begin.clone();
    begin.delete(at(5, 1));
    begin.put(r#"{"c":1}"#, None, 6, at(6, 1));
    begin.merge(old);
    assert_eq!(value(&begin).unwrap(), r#"{"c":1}"#);
}

#[test]
fn a_conflict_is_told_of_the_field_that_both_wrote_and_of_no_other() {
    let begin = record(r#"{"a":1,"b":1}"#, at(1, 1));
    let (mut mine, mut theirs) = (begin.clone(), begin);
    mine.put(r#"{"a":2,"b":1}"#, None, 1, at(5, 1));
    theirs.put(r#"{"a":3,"b":2}"#, None, 1, at(6, 2));
    let found = mine.conflicts(&theirs);
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].path.as_slice(), found[0].local.as_deref()), (["a".to_owned()].as_slice(), Some("2")));
    assert_eq!(found[0].remote.as_deref(), Some("3"));
    // Who writes after having seen the other's value is in no conflict with it.
    mine.merge(theirs);
    let mut next = mine.clone();
    next.put(r#"{"a":4,"b":2}"#, None, 1, at(7, 1));
    assert!(mine.conflicts(&next).is_empty());
}

#[test]
fn a_set_begins_the_count_anew() {
    let mut kv = Kv::default();
    kv.add(5.0, at(1, 1));
    kv.set("10".to_owned(), None, 2, at(2, 1));
    let mut other = kv.clone();
    kv.add(1.0, at(3, 1));
    other.add(2.0, at(3, 2));
    kv.merge(other);
    assert_eq!(kv.value(), Some(KvValue::Sum(13.0)));
}

#[test]
fn removed_fields_are_forgotten_after_a_while() {
    let mut begin = record(r#"{"a":1,"b":{"c":1,"d":1,"e":1,"f":1}}"#, at(1, 1));
    begin.put(r#"{"a":1}"#, None, 1, at(5, 1));
    begin.put(r#"{"a":2}"#, None, 1, at(500, 1));
    let length = bytes(&State::Record(begin.clone())).len();
    begin.forget_removed(100);
    assert!(bytes(&State::Record(begin.clone())).len() < length);
    assert_eq!(value(&begin).unwrap(), r#"{"a":2}"#);
}

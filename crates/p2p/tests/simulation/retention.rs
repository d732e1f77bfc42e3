//! What time does: deletes that are forgotten, peers that were away, clocks that are wrong.

use holdfast_p2p::{Kind, Session, State};

use crate::peer::{HORIZON_MS, Peer};

const BEGIN_MS: u64 = 1_700_000_000_000;

fn set(peer: &mut Peer, key: &str, value: u64, now_ms: u64) {
    peer.write(Kind::Kv, key, now_ms, |state, stamp| {
        if let State::Kv(kv) = state {
            kv.set(value.to_string(), None, stamp.ms, stamp);
        }
    });
}

fn delete(peer: &mut Peer, key: &str, now_ms: u64) {
    peer.write(Kind::Kv, key, now_ms, |state, stamp| {
        if let State::Kv(kv) = state {
            kv.delete(stamp);
        }
    });
}

/// Lets two peers talk until neither has anything to say.
fn talk(one: &mut Peer, other: &mut Peer, now_ms: u64) {
    one.sessions.insert(1, Session::begin(0));
    other.sessions.insert(0, Session::begin(0));
    one.sessions.get_mut(&1).unwrap().ask();
    for _ in 0..1000 {
        let (to_other, to_one) = (one.next_frame(1), other.next_frame(0));
        if to_other.is_none() && to_one.is_none() {
            return;
        }
        to_other.into_iter().for_each(|frame| other.hear(0, frame, now_ms));
        to_one.into_iter().for_each(|frame| one.hear(1, frame, now_ms));
    }
    panic!("the two never come to an end");
}

#[test]
fn churning_keys_leave_no_tombstones_behind_the_horizon() {
    let mut peer = Peer::new(1, 0);
    for n in 0..10_000 {
        let now_ms = BEGIN_MS + n * 360;
        set(&mut peer, &format!("k{n}"), n, now_ms);
        delete(&mut peer, &format!("k{n}"), now_ms + 100);
    }
    assert_eq!(peer.count(), 10_000);
    assert_eq!(peer.purge(BEGIN_MS + HORIZON_MS - 1), 0, "nothing goes before its time");
    assert_eq!(peer.purge(BEGIN_MS + HORIZON_MS + 1_800_000), 5_000);
    assert_eq!(peer.purge(BEGIN_MS + HORIZON_MS + 3_700_000), 5_000);
    assert_eq!(peer.count(), 0);
}

#[test]
fn a_peer_that_was_away_longer_than_deletes_are_remembered_resurrects_nothing() {
    let (mut here, mut away) = (Peer::new(1, 0), Peer::new(2, 0));
    set(&mut here, "deleted", 1, BEGIN_MS);
    set(&mut here, "kept", 1, BEGIN_MS);
    talk(&mut here, &mut away, BEGIN_MS);
    assert_eq!(away.count(), 2);
    delete(&mut here, "deleted", BEGIN_MS + 10);
    // Written while it was away, and never seen by others: not to be lost.
    set(&mut away, "own", 1, BEGIN_MS + 20);
    let later_ms = BEGIN_MS + HORIZON_MS + 100_000;
    assert_eq!(here.purge(later_ms), 1);

    let items = ["deleted", "kept", "own"].map(|key| away.item(Kind::Kv, key).unwrap()).to_vec();
    let received = here.merge(items, later_ms, BEGIN_MS + 5);
    assert_eq!(received.gone.len(), 1);
    assert!(here.item(Kind::Kv, "deleted").is_none());
    assert!(here.item(Kind::Kv, "own").is_some());

    away.sessions.insert(0, Session::begin(0));
    away.hear(0, holdfast_p2p::Frame::Gone(received.gone), later_ms);
    assert!(away.item(Kind::Kv, "deleted").is_none());
    assert_eq!(here.all(), away.all());
}

#[test]
fn a_clock_that_is_far_ahead_wins_nothing_until_its_time_has_come() {
    let (mut right, mut ahead) = (Peer::new(1, 0), Peer::new(2, 3_600_000));
    set(&mut right, "k", 1, BEGIN_MS);
    set(&mut ahead, "k", 2, BEGIN_MS);
    set(&mut ahead, "other", 3, BEGIN_MS);
    talk(&mut ahead, &mut right, BEGIN_MS);
    assert!(right.item(Kind::Kv, "other").is_none());
    assert_eq!(ahead.told_ahead, 1);
    // What was refused is not offered again in this conversation.
    ahead.sessions.get_mut(&1).unwrap().ask();
    let mut frames = 0;
    while let Some(frame) = ahead.next_frame(1) {
        right.hear(0, frame, BEGIN_MS);
        frames += 1;
    }
    assert!(frames < 3);
    assert_eq!(ahead.told_ahead, 1);

    ahead.skew_ms = 0;
    talk(&mut ahead, &mut right, BEGIN_MS + 3_600_000);
    assert_eq!(ahead.all(), right.all());
    assert_eq!(right.count(), 2);
}

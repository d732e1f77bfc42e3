//! A virtual network with a virtual clock. Everything that happens follows from the seed.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use fastrand::Rng;
use holdfast_p2p::{Frame, Item, Kind, Node, Place, Session, State};

use crate::peer::Peer;

const BEGIN_MS: u64 = 1_700_000_000_000;
/// How long peers write while the network misbehaves, and how long they have afterwards.
const STORM_MS: u64 = 6_000;
const CALM_MS: u64 = 60_000;
const ASK_EVERY_MS: u64 = 500;
/// Peers that have said so much and still differ will never come to an end.
const MAX_FRAMES: u64 = 100_000;

/// What happens next.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Happening {
    Write(usize),
    Ask,
    Cut,
    Join(usize),
    Restart(usize),
    Arrive { from: usize, to: usize, epoch: u64, bytes: Vec<u8> },
}

pub(crate) struct World {
    rng: Rng,
    now_ms: u64,
    seq: u64,
    line: BinaryHeap<Reverse<(u64, u64, Happening)>>,
    pub(crate) peers: Vec<Peer>,
    is_in: Vec<bool>,
    /// Counts the conversations of a pair: what was said in an earlier one never arrives.
    epochs: BTreeMap<(usize, usize), u64>,
    /// Of each peer, the side of the cut that it is on.
    side: Vec<bool>,
    loss: f64,
    acknowledged: Vec<(usize, Item)>,
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let count = rng.usize(2..=4);
        let peers = (0..count).map(|at| Peer::new(at as u64 + 1, rng.i64(-25_000..=25_000))).collect();
        let loss = [0.0, 0.05, 0.3][rng.usize(0..3)];
        let mut world = Self {
            rng,
            now_ms: BEGIN_MS,
            seq: 0,
            line: BinaryHeap::new(),
            peers,
            is_in: vec![true; count],
            epochs: BTreeMap::new(),
            side: vec![false; count],
            loss,
            acknowledged: Vec::new(),
        };
        for _ in 0..world.rng.usize(8..40) {
            let (at, peer) = (world.rng.u64(0..STORM_MS), world.rng.usize(0..count));
            world.plan(at, Happening::Write(peer));
        }
        for at in (0..STORM_MS + CALM_MS).step_by(usize::try_from(ASK_EVERY_MS).unwrap()) {
            world.plan(at, Happening::Ask);
        }
        for _ in 0..world.rng.usize(0..4) {
            let at = world.rng.u64(0..STORM_MS);
            world.plan(at, Happening::Cut);
            let (at, peer) = (world.rng.u64(0..STORM_MS), world.rng.usize(0..count));
            world.plan(at, Happening::Restart(peer));
        }
        if world.rng.bool() {
            world.is_in[count - 1] = false;
            let at = world.rng.u64(0..STORM_MS);
            world.plan(at, Happening::Join(count - 1));
        }
        world
    }

    fn plan(&mut self, in_ms: u64, happening: Happening) {
        self.seq += 1;
        self.line.push(Reverse((self.now_ms + in_ms, self.seq, happening)));
    }

    /// Runs until everybody holds the same after the storm, or the time is over.
    pub(crate) fn run(&mut self) {
        self.connect();
        while let Some(Reverse((at_ms, _, happening))) = self.line.pop() {
            let was_storm = self.now_ms < BEGIN_MS + STORM_MS;
            self.now_ms = at_ms;
            if was_storm && at_ms >= BEGIN_MS + STORM_MS {
                self.side.fill(false);
                self.is_in.fill(true);
                self.connect();
            }
            let is_ask = happening == Happening::Ask;
            self.happen(happening);
            self.flush();
            if is_ask && at_ms > BEGIN_MS + STORM_MS && self.is_converged() {
                return;
            }
        }
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Write(peer) => self.write(peer),
            Happening::Ask => {
                for peer in &mut self.peers {
                    peer.sessions.values_mut().for_each(Session::ask);
                }
            }
            Happening::Cut => {
                let rng = &mut self.rng;
                self.side.iter_mut().for_each(|side| *side = rng.bool());
                self.connect();
            }
            Happening::Join(peer) => {
                self.is_in[peer] = true;
                self.connect();
            }
            Happening::Restart(peer) => {
                if self.rng.bool() {
                    self.peers[peer].write_in_vain(Kind::Kv, "k0", self.now_ms);
                }
                self.peers[peer].restart();
                for other in 0..self.peers.len() {
                    self.peers[other].sessions.remove(&peer);
                }
                self.connect();
            }
            Happening::Arrive { from, to, epoch, bytes } => {
                if self.epochs.get(&pair(from, to)) == Some(&epoch) {
                    self.peers[to].hear(from, Frame::decode(&bytes).unwrap(), self.now_ms);
                }
            }
        }
    }

    /// Ends the conversations that the cut forbids, and begins those that it allows.
    fn connect(&mut self) {
        for one in 0..self.peers.len() {
            for other in 0..one {
                let may = self.is_in[one] && self.is_in[other] && self.side[one] == self.side[other];
                let is_on =
                    self.peers[one].sessions.contains_key(&other) && self.peers[other].sessions.contains_key(&one);
                if may == is_on {
                    continue;
                }
                *self.epochs.entry(pair(one, other)).or_default() += 1;
                for (peer, to) in [(one, other), (other, one)] {
                    self.peers[peer].sessions.remove(&to);
                    if may {
                        self.peers[peer].sessions.insert(to, Session::begin(0));
                    }
                }
            }
        }
    }

    fn flush(&mut self) {
        let is_storm = self.now_ms < BEGIN_MS + STORM_MS;
        for from in 0..self.peers.len() {
            let to = self.peers[from].sessions.keys().copied().collect::<Vec<_>>();
            for to in to {
                while let Some(frame) = self.peers[from].next_frame(to) {
                    assert!(self.seq < MAX_FRAMES, "the peers never come to an end");
                    let bytes = frame.encode();
                    let copies = match self.rng.f64() {
                        draw if is_storm && draw < self.loss => 0,
                        draw if is_storm && draw > 0.9 => 2,
                        _ => 1,
                    };
                    let epoch = self.epochs.get(&pair(from, to)).copied().unwrap_or_default();
                    for _ in 0..copies {
                        let delay_ms = if self.rng.u8(0..10) == 0 { self.rng.u64(0..800) } else { self.rng.u64(0..20) };
                        self.plan(delay_ms, Happening::Arrive { from, to, epoch, bytes: bytes.clone() });
                    }
                }
            }
        }
    }

    fn write(&mut self, peer: usize) {
        let rng = &mut self.rng;
        let (kind, key) = match rng.usize(0..4) {
            0 | 1 => (Kind::Record, format!("r{}", rng.u8(0..3))),
            2 => (Kind::Kv, format!("k{}", rng.u8(0..3))),
            _ => (Kind::Event, format!("s\0{}", rng.u32(..))),
        };
        let (draw, number) = (rng.u8(0..8), rng.u8(0..20));
        let item = self.peers[peer].write(kind, &key, self.now_ms, |state, stamp| match state {
            State::Record(record) if draw == 0 => record.delete(stamp),
            State::Record(record) => record.put(&document(draw, number), None, stamp.ms, stamp),
            State::Kv(kv) if draw == 0 => kv.delete(stamp),
            State::Kv(kv) if draw < 4 => kv.set(number.to_string(), None, stamp.ms, stamp),
            State::Kv(kv) => kv.add(f64::from(number), stamp),
            State::Event(_) => {}
        });
        self.acknowledged.push((peer, item));
    }

    fn is_converged(&self) -> bool {
        self.peers.iter().all(|peer| peer.rows.node(Place::ROOT) == self.root())
    }

    fn root(&self) -> Node {
        self.peers[0].rows.node(Place::ROOT)
    }

    /// What must be true when the storm is over.
    pub(crate) fn check(&self) {
        let all = self.peers[0].all();
        for (at, peer) in self.peers.iter().enumerate() {
            assert_eq!(peer.all(), all, "peer {at} does not hold what peer 0 holds");
        }
        for (peer, item) in &self.acknowledged {
            let kept = self.peers[0].item(item.kind, &item.key);
            let kept = kept.unwrap_or_else(|| panic!("{:?}, acknowledged by peer {peer}, is lost", item.key));
            let mut again = kept.state.clone();
            again.merge(item.state.clone());
            assert_eq!(again, kept.state, "a write of {:?}, acknowledged by peer {peer}, is lost", item.key);
        }
    }
}

fn pair(one: usize, other: usize) -> (usize, usize) {
    (one.min(other), one.max(other))
}

fn document(draw: u8, number: u8) -> String {
    match draw {
        1 => "{}".to_owned(),
        2 => number.to_string(),
        3 | 4 => format!("{{\"a\":{number}}}"),
        5 => format!("{{\"a\":{{\"b\":{number}}}}}"),
        _ => format!("{{\"b\":1,\"c\":[{number}]}}"),
    }
}

//! One side of a conversation with a peer.
//!
//! What is to be said is kept as names, never as contents: memory is bounded whatever the stores hold, and what
//! changed twice while the peer was slow is sent once.

use std::collections::{HashSet, VecDeque};

use holdfast_sqlite::Work;
use holdfast_sqlite::rusqlite::Connection;

use super::{Frame, Received};
use crate::{Item, ItemId, LEAF_LEVEL, Node, Place, Rows};

/// Below a node with no more items than this, they are listed.
const LIST_AT_MOST: u32 = 48;
/// How many nodes a frame holds, and how many items.
const NODES_AT_ONCE: usize = 256;
const ITEMS_AT_ONCE: u32 = 512;
/// A frame of items ends when it has about this many bytes.
const PUT_BYTES: usize = 256 << 10;
/// How much may wait to be said. More items are left to the next comparison; a peer that asks for more is cut off.
const MAX_WAITING: usize = 200_000;
/// How many refusals may wait, and how many ids a frame holds.
const MAX_READY: usize = 256;
const IDS_AT_ONCE: usize = 4096;

/// What is stored, as a conversation reads it.
#[derive(Clone, Copy)]
pub struct Ground<'a> {
    /// A connection that sees what is committed.
    pub connection: &'a Connection,
    /// The items.
    pub rows: &'a Rows,
}

/// What a frame asks of the store.
#[derive(Debug, PartialEq)]
pub enum Heard {
    /// Nothing.
    Nothing,
    /// The peer introduced itself.
    Hello {
        /// When it last held the same as any peer.
        equal_ms: u64,
    },
    /// The two hold the same, or not.
    Compared {
        /// Whether.
        is_equal: bool,
    },
    /// These are to be merged; then [`Session::answer`].
    Put(Vec<Item>),
    /// The peer did not take items: the clock that stamped them is so far ahead of its own, in milliseconds.
    Refused {
        /// By how much.
        ahead_ms: u64,
    },
    /// These may be forgotten.
    Gone(Vec<ItemId>),
}

/// What is to be said to a peer.
#[derive(Debug, Default)]
pub struct Session {
    ready: VecDeque<Frame>,
    is_asking: bool,
    /// The peer asked for a comparison, and the two hold the same.
    is_same: bool,
    /// Nodes whose items are wanted, and single items.
    wanted_nodes: Queue<Place>,
    wanted: Queue<ItemId>,
    /// Nodes whose children are to be told.
    descend: Queue<Place>,
    /// Nodes whose items are to be listed.
    lists: Queue<Place>,
    /// Items to be sent.
    ids: Queue<ItemId>,
    /// Nodes whose items are all to be sent; the first of them behind this id.
    nodes: Queue<Place>,
    after: Option<ItemId>,
    /// What the peer did not take.
    refused: HashSet<ItemId>,
}

/// A line in which nothing stands twice.
#[derive(Debug)]
struct Queue<T> {
    line: VecDeque<T>,
    members: HashSet<T>,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self { line: VecDeque::new(), members: HashSet::new() }
    }
}

impl<T: Copy + Eq + std::hash::Hash> Queue<T> {
    fn push(&mut self, item: T) {
        if self.line.len() < MAX_WAITING && self.members.insert(item) {
            self.line.push_back(item);
        }
    }

    fn pop(&mut self) -> Option<T> {
        let item = self.line.pop_front()?;
        self.members.remove(&item);
        Some(item)
    }
}

impl Session {
    /// A conversation that begins: `equal_ms` says when this store and any peer last held the same.
    pub fn begin(equal_ms: u64) -> Self {
        Self { ready: VecDeque::from([Frame::Hello { equal_ms }]), ..Self::default() }
    }

    /// Has the peer asked for a comparison.
    pub fn ask(&mut self) {
        self.is_asking = true;
    }

    /// Has items sent in their newest state.
    pub fn push(&mut self, ids: impl IntoIterator<Item = ItemId>) {
        for id in ids {
            if !self.refused.contains(&id) {
                self.ids.push(id);
            }
        }
    }

    /// Takes a frame in.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn hear(&mut self, frame: Frame, ground: Ground<'_>) -> Work<Heard> {
        match frame {
            Frame::Hello { equal_ms } => return Ok(Heard::Hello { equal_ms }),
            Frame::Root(theirs) => {
                let is_equal = ground.rows.node(Place::ROOT) == theirs;
                if is_equal {
                    self.is_same = true;
                } else {
                    self.compare(Place::ROOT, theirs, ground.rows);
                }
                return Ok(Heard::Compared { is_equal });
            }
            Frame::Same => return Ok(Heard::Compared { is_equal: true }),
            Frame::Nodes(nodes) => {
                nodes.into_iter().for_each(|(place, theirs)| self.compare(place, theirs, ground.rows));
            }
            Frame::List { place, items } => self.compare_list(place, &items, ground)?,
            Frame::WantNode(place) => self.nodes.push(place),
            Frame::Want(ids) => self.push(ids),
            Frame::Put(items) => return Ok(Heard::Put(items)),
            Frame::Refused { ids, ahead_ms } => {
                let room = MAX_WAITING.saturating_sub(self.refused.len());
                self.refused.extend(ids.into_iter().take(room));
                return Ok(Heard::Refused { ahead_ms });
            }
            Frame::Gone(ids) => return Ok(Heard::Gone(ids)),
        }
        Ok(Heard::Nothing)
    }

    /// Says what became of items that the peer sent.
    pub fn answer(&mut self, received: &Received) {
        self.push(received.merged.iter().filter(|merged| merged.is_more).map(|merged| merged.id));
        // What finds no room is said when it is offered again.
        for ids in received.refused.chunks(IDS_AT_ONCE).take(MAX_READY.saturating_sub(self.ready.len())) {
            self.ready.push_back(Frame::Refused { ids: ids.to_vec(), ahead_ms: received.ahead_ms });
        }
        for ids in received.gone.chunks(IDS_AT_ONCE).take(MAX_READY.saturating_sub(self.ready.len())) {
            self.ready.push_back(Frame::Gone(ids.to_vec()));
        }
    }

    fn compare(&mut self, place: Place, theirs: Node, rows: &Rows) {
        let ours = rows.node(place);
        if ours == theirs {
            return;
        }
        if theirs.count == 0 {
            self.nodes.push(place);
        } else if ours.count == 0 {
            self.wanted_nodes.push(place);
        } else if place.level == LEAF_LEVEL || ours.count.saturating_add(theirs.count) <= LIST_AT_MOST {
            self.lists.push(place);
        } else {
            self.descend.push(place);
        }
    }

    /// Sends what the peer lacks or has otherwise, and asks for what is not here.
    fn compare_list(&mut self, place: Place, theirs: &[(ItemId, [u8; 8])], ground: Ground<'_>) -> Work<()> {
        let limit = u32::try_from(MAX_WAITING).unwrap_or(u32::MAX);
        let ours = ground.rows.list(ground.connection, place, None, limit)?;
        let mut theirs = theirs.iter().peekable();
        for (id, fingerprint) in ours {
            while let Some((missing, _)) = theirs.next_if(|(other, _)| *other < id) {
                self.wanted.push(*missing);
            }
            let same = theirs.next_if(|(other, _)| *other == id);
            if same.is_none_or(|(_, half)| !fingerprint.0.starts_with(half)) {
                self.push([id]);
            }
        }
        theirs.for_each(|(id, _)| self.wanted.push(*id));
        Ok(())
    }

    /// The next thing to say, read from the store as it is now.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn next_frame(&mut self, ground: Ground<'_>) -> Work<Option<Frame>> {
        if let Some(frame) = self.next_word() {
            return Ok(Some(frame));
        }
        if !self.descend.line.is_empty() {
            return Ok(Some(self.next_nodes(ground.rows)));
        }
        if let Some(place) = self.lists.pop() {
            let limit = u32::try_from(MAX_WAITING).unwrap_or(u32::MAX);
            let items = ground.rows.list(ground.connection, place, None, limit)?;
            let items = items.into_iter().map(|(id, fingerprint)| (id, half(fingerprint.0))).collect();
            return Ok(Some(Frame::List { place, items }));
        }
        if let Some(frame) = self.next_items(ground)? {
            return Ok(Some(frame));
        }
        if let Some(frame) = self.next_below(ground)? {
            return Ok(Some(frame));
        }
        // Last, so that the comparison is with what the peer has after all that.
        Ok(std::mem::take(&mut self.is_asking).then(|| Frame::Root(ground.rows.node(Place::ROOT))))
    }

    /// What needs no look at the store.
    fn next_word(&mut self) -> Option<Frame> {
        if let Some(frame) = self.ready.pop_front() {
            return Some(frame);
        }
        if std::mem::take(&mut self.is_same) {
            return Some(Frame::Same);
        }
        if let Some(place) = self.wanted_nodes.pop() {
            return Some(Frame::WantNode(place));
        }
        let ids = std::iter::from_fn(|| self.wanted.pop()).take(IDS_AT_ONCE).collect::<Vec<_>>();
        if ids.is_empty() { None } else { Some(Frame::Want(ids)) }
    }

    fn next_nodes(&mut self, rows: &Rows) -> Frame {
        let mut nodes = Vec::new();
        while nodes.len() < NODES_AT_ONCE {
            let Some(place) = self.descend.pop() else { break };
            nodes.extend(place.children().map(|child| (child, rows.node(child))));
        }
        Frame::Nodes(nodes)
    }

    fn next_items(&mut self, ground: Ground<'_>) -> Work<Option<Frame>> {
        let mut put = Putting::default();
        while !put.is_full() {
            let Some(id) = self.ids.pop() else { break };
            put.add(id, ground)?;
        }
        Ok(put.into_frame())
    }

    fn next_below(&mut self, ground: Ground<'_>) -> Work<Option<Frame>> {
        let mut put = Putting::default();
        while let Some(place) = self.nodes.line.front().copied() {
            let listed = ground.rows.list(ground.connection, place, self.after, ITEMS_AT_ONCE)?;
            let is_last = listed.len() < ITEMS_AT_ONCE as usize;
            for (id, _) in listed {
                if put.is_full() {
                    return Ok(put.into_frame());
                }
                self.after = Some(id);
                if !self.refused.contains(&id) {
                    put.add(id, ground)?;
                }
            }
            if is_last {
                self.nodes.pop();
                self.after = None;
            }
        }
        Ok(put.into_frame())
    }
}

/// Items on their way into a frame.
#[derive(Default)]
struct Putting {
    items: Vec<Item>,
    bytes: usize,
}

impl Putting {
    fn is_full(&self) -> bool {
        self.items.len() >= ITEMS_AT_ONCE as usize || self.bytes >= PUT_BYTES
    }

    fn add(&mut self, id: ItemId, ground: Ground<'_>) -> Work<()> {
        if let Some((item, bytes)) = ground.rows.item_and_size(ground.connection, id)? {
            self.bytes += bytes + item.key.len();
            self.items.push(item);
        }
        Ok(())
    }

    fn into_frame(self) -> Option<Frame> {
        if self.items.is_empty() { None } else { Some(Frame::Put(self.items)) }
    }
}

fn half(whole: [u8; 16]) -> [u8; 8] {
    let mut half = [0; 8];
    half.iter_mut().zip(whole).for_each(|(to, from)| *to = from);
    half
}

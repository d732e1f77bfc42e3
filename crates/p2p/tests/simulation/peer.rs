//! A peer of the simulation: the real rows and the real protocol, over a database in memory.

use std::collections::BTreeMap;

use holdfast_p2p::{
    Changes, Event, Frame, Ground, Heard, Item, ItemId, Kind, Kv, Mirror, Place, Received, Record, Retention, Rows,
    Session, State, TABLES, forget_gone, merge_items,
};
use holdfast_sqlite::Work;
use holdfast_sqlite::rusqlite::Connection;

/// Shows nothing: the simulation looks at the states themselves.
pub(crate) struct Blind;

impl Mirror for Blind {
    fn show(&self, _: &Connection, _: Kind, _: &str, _: Option<&State>) -> Work<()> {
        Ok(())
    }
}

pub(crate) const HORIZON_MS: u64 = 30 * 24 * 3_600_000;

pub(crate) struct Peer {
    connection: Connection,
    pub(crate) rows: Rows,
    author: u64,
    /// How far its clock is off.
    pub(crate) skew_ms: i64,
    pub(crate) sessions: BTreeMap<usize, Session>,
    /// How often a peer said that this one's clock is ahead.
    pub(crate) told_ahead: usize,
}

impl Peer {
    pub(crate) fn new(author: u64, skew_ms: i64) -> Self {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(TABLES).unwrap();
        let rows = Rows::open(&connection, author).unwrap();
        Self { connection, rows, author, skew_ms, sessions: BTreeMap::new(), told_ahead: 0 }
    }

    pub(crate) fn now_ms(&self, now_ms: u64) -> u64 {
        now_ms.saturating_add_signed(self.skew_ms)
    }

    /// What a process that ends at any moment leaves: what was committed.
    pub(crate) fn restart(&mut self) {
        self.sessions.clear();
        self.rows = Rows::open(&self.connection, self.author).unwrap();
    }

    fn transact<T>(&self, work: impl FnOnce(&mut Changes) -> T) -> (T, Changes) {
        self.connection.execute_batch("begin immediate").unwrap();
        let mut changes = Changes::default();
        let outcome = work(&mut changes);
        self.connection.execute_batch("commit").unwrap();
        self.rows.committed(&changes);
        (outcome, changes)
    }

    /// Writes, and pushes what was written. Gives back the item as it was acknowledged.
    pub(crate) fn write(
        &mut self,
        kind: Kind,
        key: &str,
        now_ms: u64,
        change: impl FnOnce(&mut State, holdfast_p2p::Stamp),
    ) -> Item {
        let id = ItemId::of(kind, key);
        let stamp = self.rows.stamp(self.now_ms(now_ms));
        let (item, changes) = self.transact(|changes| {
            let empty = match kind {
                Kind::Record | Kind::Blob => State::Record(Record::default()),
                Kind::Kv => State::Kv(Kv::default()),
                Kind::Event => State::Event(Event { stamp, timestamp_ms: now_ms, payload: "1".to_owned() }),
            };
            let mut state = self.rows.load(&self.connection, id).unwrap().unwrap_or(empty);
            change(&mut state, stamp);
            let item = Item { kind, key: key.to_owned(), state };
            self.rows.store(&self.connection, changes, &item).unwrap();
            self.rows.save_clock(&self.connection).unwrap();
            item
        });
        self.sessions.values_mut().for_each(|session| session.push(changes.ids.iter().copied()));
        item
    }

    /// A transaction that never commits.
    pub(crate) fn write_in_vain(&self, kind: Kind, key: &str, now_ms: u64) {
        self.connection.execute_batch("begin immediate").unwrap();
        let stamp = self.rows.stamp(self.now_ms(now_ms));
        let mut kv = Kv::default();
        kv.set("\"lost\"".to_owned(), None, stamp.ms, stamp);
        let item = Item { kind, key: key.to_owned(), state: State::Kv(kv) };
        self.rows.store(&self.connection, &mut Changes::default(), &item).unwrap();
        self.connection.execute_batch("rollback").unwrap();
    }

    pub(crate) fn next_frame(&mut self, to: usize) -> Option<Frame> {
        let ground = Ground { connection: &self.connection, rows: &self.rows };
        self.sessions.get_mut(&to)?.next_frame(ground).unwrap()
    }

    pub(crate) fn hear(&mut self, from: usize, frame: Frame, now_ms: u64) {
        let ground = Ground { connection: &self.connection, rows: &self.rows };
        let Some(session) = self.sessions.get_mut(&from) else { return };
        match session.hear(frame, ground).unwrap() {
            Heard::Put(items) => self.take(from, items, now_ms),
            Heard::Refused { .. } => self.told_ahead += 1,
            Heard::Gone(ids) => {
                let before_ms = self.now_ms(now_ms).saturating_sub(HORIZON_MS);
                self.transact(|changes| {
                    forget_gone(&self.rows, &self.connection, changes, &ids, before_ms, &Blind).unwrap()
                });
            }
            Heard::Nothing | Heard::Hello { .. } | Heard::Compared { .. } => {}
        }
    }

    fn take(&mut self, from: usize, items: Vec<Item>, now_ms: u64) {
        let received = self.merge(items, now_ms, 0);
        for (to, session) in &mut self.sessions {
            if *to == from {
                session.answer(&received);
            } else {
                session.push(received.merged.iter().filter(|merged| merged.is_news).map(|merged| merged.id));
            }
        }
    }

    pub(crate) fn merge(&self, items: Vec<Item>, now_ms: u64, known_until_ms: u64) -> Received {
        let now_ms = self.now_ms(now_ms);
        let retention = Retention { now_ms, forget_before_ms: now_ms.saturating_sub(HORIZON_MS), known_until_ms };
        self.transact(|changes| merge_items(&self.rows, &self.connection, changes, items, retention, &Blind).unwrap()).0
    }

    pub(crate) fn purge(&self, now_ms: u64) -> usize {
        let before_ms = self.now_ms(now_ms).saturating_sub(HORIZON_MS);
        self.transact(|changes| self.rows.purge(&self.connection, changes, before_ms, u32::MAX).unwrap()).0
    }

    pub(crate) fn item(&self, kind: Kind, key: &str) -> Option<Item> {
        self.rows.item(&self.connection, ItemId::of(kind, key)).unwrap()
    }

    pub(crate) fn count(&self) -> u32 {
        self.rows.node(Place::ROOT).count
    }

    /// Everything it holds, byte for byte.
    pub(crate) fn all(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut find = self.connection.prepare("select id, state from items order by id").unwrap();
        let rows = find.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        rows.collect::<Result<_, _>>().unwrap()
    }
}

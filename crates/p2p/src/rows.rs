//! The items in SQLite, and the tree beside them.
//!
//! Invariants: what changes items runs on the writer's connection, in its transaction; the tree in memory takes
//! the changes after the commit, in the order of commits.

use std::sync::{Mutex, MutexGuard, PoisonError};

use holdfast_base::{Error, ErrorKind};
use holdfast_sqlite::Work;
use holdfast_sqlite::rusqlite::{Connection, OptionalExtension, Row, params};

use crate::tree::Delta;
use crate::{Fingerprint, Hlc, Item, ItemId, Kind, Node, Place, Stamp, State, Tree};

/// The tables, to be made once in a file.
pub const TABLES: &str = "
create table items (
  number integer primary key,
  id blob not null,
  fingerprint blob not null,
  kind integer not null,
  key text not null,
  dead_ms integer,
  state blob not null
) strict;
create index items_by_id on items (id, fingerprint);
create index items_by_death on items (dead_ms) where dead_ms is not null;
create table p2p_clock (
  one integer primary key check (one = 1),
  ms integer not null,
  count integer not null
) strict, without rowid;
create table p2p_peers (
  peer text primary key,
  equal_ms integer not null
) strict, without rowid;
";

/// What a transaction changed; [`Rows::committed`] takes it after the commit.
#[derive(Debug, Default)]
pub struct Changes {
    deltas: Vec<Delta>,
    /// The items, in the order of changes.
    pub ids: Vec<ItemId>,
}

/// The items of one file.
#[derive(Debug)]
pub struct Rows {
    clock: Mutex<Hlc>,
    tree: Mutex<Tree>,
}

impl Rows {
    /// Reads the clock and the tree.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn open(connection: &Connection, author: u64) -> Work<Self> {
        let mut find = connection.prepare("select ms, count from p2p_clock")?;
        let last = find.query_row([], |row| Ok(Stamp { ms: unsigned(row.get(0)?), count: row.get(1)?, author }));
        let clock = Hlc::new(author, last.optional()?.unwrap_or_default());
        let mut tree = Tree::default();
        let mut all = connection.prepare("select id, fingerprint from items")?;
        let mut rows = all.query([])?;
        while let Some(row) = rows.next()? {
            let (id, is) = (ItemId(row.get(0)?), Some(Fingerprint(row.get(1)?)));
            tree.apply(Delta { leaf: id.leaf(), was: None, is });
        }
        Ok(Self { clock: Mutex::new(clock), tree: Mutex::new(tree) })
    }

    /// A stamp for a write of this peer.
    pub fn stamp(&self, now_ms: u64) -> Stamp {
        lock(&self.clock).next(now_ms)
    }

    /// What is below a node of the tree.
    pub fn node(&self, place: Place) -> Node {
        lock(&self.tree).node(place)
    }

    /// What an item holds.
    ///
    /// # Errors
    /// Of SQLite; `Integrity` with code `UNREADABLE_STATE`.
    pub fn load(&self, connection: &Connection, id: ItemId) -> Work<Option<State>> {
        Ok(self.item(connection, id)?.map(|item| item.state))
    }

    /// An item.
    ///
    /// # Errors
    /// As [`Rows::load`].
    pub fn item(&self, connection: &Connection, id: ItemId) -> Work<Option<Item>> {
        Ok(self.item_and_size(connection, id)?.map(|(item, _)| item))
    }

    /// An item, and how many bytes its state has.
    pub(crate) fn item_and_size(&self, connection: &Connection, id: ItemId) -> Work<Option<(Item, usize)>> {
        let mut find = connection.prepare_cached("select kind, key, state from items where id = ?1")?;
        let found = find.query_row([id.0], |row| Ok((row.get::<_, u8>(0)?, row.get(1)?, row.get::<_, Vec<u8>>(2)?)));
        let Some((kind, key, bytes)) = found.optional()? else { return Ok(None) };
        let kind = Kind::of(kind).ok_or_else(unreadable)?;
        let state = postcard::from_bytes(&bytes).map_err(|_| unreadable())?;
        Ok(Some((Item { kind, key, state }, bytes.len())))
    }

    /// Stores what an item holds now.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn store(&self, connection: &Connection, changes: &mut Changes, item: &Item) -> Work<()> {
        let id = item.id();
        let bytes = postcard::to_stdvec(&item.state).map_err(|error| Error::internal(error.to_string()))?;
        let is = Fingerprint::of(id, &bytes);
        let was = fingerprint_of(connection, id)?;
        if was == Some(is) {
            return Ok(());
        }
        let dead_ms = item.state.dead_ms().map(signed);
        if was.is_some() {
            let mut update = connection
                .prepare_cached("update items set fingerprint = ?2, dead_ms = ?3, state = ?4 where id = ?1")?;
            update.execute(params![id.0, is.0, dead_ms, bytes])?;
        } else {
            let mut insert = connection.prepare_cached(
                "insert into items (id, fingerprint, dead_ms, state, kind, key) values (?1, ?2, ?3, ?4, ?5, ?6)",
            )?;
            insert.execute(params![id.0, is.0, dead_ms, bytes, item.kind as u8, item.key])?;
        }
        changes.deltas.push(Delta { leaf: id.leaf(), was, is: Some(is) });
        changes.ids.push(id);
        Ok(())
    }

    /// Notes where the clock stands; to be called once in a transaction that used it.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn save_clock(&self, connection: &Connection) -> Work<()> {
        let last = lock(&self.clock).last();
        let mut save = connection.prepare_cached("insert or replace into p2p_clock values (1, ?1, ?2)")?;
        save.execute(params![signed(last.ms), last.count])?;
        Ok(())
    }

    pub(crate) fn see(&self, stamp: Stamp) {
        lock(&self.clock).see(stamp);
    }

    /// Takes what a transaction changed into the tree; after its commit.
    pub fn committed(&self, changes: &Changes) {
        let mut tree = lock(&self.tree);
        changes.deltas.iter().for_each(|delta| tree.apply(*delta));
    }

    /// Drops an item.
    pub(crate) fn drop_item(&self, connection: &Connection, changes: &mut Changes, id: ItemId) -> Work<()> {
        let was = fingerprint_of(connection, id)?;
        if was.is_some() {
            connection.prepare_cached("delete from items where id = ?1")?.execute([id.0])?;
            changes.deltas.push(Delta { leaf: id.leaf(), was, is: None });
        }
        Ok(())
    }

    /// Forgets at most `limit` items that nobody has seen since `before_ms`; says how many.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn purge(&self, connection: &Connection, changes: &mut Changes, before_ms: u64, limit: u32) -> Work<usize> {
        let mut find = connection.prepare_cached("select id from items where dead_ms < ?1 limit ?2")?;
        let ids = find.query_map(params![signed(before_ms), limit], |row| row.get(0).map(ItemId))?;
        let ids = ids.collect::<Result<Vec<_>, _>>()?;
        for id in &ids {
            self.drop_item(connection, changes, *id)?;
        }
        Ok(ids.len())
    }

    /// The ids below a node, behind `after`, with their fingerprints.
    pub(crate) fn list(
        &self,
        connection: &Connection,
        place: Place,
        after: Option<ItemId>,
        limit: u32,
    ) -> Work<Vec<(ItemId, Fingerprint)>> {
        let (first, last) = place.ids();
        let mut find = connection.prepare_cached(
            "select id, fingerprint from items where id >= ?1 and id <= ?2 and (?3 is null or id > ?3)
             order by id limit ?4",
        )?;
        let from = after.map_or(first, |after| after.max(first));
        let entry = |row: &Row<'_>| Ok((ItemId(row.get(0)?), Fingerprint(row.get(1)?)));
        let rows = find.query_map(params![from.0, last.0, after.map(|after| after.0), limit], entry)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// When this store and a peer last held the same; 0 when never.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn equal_ms(&self, connection: &Connection, peer: Option<&str>) -> Work<u64> {
        let mut find =
            connection.prepare_cached("select max(equal_ms) from p2p_peers where ?1 is null or peer = ?1")?;
        Ok(find.query_row([peer], |row| row.get::<_, Option<i64>>(0))?.map_or(0, unsigned))
    }

    /// Notes that this store and a peer hold the same.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn note_equal(&self, connection: &Connection, peer: &str, now_ms: u64) -> Work<()> {
        let mut note = connection.prepare_cached("insert or replace into p2p_peers values (?1, ?2)")?;
        note.execute(params![peer, signed(now_ms)])?;
        Ok(())
    }
}

fn fingerprint_of(connection: &Connection, id: ItemId) -> Work<Option<Fingerprint>> {
    let mut find = connection.prepare_cached("select fingerprint from items where id = ?1")?;
    Ok(find.query_row([id.0], |row| row.get(0).map(Fingerprint)).optional()?)
}

fn unreadable() -> Error {
    let message = "what a peer-to-peer store keeps of an item can't be read; restore the file, or begin with a new one";
    Error::new(ErrorKind::Integrity, "UNREADABLE_STATE", message)
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

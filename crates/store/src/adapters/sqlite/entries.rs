//! Records and kv.

use std::ops::Bound;

use holdfast_base::{Key, KeyRange};
use holdfast_sqlite::Work;
use holdfast_sqlite::rusqlite::{Connection, params};

use super::{KeyBound, Sqlite, commit, signed, unsigned};
use crate::entry::PAGE_BYTES;
use crate::ports::Entries;
use crate::{Answer, Entry, EntryPage, EntryQuery, Space};

impl Entries for Sqlite {
    fn get(&self, space: Space, key: &Key) -> Answer<Option<Entry>> {
        let now_ms = self.clock.now_ms();
        Answer::now(|| self.database.read(|connection| get(connection, space, key, now_ms)))
    }

    fn get_many(&self, space: Space, keys: Vec<Key>) -> Answer<Vec<Option<Entry>>> {
        let now_ms = self.clock.now_ms();
        Answer::now(|| {
            self.database.read(|connection| {
                // One transaction: the entries are all of the same moment.
                let view = connection.unchecked_transaction()?;
                keys.iter().map(|key| get(&view, space, key, now_ms)).collect()
            })
        })
    }

    fn list(&self, space: Space, query: EntryQuery) -> Answer<EntryPage> {
        let now_ms = self.clock.now_ms();
        Answer::now(|| self.database.read(|connection| list(connection, space, &query, now_ms)))
    }

    fn count(&self, space: Space, range: KeyRange) -> Answer<u64> {
        let now_ms = self.clock.now_ms();
        Answer::now(|| self.database.read(|connection| count(connection, space, &range, now_ms)))
    }
}

fn get(connection: &Connection, space: Space, key: &Key, now_ms: u64) -> Work<Option<Entry>> {
    Ok(commit::load(connection, space, key.as_str())?.and_then(|cell| cell.into_entry(key.as_str(), now_ms)))
}

/// The SQL condition of a range, with its two parameters ?2 and ?3, and their values.
pub(super) fn condition(range: &KeyRange) -> (&'static str, KeyBound, KeyBound) {
    let bytes = |bound: &Bound<Vec<u8>>| match bound {
        Bound::Included(key) | Bound::Excluded(key) => KeyBound(key.clone()),
        Bound::Unbounded => KeyBound(Vec::new()),
    };
    let sql = match (&range.start, &range.end) {
        (Bound::Excluded(_), Bound::Unbounded) => "key > ?2 and ?3 = ?3",
        (_, Bound::Unbounded) => "key >= ?2 and ?3 = ?3",
        (Bound::Excluded(_), Bound::Excluded(_)) => "key > ?2 and key < ?3",
        (Bound::Excluded(_), Bound::Included(_)) => "key > ?2 and key <= ?3",
        (_, Bound::Excluded(_)) => "key >= ?2 and key < ?3",
        (_, Bound::Included(_)) => "key >= ?2 and key <= ?3",
    };
    (sql, bytes(&range.start), bytes(&range.end))
}

fn list(connection: &Connection, space: Space, query: &EntryQuery, now_ms: u64) -> Work<EntryPage> {
    let (range, start, end) = condition(&query.remaining());
    let value = if query.keys_only { "''" } else { "value" };
    let order = if query.reverse { "desc" } else { "asc" };
    let mut find = connection.prepare_cached(&format!(
        "select key, {value}, version, created_ms, updated_ms, expires_ms from entries
         where space = ?1 and {range} and value is not null and (expires_ms is null or expires_ms > ?4)
         order by key {order}"
    ))?;
    let mut rows = find.query(params![space.number(), start, end, signed(now_ms)])?;
    let mut page = EntryPage::default();
    let mut bytes = 0;
    while let Some(row) = rows.next()? {
        if page.items.len() >= query.limit || bytes >= PAGE_BYTES {
            page.next = page.items.last().map(|entry: &Entry| entry.key.clone());
            break;
        }
        let entry = Entry {
            key: row.get(0)?,
            value: row.get(1)?,
            version: unsigned(row.get(2)?),
            created_at_ms: unsigned(row.get(3)?),
            updated_at_ms: unsigned(row.get(4)?),
            expires_at_ms: row.get::<_, Option<i64>>(5)?.map(unsigned),
        };
        bytes += entry.key.len() + entry.value.len();
        page.items.push(entry);
    }
    Ok(page)
}

fn count(connection: &Connection, space: Space, range: &KeyRange, now_ms: u64) -> Work<u64> {
    let (range, start, end) = condition(range);
    let mut find = connection.prepare_cached(&format!(
        "select count(*) from entries
         where space = ?1 and {range} and value is not null and (expires_ms is null or expires_ms > ?4)"
    ))?;
    Ok(unsigned(find.query_row(params![space.number(), start, end, signed(now_ms)], |row| row.get(0))?))
}

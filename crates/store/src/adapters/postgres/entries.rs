//! Records and kv.

use deadpool_postgres::Object;
use holdfast_base::{Key, KeyRange};
use tokio_postgres::Row;

use super::failure::Work;
use super::{Postgres, bounds};
use crate::adapters::{signed, unsigned};
use crate::entry::PAGE_BYTES;
use crate::ports::Entries;
use crate::{Answer, Entry, EntryPage, EntryQuery, Space};

impl Entries for Postgres {
    fn get(&self, space: Space, key: &Key) -> Answer<Option<Entry>> {
        let names = vec![key.as_str().to_owned()];
        self.read_entries(space, names).map(|mut found| found.pop().flatten())
    }

    fn get_many(&self, space: Space, keys: Vec<Key>) -> Answer<Vec<Option<Entry>>> {
        self.read_entries(space, keys.into_iter().map(Key::into_string).collect())
    }

    fn list(&self, space: Space, query: EntryQuery) -> Answer<EntryPage> {
        let store = self.clone();
        self.later(async move {
            let (now_ms, query) = (store.database.now_ms(), &query);
            store.database.server.repeat(|client| async move { list(&client, space, query, now_ms).await }).await
        })
    }

    fn count(&self, space: Space, range: KeyRange) -> Answer<u64> {
        let store = self.clone();
        self.later(async move {
            let (now_ms, range) = (store.database.now_ms(), &range);
            store.database.server.repeat(|client| async move { count(&client, space, range, now_ms).await }).await
        })
    }
}

impl Postgres {
    fn read_entries(&self, space: Space, names: Vec<String>) -> Answer<Vec<Option<Entry>>> {
        let store = self.clone();
        self.later(async move {
            let (now_ms, names) = (store.database.now_ms(), &names[..]);
            store.database.server.repeat(|client| async move { get_many(&client, space, names, now_ms).await }).await
        })
    }
}

/// A space as its column has it.
pub(super) fn space_of(space: Space) -> i16 {
    i16::from(space.number())
}

/// The space of a column.
pub(super) fn space_named(number: i16) -> Space {
    Space::numbered(number.into())
}

const LIVE: &str = "value is not null and (expires_ms is null or expires_ms > $4)";

async fn get_many(client: &Object, space: Space, names: &[String], now_ms: u64) -> Work<Vec<Option<Entry>>> {
    let one = "select key, value, version, created_ms, updated_ms, expires_ms from entries
         where space = $1 and key = $2 and value is not null and (expires_ms is null or expires_ms > $3)";
    // One row a name, in the order asked for: absent ones have nulls.
    let many = "select e.key, e.value, e.version, e.created_ms, e.updated_ms, e.expires_ms
         from unnest($2::text[]) with ordinality as wanted (key, place) left join entries e
         on e.space = $1 and e.key = wanted.key and e.value is not null and (e.expires_ms is null or e.expires_ms > $3)
         order by wanted.place";
    let (space, now_ms) = (space_of(space), signed(now_ms));
    if let [name] = names {
        let find = client.prepare_cached(one).await?;
        let found = client.query_opt(&find, &[&space, name, &now_ms]).await?;
        return Ok(vec![found.as_ref().map(entry_of).transpose()?]);
    }
    let find = client.prepare_cached(many).await?;
    let rows = client.query(&find, &[&space, &names, &now_ms]).await?;
    rows.iter()
        .map(|row| match row.try_get::<_, Option<&str>>(0)? {
            Some(_) => entry_of(row).map(Some),
            None => Ok(None),
        })
        .collect()
}

/// An entry from the columns `key, value, version, created_ms, updated_ms, expires_ms`.
fn entry_of(row: &Row) -> Work<Entry> {
    Ok(Entry {
        key: row.try_get(0)?,
        value: row.try_get(1)?,
        version: unsigned(row.try_get(2)?),
        created_at_ms: unsigned(row.try_get(3)?),
        updated_at_ms: unsigned(row.try_get(4)?),
        expires_at_ms: row.try_get::<_, Option<i64>>(5)?.map(unsigned),
    })
}

/// One more than the limit is looked for, to know whether something follows; what stands before a row in the
/// page is summed up on the server, so that a page of large values ends there and not in our memory.
async fn list(client: &Object, space: Space, query: &EntryQuery, now_ms: u64) -> Work<EntryPage> {
    let Some(keys) = bounds::condition(&query.remaining()) else { return Ok(EntryPage::default()) };
    let order = if query.reverse { "desc" } else { "asc" };
    let (value, length) = if query.keys_only { ("''", "0") } else { ("value", "octet_length(value)") };
    let within = keys.sql;
    let find = client
        .prepare_cached(&format!(
            "select key, {value}, version, created_ms, updated_ms, expires_ms, follows from (
               select *, sum({length} + octet_length(key)) over (order by key {order} rows between unbounded preceding
                 and 1 preceding) as before, lead(key) over (order by key {order}) is not null as follows
               from (select * from entries where space = $1 and {within} and {LIVE} order by key {order} limit $5) found
             ) page where before is null or before < {PAGE_BYTES} order by key {order}"
        ))
        .await?;
    let limit = signed((query.limit as u64).saturating_add(1));
    let rows = client.query(&find, &[&space_of(space), &keys.start, &keys.end, &signed(now_ms), &limit]).await?;
    let mut follows = rows.last().map_or(Ok(false), |row| row.try_get(6))?;
    let mut items = rows.iter().map(entry_of).collect::<Work<Vec<_>>>()?;
    if items.len() > query.limit {
        items.truncate(query.limit);
        follows = true;
    }
    let next = items.last().filter(|_| follows).map(|entry| entry.key.clone());
    Ok(EntryPage { items, next })
}

async fn count(client: &Object, space: Space, range: &KeyRange, now_ms: u64) -> Work<u64> {
    let Some(keys) = bounds::condition(range) else { return Ok(0) };
    let within = keys.sql;
    let find = client
        .prepare_cached(&format!("select count(*) from entries where space = $1 and {within} and {LIVE}"))
        .await?;
    let row = client.query_one(&find, &[&space_of(space), &keys.start, &keys.end, &signed(now_ms)]).await?;
    Ok(unsigned(row.try_get(0)?))
}

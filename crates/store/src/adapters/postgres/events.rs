//! Events. Positions are given out under a lock that is held until the commit is visible (see `commit.rs`), so
//! that readers see them in their order and never skip one.

use deadpool_postgres::Object;
use holdfast_base::Key;
use tokio_postgres::Row;

use super::Postgres;
use super::failure::Work;
use crate::adapters::{signed, unsigned};
use crate::entry::PAGE_BYTES;
use crate::ports::Events;
use crate::{Answer, Event, EventPage, EventQuery, StreamPage, StreamQuery};

impl Events for Postgres {
    fn list_events(&self, query: EventQuery) -> Answer<EventPage> {
        let store = self.clone();
        self.later(async move {
            let query = &query;
            store.database.server.repeat(|client| async move { list(&client, query).await }).await
        })
    }

    fn stream_version(&self, stream: &Key) -> Answer<u64> {
        let (store, stream) = (self.clone(), stream.as_str().to_owned());
        self.later(async move {
            let stream = &stream;
            store.database.server.repeat(|client| async move { version(&client, stream).await }).await
        })
    }

    fn streams(&self, query: StreamQuery) -> Answer<StreamPage> {
        let store = self.clone();
        self.later(async move {
            let query = &query;
            store.database.server.repeat(|client| async move { streams(&client, query).await }).await
        })
    }
}

/// An event from the columns `position, stream, version, id, payload, timestamp_ms`.
pub(super) fn event_of(row: &Row) -> Work<Event> {
    Ok(Event {
        position: unsigned(row.try_get(0)?),
        stream: row.try_get(1)?,
        version: unsigned(row.try_get(2)?),
        id: row.try_get(3)?,
        payload: row.try_get(4)?,
        timestamp_ms: unsigned(row.try_get(5)?),
    })
}

async fn list(client: &Object, query: &EventQuery) -> Work<EventPage> {
    // In one stream the order of versions is the order of positions, and the index has the versions.
    let (of_stream, by) = match query.stream {
        Some(_) => ("stream = $1", "version"),
        None => ("$1::text is null", "position"),
    };
    let (behind, order) = if query.reverse { ("<", "desc") } else { (">", "asc") };
    let find = client
        .prepare_cached(&format!(
            "select position, stream, version, id, payload, timestamp_ms, follows from (
               select *, sum(octet_length(payload)) over (order by {by} {order} rows between unbounded preceding
                 and 1 preceding) as before, lead(position) over (order by {by} {order}) is not null as follows
               from (select * from events where {of_stream} and position {behind} $2 and timestamp_ms >= $3
                 order by {by} {order} limit $4) found
             ) page where before is null or before < {PAGE_BYTES} order by {by} {order}"
        ))
        .await?;
    let after = query.after.map_or(if query.reverse { i64::MAX } else { 0 }, signed);
    let since = query.since_ms.map_or(0, signed);
    let limit = signed((query.limit as u64).saturating_add(1));
    let rows = client.query(&find, &[&query.stream, &after, &since, &limit]).await?;
    let mut follows = rows.last().map_or(Ok(false), |row| row.try_get(6))?;
    let mut items = rows.iter().map(event_of).collect::<Work<Vec<_>>>()?;
    if items.len() > query.limit {
        items.truncate(query.limit);
        follows = true;
    }
    let next = items.last().filter(|_| follows).map(|event| event.position);
    Ok(EventPage { items, next })
}

async fn version(client: &Object, stream: &str) -> Work<u64> {
    let find = client.prepare_cached("select version from streams where stream = $1").await?;
    let found = client.query_opt(&find, &[&stream]).await?;
    found.map_or(Ok(0), |row| Ok(unsigned(row.try_get(0)?)))
}

async fn streams(client: &Object, query: &StreamQuery) -> Work<StreamPage> {
    let find =
        client.prepare_cached("select stream, version from streams where stream > $1 order by stream limit $2").await?;
    let limit = signed((query.limit as u64).saturating_add(1));
    let rows = client.query(&find, &[&query.after.as_deref().unwrap_or(""), &limit]).await?;
    let mut items = rows
        .iter()
        .map(|row| Ok((row.try_get(0)?, unsigned(row.try_get(1)?))))
        .collect::<Work<Vec<(String, u64)>>>()?;
    let has_more = items.len() > query.limit;
    items.truncate(query.limit);
    let next = items.last().filter(|_| has_more).map(|(name, _)| name.clone());
    Ok(StreamPage { items, next })
}

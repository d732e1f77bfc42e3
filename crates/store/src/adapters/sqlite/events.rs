//! Events. One writer at a time appends (SQLite's own lock, also across processes), so positions are
//! committed in their order and a reader never skips one.

use holdfast_base::Key;
use holdfast_sqlite::Work;
use holdfast_sqlite::rusqlite::{Connection, params};

use super::{Sqlite, commit, signed, unsigned};
use crate::entry::PAGE_BYTES;
use crate::ports::Events;
use crate::{Answer, Event, EventPage, EventQuery, StreamPage, StreamQuery};

impl Events for Sqlite {
    fn list_events(&self, query: EventQuery) -> Answer<EventPage> {
        Answer::now(|| self.database.read(|connection| list(connection, &query)))
    }

    fn stream_version(&self, stream: &Key) -> Answer<u64> {
        Answer::now(|| self.database.read(|connection| commit::stream_version(connection, stream.as_str())))
    }

    fn streams(&self, query: StreamQuery) -> Answer<StreamPage> {
        Answer::now(|| self.database.read(|connection| streams(connection, &query)))
    }
}

fn list(connection: &Connection, query: &EventQuery) -> Work<EventPage> {
    // In one stream the order of versions is the order of positions, and the index has the versions.
    let (of_stream, by) = match query.stream {
        Some(_) => ("stream = ?1", "version"),
        None => ("?1 is null", "position"),
    };
    let (behind, order) = if query.reverse { ("<", "desc") } else { (">", "asc") };
    let after = query.after.map_or(if query.reverse { i64::MAX } else { 0 }, signed);
    let mut find = connection.prepare_cached(&format!(
        "select position, stream, version, id, payload, timestamp_ms from events
         where {of_stream} and position {behind} ?2 and timestamp_ms >= ?3 order by {by} {order}"
    ))?;
    let mut rows = find.query(params![query.stream, after, query.since_ms.map_or(0, signed)])?;
    let mut page = EventPage::default();
    let mut bytes = 0;
    while let Some(row) = rows.next()? {
        if page.items.len() >= query.limit || bytes >= PAGE_BYTES {
            page.next = page.items.last().map(|event: &Event| event.position);
            break;
        }
        let event = commit::event_of(row)?;
        bytes += event.payload.len();
        page.items.push(event);
    }
    Ok(page)
}

fn streams(connection: &Connection, query: &StreamQuery) -> Work<StreamPage> {
    let mut find =
        connection.prepare_cached("select stream, version from streams where stream > ?1 order by stream limit ?2")?;
    let one_more = signed(query.limit as u64 + 1);
    let rows = find.query_map(params![query.after.as_deref().unwrap_or(""), one_more], |row| {
        Ok((row.get::<_, String>(0)?, unsigned(row.get(1)?)))
    })?;
    let mut items = rows.collect::<Result<Vec<_>, _>>()?;
    let has_more = items.len() > query.limit;
    items.truncate(query.limit);
    let next = if has_more { items.last().map(|(name, _)| name.clone()) } else { None };
    Ok(StreamPage { items, next })
}

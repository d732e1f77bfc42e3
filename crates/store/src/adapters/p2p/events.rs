//! Events. Their positions are the order in which they came to this peer, which is the one to follow them in: what
//! comes late from another peer is behind everything that was read before. A stream's list is in the order of
//! stamps instead, which is the same on every peer that has the same events, and so are its versions.

use holdfast_base::Key;
use holdfast_p2p::Stamp;
use holdfast_sqlite::Work;
use holdfast_sqlite::rusqlite::{Connection, OptionalExtension, params};

use super::P2p;
use crate::adapters::sqlite::event_of;
use crate::adapters::{signed, unsigned};
use crate::entry::PAGE_BYTES;
use crate::ports::Events;
use crate::{Answer, Event, EventPage, EventQuery, StreamPage, StreamQuery};

impl Events for P2p {
    fn list_events(&self, query: EventQuery) -> Answer<EventPage> {
        let by_stamp = query.stream.is_some() && !query.by_arrival;
        let listed = self.database.read(|connection| {
            let mut page = if by_stamp { list_by_stamp(connection, &query)? } else { list(connection, &query)? };
            for event in &mut page.items {
                event.version = rank_of(connection, event.position)?;
            }
            Ok(page)
        });
        Answer::Now(listed)
    }

    fn stream_version(&self, stream: &Key) -> Answer<u64> {
        self.inner.stream_version(stream)
    }

    fn streams(&self, query: StreamQuery) -> Answer<StreamPage> {
        self.inner.streams(query)
    }
}

/// The name of an event's item.
pub(super) fn event_key(stream: &str, id: &str) -> String {
    format!("{stream}\0{id}")
}

/// The stream and the id of an event's item.
pub(super) fn stream_and_id(key: &str) -> Option<(&str, &str)> {
    key.split_once('\0')
}

/// Notes where an event stands in its stream.
pub(super) fn note_order(connection: &Connection, position: u64, stream: &str, stamp: Stamp) -> Work<()> {
    connection.prepare_cached("insert or replace into event_order values (?1, ?2, ?3, ?4, ?5)")?.execute(params![
        signed(position),
        stream,
        signed(stamp.ms),
        stamp.count,
        stamp.author.to_be_bytes()
    ])?;
    Ok(())
}

/// Where an event stands among those of its stream, from 1.
pub(super) fn rank_of(connection: &Connection, position: u64) -> Work<u64> {
    let mut count = connection.prepare_cached(
        "select count(*) from event_order o, event_order own where own.position = ?1 and o.stream = own.stream
         and (o.ms, o.count, o.author, o.position) <= (own.ms, own.count, own.author, own.position)",
    )?;
    Ok(unsigned(count.query_row([signed(position)], |row| row.get(0))?))
}

const COLUMNS: &str = "e.position, e.stream, e.version, e.id, e.payload, e.timestamp_ms";

/// In the order of arrival.
fn list(connection: &Connection, query: &EventQuery) -> Work<EventPage> {
    let (behind, order) = if query.reverse { ("<", "desc") } else { (">", "asc") };
    let after = query.after.map_or(if query.reverse { i64::MAX } else { 0 }, signed);
    let find = format!(
        "select {COLUMNS} from events e where (?1 is null or e.stream = ?1) and e.position {behind} ?2
         and e.timestamp_ms >= ?3 order by e.position {order}"
    );
    page_of(connection, &find, params![query.stream, after, query.since_ms.map_or(0, signed)], query.limit)
}

/// Of one stream, in the order of stamps. `after` is an event's position; the page begins behind its stamp.
fn list_by_stamp(connection: &Connection, query: &EventQuery) -> Work<EventPage> {
    let (behind, order) = if query.reverse { ("<", "desc") } else { (">", "asc") };
    let mut find = connection.prepare_cached("select ms, count, author from event_order where position = ?1")?;
    let from = match query.after {
        Some(after) => find
            .query_row([signed(after)], |row| {
                Ok((row.get::<_, i64>(0)?, row.get::<_, u32>(1)?, row.get::<_, Vec<u8>>(2)?))
            })
            .optional()?,
        None => None,
    };
    let (condition, (ms, count, author)) = match from {
        Some(from) => (format!("(o.ms, o.count, o.author, o.position) {behind} (?2, ?3, ?4, ?5)"), from),
        None => ("?2 = ?2 and ?3 = ?3 and ?4 = ?4 and ?5 = ?5".to_owned(), (0, 0, Vec::new())),
    };
    let find = format!(
        "select {COLUMNS} from event_order o join events e on e.position = o.position where o.stream = ?1
         and {condition} and e.timestamp_ms >= ?6
         order by o.ms {order}, o.count {order}, o.author {order}, o.position {order}"
    );
    let after = query.after.map_or(0, signed);
    let bounds = params![query.stream, ms, count, author, after, query.since_ms.map_or(0, signed)];
    page_of(connection, &find, bounds, query.limit)
}

fn page_of(
    connection: &Connection,
    sql: &str,
    bounds: impl holdfast_sqlite::rusqlite::Params,
    limit: usize,
) -> Work<EventPage> {
    let mut find = connection.prepare_cached(sql)?;
    let mut rows = find.query(bounds)?;
    let (mut page, mut bytes) = (EventPage::default(), 0);
    while let Some(row) = rows.next()? {
        if page.items.len() >= limit || bytes >= PAGE_BYTES {
            page.next = page.items.last().map(|event: &Event| event.position);
            break;
        }
        let event = event_of(row)?;
        bytes += event.payload.len();
        page.items.push(event);
    }
    Ok(page)
}

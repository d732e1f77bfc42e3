//! Events.

use std::ops::Bound;

use holdfast_base::Key;

use super::{Memory, State};
use crate::entry::PAGE_BYTES;
use crate::ports::Events;
use crate::{Answer, Event, EventPage, EventQuery, StreamPage, StreamQuery};

impl Events for Memory {
    fn list_events(&self, query: EventQuery) -> Answer<EventPage> {
        Answer::now(|| self.with(|state, _| Ok(list(state, &query))))
    }

    fn stream_version(&self, stream: &Key) -> Answer<u64> {
        Answer::now(|| self.with(|state, _| Ok(state.streams.get(stream.as_str()).copied().unwrap_or(0))))
    }

    fn streams(&self, query: StreamQuery) -> Answer<StreamPage> {
        Answer::now(|| self.with(|state, _| Ok(streams(state, query))))
    }
}

fn list(state: &State, query: &EventQuery) -> EventPage {
    let in_order: Box<dyn Iterator<Item = &Event>> =
        if query.reverse { Box::new(state.events.iter().rev()) } else { Box::new(state.events.iter()) };
    let behind = |event: &&Event| {
        query.after.is_none_or(|after| if query.reverse { event.position < after } else { event.position > after })
    };
    let wanted = |event: &&Event| {
        query.stream.as_ref().is_none_or(|stream| *stream == event.stream)
            && query.since_ms.is_none_or(|since_ms| event.timestamp_ms >= since_ms)
    };
    let mut page = EventPage::default();
    let mut bytes = 0;
    for event in in_order.filter(behind).filter(wanted) {
        if page.items.len() >= query.limit || bytes >= PAGE_BYTES {
            page.next = page.items.last().map(|event| event.position);
            break;
        }
        bytes += event.payload.len();
        page.items.push(event.clone());
    }
    page
}

fn streams(state: &State, query: StreamQuery) -> StreamPage {
    let from = query.after.map_or(Bound::Unbounded, Bound::Excluded);
    let mut behind = state.streams.range((from, Bound::Unbounded));
    let items: Vec<_> = behind.by_ref().take(query.limit).map(|(name, version)| (name.clone(), *version)).collect();
    let next = behind.next().and_then(|_| items.last().map(|(name, _)| name.clone()));
    StreamPage { items, next }
}

//! Events: the port, on the log of `event_log.rs`.

use futures_util::{StreamExt, TryStreamExt};
use holdfast_base::{Key, Result};

use super::scan::Scan;
use super::{S3, WIDTH};
use crate::entry::PAGE_BYTES;
use crate::ports::Events;
use crate::{Answer, Event, EventPage, EventQuery, StreamPage, StreamQuery};

impl Events for S3 {
    fn list_events(&self, query: EventQuery) -> Answer<EventPage> {
        self.later(|store| async move {
            match query.stream.clone() {
                Some(stream) => list_stream(&store, &stream, &query).await,
                None => list_all(&store, &query).await,
            }
        })
    }

    fn stream_version(&self, stream: &Key) -> Answer<u64> {
        let stream = stream.clone();
        self.later(|store| async move {
            store.0.log.check_stream(&stream)?;
            store.0.log.catch_up().await?;
            store.0.log.version(stream.as_str()).await
        })
    }

    fn streams(&self, query: StreamQuery) -> Answer<StreamPage> {
        self.later(|store| async move { streams(&store, query).await })
    }
}

/// Collects a page from events in order; says when it is full.
struct Filling<'a> {
    query: &'a EventQuery,
    page: EventPage,
    bytes: usize,
}

impl Filling<'_> {
    /// Takes an event in, if it is wanted. False: the page is full, and more follows it.
    fn take(&mut self, event: Event) -> bool {
        let behind = self
            .query
            .after
            .is_none_or(|after| if self.query.reverse { event.position < after } else { event.position > after });
        let wanted = behind && self.query.since_ms.is_none_or(|since_ms| event.timestamp_ms >= since_ms);
        if !wanted {
            return true;
        }
        if self.page.items.len() >= self.query.limit || self.bytes >= PAGE_BYTES {
            self.page.next = self.page.items.last().map(|event| event.position);
            return false;
        }
        self.bytes += event.payload.len();
        self.page.items.push(event);
        true
    }
}

/// Numbers from `first` to `last`, in the query's direction.
fn numbers(first: u64, last: u64, reverse: bool) -> Box<dyn Iterator<Item = u64> + Send> {
    if reverse { Box::new((first..=last).rev()) } else { Box::new(first..=last) }
}

async fn list_all(store: &S3, query: &EventQuery) -> Result<EventPage> {
    let log = &store.0.log;
    let tail = log.tail().await?;
    let near = query.after.map(super::event_object::number_of);
    let (first, last) = match (near, query.reverse) {
        (Some(near), false) => (near.max(1), tail),
        (Some(near), true) => (1, tail.min(near)),
        (None, _) => (1, tail),
    };
    let mut filling = Filling { query, page: EventPage::default(), bytes: 0 };
    let mut commits = futures_util::stream::iter(numbers(first, last, query.reverse))
        .map(|number| log.commit(number))
        .buffered(WIDTH);
    while let Some(mut events) = commits.try_next().await? {
        if query.reverse {
            events.reverse();
        }
        if !events.into_iter().all(|event| filling.take(event)) {
            break;
        }
    }
    drop(commits);
    Ok(filling.page)
}

async fn list_stream(store: &S3, stream: &str, query: &EventQuery) -> Result<EventPage> {
    let log = &store.0.log;
    log.catch_up().await?;
    let newest = log.version(stream).await?;
    // Positions grow with versions: the version to begin at is found by halving.
    let (mut low, mut high) = (1, newest + 1);
    while let Some(after) = query.after.filter(|_| low < high) {
        let middle = low + (high - low) / 2;
        let position = log.event(stream, middle).await?.position;
        let is_before = if query.reverse { position < after } else { position <= after };
        if is_before {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    let (first, last) = match (query.after, query.reverse) {
        (None, _) => (1, newest),
        (Some(_), false) => (low, newest),
        (Some(_), true) => (1, low - 1),
    };
    let mut filling = Filling { query, page: EventPage::default(), bytes: 0 };
    let mut events = futures_util::stream::iter(numbers(first, last, query.reverse))
        .map(|version| log.event(stream, version))
        .buffered(WIDTH);
    while let Some(event) = events.try_next().await? {
        if !filling.take(event) {
            break;
        }
    }
    drop(events);
    Ok(filling.page)
}

async fn streams(store: &S3, query: StreamQuery) -> Result<StreamPage> {
    let log = &store.0.log;
    log.catch_up().await?;
    let heads = log.heads();
    let start = query.after.map_or(std::ops::Bound::Unbounded, |after| std::ops::Bound::Excluded(after.into_bytes()));
    let range = holdfast_base::KeyRange { start, end: std::ops::Bound::Unbounded };
    let scan = Scan { bucket: &heads, range, prefix: "", delimiter: None, hidden: &[] };
    let mut names = scan.take(query.limit.saturating_add(1), false).await?;
    let has_more = names.len() > query.limit;
    names.truncate(query.limit);
    let read = |name: String| async move {
        let version = log.version(&name).await?;
        Ok::<_, holdfast_base::Error>((name, version))
    };
    let found = futures_util::stream::iter(names.into_iter().map(|found| read(found.name))).buffered(WIDTH);
    let items: Vec<(String, u64)> = found.try_collect().await?;
    let next = if has_more { items.last().map(|(name, _)| name.clone()) } else { None };
    Ok(StreamPage { items, next })
}

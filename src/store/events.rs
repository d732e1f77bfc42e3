//! Events: reads.

use holdfast_base::{Error, ErrorKind, Key, Result};
use holdfast_store::{EventQuery, StreamQuery, ToJson};
use napi_derive::napi;

use super::crossing::{Crossing, whole};
use super::handle::StoreHandle;

/// Which events to list.
#[napi(object)]
pub struct EventQueryData {
    /// Only of this stream.
    pub stream: Option<String>,
    /// Only behind this position (before it, when reversed).
    pub after: Option<String>,
    /// Only from this time on, in milliseconds since the epoch.
    pub since_ms: Option<f64>,
    /// The newest first.
    pub reverse: Option<bool>,
    /// In the order in which they came to this store, where that is another than the stream's.
    pub by_arrival: Option<bool>,
    /// At most so many.
    pub limit: f64,
}

fn position_of(text: &str) -> Result<u64> {
    text.parse().map_err(|_| {
        let message = format!("{text:?} is no position of an event; give one that an event or a page has");
        Error::new(ErrorKind::Validation, "INVALID_POSITION", message)
    })
}

fn limit_of(limit: f64) -> Result<usize> {
    Ok(usize::try_from(whole(limit, "limit")?).unwrap_or(usize::MAX))
}

#[napi]
impl StoreHandle {
    /// A page of events.
    #[napi(ts_return_type = "Reply<string> | Promise<Reply<string>>")]
    pub fn list_events(&self, query: EventQueryData) -> Crossing<String> {
        Crossing::of(|| {
            let query = EventQuery {
                stream: query.stream.map(Key::new).transpose()?.map(Key::into_string),
                after: query.after.as_deref().map(position_of).transpose()?,
                since_ms: query.since_ms.map(|since_ms| whole(since_ms, "since")).transpose()?,
                reverse: query.reverse.unwrap_or(false),
                by_arrival: query.by_arrival.unwrap_or(false),
                limit: limit_of(query.limit)?,
            };
            Ok(self.adapter.list_events(query).map(|page| page.to_json()))
        })
    }

    /// A stream's version; 0 when it does not exist.
    #[napi(ts_return_type = "Reply<number> | Promise<Reply<number>>")]
    pub fn stream_version(&self, stream: String) -> Crossing<f64> {
        #[expect(clippy::cast_precision_loss, reason = "nobody has 2^53 events")]
        Crossing::of(|| Ok(self.adapter.stream_version(&Key::new(stream)?).map(|version| version as f64)))
    }

    /// A page of streams.
    #[napi(ts_return_type = "Reply<string> | Promise<Reply<string>>")]
    pub fn streams(&self, after: Option<String>, limit: f64) -> Crossing<String> {
        Crossing::of(|| {
            let query = StreamQuery { after, limit: limit_of(limit)? };
            Ok(self.adapter.streams(query).map(|page| page.to_json()))
        })
    }
}

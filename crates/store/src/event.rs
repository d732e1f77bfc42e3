//! Events and their streams as a caller sees them.

/// A stored event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Unique in its stream.
    pub id: String,
    /// Its stream.
    pub stream: String,
    /// JSON text.
    pub payload: String,
    /// When it was appended, in milliseconds since the epoch.
    pub timestamp_ms: u64,
    /// Its number in the stream, from 1 without gaps.
    pub version: u64,
    /// Its place among all events, from 1; grows in the order in which readers can see events.
    pub position: u64,
}

/// Which events to list.
#[derive(Clone, Debug)]
pub struct EventQuery {
    /// Only of this stream.
    pub stream: Option<String>,
    /// Only behind this position (before it, when reversed).
    pub after: Option<u64>,
    /// Only appended at or after this time, in milliseconds since the epoch.
    pub since_ms: Option<u64>,
    /// The newest first.
    pub reverse: bool,
    /// In the order in which they came to this store, where that is another than the stream's.
    pub by_arrival: bool,
    /// At most so many. A page may be shorter and still have a next one.
    pub limit: usize,
}

/// Some events, and the position to go on behind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventPage {
    /// The events, in order of position.
    pub items: Vec<Event>,
    /// Give it as `after` for the next page; `None` when there is none.
    pub next: Option<u64>,
}

/// Which streams to list.
#[derive(Clone, Debug)]
pub struct StreamQuery {
    /// Only behind this name.
    pub after: Option<String>,
    /// At most so many.
    pub limit: usize,
}

/// Some streams by name, in UTF-8 byte order, with their versions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StreamPage {
    /// Names and versions.
    pub items: Vec<(String, u64)>,
    /// Give it as `after` for the next page; `None` when there is none.
    pub next: Option<String>,
}

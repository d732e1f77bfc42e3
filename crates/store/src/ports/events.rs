//! The port of events. Appending goes through [`super::Adapter::commit`].

use holdfast_base::Key;

use crate::{Answer, EventPage, EventQuery, StreamPage, StreamQuery};

/// Reads events.
pub trait Events {
    /// A page of events, in order of position.
    fn list_events(&self, query: EventQuery) -> Answer<EventPage>;
    /// The version of a stream; 0 when it does not exist.
    fn stream_version(&self, stream: &Key) -> Answer<u64>;
    /// A page of streams, by name.
    fn streams(&self, query: StreamQuery) -> Answer<StreamPage>;
}

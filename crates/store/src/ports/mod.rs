//! What an adapter must do.
//!
//! Every answer is owned (`'static`): an adapter is a handle that its clones share.

mod blobs;
mod capabilities;
mod entries;
mod events;
mod news;
mod peers;

pub use blobs::{Blobs, Upload};
pub use capabilities::Capabilities;
pub use entries::Entries;
pub use events::Events;
pub use news::{Hear, News};
pub use peers::Peers;

use holdfast_base::{Error, ErrorKind};

use crate::{Answer, Batch, Outcome, Pending};

/// A place where a store lives.
pub trait Adapter: Entries + Events + Blobs + Send + Sync {
    /// What it can do.
    fn capabilities(&self) -> Capabilities;

    /// Runs the steps in their order and answers after they are stored. With [`Capabilities::atomic`] all
    /// of them or none; without it a batch of several steps may stop half-way, and one that demands
    /// atomicity is refused.
    ///
    /// The call itself orders the work: of two calls on one thread, the first is committed first wherever
    /// [`Capabilities::ordered`] says so.
    fn commit(&self, batch: Batch) -> Answer<Vec<Outcome>>;

    /// Tells what others commit, from when this answers until the close; a second call takes the place of the first.
    ///
    /// # Errors
    /// `Capability` without [`Capabilities::notifies`].
    fn follow(&self, _hear: Hear) -> Pending<()> {
        Box::pin(std::future::ready(Err(cannot_follow())))
    }

    /// This peer and the others, where there are any.
    fn peers(&self) -> Option<&dyn Peers> {
        None
    }

    /// Waits for work in flight and lets go of everything. Later calls are `Closed`; closing twice is fine.
    fn close(&self) -> Pending<()>;
}

fn cannot_follow() -> Error {
    let message = "the adapter does not tell what others commit; store.capabilities says what it can do";
    Error::new(ErrorKind::Capability, "NOT_SUPPORTED", message)
}

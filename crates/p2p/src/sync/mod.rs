//! The protocol between two peers. Pure: no sockets, no clock.
//!
//! Nobody remembers what was asked: every frame can be answered from what is stored, so a frame that is lost,
//! repeated or late costs a round and never more. Peers compare nodes of their trees from the root down, list the
//! items where they differ, and send each other what the other lacks; what was merged with something the other did
//! not know is sent back. What a peer writes is pushed at once, without a comparison.

mod frame;
mod intake;
mod session;

pub use frame::{Frame, MAX_FRAME_BYTES};
pub use intake::{Merged, Mirror, Received, Retention, forget_gone, merge_items};
pub use session::{Ground, Heard, Session};

//! The vocabulary that every room shares: errors, keys, ranges, the clock.
//!
//! Nothing here does I/O, and nothing here knows which room calls it.

mod clock;
mod error;
mod key;
mod range;

pub use clock::{Clock, ManualClock, SystemClock};
pub use error::{Error, ErrorKind, Result};
pub use key::{Key, MAX_KEY_BYTES};
pub use range::{KeyRange, prefix_end};

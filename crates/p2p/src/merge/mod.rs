//! What merges how. Pure: no I/O, no clock of its own.
//!
//! Every state is a join semilattice: `merge` is commutative, associative and idempotent, so peers that have seen
//! the same writes hold the same state, in whatever order and however often they came.

mod event;
mod fields;
mod kv;
mod record;
mod register;
mod state;

pub use event::Event;
pub use kv::{Kv, KvValue};
pub use record::{FieldConflict, Record, RecordView};
pub use state::State;

//! A look at a store's SQLite file that changes nothing in it.

use std::path::Path;

use holdfast_base::Result;
use holdfast_sqlite::{inspect, open_unchanged};

pub use holdfast_sqlite::Inspection;

/// Checks every page of a SQLite file, a store's or another.
///
/// # Errors
/// `Io` (`CANNOT_OPEN`), `Integrity` (`NOT_A_DATABASE`), `Locked`.
pub fn inspect_file(path: &Path) -> Result<Inspection> {
    inspect(&open_unchanged(path)?)
}

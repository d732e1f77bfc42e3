//! Which adapter, and how it is set.

use std::path::PathBuf;
use std::sync::Arc;

use holdfast_base::{Clock, Result};

use crate::Adapter;
use crate::adapters::memory::Memory;
use crate::adapters::sqlite::Sqlite;

/// One adapter with its settings, defaults filled in.
#[derive(Clone, Debug)]
pub enum Settings {
    /// In memory.
    Memory,
    /// In a SQLite file.
    Sqlite(holdfast_sqlite::Settings),
}

impl Settings {
    /// A SQLite file with every setting at its default.
    pub fn sqlite(path: impl Into<PathBuf>) -> Self {
        Self::Sqlite(holdfast_sqlite::Settings::new(path))
    }
}

/// Opens the adapter. Needs an ambient tokio runtime.
///
/// # Errors
/// As the adapter's own `open`.
pub async fn open(settings: Settings, clock: Arc<dyn Clock>) -> Result<Arc<dyn Adapter>> {
    Ok(match settings {
        Settings::Memory => Arc::new(Memory::new(clock)),
        Settings::Sqlite(settings) => Arc::new(Sqlite::open(&settings, clock)?),
    })
}

//! Which adapter, and how it is set.

use std::path::PathBuf;
use std::sync::Arc;

use holdfast_base::{Clock, Error, ErrorKind, Result};
use holdfast_sqlite::Synchronous;
use serde::Deserialize;

use crate::Adapter;
use crate::adapters::memory::Memory;
use crate::adapters::sqlite::Sqlite;

/// One adapter with its settings.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "adapter", rename_all = "lowercase")]
pub enum Settings {
    /// In memory.
    Memory,
    /// In a SQLite file.
    Sqlite(SqliteSettings),
}

/// Settings of the SQLite adapter; what is left out has the default of [`holdfast_sqlite::Settings`].
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SqliteSettings {
    /// The file.
    pub path: PathBuf,
    /// Write-ahead log.
    pub wal_mode: Option<bool>,
    /// In milliseconds.
    pub busy_timeout: Option<u32>,
    /// `off`, `normal` or `full`.
    pub synchronous: Option<String>,
    /// In bytes.
    pub journal_size_limit: Option<u64>,
    /// In KiB.
    pub cache_size: Option<u32>,
    /// In bytes.
    pub mmap_size: Option<u64>,
}

impl Settings {
    /// A SQLite file with every setting at its default.
    pub fn sqlite(path: impl Into<PathBuf>) -> Self {
        Self::Sqlite(SqliteSettings { path: path.into(), ..SqliteSettings::default() })
    }

    /// From JSON: `adapter` and its settings beside it.
    ///
    /// # Errors
    /// `Config` with code `INVALID_SETTINGS`.
    pub fn from_json(json: serde_json::Value) -> Result<Self> {
        serde_json::from_value(json).map_err(|error| {
            // Where it went wrong, not what stood there: settings hold secrets.
            let place = error.to_string();
            let place = place.split([':', ',']).next().unwrap_or("invalid").to_owned();
            Error::new(ErrorKind::Config, "INVALID_SETTINGS", format!("the adapter's settings can't be used: {place}"))
        })
    }
}

impl TryFrom<SqliteSettings> for holdfast_sqlite::Settings {
    type Error = Error;

    fn try_from(given: SqliteSettings) -> Result<Self> {
        let mut settings = Self::new(given.path);
        settings.wal = given.wal_mode.unwrap_or(settings.wal);
        settings.busy_timeout_ms = given.busy_timeout.unwrap_or(settings.busy_timeout_ms);
        settings.journal_size_limit_bytes = given.journal_size_limit.unwrap_or(settings.journal_size_limit_bytes);
        settings.cache_kib = given.cache_size.unwrap_or(settings.cache_kib);
        settings.mmap_bytes = given.mmap_size.unwrap_or(settings.mmap_bytes);
        settings.synchronous = match given.synchronous.as_deref() {
            None | Some("normal") => Synchronous::Normal,
            Some("off") => Synchronous::Off,
            Some("full") => Synchronous::Full,
            Some(other) => {
                let message = format!("synchronous is {other:?}; give \"off\", \"normal\" or \"full\"");
                return Err(Error::new(ErrorKind::Config, "INVALID_SETTINGS", message));
            }
        };
        Ok(settings)
    }
}

/// Opens the adapter. Needs an ambient tokio runtime.
///
/// # Errors
/// As the adapter's own `open`.
pub async fn open(settings: Settings, clock: Arc<dyn Clock>) -> Result<Arc<dyn Adapter>> {
    Ok(match settings {
        Settings::Memory => Arc::new(Memory::new(clock)),
        Settings::Sqlite(settings) => Arc::new(Sqlite::open(&settings.try_into()?, clock)?),
    })
}

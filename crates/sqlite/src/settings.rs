//! How a connection is opened.

use std::path::{Path, PathBuf};
use std::time::Duration;

use holdfast_base::{Error, ErrorKind, Result};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::Failure;

/// Between two attempts to set the journal mode.
const JOURNAL_MODE_PAUSE: Duration = Duration::from_millis(5);

/// When SQLite syncs to the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Synchronous {
    /// Never; survives the process, not the machine.
    Off,
    /// At checkpoints: consistent after a power cut, the last commits may be gone.
    #[default]
    Normal,
    /// At every commit.
    Full,
}

/// Settings of one database file.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The file; not looked at in memory.
    pub path: PathBuf,
    /// Keeps the database in memory: one connection, which the readers share with the writer, so that one waits for
    /// the other. It goes when it is closed. Default false.
    pub in_memory: bool,
    /// Write-ahead log (readers beside the writer). Default true.
    pub wal: bool,
    /// How long to wait for another process's lock, in milliseconds. Default 5000.
    pub busy_timeout_ms: u32,
    /// Default [`Synchronous::Normal`].
    pub synchronous: Synchronous,
    /// The WAL is cut to this after a checkpoint, in bytes. Default 64 MiB.
    pub journal_size_limit_bytes: u64,
    /// Page cache of each connection, in KiB. Default 8192.
    pub cache_kib: u32,
    /// Memory-mapped bytes. Default 0 (off).
    pub mmap_bytes: u64,
    /// The most reader connections. Default 4.
    pub max_readers: usize,
    /// Plans do not depend on what is bound to a statement (SQLite's QPSG). Else SQLite prepares some statements anew
    /// each time that another value is bound, and `like ?` may use an index. Default false.
    pub has_stable_plans: bool,
}

impl Settings {
    /// The defaults for a file.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            in_memory: false,
            wal: true,
            busy_timeout_ms: 5000,
            synchronous: Synchronous::Normal,
            journal_size_limit_bytes: 64 << 20,
            cache_kib: 8192,
            mmap_bytes: 0,
            max_readers: 4,
            has_stable_plans: false,
        }
    }

    /// The defaults for a database in memory.
    pub fn in_memory() -> Self {
        Self { in_memory: true, wal: false, ..Self::new(":memory:") }
    }

    /// Opens the connection that writes, making the file and its folder where missing.
    ///
    /// # Errors
    /// `Io` when the path can't be made or opened, `Integrity` when the file isn't SQLite's.
    pub fn connect_writer(&self) -> Result<Connection> {
        if self.in_memory {
            return self.connect(OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX);
        }
        if let Some(folder) = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(|error| cannot_open(&self.path, &error.to_string()))?;
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = self.connect(flags)?;
        let journal_mode = if self.wal { "wal" } else { "delete" };
        let synchronous = match self.synchronous {
            Synchronous::Off => "off",
            Synchronous::Normal => "normal",
            Synchronous::Full => "full",
        };
        let set_up = || -> Result<(), Failure> {
            self.set_journal_mode(&connection, journal_mode)?;
            connection.pragma_update(None, "synchronous", synchronous)?;
            // The pages that savepoints keep copies of stay in memory rather than in a file in /tmp.
            connection.pragma_update(None, "temp_store", "memory")?;
            let limit = i64::try_from(self.journal_size_limit_bytes).unwrap_or(i64::MAX);
            connection.pragma_update_and_check(None, "journal_size_limit", limit, |_| Ok(()))?;
            Ok(())
        };
        set_up().map_err(Error::from)?;
        Ok(connection)
    }

    /// SQLite's busy handler is not asked here: another connection that makes the file, or leaves it as the last one,
    /// is waited for by trying again.
    fn set_journal_mode(&self, connection: &Connection, mode: &str) -> rusqlite::Result<()> {
        let limit = Duration::from_millis(u64::from(self.busy_timeout_ms));
        let mut waited = Duration::ZERO;
        loop {
            match connection.pragma_update_and_check(None, "journal_mode", mode, |_| Ok(())) {
                Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) && waited < limit => {
                    std::thread::sleep(JOURNAL_MODE_PAUSE);
                    waited += JOURNAL_MODE_PAUSE;
                }
                done => return done,
            }
        }
    }

    /// Opens a connection that only reads an existing file.
    ///
    /// # Errors
    /// As [`Settings::connect_writer`].
    pub fn connect_reader(&self) -> Result<Connection> {
        let connection = self.connect(OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        connection.pragma_update(None, "query_only", true).map_err(|error| Error::from(Failure::from(error)))?;
        Ok(connection)
    }

    fn connect(&self, flags: OpenFlags) -> Result<Connection> {
        let connect = || -> Result<Connection, Failure> {
            let connection = match self.in_memory {
                true => Connection::open_in_memory_with_flags(flags)?,
                false => Connection::open_with_flags(&self.path, flags)?,
            };
            connection.busy_timeout(Duration::from_millis(u64::from(self.busy_timeout_ms)))?;
            connection.pragma_update(None, "cache_size", -i64::from(self.cache_kib))?;
            if self.mmap_bytes > 0 {
                let bytes = i64::try_from(self.mmap_bytes).unwrap_or(i64::MAX);
                connection.pragma_update_and_check(None, "mmap_size", bytes, |_| Ok(()))?;
            }
            if self.has_stable_plans {
                connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
            }
            connection.set_prepared_statement_cache_capacity(128);
            Ok(connection)
        };
        connect().map_err(|failure| {
            let error = Error::from(failure);
            match error.kind() {
                ErrorKind::Io => cannot_open(&self.path, error.message()),
                _ => error.with("path", self.path.display().to_string()),
            }
        })
    }
}

fn cannot_open(path: &Path, why: &str) -> Error {
    let message = format!("can't open {}: {why}", path.display());
    Error::new(ErrorKind::Io, "CANNOT_OPEN", message).with("path", path.display().to_string())
}

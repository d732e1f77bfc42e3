//! Keeps a second provider of this machine away from the file, and remembers whose lease died with us.

use std::fs::File;
use std::io::{Read, Seek, Write};
use std::path::Path;

use holdfast_base::{Error, ErrorKind, Result};
use uuid::Uuid;

use crate::local_history::beside;

/// Held as long as the process (or the provider) lives; the operating system frees it after a crash.
#[derive(Debug)]
pub(crate) struct FileLock(File);

impl FileLock {
    /// Takes it, making the database's folder where it is missing.
    ///
    /// # Errors
    /// `Locked` with code `DATABASE_LOCKED` when another provider has it.
    pub(crate) fn take(database: &Path) -> Result<Self> {
        if let Some(folder) = database.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder)?;
        }
        let path = beside(database, ".s3lock");
        let lock = File::options().read(true).write(true).create(true).truncate(false).open(path)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self(lock)),
            Err(std::fs::TryLockError::Error(error)) => Err(error.into()),
            Err(std::fs::TryLockError::WouldBlock) => {
                let message =
                    format!("{} is open in another provider on this machine; close that one", database.display());
                Err(Error::new(ErrorKind::Locked, "DATABASE_LOCKED", message))
            }
        }
    }

    /// Writes down the id of the lease that is about to be taken, and gives the ids of those that were
    /// taken under this lock before: whoever held them is dead.
    pub(crate) fn claim(&self, lock_id: Uuid) -> Result<Vec<String>> {
        let mut file = &self.0;
        let mut text = String::new();
        file.rewind()?;
        file.read_to_string(&mut text)?;
        let dead: Vec<String> = text.lines().take(8).map(str::to_owned).collect();
        file.set_len(0)?;
        file.rewind()?;
        let lines: Vec<&str> = dead.iter().map(String::as_str).collect();
        file.write_all(format!("{lock_id}\n{}\n", lines.join("\n")).as_bytes())?;
        file.sync_all()?;
        Ok(dead)
    }
}

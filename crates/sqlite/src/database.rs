//! One database file: a writer thread, a pool of readers.

use std::future::Future;
use std::sync::{Arc, Mutex};

use holdfast_base::{Error, Result};
use rusqlite::Connection;

use crate::readers::Readers;
use crate::writer::Writer;
use crate::{CommitProbe, Schema, Settings, Work};

/// A database file, open. Clones share it.
#[derive(Clone, Debug)]
pub struct Database {
    writer: Arc<Writer>,
    readers: Arc<Readers>,
}

impl Database {
    /// Opens (or makes) the file and brings it to the newest schema.
    ///
    /// # Errors
    /// `Io` when it can't be opened, `Integrity` when it is corrupt, foreign or newer; it is never recreated.
    pub fn open(settings: &Settings, schema: Schema) -> Result<Self> {
        let connection = settings.connect_writer()?;
        schema
            .apply(&connection)
            .map_err(|failure| Error::from(failure).with("path", settings.path.display().to_string()))?;
        let connection = Arc::new(Mutex::new(connection));
        let readers = match settings.in_memory {
            true => Readers::sharing(Arc::clone(&connection)),
            false => Readers::new(settings.clone()),
        };
        Ok(Self { writer: Arc::new(Writer::start(connection)?), readers: Arc::new(readers) })
    }

    /// Runs `work` on the writer thread in a transaction (shared with its neighbours) and answers after
    /// the commit. When `work` fails, what it changed is undone and nothing else is.
    ///
    /// # Errors
    /// What `work` fails with, or the commit.
    pub async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Work<T> + Send + 'static,
    ) -> Result<T> {
        self.writer.write(work).await
    }

    /// As [`Database::write`]; once the commit stands, `then` is called on the writer thread, in the order of the
    /// commits, before the answer. It must neither block nor panic.
    ///
    /// # Errors
    /// As [`Database::write`]; `then` is not called.
    pub async fn write_then<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Work<T> + Send + 'static,
        then: impl FnOnce(&mut T) + Send + 'static,
    ) -> Result<T> {
        self.writer.write_then(work, then).await
    }

    /// As [`Database::write`], but the work is queued before this returns: of two calls on one thread, the
    /// first is committed first. While the queue is full it blocks the calling thread, which is how a
    /// caller that never waits for answers is slowed down to the disk. Called where a tokio runtime is
    /// current it never blocks; there it waits for room when awaited, in no promised order.
    ///
    /// # Errors
    /// As [`Database::write`].
    pub fn submit<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Work<T> + Send + 'static,
    ) -> impl Future<Output = Result<T>> + Send + 'static {
        self.writer.submit_then(work, |_| {})
    }

    /// As [`Database::submit`], with a `then` as that of [`Database::write_then`].
    ///
    /// # Errors
    /// As [`Database::write`]; `then` is not called.
    pub fn submit_then<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Work<T> + Send + 'static,
        then: impl FnOnce(&mut T) + Send + 'static,
    ) -> impl Future<Output = Result<T>> + Send + 'static {
        self.writer.submit_then(work, then)
    }

    /// Runs `work` on the writer thread outside any transaction (pragma, checkpoint, vacuum).
    ///
    /// # Errors
    /// What `work` fails with.
    pub async fn alone<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Work<T> + Send + 'static,
    ) -> Result<T> {
        self.writer.alone(work).await
    }

    /// Runs `work` with a reader connection on the calling thread. Each statement sees what was committed
    /// when it began; start a transaction in `work` for a view across statements.
    ///
    /// # Errors
    /// What `work` fails with.
    pub fn read<T>(&self, work: impl FnOnce(&Connection) -> Work<T>) -> Result<T> {
        Ok(self.readers.with(work)??)
    }

    /// What tells whether anybody commits, this process or another.
    ///
    /// # Errors
    /// As [`Settings::connect_reader`]; `Internal` for a database in memory, which nobody else can open.
    pub fn commit_probe(&self) -> Result<CommitProbe> {
        CommitProbe::new(self.readers.connect()?)
    }

    /// Finishes the queued writes, checkpoints and closes. Calls after it are `Closed`. Closing twice is fine.
    pub async fn close(&self) {
        self.readers.close();
        self.writer.close().await;
    }
}

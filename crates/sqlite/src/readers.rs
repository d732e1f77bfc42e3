//! A bounded pool of connections that only read.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use holdfast_base::{Error, Result};
use rusqlite::Connection;

use crate::Settings;

/// Opened on demand, at most `settings.max_readers`; a caller past that waits for one to come back.
#[derive(Debug)]
pub(crate) struct Readers {
    source: Source,
    state: Mutex<State>,
    returned: Condvar,
}

/// Where a connection for a reader comes from.
#[derive(Debug)]
enum Source {
    /// The file is opened once more.
    File(Settings),
    /// There is one connection, that of the writer.
    Writer(Mutex<Option<Arc<Mutex<Connection>>>>),
}

#[derive(Debug, Default)]
struct State {
    idle: Vec<Connection>,
    open: usize,
    closed: bool,
}

impl Readers {
    pub(crate) fn new(settings: Settings) -> Self {
        Self { source: Source::File(settings), state: Mutex::default(), returned: Condvar::new() }
    }

    /// Readers that take turns with the writer; they see only what is committed, since it holds the lock until then.
    pub(crate) fn sharing(connection: Arc<Mutex<Connection>>) -> Self {
        let source = Source::Writer(Mutex::new(Some(connection)));
        Self { source, state: Mutex::default(), returned: Condvar::new() }
    }

    /// Runs `work` with a reader connection on this thread.
    pub(crate) fn with<T>(&self, work: impl FnOnce(&Connection) -> T) -> Result<T> {
        let settings = match &self.source {
            Source::File(settings) => settings,
            Source::Writer(connection) => {
                let shared = lock(connection).clone().ok_or_else(|| Error::closed("the database"))?;
                let connection = lock(&shared);
                return Ok(work(&connection));
            }
        };
        let reader = Lent { readers: self, connection: Some(self.take(settings)?) };
        // Invariant: `connection` is `Some` until `Lent` is dropped.
        match reader.connection.as_ref() {
            Some(connection) => Ok(work(connection)),
            None => Err(Error::internal("a lent reader lost its connection")),
        }
    }

    /// A connection that only reads, outside the pool.
    pub(crate) fn connect(&self) -> Result<Connection> {
        match &self.source {
            Source::File(settings) => settings.connect_reader(),
            Source::Writer(_) => Err(Error::internal("a database in memory has one connection")),
        }
    }

    /// Closes the idle connections; those in use are closed when they come back.
    pub(crate) fn close(&self) {
        let mut state = self.state();
        state.closed = true;
        state.idle.clear();
        if let Source::Writer(connection) = &self.source {
            lock(connection).take();
        }
        self.returned.notify_all();
    }

    fn take(&self, settings: &Settings) -> Result<Connection> {
        let mut state = self.state();
        loop {
            if state.closed {
                return Err(Error::closed("the database"));
            }
            if let Some(connection) = state.idle.pop() {
                return Ok(connection);
            }
            if state.open < settings.max_readers.max(1) {
                state.open += 1;
                break;
            }
            state = self.returned.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        drop(state);
        settings.connect_reader().inspect_err(|_| self.state().open -= 1)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A connection on loan; goes back when dropped, also by a panic.
struct Lent<'a> {
    readers: &'a Readers,
    connection: Option<Connection>,
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let mut state = self.readers.state();
        match self.connection.take().filter(|connection| !state.closed && connection.is_autocommit()) {
            Some(connection) => state.idle.push(connection),
            None => state.open -= 1,
        }
        self.readers.returned.notify_one();
    }
}

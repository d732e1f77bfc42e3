//! The thread that owns the writing connection.
//!
//! Invariants: every commit goes through here and is noted in the backlog by SQLite's own hook, whatever
//! the statement; a second connection holds a read transaction at the start of the log's run, so that no
//! other process can checkpoint or restart it; the log is only ever checkpointed by [`Owner::checkpoint`].

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;

use holdfast_base::{Clock, Error, ErrorKind, Result};
use holdfast_sqlite::rusqlite::Connection;
use holdfast_sqlite::{Failure, Settings};
use tokio::sync::oneshot;

use crate::authorizer::{Authorizer, Caller};
use crate::backlog::Backlog;
use crate::reader_pool::keep_log_at_close;
use crate::statement::{Rows, Statement};
use crate::step::{Step, StepSink};

type Job = Box<dyn FnOnce(&mut Owner) + Send>;

/// Hands work to the writer thread, in order.
#[derive(Debug)]
pub(crate) struct Writer {
    jobs: mpsc::Sender<Job>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    pub(crate) fn start(
        settings: &Settings,
        backlog: Arc<Backlog>,
        clock: Arc<dyn Clock>,
        steps: StepSink,
    ) -> Result<Self> {
        let mut owner = Owner::open(settings, backlog, clock, steps)?;
        let (jobs, queue) = mpsc::channel::<Job>();
        let work = move || {
            while let Ok(job) = queue.recv() {
                job(&mut owner);
                if owner.connection.is_none() {
                    break;
                }
            }
        };
        let thread = std::thread::Builder::new().name("holdfast-replica".to_owned()).spawn(work)?;
        Ok(Self { jobs, thread: Mutex::new(Some(thread)) })
    }

    /// Runs `work` on the thread.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Owner) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (reply, answer) = oneshot::channel();
        self.send(Box::new(move |owner| drop(reply.send(work(owner)))))?;
        answer.await.map_err(|_| Error::internal("the writer thread ended while it worked"))?
    }

    /// Hands over work whose outcome nobody waits for.
    pub(crate) fn send(&self, job: Job) -> Result<()> {
        self.jobs.send(job).map_err(|_| Error::closed("the database"))
    }

    /// Finishes what is queued and closes the connections. Blocks.
    pub(crate) fn close(&self) {
        let Some(thread) = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take() else { return };
        let stop: Job = Box::new(Owner::stop);
        if self.jobs.send(stop).is_ok() {
            drop(thread.join());
        }
    }
}

/// The writing connection and what belongs to it.
pub(crate) struct Owner {
    connection: Option<Connection>,
    guard: Option<Connection>,
    authorizer: Authorizer,
    /// Frames in the log after the last commit; 0 when there was none since it was looked at.
    hooked: Arc<AtomicU32>,
    backlog: Arc<Backlog>,
    clock: Arc<dyn Clock>,
    cycle: u64,
    steps: StepSink,
}

impl Owner {
    fn open(settings: &Settings, backlog: Arc<Backlog>, clock: Arc<dyn Clock>, steps: StepSink) -> Result<Self> {
        let mut connection = settings.connect_writer()?;
        keep_log_at_close(&connection)?;
        let hooked = Arc::new(AtomicU32::new(0));
        let seen = Arc::clone(&hooked);
        let hook = move |wal: &mut holdfast_sqlite::rusqlite::hooks::Wal, frames: i32| {
            if wal.name() == c"main" {
                seen.store(u32::try_from(frames).unwrap_or(0), Ordering::SeqCst);
            }
            Ok(())
        };
        // The hook takes the place of automatic checkpoints.
        connection.wal_hook(Some(hook)).map_err(sqlite)?;
        let authorizer = Authorizer::default();
        authorizer.install(&mut connection)?;
        let guard = settings.connect_reader()?;
        keep_log_at_close(&guard)?;
        pin(&guard)?;
        let (connection, guard) = (Some(connection), Some(guard));
        Ok(Self { connection, guard, authorizer, hooked, backlog, clock, cycle: 0, steps })
    }

    /// Runs a statement on its own. The number of its commit, when it committed something.
    pub(crate) fn execute(&mut self, statement: &Statement) -> Result<(Rows, Option<u64>)> {
        let caller = if statement.is_vacuum() { Caller::House } else { Caller::Statement };
        let rows = self.authorizer.on_behalf(caller, || statement.run(self.connection()?));
        let number = self.note_commit();
        Ok((rows?, number))
    }

    /// Runs a statement in the open transaction.
    pub(crate) fn execute_inside(&mut self, statement: &Statement) -> Result<Rows> {
        self.expect_transaction()?;
        self.authorizer.on_behalf(Caller::Transaction, || statement.run(self.connection()?))
    }

    /// BEGIN and its kin.
    pub(crate) fn control(&mut self, sql: &str) -> Result<Option<u64>> {
        if sql != "begin immediate" {
            self.expect_transaction()?;
        }
        self.authorizer.on_behalf(Caller::House, || Ok(self.connection()?.execute_batch(sql)?))?;
        Ok(self.note_commit())
    }

    /// Ends a transaction that was given up; fine when SQLite has ended it already.
    pub(crate) fn roll_back(&mut self) -> Result<()> {
        if self.connection()?.is_autocommit() {
            return Ok(());
        }
        self.control("rollback").map(drop)
    }

    /// Keeps everybody from writing, other processes too, until [`Self::release`].
    pub(crate) fn hold(&mut self) -> Result<()> {
        self.control("begin immediate").map(drop)
    }

    /// Lets others write again.
    pub(crate) fn release(&mut self) -> Result<()> {
        self.roll_back()
    }

    /// Notes commits of another process, up to a frame.
    pub(crate) fn note_foreign(&mut self, frame: u32) -> u64 {
        self.backlog.add(self.cycle, frame, self.clock.now_ms())
    }

    /// Moves stored frames into the main file; whether all were moved, so that the log starts again. The
    /// caller holds the writer and has made sure that every frame is stored.
    pub(crate) fn checkpoint(&mut self) -> Result<bool> {
        let guard = self.guard.as_ref().ok_or_else(|| Error::closed("the database"))?;
        let moved = guard.execute_batch("commit").map_err(sqlite).and_then(|()| move_frames(guard));
        pin(guard)?;
        self.steps.tell(Step::Checkpointed);
        let (busy, frames, done) = moved?;
        let is_complete = busy == 0 && frames == done;
        if is_complete {
            self.cycle += 1;
            self.backlog.restarted();
        }
        Ok(is_complete)
    }

    fn expect_transaction(&self) -> Result<()> {
        if self.connection()?.is_autocommit() {
            let message =
                "SQLite has rolled the transaction back after an earlier error; nothing of it was kept. Run it again";
            return Err(Error::new(ErrorKind::Aborted, "TRANSACTION_LOST", message));
        }
        Ok(())
    }

    fn note_commit(&mut self) -> Option<u64> {
        let frames = self.hooked.swap(0, Ordering::SeqCst);
        if frames > 0 {
            self.steps.tell(Step::Committed);
        }
        (frames > 0).then(|| self.backlog.add(self.cycle, frames, self.clock.now_ms()))
    }

    fn connection(&self) -> Result<&Connection> {
        self.connection.as_ref().ok_or_else(|| Error::closed("the database"))
    }

    fn stop(&mut self) {
        self.connection = None;
        self.guard = None;
    }
}

/// Whether it was busy, the frames in the log, and how many of them are in the main file now.
fn move_frames(guard: &Connection) -> Result<(i64, i64, i64)> {
    let moved =
        guard.query_row("pragma wal_checkpoint(passive)", [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
    moved.map_err(sqlite)
}

/// Begins the guard's read transaction.
fn pin(guard: &Connection) -> Result<()> {
    guard.execute_batch("begin").map_err(sqlite)?;
    guard.query_row("select count(*) from sqlite_schema", [], |_| Ok(())).map_err(sqlite)
}

/// Brings a file into write-ahead mode, with its log beside it; makes it where it is missing.
pub(crate) fn prepare(settings: &Settings) -> Result<()> {
    let connection = settings.connect_writer()?;
    keep_log_at_close(&connection)?;
    let is_empty = || std::fs::metadata(&settings.path).map(|meta| meta.len() == 0);
    if is_empty()? {
        connection.execute_batch("vacuum").map_err(sqlite)?;
    }
    connection.query_row("select count(*) from sqlite_schema", [], |_| Ok(())).map_err(sqlite)?;
    drop(connection);
    Ok(())
}

/// Removes the log's files of a database that is not open.
pub(crate) fn remove_log(path: &Path) -> Result<()> {
    for suffix in ["-wal", "-shm"] {
        let stale = crate::local_history::beside(path, suffix);
        if stale.exists() {
            std::fs::remove_file(stale)?;
        }
    }
    Ok(())
}

fn sqlite(error: holdfast_sqlite::rusqlite::Error) -> Error {
    Failure::from(error).into()
}

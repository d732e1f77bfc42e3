//! The thread that owns the writing connection, and group commit.
//!
//! Invariants: at most [`MAX_GROUP`] pieces of work share a transaction; the queue is bounded, so that a
//! caller waits when the disk is slower than the callers; no answer leaves before its commit.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use holdfast_base::{Error, Result};
use rusqlite::Connection;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};

use crate::{Failure, Work};

const QUEUE_LENGTH: usize = 1024;
const MAX_GROUP: usize = 256;

/// Work on the connection, or the error that kept it from running. It keeps its own answer and hands it over
/// when told how the commit went.
type Job = Box<dyn FnOnce(Result<&Connection, Error>) -> (bool, Answer) + Send>;
type Answer = Box<dyn FnOnce(Option<Error>) + Send>;

enum Order {
    Write(Job),
    /// Outside any transaction (checkpoint, vacuum, pragma).
    Alone(Job),
    Close(oneshot::Sender<()>),
}

/// Hands work to the writer thread.
#[derive(Debug)]
pub(crate) struct Writer {
    orders: mpsc::Sender<Order>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    /// Nobody else holds the connection's lock for long: readers of a database in memory do, for one read.
    pub(crate) fn start(connection: Arc<Mutex<Connection>>) -> Result<Self> {
        let (orders, queue) = mpsc::channel(QUEUE_LENGTH);
        let thread =
            std::thread::Builder::new().name("holdfast-writer".to_owned()).spawn(move || run(connection, queue))?;
        Ok(Self { orders, thread: Mutex::new(Some(thread)) })
    }

    /// Runs `work` inside a transaction shared with its neighbours; answers after the commit.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Work<T> + Send + 'static,
    ) -> Result<T> {
        self.order(work, |_| {}, Order::Write).await
    }

    /// As [`Writer::write`], with what is to be done right after the commit; see [`crate::Database::write_then`].
    pub(crate) async fn write_then<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Work<T> + Send + 'static,
        then: impl FnOnce(&mut T) + Send + 'static,
    ) -> Result<T> {
        self.order(work, then, Order::Write).await
    }

    /// Runs `work` outside any transaction.
    pub(crate) async fn alone<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Work<T> + Send + 'static,
    ) -> Result<T> {
        self.order(work, |_| {}, Order::Alone).await
    }

    /// Queues `work` before it returns; see [`crate::Database::submit_then`].
    pub(crate) fn submit_then<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Work<T> + Send + 'static,
        then: impl FnOnce(&mut T) + Send + 'static,
    ) -> impl Future<Output = Result<T>> + Send + 'static {
        let (job, answered) = job_of(work, then);
        let queued = match self.orders.try_send(Order::Write(job)) {
            Ok(()) => Queued::Sent,
            Err(TrySendError::Closed(_)) => Queued::Closed,
            Err(TrySendError::Full(order)) if tokio::runtime::Handle::try_current().is_ok() => {
                Queued::Waiting(self.orders.clone(), order)
            }
            Err(TrySendError::Full(order)) => match self.orders.blocking_send(order) {
                Ok(()) => Queued::Sent,
                Err(_) => Queued::Closed,
            },
        };
        async move {
            match queued {
                Queued::Sent => {}
                Queued::Closed => return Err(Error::closed("the database")),
                Queued::Waiting(orders, order) => {
                    orders.send(order).await.map_err(|_| Error::closed("the database"))?;
                }
            }
            answered.await.map_err(|_| Error::closed("the database"))?
        }
    }

    async fn order<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Work<T> + Send + 'static,
        then: impl FnOnce(&mut T) + Send + 'static,
        order: fn(Job) -> Order,
    ) -> Result<T> {
        let (job, answered) = job_of(work, then);
        self.orders.send(order(job)).await.map_err(|_| Error::closed("the database"))?;
        answered.await.map_err(|_| Error::closed("the database"))?
    }

    /// Finishes what is queued, checkpoints, closes the connection and joins the thread.
    pub(crate) async fn close(&self) {
        let (done, finished) = oneshot::channel();
        if self.orders.send(Order::Close(done)).await.is_ok() {
            let _ = finished.await;
        }
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }
}

/// What became of an order that was to be queued at once.
enum Queued {
    Sent,
    Closed,
    Waiting(mpsc::Sender<Order>, Order),
}

fn job_of<T: Send + 'static>(
    work: impl FnOnce(&Connection) -> Work<T> + Send + 'static,
    then: impl FnOnce(&mut T) + Send + 'static,
) -> (Job, oneshot::Receiver<Result<T>>) {
    let (answer, answered) = oneshot::channel::<Result<T>>();
    let job: Job = Box::new(move |connection| {
        let outcome = connection.and_then(|connection| {
            catch_unwind(AssertUnwindSafe(|| work(connection)))
                .unwrap_or_else(|_| Err(Error::internal("a write panicked and was undone").into()))
                .map_err(Error::from)
        });
        let succeeded = outcome.is_ok();
        let hand_over: Answer = Box::new(move |commit_error| {
            let mut outcome = commit_error.map_or(outcome, Err);
            if let Ok(value) = &mut outcome {
                then(value);
            }
            // A caller that has gone away no longer wants the answer.
            let _ = answer.send(outcome);
        });
        (succeeded, hand_over)
    });
    (job, answered)
}

fn run(shared: Arc<Mutex<Connection>>, mut queue: mpsc::Receiver<Order>) {
    let mut next = queue.blocking_recv();
    while let Some(order) = next.take() {
        let connection = shared.lock().unwrap_or_else(PoisonError::into_inner);
        match order {
            Order::Write(job) => {
                let mut group = vec![job];
                while group.len() < MAX_GROUP {
                    match queue.try_recv() {
                        Ok(Order::Write(job)) => group.push(job),
                        Ok(other) => {
                            next = Some(other);
                            break;
                        }
                        Err(_) => break,
                    }
                }
                commit_group(&connection, group);
            }
            Order::Alone(job) => {
                let (_, hand_over) = job(Ok(&connection));
                hand_over(None);
            }
            Order::Close(done) => {
                queue.close();
                // Best effort: what is not checkpointed stays in the WAL and is read from there.
                let _ = connection.execute_batch("pragma optimize; pragma wal_checkpoint(truncate)");
                drop(connection);
                drop(shared);
                let _ = done.send(());
                return;
            }
        }
        drop(connection);
        if next.is_none() {
            next = queue.blocking_recv();
        }
    }
}

/// One transaction for the whole group. Each job is a savepoint, so that one that fails undoes itself alone.
/// When the transaction fails, every job of the group is answered with its error.
fn commit_group(connection: &Connection, group: Vec<Job>) {
    let mut waiting = group.into_iter();
    let mut answers = Vec::with_capacity(waiting.len());
    let committed = run_group(connection, &mut waiting, &mut answers);
    let error = committed.err().map(|failure| {
        if !connection.is_autocommit() {
            // The transaction is lost either way; the error that made it so is the one to tell.
            let _ = execute(connection, "rollback");
        }
        Error::from(failure)
    });
    for answer in answers {
        answer(error.clone());
    }
    for job in waiting {
        let never_ran = error.clone().unwrap_or_else(|| Error::internal("a write was left over by its group"));
        let (_, answer) = job(Err(never_ran));
        answer(None);
    }
}

/// Runs the jobs one by one and commits. On an error, the jobs that never ran are left in `waiting`.
fn run_group(
    connection: &Connection,
    waiting: &mut std::vec::IntoIter<Job>,
    answers: &mut Vec<Answer>,
) -> Result<(), Failure> {
    execute(connection, "begin immediate")?;
    // One alone needs no savepoint, which would keep a copy of every page that it changes.
    if let [_] = waiting.as_slice() {
        let succeeded = waiting.next().map(|job| job(Ok(connection))).is_some_and(|(succeeded, answer)| {
            answers.push(answer);
            succeeded
        });
        // What SQLite itself rolled back (a full disk) is rolled back already.
        return match (succeeded, connection.is_autocommit()) {
            (true, _) => execute(connection, "commit"),
            (false, false) => execute(connection, "rollback"),
            (false, true) => Ok(()),
        };
    }
    while !waiting.as_slice().is_empty() {
        execute(connection, "savepoint work")?;
        let Some(job) = waiting.next() else { break };
        let (succeeded, answer) = job(Ok(connection));
        answers.push(answer);
        if !succeeded {
            execute(connection, "rollback to work")?;
        }
        execute(connection, "release work")?;
    }
    execute(connection, "commit")
}

fn execute(connection: &Connection, sql: &str) -> Result<(), Failure> {
    connection.prepare_cached(sql)?.execute([])?;
    Ok(())
}

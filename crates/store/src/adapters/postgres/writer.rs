//! One task commits for the whole store: what came while a transaction ran is the next transaction.
//!
//! What was acknowledged is committed. When a connection breaks before the commit was sent, the group is run again.
//! When it breaks afterwards, the server is asked by the transaction's id what became of it: nothing is done twice,
//! and nothing is reported as failed that was done.

use std::sync::{Mutex, PoisonError};

use deadpool_postgres::Object;
use holdfast_base::{Error, ErrorKind, Result};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_postgres::error::SqlState;

use super::Database;
use super::commit::{self, Broken, Results, Transaction};
use super::failure::{Failure, Work};
use super::server::Patience;
use crate::{Answer, Batch, Outcome, Pending, Step};

/// A group is closed when it has so many batches, or so many bytes.
const GROUP_BATCHES: usize = 500;
const GROUP_BYTES: usize = 4 << 20;

struct Order {
    batch: Batch,
    answer: oneshot::Sender<Result<Vec<Outcome>>>,
}

/// The way to the writing task.
pub(super) struct Writer {
    orders: Mutex<Option<mpsc::UnboundedSender<Order>>>,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    /// Starts the task; it ends with its last order after a close, or after the last handle is gone.
    pub(super) fn start(database: Database) -> Self {
        let (orders, queue) = mpsc::unbounded_channel();
        let task = tokio::spawn(run(database, queue));
        Self { orders: Mutex::new(Some(orders)), task: Mutex::new(Some(task)) }
    }

    /// Orders a batch: the order of calls is the order of commits.
    pub(super) fn submit(&self, batch: Batch) -> Answer<Vec<Outcome>> {
        let (answer, answered) = oneshot::channel();
        let orders = self.orders.lock().unwrap_or_else(PoisonError::into_inner);
        let sent = orders.as_ref().is_some_and(|orders| orders.send(Order { batch, answer }).is_ok());
        if !sent {
            return Answer::Now(Err(Error::closed("the store")));
        }
        Answer::later(async move {
            answered.await.unwrap_or_else(|_| Err(Error::internal("the writer of the store ended before its work")))
        })
    }

    /// Refuses new batches, and waits for those that came.
    pub(super) fn close(&self) -> Pending<()> {
        self.orders.lock().unwrap_or_else(PoisonError::into_inner).take();
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        Box::pin(async move {
            if let Some(task) = task {
                task.await.map_err(|error| Error::internal(error.to_string()))?;
            }
            Ok(())
        })
    }
}

async fn run(database: Database, mut queue: mpsc::UnboundedReceiver<Order>) {
    while let Some(first) = queue.recv().await {
        let mut bytes = bytes_of(&first.batch);
        let (mut batches, mut answers) = (vec![first.batch], vec![first.answer]);
        while batches.len() < GROUP_BATCHES && bytes < GROUP_BYTES {
            let Ok(next) = queue.try_recv() else { break };
            bytes += bytes_of(&next.batch);
            batches.push(next.batch);
            answers.push(next.answer);
        }
        for (answer, result) in answers.into_iter().zip(commit_group(&database, batches).await) {
            // A caller that no longer waits needs no answer.
            let _ = answer.send(result);
        }
    }
}

fn bytes_of(batch: &Batch) -> usize {
    let of_step = |step: &Step| match step {
        Step::Put { value, .. } | Step::Restore { value, .. } => value.len(),
        Step::Append { payload, .. } => payload.len(),
        _ => 0,
    };
    batch.steps.iter().map(|step| 128 + of_step(step)).sum()
}

/// Commits all; where the server refuses the group, each batch by itself, so that one can't harm the others.
async fn commit_group(database: &Database, batches: Vec<Batch>) -> Results {
    match persist(database, &batches).await {
        Ok(results) => results,
        Err(error) if batches.len() == 1 || error.is_retryable() => {
            batches.iter().map(|_| Err(error.clone())).collect()
        }
        Err(_) => {
            let mut results = Vec::with_capacity(batches.len());
            for batch in batches {
                match persist(database, &[batch]).await {
                    Ok(one) => results.extend(one),
                    Err(error) => results.push(Err(error)),
                }
            }
            results
        }
    }
}

/// Commits a group, again and again while the server is away or others are in the way.
async fn persist(database: &Database, batches: &[Batch]) -> Result<Results> {
    let mut patience = Patience::default();
    loop {
        let Broken { failure, unsure } = match attempt(database, batches).await {
            Ok(results) => return Ok(results),
            Err(broken) => broken,
        };
        if let Some((transaction, results)) = unsure
            && is_committed(database, &transaction).await?
        {
            return Ok(results);
        }
        patience.bear(failure).await.map_err(Failure::into_error)?;
    }
}

async fn attempt(database: &Database, batches: &[Batch]) -> std::result::Result<Results, Broken> {
    let client = database.server.client().await?;
    let outcome = commit::commit(database, &client, batches).await;
    if outcome.is_err() && client.batch_execute("rollback").await.is_err() {
        // What is in an unknown state goes back to nobody.
        drop(Object::take(client));
    }
    outcome
}

/// What became of a transaction whose commit was not answered.
async fn is_committed(database: &Database, transaction: &Transaction) -> Result<bool> {
    let mut patience = Patience::default();
    let unknown = |why: &str| {
        let message =
            format!("nobody knows whether the last writes were done ({why}); read them back before trying again");
        Error::new(ErrorKind::Connection, "OUTCOME_UNKNOWN", message)
    };
    loop {
        match status(database, transaction).await {
            Ok(Some(status)) if status == "committed" => return Ok(true),
            Ok(Some(status)) if status == "aborted" => return Ok(false),
            // Its session has not noticed yet that we are gone; `status` has ended it.
            Ok(Some(_)) => tokio::time::sleep(std::time::Duration::from_millis(50)).await,
            Ok(None) => return Err(unknown("the server has forgotten")),
            Err(failure) => patience.bear(failure).await.map_err(|failure| unknown(failure.into_error().message()))?,
        }
    }
}

async fn status(database: &Database, transaction: &Transaction) -> Work<Option<String>> {
    let client = database.server.client().await?;
    let sql = "select pg_xact_status($1::text::xid8) as status,
         (select count(pg_terminate_backend(pid)) from pg_stat_activity where backend_xid::text = ($1::text::xid8)::xid::text)";
    match client.query_one(sql, &[&transaction.id]).await {
        Ok(row) => Ok(row.try_get(0)?),
        // A server that crashed may not know the number: then nothing of it was written.
        Err(error) if error.code() == Some(&SqlState::INVALID_PARAMETER_VALUE) => Ok(Some("aborted".to_owned())),
        Err(error) => Err(error.into()),
    }
}

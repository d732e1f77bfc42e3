//! A transaction that stays open between calls: it owns the writer, and everybody else's writes wait.

use std::sync::Arc;

use holdfast_base::{Error, Result};
use tokio::sync::OwnedSemaphorePermit;

use crate::open_database::OpenDatabase;
use crate::statement::{Rows, Statement};

/// Dropped without an end, it is rolled back.
#[derive(Debug)]
pub struct Transaction {
    replica: Arc<OpenDatabase>,
    turn: Option<OwnedSemaphorePermit>,
    depth: u32,
}

impl Transaction {
    pub(crate) async fn begin(replica: Arc<OpenDatabase>) -> Result<Self> {
        let turn = replica.turn().await?;
        replica.writer.run(|owner| owner.control("begin immediate")).await?;
        Ok(Self { replica, turn: Some(turn), depth: 0 })
    }

    /// Runs a statement in the transaction.
    ///
    /// # Errors
    /// What SQLite refuses; `Aborted` with code `TRANSACTION_LOST` when SQLite has rolled back by itself;
    /// `Closed` after the end.
    pub async fn execute(&self, statement: Statement) -> Result<Rows> {
        self.expect_open()?;
        self.replica.writer.run(move |owner| owner.execute_inside(&statement)).await
    }

    /// Begins a transaction inside this one.
    ///
    /// # Errors
    /// As [`Self::execute`].
    pub async fn begin_nested(&mut self) -> Result<()> {
        self.expect_open()?;
        let sql = format!("savepoint \"holdfast {}\"", self.depth + 1);
        self.replica.writer.run(move |owner| owner.control(&sql)).await?;
        self.depth += 1;
        Ok(())
    }

    /// Ends the innermost nested transaction, keeping or undoing what it did.
    ///
    /// # Errors
    /// As [`Self::execute`]; `Internal` when there is none.
    pub async fn end_nested(&mut self, keep: bool) -> Result<()> {
        self.expect_open()?;
        let depth = self.depth;
        self.depth = depth.checked_sub(1).ok_or_else(|| Error::internal("no nested transaction is open"))?;
        let name = format!("\"holdfast {depth}\"");
        let sql = if keep { format!("release {name}") } else { format!("rollback to {name}; release {name}") };
        self.replica.writer.run(move |owner| owner.control(&sql)).await.map(drop)
    }

    /// Commits; in sync mode, waits until it is stored.
    ///
    /// # Errors
    /// What SQLite refuses (then nothing is kept); `Connection` with code `NOT_REPLICATED` when it is
    /// committed here and could not be stored.
    pub async fn commit(&mut self) -> Result<()> {
        let turn = self.turn.take().ok_or_else(ended)?;
        let committed =
            self.replica.writer.run(|owner| owner.control("commit").inspect_err(|_| drop(owner.roll_back())));
        let number = committed.await?;
        drop(turn);
        self.replica.acknowledge(number).await
    }

    /// Undoes everything. Fine when it has ended already.
    ///
    /// # Errors
    /// What SQLite refuses.
    pub async fn roll_back(&mut self) -> Result<()> {
        let Some(turn) = self.turn.take() else { return Ok(()) };
        let done = self.replica.writer.run(|owner| owner.roll_back()).await;
        drop(turn);
        done
    }

    fn expect_open(&self) -> Result<()> {
        if self.turn.is_some() { Ok(()) } else { Err(ended()) }
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        if let Some(turn) = self.turn.take() {
            let undo = move |owner: &mut crate::writer::Owner| {
                drop(owner.roll_back());
                drop(turn);
            };
            drop(self.replica.writer.send(Box::new(undo)));
        }
    }
}

fn ended() -> Error {
    Error::closed("the transaction")
}

//! The SQLite adapter: one file for all four classes.
//!
//! Reads run on the caller's thread with a reader connection (WAL: they never wait for the writer);
//! writes go to the writer thread, which commits what queued in one transaction.
//!
//! Others who have the file open hear of commits through a table, while they follow (see `followers.rs`).
//!
//! A background sweep takes away what nobody can see any more: expired values, replaced and abandoned
//! blobs. It never touches what a reader of this process has open.

mod blobs;
mod commit;
mod entries;
mod events;
mod followers;
mod news;
mod schema;
mod sweep;

use std::sync::Arc;

use holdfast_base::{Clock, Result};
use holdfast_sqlite::rusqlite::types::{ToSqlOutput, ValueRef};
use holdfast_sqlite::rusqlite::{self, ToSql};
use holdfast_sqlite::{Database, Schema};

use crate::adapters::leases::Leases;
use crate::adapters::{signed, unsigned};
use crate::ports::Hear;
use crate::{Adapter, Answer, Batch, Capabilities, Outcome, Pending};
pub(in crate::adapters) use commit::{Tables, event_of};
pub(in crate::adapters) use schema::{FIRST as FIRST_TABLES, FOLLOWERS as FOLLOWERS_TABLES};

/// A store in a file. Clones share it.
#[derive(Clone)]
pub struct Sqlite {
    database: Database,
    clock: Arc<dyn Clock>,
    /// How many readers of this process have each blob's body open.
    leases: Leases,
    sweeper: Arc<sweep::Sweeper>,
    /// Its name among the stores that have the file open.
    origin: Arc<str>,
    listener: Arc<news::Listener>,
}

impl Sqlite {
    /// Opens (or makes) the file. Needs an ambient tokio runtime, on which the sweep runs.
    ///
    /// # Errors
    /// As [`Database::open`].
    pub fn open(settings: &holdfast_sqlite::Settings, clock: Arc<dyn Clock>) -> Result<Self> {
        Self::open_as(settings, schema::SCHEMA, clock)
    }

    /// Opens a file that has these tables and more.
    pub(in crate::adapters) fn open_as(
        settings: &holdfast_sqlite::Settings,
        schema: Schema,
        clock: Arc<dyn Clock>,
    ) -> Result<Self> {
        let database = Database::open(settings, schema)?;
        let leases = Leases::default();
        let sweeper = Arc::new(sweep::Sweeper::start(database.clone(), Arc::clone(&clock), leases.clone()));
        let origin = uuid::Uuid::new_v4().to_string().into();
        Ok(Self { database, clock, leases, sweeper, origin, listener: Arc::default() })
    }

    /// The file.
    pub(in crate::adapters) fn database(&self) -> &Database {
        &self.database
    }

    /// Takes away now what the background sweep would take away later.
    ///
    /// # Errors
    /// As any write.
    pub async fn sweep(&self) -> Result<()> {
        sweep::sweep(&self.database, self.clock.now_ms(), &self.leases).await
    }
}

impl Adapter for Sqlite {
    fn capabilities(&self) -> Capabilities {
        Capabilities { atomic: true, ordered: true, presign: false, durable: true, multi_process: true, notifies: true }
    }

    fn commit(&self, batch: Batch) -> Answer<Vec<Outcome>> {
        let (clock, origin) = (Arc::clone(&self.clock), Arc::clone(&self.origin));
        let committed =
            self.database.submit(move |connection| commit::commit(connection, batch, &origin, clock.now_ms()));
        Answer::Later(Box::pin(committed))
    }

    fn follow(&self, hear: Hear) -> Pending<()> {
        let store = self.clone();
        Box::pin(async move {
            let follower = news::Follower::begin(&store.database, &store.clock, &store.origin).await?;
            store.listener.start(follower, hear);
            Ok(())
        })
    }

    fn close(&self) -> Pending<()> {
        let store = self.clone();
        Box::pin(async move {
            store.sweeper.stop();
            if let Some(task) = store.listener.stop() {
                // It was aborted; what it held is let go of then.
                let _ = task.await;
                let origin = Arc::clone(&store.origin);
                // Best effort: who can't say that it leaves is forgotten when its time is over.
                let _ = store.database.write(move |connection| followers::leave(connection, &origin)).await;
            }
            store.database.close().await;
            Ok(())
        })
    }
}

/// A bound of keys as SQLite compares them: text, also where it isn't UTF-8 (the end of a prefix).
struct KeyBound(Vec<u8>);

impl ToSql for KeyBound {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Text(&self.0)))
    }
}

//! The PostgreSQL adapter: a schema for all four classes.
//!
//! Reads run on the connections of a pool. Changes go to one task, which commits what queued in one transaction of
//! two round trips; see `commit.rs` for its locks and `writer.rs` for what becomes of it when a connection breaks.
//! A background sweep takes away what nobody can see any more; of several processes one does it at a time.

mod address;
mod blobs;
mod bounds;
mod commit;
mod entries;
mod events;
mod failure;
mod group;
mod news;
mod pipeline;
mod schema;
mod server;
mod sweep;
mod tls;
mod upload;
mod writer;

use std::future::Future;
use std::sync::Arc;

use holdfast_base::{Clock, Error, ErrorKind, Result};
use sha2::{Digest, Sha256};

use crate::adapters::gate::Gate;
use crate::adapters::leases::Leases;
use crate::ports::Hear;
use crate::settings::PostgresSettings;
use crate::{Adapter, Answer, Batch, Capabilities, Outcome, Pending};

/// How long a caller waits for a connection of the pool, in seconds.
const WAIT_S: u64 = 30;
const DEFAULT_SCHEMA: &str = "persist";
const DEFAULT_CONNECTIONS: usize = 10;

/// A store in a database. Clones share it.
#[derive(Clone)]
pub struct Postgres {
    database: Database,
    gate: Gate,
    writer: Arc<writer::Writer>,
    sweeper: Arc<sweep::Sweeper>,
    listener: Arc<news::Listener>,
    /// How many readers of this process have each blob's body open.
    leases: Leases,
}

/// The server, the schema's place on it, and the time.
#[derive(Clone)]
struct Database {
    server: server::Server,
    station: news::Station,
    locks: Locks,
    clock: Arc<dyn Clock>,
}

impl Database {
    fn now_ms(&self) -> u64 {
        self.clock.now_ms()
    }
}

/// Numbers of advisory locks, of this schema alone.
#[derive(Clone, Copy)]
struct Locks {
    /// Held while tables are made.
    schema: i64,
    /// Held by who appends, until its commit is visible.
    events: i64,
    /// Held by who sweeps.
    sweep: i64,
    /// Mixed with a blob's key: held by who makes it visible.
    blobs: i64,
}

impl Locks {
    fn of(schema: &str) -> Self {
        let lock = |what: &str| lock_of(&["holdfast", schema, what]);
        Self { schema: lock("schema"), events: lock("events"), sweep: lock("sweep"), blobs: lock("blobs") }
    }
}

/// The number of a lock, from what it protects.
fn lock_of(parts: &[&str]) -> i64 {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    let mut number = [0; 8];
    number.copy_from_slice(&digest.finalize()[..8]);
    i64::from_be_bytes(number)
}

impl Postgres {
    /// Connects, and makes the schema and its tables when they are missing. Needs an ambient tokio runtime.
    ///
    /// # Errors
    /// `Config` for settings that can't be, `NotFound` with code `NO_SUCH_DATABASE`, `Connection`, `Integrity` with
    /// code `FOREIGN_SCHEMA` or `NEWER_SCHEMA`.
    pub async fn open(settings: &PostgresSettings, clock: Arc<dyn Clock>) -> Result<Self> {
        let schema = settings.schema.as_deref().unwrap_or(DEFAULT_SCHEMA);
        if schema.is_empty() || schema.len() > 63 || schema.contains('\0') {
            let message = format!("the schema {schema:?} can't be; give a name of 1 to 63 bytes");
            return Err(Error::new(ErrorKind::Config, "INVALID_SETTINGS", message));
        }
        let connections = settings.pool.max.unwrap_or(DEFAULT_CONNECTIONS);
        if !(1..=1000).contains(&connections) {
            let message = format!("pool.max is {connections}; give 1 to 1000");
            return Err(Error::new(ErrorKind::Config, "INVALID_SETTINGS", message));
        }
        let server = server::Server::new(settings, schema, connections)?;
        let locks = Locks::of(schema);
        let preparing = async { schema::prepare(&mut server.client().await?, schema, locks.schema).await };
        preparing.await.map_err(failure::Failure::into_error)?;
        let channel = format!("holdfast_{:016x}", lock_of(&["holdfast", schema, "news"]));
        let origin = uuid::Uuid::new_v4().to_string();
        let station = news::Station { server: server.clone(), channel, origin };
        let database = Database { server, station, locks, clock };
        let leases = Leases::default();
        Ok(Self {
            gate: Gate::default(),
            writer: Arc::new(writer::Writer::start(database.clone())),
            sweeper: Arc::new(sweep::Sweeper::start(database.clone(), leases.clone())),
            listener: Arc::default(),
            database,
            leases,
        })
    }

    /// Takes away now what the background sweep would take away later.
    ///
    /// # Errors
    /// As any write.
    pub async fn sweep(&self) -> Result<()> {
        sweep::sweep(&self.database, &self.leases).await
    }

    /// Begins work that a close waits for, or refuses it after a close.
    fn later<T: Send + 'static>(&self, work: impl Future<Output = Result<T>> + Send + 'static) -> Answer<T> {
        self.gate.later(|| work)
    }
}

impl Adapter for Postgres {
    fn capabilities(&self) -> Capabilities {
        Capabilities { atomic: true, ordered: true, presign: false, durable: true, multi_process: true, notifies: true }
    }

    fn commit(&self, batch: Batch) -> Answer<Vec<Outcome>> {
        self.writer.submit(batch)
    }

    fn follow(&self, hear: Hear) -> Pending<()> {
        let store = self.clone();
        Box::pin(async move {
            let _pass = store.gate.enter()?;
            store.listener.start(store.database.station.clone(), hear).await
        })
    }

    fn close(&self) -> Pending<()> {
        let store = self.clone();
        // Called now, not when the answer is awaited: nothing comes in behind the close.
        let (entered, written) = (store.gate.close(), store.writer.close());
        Box::pin(async move {
            store.listener.stop();
            store.sweeper.stop();
            entered.await?;
            written.await?;
            store.database.server.close();
            Ok(())
        })
    }
}

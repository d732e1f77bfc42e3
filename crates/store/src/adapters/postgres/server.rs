//! Connections to the server: a pool, and what is done when one breaks.
//!
//! A read that was cut off is read again; a write only where it is known not to have been done. How long is
//! tried: [`RETRY`], counted from the first failure.

use std::future::Future;
use std::time::Duration;

use deadpool_postgres::{Hook, HookError, Manager, ManagerConfig, Object, Pool, Runtime};
use holdfast_base::{Error, Result};
use tokio::time::Instant;
use tokio_postgres::Config;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::failure::{Failure, Work};
use super::{WAIT_S, address, tls};
use crate::settings::PostgresSettings;

/// How long work is tried again while the server is away: long enough for a restart.
const RETRY: Duration = Duration::from_secs(15);
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// What each session of the pool begins with. A session that stops in the middle of a transaction (a frozen
/// process) must not hold its locks for ever, nor must anybody wait for them so long.
const SESSION: &str = "set idle_in_transaction_session_timeout = '30s'; set lock_timeout = '30s'";

/// The server, with a pool of connections to it. Clones share it.
#[derive(Clone)]
pub(super) struct Server {
    pool: Pool,
    config: Config,
    tls: MakeRustlsConnect,
}

impl Server {
    /// Makes the pool. No connection is made before it is needed.
    pub(super) fn new(settings: &PostgresSettings, schema: &str, max: usize) -> Result<Self> {
        let address = address::address(settings)?;
        let tls = tls::connector(address.ssl.as_ref())?;
        let manager = Manager::from_config(address.config.clone(), tls.clone(), ManagerConfig::default());
        let session = format!("set search_path to {}; {SESSION}", quoted(schema));
        let wait = Some(Duration::from_secs(WAIT_S));
        let begin = Hook::async_fn(move |client: &mut deadpool_postgres::ClientWrapper, _| {
            let session = session.clone();
            Box::pin(async move { client.batch_execute(&session).await.map_err(HookError::Backend) })
        });
        let pool = Pool::builder(manager)
            .max_size(max)
            .runtime(Runtime::Tokio1)
            .wait_timeout(wait)
            .create_timeout(wait)
            .post_create(begin)
            .build()
            .map_err(|error| Error::internal(error.to_string()))?;
        Ok(Self { pool, config: address.config, tls })
    }

    /// A connection of the pool.
    pub(super) async fn client(&self) -> Work<Object> {
        Ok(self.pool.get().await?)
    }

    /// How to make a connection beside the pool.
    pub(super) fn apart(&self) -> (Config, MakeRustlsConnect) {
        (self.config.clone(), self.tls.clone())
    }

    /// Does what may be done twice, and does it again while the server is away.
    pub(super) async fn repeat<T, W>(&self, work: impl Fn(Object) -> W + Send + Sync) -> Result<T>
    where
        W: Future<Output = Work<T>> + Send,
    {
        let mut patience = Patience::default();
        loop {
            let attempt = async { work(self.client().await?).await };
            match attempt.await {
                Ok(value) => return Ok(value),
                Err(failure) => patience.bear(failure).await.map_err(Failure::into_error)?,
            }
        }
    }

    /// Lets go of every connection.
    pub(super) fn close(&self) {
        self.pool.close();
    }
}

/// Waits between attempts, longer each time, until it is over.
#[derive(Default)]
pub(super) struct Patience {
    since: Option<Instant>,
    pause: Duration,
}

impl Patience {
    /// Waits when a new attempt makes sense; gives the failure back when none does.
    pub(super) async fn bear(&mut self, failure: Failure) -> Work<()> {
        let since = *self.since.get_or_insert_with(Instant::now);
        if !(failure.is_lost() || failure.is_undone()) || since.elapsed() >= RETRY {
            return Err(failure);
        }
        self.pause = (self.pause * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE);
        tokio::time::sleep(self.pause).await;
        Ok(())
    }
}

/// An identifier of SQL.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

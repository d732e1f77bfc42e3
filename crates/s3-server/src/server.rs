use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use holdfast_base::{Error, ErrorKind, Result};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::sync::{Mutex, Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;
use tracing::instrument::WithSubscriber;
use tracing::{Dispatch, dispatcher};

use crate::auth::{Accounts, Verifier};
use crate::bucket_rules::BucketRules;
use crate::connection::serve;
use crate::engine::{Engine, EngineError, EngineSettings, SnapshotId, is_valid_bucket_name};
use crate::faults::Faults;
use crate::lifecycle::LifecycleRun;
use crate::metrics::{Counted, Metrics};
use crate::policy::Policy;
use crate::request_log::RequestLog;
use crate::service::Service;
use crate::settings::ServerSettings;
use crate::tls::Tls;

/// How long to wait when the system has no descriptor left for a connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The longest time between two passes of the lifecycle; a short day has more of them.
const MAX_LIFECYCLE_INTERVAL: Duration = Duration::from_secs(60 * 60);
/// How often in a short day.
const LIFECYCLE_RUNS_OF_A_DAY: u64 = 10;

/// A running server. It stops when [`Server::stop`] is called; dropping it cuts its connections.
pub struct Server {
    address: SocketAddr,
    service: Arc<Service>,
    authority: Option<String>,
    stopping: watch::Sender<bool>,
    accepting: Mutex<Option<JoinHandle<()>>>,
}

impl Server {
    /// Opens the directory, binds the port and serves.
    ///
    /// # Errors
    /// `PORT_IN_USE` and `ADDRESS_UNAVAILABLE` when the port can't be bound, the engine's error when the directory
    /// can't be used, `INVALID_BUCKET_NAME` for one of `buckets`. Nothing is left running.
    pub async fn start(settings: ServerSettings) -> Result<Self> {
        if let Some(name) = settings.buckets.iter().find(|name| !is_valid_bucket_name(name)) {
            return Err(to_base(EngineError::InvalidBucketName(name.clone())));
        }
        // First the port: a directory must not be emptied by a server that can't start.
        let wanted = SocketAddr::new(settings.address, settings.port);
        let listener = TcpListener::bind(wanted).await.map_err(|error| cannot_bind(wanted, &error))?;
        let address = listener.local_addr()?;
        let tls = settings.tls.as_ref().map(|tls| Tls::new(tls, settings.address)).transpose()?;
        let engine = open_engine(&settings).await?;
        if let Err(error) = make_buckets(&engine, &settings).await {
            engine.close().await;
            return Err(error);
        }
        let accounts = Accounts::of(&settings);
        let verifier = Verifier::new(&settings, &accounts);
        let service = Service {
            engine,
            settings,
            accounts,
            verifier,
            rules: BucketRules::default(),
            log: Arc::default(),
            faults: Arc::default(),
            lifecycle: tokio::sync::Mutex::default(),
            metrics: Metrics::default(),
        };
        let service = Arc::new(service);
        let (stopping, stopped) = watch::channel(false);
        let log = service.settings.log.clone().unwrap_or_else(|| dispatcher::get_default(Dispatch::clone));
        let cleaning = abort_old_uploads(Arc::clone(&service), stopped.clone());
        tokio::spawn(cleaning.with_subscriber(log.clone()));
        let ending = follow_lifecycles(Arc::clone(&service), stopped.clone());
        tokio::spawn(ending.with_subscriber(log.clone()));
        let (acceptor, authority) = tls.map(|tls| (tls.acceptor, tls.authority)).unzip();
        let accepting = accept(listener, Arc::clone(&service), acceptor, stopped, log.clone());
        let accepting = tokio::spawn(accepting.with_subscriber(log));
        Ok(Self { address, service, authority, stopping, accepting: Mutex::new(Some(accepting)) })
    }

    /// Where it listens; the port is the real one when 0 was asked for.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What clients have to trust, PEM; `None` without TLS.
    pub fn authority(&self) -> Option<&str> {
        self.authority.as_deref()
    }

    /// The engine, for work that needs no HTTP.
    pub fn engine(&self) -> &Engine {
        &self.service.engine
    }

    /// The last requests.
    pub fn log(&self) -> &RequestLog {
        &self.service.log
    }

    /// What goes wrong on purpose.
    pub fn faults(&self) -> &Faults {
        &self.service.faults
    }

    /// Makes a bucket; one that exists is a success.
    ///
    /// # Errors
    /// `INVALID_BUCKET_NAME`, and the engine's.
    pub async fn create_bucket(&self, name: &str) -> Result<()> {
        make_bucket(&self.service.engine, name, &self.service.settings.region).await
    }

    /// Empties everything in one commit and makes the buckets of the settings, as a start with `clean_slate` does.
    /// Bodies that are on their way in are refused with `OperationAborted`; the log and the faults stay.
    ///
    /// # Errors
    /// The engine's; nothing has changed then.
    pub async fn reset(&self) -> Result<()> {
        let ServerSettings { buckets, region, .. } = &self.service.settings;
        let done = self.service.engine.reset(buckets, region).await.map_err(to_base);
        self.service.rules.forget_all();
        done
    }

    /// Keeps everything as it is now, until the server is stopped.
    ///
    /// # Errors
    /// The engine's; nothing is kept then.
    pub async fn snapshot(&self) -> Result<SnapshotId> {
        self.service.engine.snapshot().await.map_err(to_base)
    }

    /// Brings a kept state back, as often as wanted. Bodies that are on their way in are refused with
    /// `OperationAborted`.
    ///
    /// # Errors
    /// `SNAPSHOT_NOT_FOUND`, and the engine's; nothing has changed then.
    pub async fn restore(&self, snapshot: SnapshotId) -> Result<()> {
        let done = self.service.engine.restore(snapshot).await.map_err(to_base);
        self.service.rules.forget_all();
        done
    }

    /// Forgets a kept state.
    ///
    /// # Errors
    /// The engine's.
    pub async fn forget_snapshot(&self, snapshot: SnapshotId) -> Result<()> {
        self.service.engine.forget_snapshot(snapshot).await.map_err(to_base)
    }

    /// Goes once over all buckets and ends what their lifecycle rules say, as it happens by itself from time to time;
    /// what it has ended.
    ///
    /// # Errors
    /// The engine's; what was ended until then stays so.
    pub async fn run_lifecycle(&self) -> Result<LifecycleRun> {
        self.service.run_lifecycle().await.map_err(to_base)
    }

    /// Takes no more connections, lets requests in flight finish for at most `request_timeout_ms`, and closes the
    /// directory. A second call waits for the first.
    pub async fn stop(&self) {
        self.stopping.send_replace(true);
        let mut accepting = self.accepting.lock().await;
        if let Some(task) = accepting.take() {
            // A panic in it was reported when it happened; the directory is closed all the same.
            let _ = task.await;
            self.service.engine.close().await;
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(task) = self.accepting.get_mut().take() {
            task.abort();
        }
    }
}

async fn open_engine(settings: &ServerSettings) -> Result<Engine> {
    let mut of_engine = EngineSettings::new(&settings.directory, Arc::clone(&settings.clock));
    of_engine.max_memory_bytes = settings.max_memory_bytes;
    of_engine.durability = settings.durability;
    of_engine.min_part_bytes = settings.min_part_bytes;
    of_engine.clean_slate = settings.clean_slate;
    of_engine.region.clone_from(&settings.region);
    of_engine.is_policy = |text, bucket| Policy::read(text, bucket).is_ok();
    Engine::open(of_engine).await.map_err(to_base)
}

async fn make_buckets(engine: &Engine, settings: &ServerSettings) -> Result<()> {
    for name in &settings.buckets {
        make_bucket(engine, name, &settings.region).await?;
    }
    Ok(())
}

async fn make_bucket(engine: &Engine, name: &str, region: &str) -> Result<()> {
    match engine.create_bucket(name, region).await {
        Ok(_) | Err(EngineError::BucketAlreadyOwnedByYou(_)) => Ok(()),
        Err(error) => Err(to_base(error)),
    }
}

fn to_base(error: EngineError) -> Error {
    match error {
        EngineError::Storage(error) => error,
        EngineError::InvalidBucketName(_) => {
            Error::new(ErrorKind::Validation, "INVALID_BUCKET_NAME", error.to_string())
        }
        other => Error::new(ErrorKind::Validation, "INVALID_REQUEST", other.to_string()),
    }
}

fn cannot_bind(address: SocketAddr, error: &std::io::Error) -> Error {
    use std::io::ErrorKind as Io;
    let failure = |code, message: String| {
        let error = Error::new(ErrorKind::Connection, code, message).retryable(false);
        error.with("address", address.ip().to_string()).with("port", address.port())
    };
    match error.kind() {
        Io::AddrInUse => failure(
            "PORT_IN_USE",
            format!(
                "port {} is in use; stop what listens there, choose another, or take 0 for a free one",
                address.port()
            ),
        ),
        Io::PermissionDenied => {
            failure("PORT_NOT_PERMITTED", format!("port {} may not be used; choose one above 1023", address.port()))
        }
        _ => failure(
            "ADDRESS_UNAVAILABLE",
            format!("can't listen on {address}: {error}; choose an address of this machine"),
        ),
    }
}

/// From time to time, aborts the uploads that nobody will finish.
async fn abort_old_uploads(service: Arc<Service>, mut stopped: watch::Receiver<bool>) {
    let interval = Duration::from_millis(service.settings.upload_cleanup_interval_ms);
    loop {
        let before_ms = service.settings.clock.now_ms().saturating_sub(service.settings.upload_expiration_ms);
        loop {
            match service.engine.abort_uploads_before(before_ms).await {
                Ok(0) => break,
                Ok(count) => tracing::info!(count, "unfinished uploads have expired"),
                Err(error) => {
                    tracing::warn!(%error, "expired uploads could not be aborted; they are tried again later");
                    break;
                }
            }
        }
        tokio::select! {
            () = tokio::time::sleep(interval) => {}
            _ = stopped.wait_for(|stopped| *stopped) => return,
        }
    }
}

/// From time to time, ends what lifecycle rules say.
async fn follow_lifecycles(service: Arc<Service>, mut stopped: watch::Receiver<bool>) {
    let often_ms = service.settings.lifecycle_day_ms / LIFECYCLE_RUNS_OF_A_DAY;
    let interval = Duration::from_millis(often_ms.max(1)).min(MAX_LIFECYCLE_INTERVAL);
    loop {
        let ran = tokio::select! {
            ran = service.run_lifecycle() => ran,
            _ = stopped.wait_for(|stopped| *stopped) => return,
        };
        match ran {
            Ok(run) if run.is_idle() => {}
            Ok(run) => tracing::info!(?run, "lifecycle rules have ended something"),
            Err(error) => tracing::warn!(%error, "lifecycle rules could not be followed; they are tried again later"),
        }
        tokio::select! {
            () = tokio::time::sleep(interval) => {}
            _ = stopped.wait_for(|stopped| *stopped) => return,
        }
    }
}

async fn accept(
    listener: TcpListener,
    service: Arc<Service>,
    acceptor: Option<TlsAcceptor>,
    mut stopped: watch::Receiver<bool>,
    log: Dispatch,
) {
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(service.settings.max_connections));
    let mut connections = JoinSet::new();
    loop {
        let place = tokio::select! {
            place = Arc::clone(&places).acquire_owned() => place,
            _ = stopped.wait_for(|stopped| *stopped) => break,
        };
        let Ok(place) = place else { break };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopped.wait_for(|stopped| *stopped) => break,
        };
        while connections.try_join_next().is_some() {}
        match accepted {
            Ok((stream, peer)) => {
                let (service, watcher, acceptor) = (Arc::clone(&service), graceful.watcher(), acceptor.clone());
                let counted = Counted::on(&service.metrics.connections);
                let connection = async move {
                    serve(stream, peer.ip(), service, acceptor, watcher).await;
                    drop((place, counted));
                };
                connections.spawn(connection.with_subscriber(log.clone()));
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    let limit = Duration::from_millis(service.settings.request_timeout_ms);
    // What is not done by then is cut off when the set is dropped.
    let _ = tokio::time::timeout(limit, graceful.shutdown()).await;
    connections.shutdown().await;
}

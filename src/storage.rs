//! The S3 server's border: a handle, and what it tells.

use std::sync::Arc;

use holdfast_s3_server::{
    Event, EventKind, Fault, FaultHandle, FaultInWords, LifecycleRun, Operation, RequestRecord, Server, SnapshotId,
};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi_derive::napi;

use crate::reply::Reply;
use crate::storage_settings::{StorageSettings, server_settings};

/// One request that was answered.
#[napi(object, object_from_js = false)]
pub struct StorageRequest {
    /// The name of the operation; `Unknown` when the request named none of this server.
    pub operation: String,
    /// The bucket.
    pub bucket: Option<String>,
    /// The key.
    pub key: Option<String>,
    /// The HTTP status; 0 when the connection was cut.
    pub status: u16,
    /// Length of the request's body, in bytes.
    pub bytes_in: f64,
    /// Length of the answer's body, in bytes.
    pub bytes_out: f64,
    /// When it came, in milliseconds since the epoch.
    pub at_ms: f64,
    /// Until the answer began, in milliseconds.
    pub duration_ms: f64,
}

/// What one pass over all lifecycle rules has ended.
#[napi(object, object_from_js = false)]
pub struct StorageLifecycleRun {
    /// Objects.
    pub expired_objects: f64,
    /// Noncurrent versions and delete markers.
    pub removed_versions: f64,
    /// Delete markers with nothing behind them.
    pub removed_markers: f64,
    /// Uploads in parts.
    pub aborted_uploads: f64,
}

/// What goes wrong, and for which requests.
#[napi(object, object_to_js = false)]
pub struct StorageFault {
    /// Only this operation.
    pub operation: Option<String>,
    /// Only this bucket.
    pub bucket: Option<String>,
    /// Only this key.
    pub key: Option<String>,
    /// How many requests it meets.
    pub count: Option<u32>,
    /// How likely it meets one, 0 to 1.
    pub probability: Option<f64>,
    /// What the draws begin with.
    pub seed: Option<i64>,
    /// Waits that long, in milliseconds.
    pub delay_ms: Option<u32>,
    /// Answers with that code.
    pub error: Option<String>,
    /// Cuts the connection: `before`, `request`, `after` or `response`.
    pub cut: Option<String>,
    /// Flips a bit of the answer's body.
    pub corrupt: Option<bool>,
    /// Where, in bytes.
    pub at_byte: Option<i64>,
    /// How fast bodies come.
    pub bytes_per_second: Option<i64>,
}

/// A fault that was added.
#[napi]
pub struct StorageFaultHandle {
    server: Arc<Server>,
    handle: FaultHandle,
}

#[napi]
impl StorageFaultHandle {
    /// How many requests it has met.
    #[napi(getter)]
    pub fn met(&self) -> f64 {
        self.handle.met() as f64
    }

    /// Removes it; whether it was still there.
    #[napi]
    pub fn remove(&self) -> bool {
        self.server.faults().remove(&self.handle)
    }
}

/// A running server.
#[napi]
pub struct StorageServer(Arc<Server>);

/// Weak, so that it never keeps the process alive.
type Wake = ThreadsafeFunction<(), (), (), napi::Status, false, true, 1>;

/// A change that stands.
#[napi(object, object_from_js = false)]
pub struct StorageEvent {
    /// What changed.
    #[napi(js_name = "type")]
    pub kind: String,
    /// By what.
    pub operation: String,
    /// The bucket.
    pub bucket: String,
    /// The key.
    pub key: Option<String>,
    /// In bytes.
    pub size: Option<f64>,
    /// Without quotes.
    pub etag: Option<String>,
    /// The version.
    pub version_id: Option<String>,
    /// In milliseconds since the epoch.
    pub at_ms: f64,
}

/// Events that waited.
#[napi(object, object_from_js = false)]
pub struct StorageEvents {
    /// Oldest first.
    pub events: Vec<StorageEvent>,
    /// How many were dropped before them.
    pub missed: f64,
}

/// A state that a server keeps.
#[napi]
pub struct StorageState(SnapshotId);

/// Starts a server.
#[napi]
pub async fn start_storage(settings: StorageSettings) -> napi::Result<Reply<StorageServer>> {
    Reply::from_future(async move {
        let server = Server::start(server_settings(settings)?).await?;
        Ok(StorageServer(Arc::new(server)))
    })
    .await
}

#[napi]
impl StorageServer {
    /// The port that it listens on.
    #[napi(getter)]
    pub fn port(&self) -> u16 {
        self.0.address().port()
    }

    /// What clients have to trust, PEM.
    #[napi(getter)]
    pub fn authority(&self) -> Option<String> {
        self.0.authority().map(str::to_owned)
    }

    /// Makes a bucket unless it exists.
    #[napi]
    pub async fn create_bucket(&self, name: String) -> napi::Result<Reply<()>> {
        Reply::from_future(self.0.create_bucket(&name)).await
    }

    /// Empties it.
    #[napi]
    pub async fn reset(&self) -> napi::Result<Reply<()>> {
        Reply::from_future(self.0.reset()).await
    }

    /// Keeps its state.
    #[napi]
    pub async fn snapshot(&self) -> napi::Result<Reply<StorageState>> {
        Reply::from_future(async { Ok(StorageState(self.0.snapshot().await?)) }).await
    }

    /// Brings a state back.
    #[napi]
    pub async fn restore(&self, state: &StorageState) -> napi::Result<Reply<()>> {
        Reply::from_future(self.0.restore(state.0)).await
    }

    /// Forgets a state.
    #[napi]
    pub async fn forget(&self, state: &StorageState) -> napi::Result<Reply<()>> {
        Reply::from_future(self.0.forget_snapshot(state.0)).await
    }

    /// Ends what lifecycle rules say.
    #[napi]
    pub async fn run_lifecycle(&self) -> napi::Result<Reply<StorageLifecycleRun>> {
        Reply::from_future(async { Ok(self.0.run_lifecycle().await?.into()) }).await
    }

    /// Queues events from here on; `wake` is called when some wait.
    #[napi]
    pub fn listen(&self, #[napi(ts_arg_type = "() => void")] wake: Wake) {
        self.0.engine().events().listen(move || {
            // A full queue means that a call is on its way already.
            wake.call((), ThreadsafeFunctionCallMode::NonBlocking);
        });
    }

    /// Drops events from here on.
    #[napi]
    pub fn unlisten(&self) {
        self.0.engine().events().unlisten();
    }

    /// Takes the oldest events that wait.
    #[napi]
    pub fn take_events(&self, max: u32) -> StorageEvents {
        let (events, missed) = self.0.engine().events().take(max as usize);
        StorageEvents { events: events.into_iter().map(StorageEvent::from).collect(), missed: missed as f64 }
    }

    /// Stops it, once what is in flight is done.
    #[napi]
    pub async fn stop(&self) -> napi::Result<Reply<()>> {
        Reply::from_future(async {
            self.0.stop().await;
            Ok(())
        })
        .await
    }

    /// The last requests, oldest first.
    #[napi]
    pub fn requests(&self) -> Vec<StorageRequest> {
        self.0.log().records().into_iter().map(StorageRequest::from).collect()
    }

    /// Forgets the requests.
    #[napi]
    pub fn clear_requests(&self) {
        self.0.log().clear();
    }

    /// Adds a fault.
    #[napi]
    pub fn add_fault(&self, fault: StorageFault) -> Reply<StorageFaultHandle> {
        Reply::of(|| {
            let handle = self.0.faults().add(Fault::try_from(FaultInWords::from(fault))?);
            Ok(StorageFaultHandle { server: Arc::clone(&self.0), handle })
        })
    }

    /// Removes every fault.
    #[napi]
    pub fn clear_faults(&self) {
        self.0.faults().clear();
    }
}

impl From<StorageFault> for FaultInWords {
    fn from(fault: StorageFault) -> Self {
        Self {
            operation: fault.operation,
            bucket: fault.bucket,
            key: fault.key,
            count: fault.count,
            probability: fault.probability,
            seed: fault.seed.map(i64::unsigned_abs),
            delay_ms: fault.delay_ms,
            error: fault.error,
            cut: fault.cut,
            corrupt: fault.corrupt.unwrap_or_default(),
            at_byte: fault.at_byte.map(i64::unsigned_abs),
            bytes_per_second: fault.bytes_per_second.map(i64::unsigned_abs),
        }
    }
}

impl From<Event> for StorageEvent {
    fn from(event: Event) -> Self {
        let kind = match event.kind {
            EventKind::BucketCreated => "bucket:created",
            EventKind::BucketRemoved => "bucket:removed",
            EventKind::ObjectCreated => "object:created",
            EventKind::ObjectRemoved => "object:removed",
        };
        Self {
            kind: kind.to_owned(),
            operation: event.operation.name().to_owned(),
            bucket: event.bucket,
            key: event.key,
            size: event.size.map(|size| size as f64),
            etag: event.etag,
            version_id: event.version.map(|version| version.to_string()),
            at_ms: event.at_ms as f64,
        }
    }
}

impl From<LifecycleRun> for StorageLifecycleRun {
    fn from(run: LifecycleRun) -> Self {
        Self {
            expired_objects: run.expired_objects as f64,
            removed_versions: run.removed_versions as f64,
            removed_markers: run.removed_markers as f64,
            aborted_uploads: run.aborted_uploads as f64,
        }
    }
}

impl From<RequestRecord> for StorageRequest {
    fn from(record: RequestRecord) -> Self {
        Self {
            operation: record.operation.map_or("Unknown", Operation::name).to_owned(),
            bucket: record.bucket,
            key: record.key,
            status: record.status,
            bytes_in: record.bytes_in as f64,
            bytes_out: record.bytes_out as f64,
            at_ms: record.at_ms as f64,
            duration_ms: record.duration_ms,
        }
    }
}

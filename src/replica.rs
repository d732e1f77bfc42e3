//! `createS3DataProvider`: SQLite, replicated to a bucket, for `lib/remult`.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use holdfast_base::{Error, ErrorKind, Result, SystemClock};
use holdfast_replica::{
    Event, EventSink, Replica, ReplicaSettings, Rows, Statement, Status, SyncMode, Transaction, Value,
};
use napi::bindgen_prelude::{BigInt, Buffer, Either4, Either5, Null};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi_derive::napi;
use serde_json::json;

use crate::copied::Copied;
use crate::replica_bucket::ReplicaPlace;
use crate::reply::Reply;

/// Hears events as JSON; weak, so that it never keeps the process alive.
pub(crate) type Listener = ThreadsafeFunction<String, (), String, napi::Status, false, true, 1024>;
pub(crate) type Listening = Arc<Mutex<Option<Listener>>>;
pub(crate) type Parameter = Either5<Null, f64, BigInt, String, Copied>;
type Cell = Either4<Null, f64, String, Buffer>;

/// How to open a replicated database. What is absent takes the crate's default.
#[napi(object)]
pub struct ReplicaOptions {
    /// The local file.
    pub file: String,
    /// Where it is replicated to.
    pub place: ReplicaPlace,
    /// Acknowledge writes when they are stored.
    pub is_sync: bool,
    /// Host and process, for people.
    pub holder: String,
    /// Refuse to make a new database.
    pub file_must_exist: Option<bool>,
    /// Milliseconds to wait for another process's lock.
    pub busy_timeout_ms: Option<u32>,
    /// Milliseconds in which commits gather.
    pub interval_ms: Option<u32>,
    /// Bytes of the log from which it is checkpointed.
    pub wal_threshold_bytes: Option<f64>,
    /// Milliseconds between snapshots.
    pub snapshot_interval_ms: Option<f64>,
    /// Milliseconds back to which every state is kept.
    pub retention_ms: Option<f64>,
    /// Attempts before waiting writes are told.
    pub max_retries: Option<u32>,
    /// Milliseconds that the lease stands.
    pub lock_ttl_ms: Option<f64>,
    /// Milliseconds between its renewals.
    pub lock_refresh_ms: Option<f64>,
    /// Milliseconds to wait for somebody else's lease.
    pub lock_wait_ms: Option<f64>,
    /// Take the lease from whoever holds it.
    pub force_lock: Option<bool>,
    /// Go on when the bucket ignores conditional requests.
    pub allow_unsafe_lock: Option<bool>,
}

impl ReplicaOptions {
    fn settings(&self) -> ReplicaSettings {
        let plain = ReplicaSettings::new(PathBuf::from(&self.file));
        let or = |given: Option<f64>, default: u64| given.map_or(default, |number| number as u64);
        ReplicaSettings {
            mode: if self.is_sync { SyncMode::Sync } else { SyncMode::Async },
            holder: self.holder.clone(),
            file_must_exist: self.file_must_exist.unwrap_or(plain.file_must_exist),
            busy_timeout_ms: self.busy_timeout_ms.unwrap_or(plain.busy_timeout_ms),
            interval_ms: self.interval_ms.map_or(plain.interval_ms, u64::from),
            wal_threshold_bytes: or(self.wal_threshold_bytes, plain.wal_threshold_bytes),
            snapshot_interval_ms: or(self.snapshot_interval_ms, plain.snapshot_interval_ms),
            retention_ms: or(self.retention_ms, plain.retention_ms),
            max_retries: self.max_retries.unwrap_or(plain.max_retries),
            lock_ttl_ms: or(self.lock_ttl_ms, plain.lock_ttl_ms),
            lock_refresh_ms: or(self.lock_refresh_ms, plain.lock_refresh_ms),
            lock_wait_ms: or(self.lock_wait_ms, plain.lock_wait_ms),
            force_lock: self.force_lock.unwrap_or(plain.force_lock),
            allow_unsafe_lock: self.allow_unsafe_lock.unwrap_or(plain.allow_unsafe_lock),
            ..plain
        }
    }
}

/// Opens a database: takes the lease, makes or completes the local file, begins to replicate.
#[napi]
pub async fn open_replica(
    options: ReplicaOptions,
    #[napi(ts_arg_type = "(event: string) => void")] on_event: Listener,
) -> napi::Result<Reply<ReplicaDatabase>> {
    Reply::from_future(async move {
        let settings = options.settings();
        let listening: Listening = Arc::new(Mutex::new(Some(on_event)));
        let sink = sink(Arc::clone(&listening));
        let store = options.place.store()?;
        let replica = Replica::open(settings, store, Arc::new(SystemClock), sink).await?;
        Ok(ReplicaDatabase { replica, listening })
    })
    .await
}

/// An open database.
#[napi]
pub struct ReplicaDatabase {
    replica: Replica,
    listening: Listening,
}

/// What a statement gave.
#[napi(object)]
pub struct SqlRows {
    /// The columns' names.
    pub columns: Vec<String>,
    /// The rows.
    #[napi(ts_type = "Array<Array<null | number | string | Buffer>>")]
    pub rows: Vec<Vec<Cell>>,
}

/// How a database is doing.
#[napi(object)]
pub struct ReplicaStatusData {
    /// The generation of the log.
    pub generation: String,
    /// The last stored segment.
    pub position: f64,
    /// Who owns the log.
    pub epoch: f64,
    /// Commits of this process.
    pub local_commits: f64,
    /// Those of them that are stored.
    pub durable_commits: f64,
    /// Bytes of the log that are not stored.
    pub lag_bytes: f64,
    /// Milliseconds that the oldest commit that is not stored has waited.
    pub lag_ms: f64,
    /// Who holds the lease.
    pub holder: String,
    /// What went wrong last.
    pub last_error: Option<String>,
}

#[napi]
impl ReplicaDatabase {
    /// Runs a statement on its own.
    #[napi]
    pub async fn execute(
        &self,
        sql: String,
        #[napi(ts_arg_type = "Array<null | number | bigint | string | Uint8Array>")] values: Vec<Parameter>,
    ) -> napi::Result<Reply<SqlRows>> {
        let replica = self.replica.clone();
        Reply::from_future(async move { Ok(rows(replica.execute(statement(sql, values)?).await?)) }).await
    }

    /// Begins a transaction.
    #[napi]
    pub async fn begin(&self) -> napi::Result<Reply<ReplicaTransaction>> {
        let replica = self.replica.clone();
        Reply::from_future(async move {
            let transaction = replica.begin().await?;
            Ok(ReplicaTransaction(Arc::new(tokio::sync::Mutex::new(transaction))))
        })
        .await
    }

    /// Answers when everything that is committed now is stored.
    #[napi]
    pub async fn sync(&self) -> napi::Result<Reply<()>> {
        let replica = self.replica.clone();
        Reply::from_future(async move { replica.sync().await }).await
    }

    /// Takes a snapshot.
    #[napi]
    pub async fn snapshot(&self) -> napi::Result<Reply<()>> {
        let replica = self.replica.clone();
        Reply::from_future(async move { replica.snapshot().await }).await
    }

    /// How it is doing.
    #[napi]
    pub fn status(&self) -> Reply<ReplicaStatusData> {
        Reply::of(|| Ok(self.replica.status()?.into()))
    }

    /// Ends, and lets go of the listener.
    #[napi]
    pub async fn close(&self) -> napi::Result<Reply<()>> {
        let (replica, listening) = (self.replica.clone(), Arc::clone(&self.listening));
        Reply::from_future(async move {
            let closed = replica.close().await;
            drop(listening.lock().unwrap_or_else(PoisonError::into_inner).take());
            closed
        })
        .await
    }
}

/// A transaction that stays open between calls; rolled back when it is given up.
#[napi]
pub struct ReplicaTransaction(Arc<tokio::sync::Mutex<Transaction>>);

#[napi]
impl ReplicaTransaction {
    /// Runs a statement in the transaction.
    #[napi]
    pub async fn execute(
        &self,
        sql: String,
        #[napi(ts_arg_type = "Array<null | number | bigint | string | Uint8Array>")] values: Vec<Parameter>,
    ) -> napi::Result<Reply<SqlRows>> {
        let transaction = Arc::clone(&self.0);
        Reply::from_future(async move { Ok(rows(transaction.lock().await.execute(statement(sql, values)?).await?)) })
            .await
    }

    /// Begins a transaction inside this one.
    #[napi]
    pub async fn begin_nested(&self) -> napi::Result<Reply<()>> {
        let transaction = Arc::clone(&self.0);
        Reply::from_future(async move { transaction.lock().await.begin_nested().await }).await
    }

    /// Ends the innermost nested transaction.
    #[napi]
    pub async fn end_nested(&self, keep: bool) -> napi::Result<Reply<()>> {
        let transaction = Arc::clone(&self.0);
        Reply::from_future(async move { transaction.lock().await.end_nested(keep).await }).await
    }

    /// Commits.
    #[napi]
    pub async fn commit(&self) -> napi::Result<Reply<()>> {
        let transaction = Arc::clone(&self.0);
        Reply::from_future(async move { transaction.lock().await.commit().await }).await
    }

    /// Undoes everything.
    #[napi]
    pub async fn roll_back(&self) -> napi::Result<Reply<()>> {
        let transaction = Arc::clone(&self.0);
        Reply::from_future(async move { transaction.lock().await.roll_back().await }).await
    }
}

impl From<Status> for ReplicaStatusData {
    fn from(status: Status) -> Self {
        Self {
            generation: status.generation,
            position: status.position as f64,
            epoch: status.epoch as f64,
            local_commits: status.local_commits as f64,
            durable_commits: status.durable_commits as f64,
            lag_bytes: status.lag_bytes as f64,
            lag_ms: status.lag_ms as f64,
            holder: status.holder,
            last_error: status.last_error.map(|error| error_json(&error).to_string()),
        }
    }
}

pub(crate) fn statement(sql: String, values: Vec<Parameter>) -> Result<Statement> {
    Ok(Statement::new(sql, values.into_iter().map(value).collect::<Result<_>>()?))
}

fn value(parameter: Parameter) -> Result<Value> {
    const SAFE: f64 = 9_007_199_254_740_991.0;
    Ok(match parameter {
        Either5::A(_) => Value::Null,
        Either5::B(number) if number.fract() == 0.0 && number.abs() <= SAFE => Value::Integer(number as i64),
        Either5::B(number) => Value::Real(number),
        Either5::C(big) => match big.get_i64() {
            (number, true) => Value::Integer(number),
            _ => return Err(Error::new(ErrorKind::Validation, "NUMBER_TOO_LARGE", "a bigint has more than 64 bits")),
        },
        Either5::D(text) => Value::Text(text),
        Either5::E(bytes) => Value::Blob(bytes.0),
    })
}

pub(crate) fn rows(rows: Rows) -> SqlRows {
    let cell = |value| match value {
        Value::Null => Cell::A(Null),
        Value::Integer(number) => Cell::B(number as f64),
        Value::Real(number) => Cell::B(number),
        Value::Text(text) => Cell::C(text),
        Value::Blob(bytes) => Cell::D(bytes.into()),
    };
    let rows_of_cells = rows.rows.into_iter().map(|row| row.into_iter().map(cell).collect()).collect();
    SqlRows { columns: rows.columns, rows: rows_of_cells }
}

pub(crate) fn sink(listening: Listening) -> EventSink {
    Arc::new(move |event| {
        if let Some(listener) = listening.lock().unwrap_or_else(PoisonError::into_inner).as_ref() {
            listener.call(event_json(&event).to_string(), ThreadsafeFunctionCallMode::NonBlocking);
        }
    })
}

fn event_json(event: &Event) -> serde_json::Value {
    match event {
        Event::WalUploaded { generation, index, size } => {
            json!({ "type": "wal_uploaded", "generation": generation, "index": index, "size": size })
        }
        Event::SnapshotUploaded { generation, size } => {
            json!({ "type": "snapshot_uploaded", "generation": generation, "size": size })
        }
        Event::RecoveryStarted { generation } => json!({ "type": "recovery_started", "generation": generation }),
        Event::RecoveryCompleted { generation, segments } => {
            json!({ "type": "recovery_completed", "generation": generation, "segments": segments })
        }
        Event::LockAcquired { lock_id } => json!({ "type": "lock_acquired", "lockId": lock_id }),
        Event::LockLost { reason } => json!({ "type": "lock_lost", "reason": reason }),
        Event::SyncError { error, context, will_retry } => {
            json!({ "type": "sync_error", "error": error_json(error), "context": context, "willRetry": will_retry })
        }
        Event::Diverged { kept } => json!({ "type": "diverged", "kept": kept }),
        Event::Initialized { generation, recovered } => {
            json!({ "type": "initialized", "generation": generation, "recovered": recovered })
        }
    }
}

pub(crate) fn error_json(error: &Error) -> serde_json::Value {
    let details = (!error.details().is_empty()).then(|| serde_json::Value::Object(error.details().clone()).to_string());
    json!({
        "kind": format!("{:?}", error.kind()),
        "code": error.code(),
        "message": error.message(),
        "retryable": error.is_retryable(),
        "details": details,
    })
}

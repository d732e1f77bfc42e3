//! A look at what holdfast has stored, for `lib/doctor`. Synchronous: the program that calls it does nothing else.

use std::path::Path;

use holdfast_s3_client::{Client, ProbeOutcome};
use holdfast_s3_server::engine::{FolderInspection, inspect_folder};
use holdfast_store::inspect_file;
use napi_derive::napi;

use crate::replica_bucket::ReplicaPlace;
use crate::reply::{Failure, Reply};

/// What a database file says of itself, and what SQLite finds wrong in it.
#[napi(object)]
pub struct DatabaseInspectionData {
    /// Whose file it is.
    pub application_id: i32,
    /// The version of its schema.
    pub schema_version: u32,
    /// Bytes of its pages.
    pub bytes: f64,
    /// What is wrong, in SQLite's words.
    pub problems: Vec<String>,
}

/// Checks every page of a database file.
#[napi]
pub fn inspect_database(path: String) -> Reply<DatabaseInspectionData> {
    Reply::of(|| {
        let inspection = inspect_file(Path::new(&path))?;
        Ok(DatabaseInspectionData {
            application_id: inspection.application_id,
            schema_version: inspection.schema_version,
            bytes: inspection.bytes as f64,
            problems: inspection.problems,
        })
    })
}

/// What stands in a server's directory, and what is wrong with it.
#[napi(object)]
pub struct FolderInspectionData {
    /// Whether a process has it open now.
    pub in_use: bool,
    /// Buckets.
    pub buckets: f64,
    /// Objects, older versions included.
    pub objects: f64,
    /// Their bytes.
    pub bytes: f64,
    /// How many things are wrong.
    pub problem_count: f64,
    /// The first of them.
    pub problems: Vec<String>,
}

/// Checks a server's directory.
#[napi]
pub fn inspect_storage_folder(path: String) -> Reply<FolderInspectionData> {
    Reply::of(|| {
        let FolderInspection { in_use, buckets, objects, bytes, problem_count, problems } =
            inspect_folder(Path::new(&path))?;
        Ok(FolderInspectionData {
            in_use,
            buckets: buckets as f64,
            objects: objects as f64,
            bytes: bytes as f64,
            problem_count: problem_count as f64,
            problems,
        })
    })
}

/// How a step of a bucket's trial went.
#[napi(object)]
pub struct ProbeOutcomeData {
    /// `List`, `Put`, `ConditionalPut`, `Get` or `Delete`.
    pub step: String,
    /// What went wrong, when it did.
    pub problem: Option<Failure>,
}

impl From<ProbeOutcome> for ProbeOutcomeData {
    fn from(ProbeOutcome { step, failure }: ProbeOutcome) -> Self {
        Self { step: format!("{step:?}"), problem: failure.as_ref().map(Failure::from) }
    }
}

/// Tries a bucket with an object `key`, which is removed again.
#[napi]
pub async fn probe_bucket(place: ReplicaPlace, key: String) -> napi::Result<Reply<Vec<ProbeOutcomeData>>> {
    Reply::from_future(async move {
        let bucket = Client::new(place.s3.into())?.bucket(&place.bucket, &place.prefix)?;
        Ok(bucket.probe(&key).await.into_iter().map(Into::into).collect())
    })
    .await
}

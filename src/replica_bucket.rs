//! `restore`: a replicated database's bucket without the database, for `lib/remult`.

use std::path::PathBuf;
use std::sync::Arc;

use holdfast_base::Result;
use holdfast_replica::{BucketStore, GenerationInfo, Inventory, Point, ReplicaStore, inventory, restore};
use holdfast_s3_client::Client;
use napi_derive::napi;

use crate::reply::Reply;
use crate::s3_settings::S3SettingsData;

/// Where a replicated database is in a bucket.
#[napi(object)]
pub struct ReplicaPlace {
    /// The bucket.
    pub bucket: String,
    /// Where in the bucket, with a slash at the end.
    pub prefix: String,
    /// The endpoint.
    pub s3: S3SettingsData,
}

impl ReplicaPlace {
    pub(crate) fn store(self) -> Result<Arc<dyn ReplicaStore>> {
        let bucket = Client::new(self.s3.into())?.bucket(&self.bucket, &self.prefix)?;
        Ok(Arc::new(BucketStore::new(bucket)))
    }
}

/// Which state to restore: the newest when both are absent.
#[napi(object)]
pub struct RestorePoint {
    /// The state as of this segment.
    pub position: Option<f64>,
    /// The state at this time, in milliseconds since the epoch.
    pub time_ms: Option<f64>,
}

impl From<RestorePoint> for Point {
    fn from(point: RestorePoint) -> Self {
        match (point.position, point.time_ms) {
            (Some(position), _) => Self::Position(position as u64),
            (None, Some(time_ms)) => Self::Time(time_ms as u64),
            (None, None) => Self::Newest,
        }
    }
}

/// What was restored.
#[napi(object)]
pub struct RestoredData {
    /// The segment whose state it is.
    pub position: f64,
    /// When the last transaction in it was committed, in milliseconds since the epoch.
    pub time_ms: f64,
    /// How many segments were applied.
    pub segments: f64,
    /// Bytes of the file.
    pub bytes: f64,
}

/// Restores a state of a replicated database into a new file.
#[napi]
pub async fn restore_replica(
    place: ReplicaPlace,
    file: String,
    point: RestorePoint,
) -> napi::Result<Reply<RestoredData>> {
    Reply::from_future(async move {
        let restored = restore(place.store()?, &PathBuf::from(file), point.into()).await?;
        Ok(RestoredData {
            position: restored.position as f64,
            time_ms: restored.time_ms as f64,
            segments: restored.segments as f64,
            bytes: restored.bytes as f64,
        })
    })
    .await
}

/// One snapshot.
#[napi(object)]
pub struct SnapshotData {
    /// When it was stored, in milliseconds since the epoch.
    pub created_ms: f64,
    /// Bytes.
    pub bytes: f64,
    /// The last segment in it.
    pub position: f64,
    /// When the last transaction in it was committed, in milliseconds since the epoch.
    pub time_ms: f64,
}

/// One generation: a snapshot, and the log behind it.
#[napi(object)]
pub struct GenerationData {
    /// Its id.
    pub id: String,
    /// The snapshot, when it counts.
    pub snapshot: Option<SnapshotData>,
    /// Objects of the log.
    pub log_objects: f64,
    /// Their bytes.
    pub log_bytes: f64,
    /// Why its description can't be read.
    pub problem: Option<String>,
}

/// Who holds a database.
#[napi(object)]
pub struct LeaseData {
    /// For people.
    pub holder: String,
    /// As ISO 8601.
    pub acquired_at: String,
    /// As ISO 8601.
    pub expires_at: String,
}

/// What a bucket keeps of a database.
#[napi(object)]
pub struct InventoryData {
    /// Oldest first.
    pub generations: Vec<GenerationData>,
    /// The last stored segment.
    pub position: f64,
    /// When the last stored transaction was committed, in milliseconds since the epoch.
    pub time_ms: f64,
    /// Who owned the log last.
    pub epoch: f64,
    /// The lease.
    pub lease: Option<LeaseData>,
}

/// Looks at what a bucket keeps of a database.
#[napi]
pub async fn list_replicas(place: ReplicaPlace) -> napi::Result<Reply<InventoryData>> {
    Reply::from_future(async move { Ok(inventory(&*place.store()?).await?.into()) }).await
}

impl From<Inventory> for InventoryData {
    fn from(inventory: Inventory) -> Self {
        let lease = inventory.lease.map(|lease| LeaseData {
            holder: lease.holder,
            acquired_at: lease.acquired_at,
            expires_at: lease.expires_at,
        });
        Self {
            generations: inventory.generations.into_iter().map(Into::into).collect(),
            position: inventory.position as f64,
            time_ms: inventory.time_ms as f64,
            epoch: inventory.epoch as f64,
            lease,
        }
    }
}

impl From<GenerationInfo> for GenerationData {
    fn from(generation: GenerationInfo) -> Self {
        let snapshot = generation.snapshot.map(|snapshot| SnapshotData {
            created_ms: snapshot.created_ms as f64,
            bytes: snapshot.bytes as f64,
            position: snapshot.position as f64,
            time_ms: snapshot.time_ms as f64,
        });
        Self {
            id: generation.id,
            snapshot,
            log_objects: generation.log_objects as f64,
            log_bytes: generation.log_bytes as f64,
            problem: generation.problem,
        }
    }
}

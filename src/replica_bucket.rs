//! `restore`: a replicated database's bucket without the database, for `lib/remult`.

use std::path::PathBuf;
use std::sync::Arc;

use holdfast_base::Result;
use holdfast_replica::{BucketStore, Point, ReplicaStore, restore};
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

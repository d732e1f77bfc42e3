//! What a bucket keeps of a database: for people, and for `holdfast replicas`.

use holdfast_base::Result;
use uuid::Uuid;

use crate::catalog::{Catalog, read_meta};
use crate::layout::LOCK;
use crate::lease::LockRecord;
use crate::log_listing::LogListing;
use crate::snapshot_meta::from_iso;
use crate::store::ReplicaStore;

/// One generation: a snapshot, and the log behind it.
#[derive(Clone, Debug)]
pub struct GenerationInfo {
    /// Its id; ids sort by time.
    pub id: String,
    /// The snapshot, when it counts.
    pub snapshot: Option<SnapshotInfo>,
    /// Objects of the log.
    pub log_objects: u64,
    /// Their bytes.
    pub log_bytes: u64,
    /// Why its description can't be read.
    pub problem: Option<String>,
}

/// One snapshot.
#[derive(Clone, Debug)]
pub struct SnapshotInfo {
    /// When it was stored, in milliseconds since the epoch.
    pub created_ms: u64,
    /// Bytes.
    pub bytes: u64,
    /// The last segment in it: the oldest point that it leads to. 0 in one of remult-sqlite-s3.
    pub position: u64,
    /// When the last transaction in it was committed, in milliseconds since the epoch.
    pub time_ms: u64,
}

/// See the top of the file.
#[derive(Clone, Debug)]
pub struct Inventory {
    /// Oldest first.
    pub generations: Vec<GenerationInfo>,
    /// The last stored segment.
    pub position: u64,
    /// When the last stored transaction was committed, in milliseconds since the epoch; 0 before the first.
    pub time_ms: u64,
    /// Who owned the log last; grows with each owner.
    pub epoch: u64,
    /// The lease, when somebody holds it or died with it.
    pub lease: Option<LockRecord>,
}

/// Looks at everything. Nothing is changed.
///
/// # Errors
/// `Integrity` naming what is torn at the log's end, `Connection`.
pub async fn inventory(store: &dyn ReplicaStore) -> Result<Inventory> {
    let catalog = Catalog::read(store).await?;
    let chain = catalog.newest_chain(store).await?;
    let mut generations = Vec::new();
    for id in catalog.generations.iter().rev() {
        generations.push(generation(store, id).await?);
    }
    let lease = store.get(LOCK).await?.and_then(|object| serde_json::from_slice(&object.bytes).ok());
    Ok(Inventory { generations, position: chain.sequence, time_ms: chain.time_ms, epoch: chain.epoch, lease })
}

async fn generation(store: &dyn ReplicaStore, id: &str) -> Result<GenerationInfo> {
    let (meta, problem) = match read_meta(store, id).await {
        Ok(meta) => (meta, None),
        Err(error) if error.code() == "SNAPSHOT_META_CORRUPT" => (None, Some(error.message().to_owned())),
        Err(error) => return Err(error),
    };
    let snapshot = match meta {
        None => None,
        Some(meta) => {
            let created_ms = from_iso(&meta.created_at).unwrap_or(0);
            let (position, time_ms) = match &meta.place {
                Some(place) => (place.log_place()?.sequence, place.time_ms()?),
                None => (0, created_ms),
            };
            Some(SnapshotInfo { created_ms, bytes: meta.size, position, time_ms })
        }
    };
    let listing = match Uuid::parse_str(id) {
        Ok(id) => LogListing::read(store, id, 0).await?,
        Err(_) => LogListing::default(),
    };
    let objects = || listing.segments.iter().chain(&listing.packs);
    let (log_objects, log_bytes) = (objects().count() as u64, objects().map(|one| one.bytes).sum());
    Ok(GenerationInfo { id: id.to_owned(), snapshot, log_objects, log_bytes, problem })
}

//! The lsm layout: SlateDB, a log-structured tree in a bucket, with one writer and any number of readers.
//!
//! Invariants:
//! - Every key has the byte [`key::TAG`] before it, since SlateDB has no empty key.
//! - A range is checked before SlateDB sees it, which panics on an empty one.
//! - A write that is acknowledged is in the bucket, except when the caller asked not to wait.
//! - Nothing waits longer than the client's operation timeout.

mod bucket_store;
mod durability;
mod failure;
mod key;
mod part_upload;
mod scan;
mod settings;
mod view;

use std::sync::Arc;
use std::time::Duration;

use holdfast_base::Result;
use holdfast_s3_client::Bucket;
use slatedb::db_cache::moka::{MokaCache, MokaCacheOptions};
use slatedb::{Db, DbReader, WriteBatch};

pub(crate) use scan::LsmIterator;
pub(crate) use view::LsmView;

use self::bucket_store::BucketStore;
use self::durability::Durability;
pub(crate) use self::failure::read_only;
use self::failure::{lsm_error, within};
use crate::Operation;

/// The folder of the database's objects, under the location's.
const FOLDER: &str = "lsm";

/// An open tree.
pub(crate) struct Lsm {
    role: Role,
    timeout: Duration,
}

enum Role {
    Writer { db: Db, durability: Durability },
    Reader(Arc<DbReader>),
}

impl std::fmt::Debug for Lsm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lsm").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}

impl Lsm {
    /// Opens the tree under a folder for writing, and makes it where nothing is. Whoever had it open for writing
    /// before writes no more.
    pub(crate) async fn open(bucket: Bucket) -> Result<Self> {
        let timeout = Duration::from_millis(bucket.client().timeouts().operation_ms);
        let cache =
            MokaCache::new_with_opts(MokaCacheOptions { max_capacity: settings::CACHE_BYTES, ..Default::default() });
        let store = Arc::new(BucketStore(bucket));
        let opening = Db::builder(FOLDER, store)
            .with_settings(settings::writer(timeout))
            .with_db_cache(Arc::new(cache), 0)
            .build();
        let db = within(timeout, opening).await?;
        Ok(Self { role: Role::Writer { db, durability: Durability::default() }, timeout })
    }

    /// Opens the tree under a folder for reading; it follows its writer at an interval.
    pub(crate) async fn open_reader(bucket: Bucket, poll: Duration) -> Result<Self> {
        let timeout = Duration::from_millis(bucket.client().timeouts().operation_ms);
        let cache =
            MokaCache::new_with_opts(MokaCacheOptions { max_capacity: settings::CACHE_BYTES, ..Default::default() });
        let opening = DbReader::builder(FOLDER, Arc::new(BucketStore(bucket)))
            .with_options(settings::reader(timeout, poll))
            .with_db_cache(Arc::new(cache), 0)
            .build();
        let reader = within(timeout, opening).await?;
        Ok(Self { role: Role::Reader(Arc::new(reader)), timeout })
    }

    /// What reads see: the state now, or a reader's latest.
    pub(crate) fn view(&self) -> Result<LsmView> {
        match &self.role {
            Role::Writer { db, .. } => db.snapshot().map(LsmView::Snapshot).map_err(|error| lsm_error(&error)),
            Role::Reader(reader) => Ok(LsmView::Latest(reader.clone())),
        }
    }

    /// Whether reads see the state at the moment they begin.
    pub(crate) fn has_snapshots(&self) -> bool {
        matches!(self.role, Role::Writer { .. })
    }

    /// Applies all writes or none. With `sync`, waits until they are in the bucket.
    pub(crate) async fn write(&self, operations: Vec<Operation>, sync: bool) -> Result<()> {
        let Role::Writer { db, durability } = &self.role else { return Err(read_only()) };
        let mut batch = WriteBatch::new();
        for operation in operations {
            match operation {
                Operation::Put { key, value } => batch.put(key::tagged(&key)?, value),
                Operation::Del { key } => batch.delete(key::tagged(&key)?),
            }
        }
        if batch.is_empty() {
            return Ok(());
        }
        let written = within(self.timeout, db.write(batch)).await?;
        match sync {
            true => durability.reach(db, written.seqnum(), self.timeout).await,
            false => Ok(()),
        }
    }

    /// Waits until all that was written is in the bucket, and stops.
    pub(crate) async fn close(&self) -> Result<()> {
        match &self.role {
            Role::Writer { db, .. } => within(self.timeout, db.close()).await,
            Role::Reader(reader) => within(self.timeout, reader.close()).await,
        }
    }
}

//! What the bucket holds: the generations, and the snapshots that count.

use holdfast_base::{Error, Result};

use crate::layout;
use crate::log_chain::LogChain;
use crate::point::Point;
use crate::snapshot_meta::{SnapshotMeta, from_iso};
use crate::store::{KeyQuery, ReplicaStore};

/// The generations, and the newest snapshot that counts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Catalog {
    /// All generations' ids, newest first.
    pub(crate) generations: Vec<String>,
    /// The newest snapshot of ours.
    pub(crate) newest: Option<SnapshotMeta>,
    /// Snapshots of remult-sqlite-s3, newest first; read only when there is none of ours.
    pub(crate) foreign: Vec<SnapshotMeta>,
    /// The first description that was passed over because it can't be read.
    pub(crate) passed_over: Option<Error>,
}

impl Catalog {
    /// Lists the generations, and reads what makes them count until one of ours does. A description that
    /// can't be read is passed over when an older one can: the log behind that leads to the same state.
    ///
    /// # Errors
    /// `Integrity` with code `SNAPSHOT_META_CORRUPT` when there are descriptions and none can be read.
    pub(crate) async fn read(store: &dyn ReplicaStore) -> Result<Self> {
        let mut catalog = Self { generations: generations(store).await?, ..Self::default() };
        for generation in &catalog.generations {
            match read_meta(store, generation).await {
                Ok(Some(meta)) if meta.place.is_some() => {
                    catalog.newest = Some(meta);
                    catalog.foreign.clear();
                    return Ok(catalog);
                }
                Ok(Some(meta)) => catalog.foreign.push(meta),
                Ok(None) => {}
                Err(error) if error.code() == "SNAPSHOT_META_CORRUPT" => {
                    catalog.passed_over.get_or_insert(error);
                }
                Err(error) => return Err(error),
            }
        }
        if let Some(error) = catalog.passed_over {
            return Err(error);
        }
        catalog.foreign.sort_by_key(|meta| std::cmp::Reverse(from_iso(&meta.created_at)));
        Ok(catalog)
    }

    /// Whether the bucket holds any snapshot.
    pub(crate) fn is_empty(&self) -> bool {
        self.newest.is_none() && self.foreign.is_empty()
    }

    /// The newest snapshot of ours that is not behind a point, of a generation older than `older_than`.
    ///
    /// # Errors
    /// `NotFound` with code `POINT_NOT_KEPT` when there are snapshots, and all are behind the point.
    pub(crate) async fn snapshot_for(
        &self,
        store: &dyn ReplicaStore,
        point: Point,
        older_than: Option<&str>,
    ) -> Result<Option<SnapshotMeta>> {
        let mut oldest = self.newest.clone().or_else(|| self.foreign.first().cloned());
        for generation in self.generations.iter().filter(|id| older_than.is_none_or(|than| id.as_str() < than)) {
            let read = match read_meta(store, generation).await {
                Err(error) if error.code() == "SNAPSHOT_META_CORRUPT" => continue,
                read => read?,
            };
            let Some(meta) = read else { continue };
            let Some(place) = &meta.place else { continue };
            if point.reaches(place)? {
                return Ok(Some(meta));
            }
            oldest = Some(meta);
        }
        match oldest {
            Some(oldest) if older_than.is_none() => Err(point.before(&oldest)),
            _ => Ok(None),
        }
    }

    /// The log behind the newest snapshot of ours, or from its first segment when there is none.
    pub(crate) async fn newest_chain(&self, store: &dyn ReplicaStore) -> Result<LogChain> {
        match &self.newest {
            Some(meta) => LogChain::behind(store, meta).await,
            None => LogChain::from_the_first(store).await,
        }
    }
}

/// The generations' ids, newest first.
pub(crate) async fn generations(store: &dyn ReplicaStore) -> Result<Vec<String>> {
    let mut query = KeyQuery { prefix: layout::GENERATIONS.to_owned(), folders: true, ..KeyQuery::default() };
    let mut ids = Vec::new();
    loop {
        let page = store.list(&query).await?;
        ids.extend(page.folders.iter().filter_map(|folder| layout::generation_of(folder)).map(str::to_owned));
        match page.next {
            Some(next) => query.continuation = Some(next),
            None => break,
        }
    }
    ids.sort_unstable_by(|one, other| other.cmp(one));
    Ok(ids)
}

/// The description of a generation's snapshot; `None` when it has none, and so does not count.
pub(crate) async fn read_meta(store: &dyn ReplicaStore, generation: &str) -> Result<Option<SnapshotMeta>> {
    let key = layout::snapshot_meta(generation);
    let object = store.get(&key).await?;
    let meta = object.map(|object| SnapshotMeta::decode(&object.bytes, generation)).transpose();
    meta.map_err(|error| error.with("key", key))
}

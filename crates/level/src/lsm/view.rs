//! What reads see.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use holdfast_base::Result;
use slatedb::config::{ReadOptions, ScanOptions};
use slatedb::{DbIterator, DbReader, DbSnapshot, IterationOrder};

use super::failure::lsm_error;
use super::key::{tagged, tagged_range};
use crate::iterator::IteratorOptions;

/// Gets of one call at once.
const GETS_AT_ONCE: usize = 64;
/// What a scan fetches in one request: about ten thousand small entries.
const READ_AHEAD_BYTES: usize = 1 << 20;
/// The same for a scan of a few entries.
const SHORT_READ_AHEAD_BYTES: usize = 32 << 10;
const SHORT_SCAN: u64 = 32;
const FETCHES_AT_ONCE: usize = 4;

/// A state of the tree. Clones share it.
#[derive(Clone)]
pub(crate) enum LsmView {
    /// The state at one moment.
    Snapshot(Arc<DbSnapshot>),
    /// The newest state that a reader knows.
    Latest(Arc<DbReader>),
}

impl LsmView {
    pub(crate) async fn get(&self, key: &[u8]) -> Result<Option<Bytes>> {
        let key = tagged(key)?;
        let options = ReadOptions::default();
        let found = match self {
            Self::Snapshot(snapshot) => snapshot.get_with_options(key, &options).await,
            Self::Latest(reader) => reader.get_with_options(key, &options).await,
        };
        found.map_err(|error| lsm_error(&error))
    }

    /// The values of many keys, in their order.
    pub(crate) async fn get_many(&self, keys: &[Vec<u8>]) -> Result<Vec<Option<Bytes>>> {
        let gets: Vec<_> = keys
            .iter()
            .map(|key| {
                let (view, key) = (self.clone(), key.clone());
                async move { view.get(&key).await }
            })
            .collect();
        stream::iter(gets).buffered(GETS_AT_ONCE).try_collect().await
    }

    /// A scan; `None` when no key can lie in the range.
    pub(super) async fn scan(&self, options: &IteratorOptions) -> Result<Option<DbIterator>> {
        let Some(range) = tagged_range(&options.range) else { return Ok(None) };
        let short = options.limit.is_some_and(|limit| limit <= SHORT_SCAN);
        let scan = ScanOptions {
            read_ahead_bytes: if short { SHORT_READ_AHEAD_BYTES } else { READ_AHEAD_BYTES },
            max_fetch_tasks: FETCHES_AT_ONCE,
            cache_blocks: true,
            order: if options.reverse { IterationOrder::Descending } else { IterationOrder::Ascending },
            ..ScanOptions::default()
        };
        let scan = match self {
            Self::Snapshot(snapshot) => snapshot.scan_with_options(range, &scan).await,
            Self::Latest(reader) => reader.scan_with_options(range, &scan).await,
        };
        scan.map(Some).map_err(|error| lsm_error(&error))
    }
}

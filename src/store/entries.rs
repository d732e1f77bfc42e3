//! Records and kv: reads.

use std::ops::Bound;

use holdfast_base::{Key, KeyRange, Result};
use holdfast_store::{EntryQuery, Space, ToJson};
use napi_derive::napi;

use super::crossing::{Crossing, keys, whole};
use super::handle::StoreHandle;

/// Which keys to list.
#[napi(object)]
pub struct ListQueryData {
    /// Only keys that start with it.
    pub prefix: Option<String>,
    /// The first key, included.
    pub start: Option<String>,
    /// The last key, excluded.
    pub end: Option<String>,
    /// From the last to the first.
    pub reverse: Option<bool>,
    /// The `next` of the page before.
    pub after: Option<String>,
    /// At most so many.
    pub limit: f64,
    /// Leave the values out.
    pub keys_only: Option<bool>,
    /// Folds what follows it behind the prefix (blobs only).
    pub delimiter: Option<String>,
}

impl ListQueryData {
    /// The keys that lie within every bound given.
    pub(super) fn range(&self) -> KeyRange {
        let mut range = self.prefix.as_deref().map_or(KeyRange::all(), |prefix| KeyRange::prefix(prefix.as_bytes()));
        if let Some(start) = &self.start {
            let start = start.as_bytes().to_vec();
            range.start = match range.start {
                Bound::Included(low) if low > start => Bound::Included(low),
                _ => Bound::Included(start),
            };
        }
        if let Some(end) = &self.end {
            let end = end.as_bytes().to_vec();
            range.end = match range.end {
                Bound::Excluded(high) if high < end => Bound::Excluded(high),
                _ => Bound::Excluded(end),
            };
        }
        range
    }

    pub(super) fn limit(&self) -> Result<usize> {
        Ok(usize::try_from(whole(self.limit, "limit")?).unwrap_or(usize::MAX))
    }
}

/// 0 is records, 2 the checkpoints of subscriptions, everything else kv.
pub(super) fn space_of(number: u32) -> Space {
    Space::numbered(number.into())
}

#[napi]
impl StoreHandle {
    /// An entry, or null.
    #[napi(ts_return_type = "Reply<string | null> | Promise<Reply<string | null>>")]
    pub fn entry(&self, space: u32, key: String) -> Crossing<Option<String>> {
        Crossing::of(|| {
            let found = self.adapter.get(space_of(space), &Key::new(key)?);
            Ok(found.map(|entry| entry.map(|entry| entry.to_json())))
        })
    }

    /// An entry's value, or null.
    #[napi(ts_return_type = "Reply<string | null> | Promise<Reply<string | null>>")]
    pub fn value(&self, space: u32, key: String) -> Crossing<Option<String>> {
        Crossing::of(|| Ok(self.adapter.get(space_of(space), &Key::new(key)?).map(|entry| entry.map(|it| it.value))))
    }

    /// Entries or nulls, in the order of the keys.
    #[napi(ts_return_type = "Reply<string> | Promise<Reply<string>>")]
    pub fn entries(&self, space: u32, names: Vec<String>) -> Crossing<String> {
        Crossing::of(|| Ok(self.adapter.get_many(space_of(space), keys(names)?).map(|found| found.to_json())))
    }

    /// A page of entries.
    #[napi(ts_return_type = "Reply<string> | Promise<Reply<string>>")]
    pub fn list(&self, space: u32, query: ListQueryData) -> Crossing<String> {
        Crossing::of(|| {
            let query = EntryQuery {
                range: query.range(),
                reverse: query.reverse.unwrap_or(false),
                limit: query.limit()?,
                keys_only: query.keys_only.unwrap_or(false),
                after: query.after,
            };
            Ok(self.adapter.list(space_of(space), query).map(|page| page.to_json()))
        })
    }

    /// How many entries there are.
    #[napi(ts_return_type = "Reply<number> | Promise<Reply<number>>")]
    pub fn count(&self, space: u32, query: ListQueryData) -> Crossing<f64> {
        #[expect(clippy::cast_precision_loss, reason = "nobody has 2^53 entries")]
        Crossing::of(|| Ok(self.adapter.count(space_of(space), query.range()).map(|count| count as f64)))
    }
}

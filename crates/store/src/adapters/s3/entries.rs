//! Records and kv. What was deleted or has expired is still an object, so a list reads what it lists.

use futures_util::{StreamExt, TryStreamExt};
use holdfast_base::{Key, KeyRange, Result};

use super::scan::{Found, Scan};
use super::{S3, WIDTH, cell_object, check_key};
use crate::entry::PAGE_BYTES;
use crate::ports::Entries;
use crate::{Answer, Entry, EntryPage, EntryQuery, Space};

/// How many names a scan gives at once.
const NAMES_AT_ONCE: usize = 1000;
/// How many values are fetched at the same time.
const VALUES_AT_ONCE: usize = 8;

impl Entries for S3 {
    fn get(&self, space: Space, key: &Key) -> Answer<Option<Entry>> {
        let key = key.clone();
        self.later(|store| async move {
            check_key(store.space(space), &key)?;
            get(&store, space, key.as_str()).await
        })
    }

    fn get_many(&self, space: Space, keys: Vec<Key>) -> Answer<Vec<Option<Entry>>> {
        self.later(|store| async move {
            keys.iter().try_for_each(|key| check_key(store.space(space), key))?;
            let gets: Vec<_> = keys.iter().map(|key| get(&store, space, key.as_str())).collect();
            futures_util::stream::iter(gets).buffered(WIDTH).try_collect().await
        })
    }

    fn list(&self, space: Space, query: EntryQuery) -> Answer<EntryPage> {
        self.later(|store| async move { list(&store, space, query).await })
    }

    fn count(&self, space: Space, range: KeyRange) -> Answer<u64> {
        self.later(|store| async move {
            let mut query = EntryQuery { keys_only: true, ..EntryQuery::of(range, NAMES_AT_ONCE) };
            let mut count = 0;
            loop {
                let page = list(&store, space, query.clone()).await?;
                count += page.items.len() as u64;
                let Some(next) = page.next else { return Ok(count) };
                query.after = Some(next);
            }
        })
    }
}

async fn get(store: &S3, space: Space, key: &str) -> Result<Option<Entry>> {
    let read = cell_object::read(store.space(space), key).await?;
    Ok(read.and_then(|read| read.cell.into_entry(key, store.now_ms())))
}

async fn list(store: &S3, space: Space, mut query: EntryQuery) -> Result<EntryPage> {
    let mut page = EntryPage::default();
    let mut bytes = 0;
    loop {
        let scan =
            Scan { bucket: store.space(space), range: query.remaining(), prefix: "", delimiter: None, hidden: &[] };
        let width = query.limit.saturating_add(1).min(NAMES_AT_ONCE);
        let names = scan.take(width, query.reverse).await?;
        let is_last = names.len() < width;
        let fetch = |found: Found| async move {
            let entry = get(store, space, &found.name).await?;
            Ok::<_, holdfast_base::Error>((found.name, entry))
        };
        let mut entries = futures_util::stream::iter(names.into_iter().map(fetch)).buffered(VALUES_AT_ONCE);
        while let Some((name, entry)) = entries.try_next().await? {
            if let Some(mut entry) = entry {
                if page.items.len() >= query.limit || bytes >= PAGE_BYTES {
                    page.next = page.items.last().map(|entry| entry.key.clone());
                    return Ok(page);
                }
                if query.keys_only {
                    entry.value = String::new();
                }
                bytes += entry.key.len() + entry.value.len();
                page.items.push(entry);
            }
            query.after = Some(name);
        }
        if is_last {
            return Ok(page);
        }
    }
}

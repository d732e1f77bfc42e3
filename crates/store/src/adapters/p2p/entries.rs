//! Records and kv: read as the SQLite adapter reads them.

use holdfast_base::{Key, KeyRange};

use super::P2p;
use crate::ports::Entries;
use crate::{Answer, Entry, EntryPage, EntryQuery, Space};

impl Entries for P2p {
    fn get(&self, space: Space, key: &Key) -> Answer<Option<Entry>> {
        self.inner.get(space, key)
    }

    fn get_many(&self, space: Space, keys: Vec<Key>) -> Answer<Vec<Option<Entry>>> {
        self.inner.get_many(space, keys)
    }

    fn list(&self, space: Space, query: EntryQuery) -> Answer<EntryPage> {
        self.inner.list(space, query)
    }

    fn count(&self, space: Space, range: KeyRange) -> Answer<u64> {
        self.inner.count(space, range)
    }
}

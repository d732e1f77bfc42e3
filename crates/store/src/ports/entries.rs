//! The port of records and kv. Changes go through [`super::Adapter::commit`].

use holdfast_base::{Key, KeyRange};

use crate::{Answer, Entry, EntryPage, EntryQuery, Space};

/// Reads entries. What is expired is not there.
pub trait Entries {
    /// The entry, if it exists.
    fn get(&self, space: Space, key: &Key) -> Answer<Option<Entry>>;
    /// The entries, in the order of the keys.
    fn get_many(&self, space: Space, keys: Vec<Key>) -> Answer<Vec<Option<Entry>>>;
    /// A page of entries.
    fn list(&self, space: Space, query: EntryQuery) -> Answer<EntryPage>;
    /// How many there are.
    fn count(&self, space: Space, range: KeyRange) -> Answer<u64>;
}

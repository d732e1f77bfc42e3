//! Records and kv.

use holdfast_base::{Key, KeyRange};
use std::ops::Bound;

use super::{Memory, State, lowest_text};
use crate::cell::Cell;
use crate::entry::PAGE_BYTES;
use crate::ports::Entries;
use crate::{Answer, Entry, EntryPage, EntryQuery, Space};

impl Entries for Memory {
    fn get(&self, space: Space, key: &Key) -> Answer<Option<Entry>> {
        Answer::now(|| self.with(|state, now_ms| Ok(get(state, space, key, now_ms))))
    }

    fn get_many(&self, space: Space, keys: Vec<Key>) -> Answer<Vec<Option<Entry>>> {
        Answer::now(|| self.with(|state, now_ms| Ok(keys.iter().map(|key| get(state, space, key, now_ms)).collect())))
    }

    fn list(&self, space: Space, query: EntryQuery) -> Answer<EntryPage> {
        Answer::now(|| self.with(|state, now_ms| Ok(list(state, space, &query, now_ms))))
    }

    fn count(&self, space: Space, range: KeyRange) -> Answer<u64> {
        Answer::now(|| {
            self.with(|state, now_ms| {
                Ok(cells(state, space, &range).filter(|(_, cell)| cell.is_live(now_ms)).count() as u64)
            })
        })
    }
}

fn get(state: &State, space: Space, key: &Key, now_ms: u64) -> Option<Entry> {
    state.cells.get(&(space, key.as_str().to_owned())).cloned()?.into_entry(key.as_str(), now_ms)
}

/// The cells of a range, in order, deleted ones too.
fn cells<'a>(
    state: &'a State,
    space: Space,
    range: &KeyRange,
) -> Box<dyn DoubleEndedIterator<Item = (&'a str, &'a Cell)> + 'a> {
    let from = Bound::Included((space, lowest_text(range)));
    let range = range.clone();
    let cells = state.cells.range((from, Bound::Unbounded));
    Box::new(
        cells
            .filter(move |((of, key), _)| *of == space && range.contains(key.as_bytes()))
            .map(|((_, key), cell)| (key.as_str(), cell)),
    )
}

fn list(state: &State, space: Space, query: &EntryQuery, now_ms: u64) -> EntryPage {
    let range = query.remaining();
    let forward = cells(state, space, &range);
    let mut ordered: Box<dyn Iterator<Item = (&str, &Cell)>> =
        if query.reverse { Box::new(forward.rev()) } else { forward };
    let mut page = EntryPage::default();
    let mut bytes = 0;
    for (key, cell) in ordered.by_ref().filter(|(_, cell)| cell.is_live(now_ms)) {
        if page.items.len() >= query.limit || bytes >= PAGE_BYTES {
            page.next = page.items.last().map(|entry: &Entry| entry.key.clone());
            break;
        }
        let Some(mut entry) = cell.clone().into_entry(key, now_ms) else { continue };
        if query.keys_only {
            entry.value = String::new();
        }
        bytes += entry.key.len() + entry.value.len();
        page.items.push(entry);
    }
    page
}

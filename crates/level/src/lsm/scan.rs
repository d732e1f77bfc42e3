//! A cursor over a range of one state.

use std::ops::Bound;

use bytes::Bytes;
use holdfast_base::Result;
use slatedb::DbIterator;

use super::failure::lsm_error;
use super::view::LsmView;
use crate::iterator::{Entry, IteratorOptions, Page};

/// A cursor over a range. All of it is of one state, unless a reader follows its writer.
pub(crate) struct LsmIterator {
    view: LsmView,
    options: IteratorOptions,
    scan: Scan,
    yielded: u64,
}

enum Scan {
    /// Begins at the next read.
    Ahead(IteratorOptions),
    Open(Box<DbIterator>),
    Over,
}

impl LsmIterator {
    pub(crate) fn new(view: LsmView, options: IteratorOptions) -> Self {
        Self { view, scan: Scan::Ahead(options.clone()), options, yielded: 0 }
    }

    /// The next entries, as many as fit in `entries` and in about `bytes`, at least one; none at the end.
    pub(crate) async fn next_page(&mut self, entries: usize, bytes: usize) -> Result<Page> {
        let mut page = Page::default();
        let mut page_bytes = 0;
        let left = self.options.limit.map_or(u64::MAX, |limit| limit.saturating_sub(self.yielded));
        let most = entries.max(1).min(usize::try_from(left).unwrap_or(usize::MAX));
        while page.entries.len() < most && page_bytes < bytes.max(1) {
            let Some((key, value)) = self.next().await? else { break };
            let value = if self.options.values { value } else { Bytes::new() };
            page_bytes += key.len() + value.len();
            page.entries.push(Entry { key, value });
        }
        self.yielded += page.entries.len() as u64;
        Ok(page)
    }

    /// Moves to a key, on the same state; see [`crate::LevelIterator::seek`].
    pub(crate) fn seek(&mut self, target: &[u8]) {
        if !self.options.range.contains(target) {
            self.scan = Scan::Over;
            return;
        }
        let mut options = self.options.clone();
        let bound = Bound::Included(target.to_vec());
        if options.reverse {
            options.range.end = bound;
        } else {
            options.range.start = bound;
        }
        self.scan = Scan::Ahead(options);
    }

    async fn next(&mut self) -> Result<Option<(Vec<u8>, Bytes)>> {
        loop {
            match &mut self.scan {
                Scan::Over => return Ok(None),
                Scan::Ahead(options) => {
                    let open = self.view.scan(options).await?;
                    self.scan = open.map_or(Scan::Over, |scan| Scan::Open(Box::new(scan)));
                }
                Scan::Open(scan) => match scan.next().await.map_err(|error| lsm_error(&error))? {
                    Some(found) => return Ok(Some((found.key[1..].to_vec(), found.value))),
                    None => self.scan = Scan::Over,
                },
            }
        }
    }
}

//! Listings: a page costs a page, however large the bucket.

use std::ops::ControlFlow;

use holdfast_sqlite::Work;
use holdfast_sqlite::rusqlite::Connection;

use super::buckets::MAX_PAGE;
use super::index::{buckets, objects, range_end};
use super::opening::no_such_bucket;
use super::{Engine, ListEntry, ListPage, ListQuery, Result};

impl Engine {
    /// One page of objects and common prefixes in byte order.
    ///
    /// # Errors
    /// `NoSuchBucket`, `Storage`.
    pub async fn list(&self, bucket: &str, query: ListQuery) -> Result<ListPage> {
        let bucket = bucket.to_owned();
        self.read(move |connection| {
            let Some(id) = buckets::id(connection, &bucket)? else { return no_such_bucket(&bucket) };
            Ok(Ok(page(connection, id, &query)?))
        })
        .await
    }
}

fn page(connection: &Connection, bucket: i64, query: &ListQuery) -> Work<ListPage> {
    let max = query.max.min(MAX_PAGE);
    if max == 0 {
        return Ok(ListPage::default());
    }
    let rule = Rule { prefix: &query.prefix, delimiter: query.delimiter.as_deref().filter(|text| !text.is_empty()) };
    let mut entries = Vec::with_capacity(max.min(1000) + 1);
    let mut from = rule.first_after(query.after.as_deref());
    let end = range_end(&query.prefix);
    // Each round is one seek: a common prefix ends it and the next begins behind all of its keys.
    loop {
        let mut next = ControlFlow::Break(());
        objects::walk(connection, bucket, &from, &end, |key, row| {
            if let Some(prefix) = rule.common_prefix(key) {
                next = ControlFlow::Continue(range_end(prefix));
                entries.push(ListEntry::CommonPrefix(prefix.to_owned()));
                return Ok(false);
            }
            entries.push(ListEntry::Object(objects::listed(key, row)?));
            Ok(entries.len() <= max)
        })?;
        match next {
            ControlFlow::Continue(behind) if entries.len() <= max => from = behind,
            _ => break,
        }
    }
    let is_more = entries.len() > max;
    entries.truncate(max);
    let next = entries.last().filter(|_| is_more).map(|entry| entry.text().to_owned());
    Ok(ListPage { entries, next })
}

/// Which keys are asked for and how they roll up.
pub(super) struct Rule<'a> {
    pub(super) prefix: &'a str,
    pub(super) delimiter: Option<&'a str>,
}

impl Rule<'_> {
    /// What a key that starts with the prefix rolls up to.
    pub(super) fn common_prefix<'k>(&self, key: &'k str) -> Option<&'k str> {
        let delimiter = self.delimiter?;
        let at = key.get(self.prefix.len()..)?.find(delimiter)?;
        key.get(..self.prefix.len() + at + delimiter.len())
    }

    /// The least key that can be listed after `after`: behind all of its keys when it is a common prefix.
    pub(super) fn first_after(&self, after: Option<&str>) -> Vec<u8> {
        let Some(after) = after else { return self.prefix.as_bytes().to_vec() };
        let is_common_prefix = after.starts_with(self.prefix) && self.common_prefix(after) == Some(after);
        let behind = if is_common_prefix {
            range_end(after)
        } else {
            [after.as_bytes(), b"\0"].concat() // the next string in byte order
        };
        behind.max(self.prefix.as_bytes().to_vec())
    }
}

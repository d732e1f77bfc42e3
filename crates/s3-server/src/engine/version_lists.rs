//! Listings of all versions: a page costs a page, however many versions there are.

use std::ops::ControlFlow;

use holdfast_sqlite::Work;
use holdfast_sqlite::rusqlite::{Connection, Row};

use super::buckets::MAX_PAGE;
use super::index::versions::Place;
use super::index::{buckets, objects, range_end, versions};
use super::lists::Rule;
use super::opening::no_such_bucket;
use super::{Engine, ListedVersion, Result, VersionEntry, VersionPage, VersionQuery};

impl Engine {
    /// One page of versions, delete markers and common prefixes: by key in byte order, then newest first.
    ///
    /// # Errors
    /// `NoSuchBucket`, `Storage`.
    pub async fn list_versions(&self, bucket: &str, query: VersionQuery) -> Result<VersionPage> {
        let bucket = bucket.to_owned();
        self.read(move |connection| {
            let Some(id) = buckets::id(connection, &bucket)? else { return no_such_bucket(&bucket) };
            // One moment for all statements: a version that moves between the tables is listed once.
            let moment = connection.unchecked_transaction()?;
            Ok(Ok(page(&moment, id, &query)?))
        })
        .await
    }
}

/// Entries of a page while it is walked.
struct Entries<'a> {
    found: Vec<VersionEntry>,
    max: usize,
    rule: &'a Rule<'a>,
    /// The key of the last version; what follows with the same key is not its latest.
    last_key: Option<String>,
}

impl Entries<'_> {
    /// Takes a row; breaks off behind a common prefix, or with `None` when the page is full and one more.
    fn take(&mut self, key: &str, row: &Row<'_>) -> Work<ControlFlow<Option<Vec<u8>>>> {
        if let Some(prefix) = self.rule.common_prefix(key) {
            self.found.push(VersionEntry::CommonPrefix(prefix.to_owned()));
            let behind = (!self.is_over()).then(|| range_end(prefix));
            return Ok(ControlFlow::Break(behind));
        }
        let (version, place) = versions::version_and_place(row)?;
        let is_latest = self.last_key.as_deref() != Some(key);
        if is_latest {
            self.last_key = Some(key.to_owned());
        }
        let is_marker = place == Place::Marker;
        let listed = ListedVersion { object: objects::listed(key, row)?, version, is_latest, is_marker };
        self.found.push(VersionEntry::Version(Box::new(listed)));
        Ok(if self.is_over() { ControlFlow::Break(None) } else { ControlFlow::Continue(()) })
    }

    fn is_over(&self) -> bool {
        self.found.len() > self.max
    }
}

fn page(connection: &Connection, bucket: i64, query: &VersionQuery) -> Work<VersionPage> {
    let max = query.max.min(MAX_PAGE);
    if max == 0 {
        return Ok(VersionPage::default());
    }
    let rule = Rule { prefix: &query.prefix, delimiter: query.delimiter.as_deref().filter(|text| !text.is_empty()) };
    let mut entries = Entries { found: Vec::with_capacity(max.min(1000) + 1), max, rule: &rule, last_key: None };
    let mut from = Some(begin(connection, bucket, query, &mut entries)?);
    let end = range_end(&query.prefix);
    while let Some(start) = from.take().filter(|_| !entries.is_over()) {
        versions::walk(connection, bucket, (&start, &end), |key, row| {
            let taken = entries.take(key, row)?;
            if let ControlFlow::Break(behind) = &taken {
                from.clone_from(behind);
            }
            Ok(taken.is_continue())
        })?;
    }
    let mut found = entries.found;
    let is_more = found.len() > max;
    found.truncate(max);
    let next = found.last().filter(|_| is_more).map(|entry| match entry {
        VersionEntry::Version(listed) => (listed.object.key.clone(), Some(listed.version)),
        VersionEntry::CommonPrefix(prefix) => (prefix.clone(), None),
    });
    Ok(VersionPage { entries: found, next })
}

/// Takes what is left of the key that the page before ended in; gives where to go on.
fn begin(connection: &Connection, bucket: i64, query: &VersionQuery, entries: &mut Entries<'_>) -> Work<Vec<u8>> {
    let rule = entries.rule;
    let after = query.after_key.as_deref();
    let (Some(key), Some(version)) = (after, query.after_version) else { return Ok(rule.first_after(after)) };
    if !key.starts_with(rule.prefix) || rule.common_prefix(key).is_some() {
        return Ok(rule.first_after(after));
    }
    let than = match version.sequence() {
        Some(sequence) => sequence,
        // A null version that is gone meanwhile: the key is listed from its newest on, so that none is missed.
        None => match versions::null_sequence(connection, bucket, key)? {
            Some(sequence) => sequence,
            None => return Ok(key.as_bytes().to_vec()),
        },
    };
    entries.last_key = Some(key.to_owned());
    versions::walk_older(connection, (bucket, key), than, |key, row| Ok(entries.take(key, row)?.is_continue()))?;
    Ok(rule.first_after(after))
}

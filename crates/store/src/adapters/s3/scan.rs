//! Keys of a bucket in their order, within bounds, in bounded memory.

use std::collections::VecDeque;
use std::ops::Bound;

use holdfast_base::{KeyRange, Result, prefix_end};
use holdfast_s3_client::{Bucket, ListRequest, ListedObject};

/// Behind every key that starts with what stands before it.
const HIGHEST: char = '\u{10ffff}';

/// What a scan finds: an object, or what a delimiter folded.
pub(super) struct Found {
    pub(super) name: String,
    pub(super) object: Option<ListedObject>,
}

/// What to look through.
pub(super) struct Scan<'a> {
    pub(super) bucket: &'a Bucket,
    pub(super) range: KeyRange,
    /// The prefix that the delimiter is looked for behind.
    pub(super) prefix: &'a str,
    pub(super) delimiter: Option<&'a str>,
    /// Prefixes that are passed over.
    pub(super) hidden: &'a [String],
}

impl Scan<'_> {
    /// The first `limit` of the range; the last, in falling order, when reversed. S3 lists forward only, so a
    /// reversed scan reads every name of the range and keeps the last ones.
    pub(super) async fn take(&self, limit: usize, reverse: bool) -> Result<VecDeque<Found>> {
        let mut kept = VecDeque::new();
        if self.range.is_empty() || limit == 0 {
            return Ok(kept);
        }
        let mut start_after = self.begin();
        loop {
            let request = ListRequest {
                prefix: self.prefix.to_owned(),
                delimiter: self.delimiter.map(str::to_owned),
                start_after: start_after.clone(),
                ..ListRequest::default()
            };
            let page = self.bucket.list(&request).await?;
            let is_last = page.next.is_none();
            let mut names = merged(page.objects, page.common_prefixes);
            let Some(last) = names.back().map(|found| self.behind(found)) else { return Ok(kept) };
            start_after = Some(last);
            while let Some(found) = names.pop_front() {
                if let Some(hidden) = self.hidden.iter().find(|hidden| found.name.starts_with(hidden.as_str())) {
                    let behind = format!("{hidden}{HIGHEST}");
                    if start_after.as_ref().is_some_and(|after| after.starts_with(hidden.as_str())) {
                        start_after = Some(behind);
                    }
                    continue;
                }
                if self.is_past(&found) {
                    return Ok(kept);
                }
                if !self.is_inside(&found) || !self.reaches(&found).await? {
                    continue;
                }
                if reverse {
                    kept.push_front(found);
                    kept.truncate(limit);
                } else {
                    kept.push_back(found);
                    if kept.len() == limit {
                        return Ok(kept);
                    }
                }
            }
            if is_last {
                return Ok(kept);
            }
        }
    }

    /// Where a listing begins so that it misses nothing of the range.
    fn begin(&self) -> Option<String> {
        match &self.range.start {
            Bound::Unbounded => None,
            Bound::Excluded(key) => Some(String::from_utf8_lossy(key).into_owned()),
            Bound::Included(key) => just_before(&String::from_utf8_lossy(key)),
        }
    }

    /// What to go on behind: behind all that a folded prefix stands for.
    fn behind(&self, found: &Found) -> String {
        if found.object.is_some() { found.name.clone() } else { format!("{}{HIGHEST}", found.name) }
    }

    fn is_past(&self, found: &Found) -> bool {
        let name = found.name.as_bytes();
        match &self.range.end {
            Bound::Unbounded => false,
            Bound::Excluded(end) => name >= end.as_slice(),
            Bound::Included(end) => name > end.as_slice(),
        }
    }

    fn is_inside(&self, found: &Found) -> bool {
        if found.object.is_some() {
            return self.range.contains(found.name.as_bytes());
        }
        // A folded prefix may begin before the range and reach into it.
        let end = prefix_end(found.name.as_bytes());
        match (&self.range.start, end) {
            (Bound::Included(start) | Bound::Excluded(start), Some(end)) => end > *start,
            _ => true,
        }
    }

    /// Whether a folded prefix stands for a key of the range; asked of the bucket where a bound of the range lies
    /// behind the prefix's beginning, which is at most twice in a scan.
    async fn reaches(&self, found: &Found) -> Result<bool> {
        let cuts = |bound: &Bound<Vec<u8>>| match bound {
            Bound::Included(key) | Bound::Excluded(key) => key.starts_with(found.name.as_bytes()),
            Bound::Unbounded => false,
        };
        if found.object.is_some() || !(cuts(&self.range.start) || cuts(&self.range.end)) {
            return Ok(true);
        }
        let mut start_after = self.begin().filter(|_| cuts(&self.range.start));
        loop {
            let prefix = found.name.clone();
            let page = self.bucket.list(&ListRequest { prefix, start_after, ..ListRequest::default() }).await?;
            let is_shown = |key: &str| !self.hidden.iter().any(|hidden| key.starts_with(hidden.as_str()));
            let mut shown = page.objects.iter().map(|object| object.key.as_str()).filter(|key| is_shown(key));
            if shown.any(|key| self.range.contains(key.as_bytes())) {
                return Ok(true);
            }
            // Keys rise: once one is behind the range, all others are.
            let is_past = |key: &str| self.is_past(&Found { name: key.to_owned(), object: None });
            let last = page.objects.last().map(|object| object.key.clone()).filter(|key| !is_past(key));
            if page.next.is_none() || last.is_none() {
                return Ok(false);
            }
            start_after = last;
        }
    }
}

/// Objects and prefixes in one order.
fn merged(objects: Vec<ListedObject>, prefixes: Vec<String>) -> VecDeque<Found> {
    let objects = objects.into_iter().map(|object| Found { name: object.key.clone(), object: Some(object) });
    let prefixes = prefixes.into_iter().map(|name| Found { name, object: None });
    let mut all: Vec<Found> = objects.chain(prefixes).collect();
    all.sort_by(|one, other| one.name.cmp(&other.name));
    all.into()
}

/// A text shortly before `key`, with hardly a key between them.
fn just_before(key: &str) -> Option<String> {
    let last = key.chars().next_back()?;
    let front = &key[..key.len() - last.len_utf8()];
    let before = (1..=u32::from(last).saturating_sub(1)).rev().find_map(char::from_u32);
    match before {
        Some(before) => Some(format!("{front}{before}{HIGHEST}")),
        None if front.is_empty() => None,
        None => Some(front.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_begins_shortly_before_its_first_key() {
        assert_eq!(just_before("ab").as_deref(), Some("aa\u{10ffff}"));
        assert_eq!(just_before("\u{e000}").as_deref(), Some("\u{d7ff}\u{10ffff}"));
        assert_eq!(just_before("a\u{1}").as_deref(), Some("a"));
        assert_eq!(just_before("\u{1}"), None);
        for key in ["b", "a/", "é", "🦀"] {
            assert!(just_before(key).unwrap().as_str() < key);
        }
    }
}

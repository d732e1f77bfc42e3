//! The keys of a range, a page at a time, in either direction.
//!
//! S3 lists forward only. Backwards, the range is walked forward once, of which only the pages' boundaries are
//! kept, and thinned out when they are many; then the pages are listed again from the last to the first. When only
//! few keys are wanted, the last page is sought by bisection instead of walking there.

use std::ops::Bound;

use holdfast_base::{KeyRange, Result};
use holdfast_s3_client::{ListRequest, ListedObject};

use crate::failure::level_error;
use crate::midpoint::midpoint;
use crate::objects::Objects;

/// The most that S3 puts in a page.
pub(crate) const PAGE_KEYS: u16 = 1000;
/// Boundaries kept of one walk; more are thinned out to half.
const BOUNDARIES: usize = 1024;
/// Lists that bisection may take; past them the walk goes on from where it got to.
const PROBES: usize = 64;

/// The direction of a walk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Forward,
    /// From the last key, over all of them.
    Backward,
    /// From the last key, over the last few.
    BackwardFew,
}

/// A key that was listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ListedKey {
    pub(crate) key: Vec<u8>,
    pub(crate) object: String,
    pub(crate) value_bytes: u64,
}

/// A walk over the keys of a range.
#[derive(Debug)]
pub(crate) struct KeyScan {
    objects: Objects,
    range: KeyRange,
    prefix: String,
    direction: Direction,
    /// Stretches that are still to be walked, the next one last.
    stretches: Vec<Stretch>,
    most_boundaries: usize,
}

/// Objects after one key, up to and including another.
#[derive(Clone, Debug)]
struct Stretch {
    after: Option<String>,
    upto: Option<String>,
}

impl KeyScan {
    pub(crate) fn new(objects: Objects, range: KeyRange, direction: Direction) -> Self {
        let stretch = Stretch { after: after_of(&objects, &range), upto: None };
        let stretches = if range.is_empty() { Vec::new() } else { vec![stretch] };
        Self {
            prefix: shared_prefix(&objects, &range),
            objects,
            range,
            direction,
            stretches,
            most_boundaries: BOUNDARIES,
        }
    }

    /// The next keys in the direction of the walk, at most about `page_keys`; `None` at the end.
    pub(crate) async fn next_page(&mut self, page_keys: u16) -> Result<Option<Vec<ListedKey>>> {
        while let Some(stretch) = self.stretches.pop() {
            let keys = match self.direction {
                Direction::Forward => self.first_page(stretch, page_keys).await?,
                Direction::Backward | Direction::BackwardFew => self.last_page(stretch, page_keys).await?,
            };
            if !keys.is_empty() {
                return Ok(Some(keys));
            }
        }
        Ok(None)
    }

    /// The first page of a stretch; what comes after it stays to be walked.
    async fn first_page(&mut self, stretch: Stretch, page_keys: u16) -> Result<Vec<ListedKey>> {
        let page = self.list(&stretch, page_keys).await?;
        if let Some(after) = page.rest_after {
            self.stretches.push(Stretch { after: Some(after), upto: stretch.upto });
        }
        Ok(page.keys)
    }

    /// The last page of a stretch, backwards; what comes before it stays to be walked.
    async fn last_page(&mut self, stretch: Stretch, page_keys: u16) -> Result<Vec<ListedKey>> {
        let mut walk = Walk { boundaries: vec![stretch.after], most: self.most_boundaries };
        // Bisection: no key of the stretch lies after it. At first, the stretch's end.
        let mut empty_after = stretch.upto.clone();
        let mut probes = if self.direction == Direction::BackwardFew { PROBES } else { 0 };
        let (mut jump, mut stride) = (None, 1_u32);
        loop {
            let after = jump.clone().or_else(|| walk.reached());
            let page = self.list(&Stretch { after, upto: stretch.upto.clone() }, page_keys).await?;
            match (page.rest_after, jump.take()) {
                (None, Some(jumped)) if page.keys.is_empty() => (empty_after, stride) = (Some(jumped), 1),
                (None, jumped) => {
                    // The page begins where the jump landed, and what was jumped over is walked later.
                    jumped.into_iter().for_each(|jumped| walk.reach(jumped));
                    self.stretches.extend(walk.stretches());
                    return Ok(page.keys.into_iter().rev().collect());
                }
                (Some(boundary), jumped) => {
                    if let Some(jumped) = jumped {
                        walk.reach(jumped);
                        stride = stride.saturating_mul(2);
                    }
                    walk.reach(boundary);
                }
            }
            if probes > 0 {
                probes -= 1;
                jump = midpoint(walk.reached().as_deref().unwrap_or_default(), empty_after.as_deref(), stride);
            }
        }
    }

    async fn list(&self, stretch: &Stretch, page_keys: u16) -> Result<ScanPage> {
        let mut request = ListRequest {
            prefix: self.prefix.clone(),
            start_after: stretch.after.clone(),
            max_keys: Some(page_keys.clamp(1, PAGE_KEYS)),
            ..ListRequest::default()
        };
        loop {
            let page = self.objects.bucket.list(&request).await.map_err(level_error)?;
            let last = page.objects.last().map(|object| object.key.clone());
            // An empty page that is not the last says nothing of where it stands: go on from its token.
            match (last, page.next) {
                (None, Some(next)) => request.continuation = Some(next),
                (last, next) => return Ok(self.within(stretch, page.objects, last.filter(|_| next.is_some()))),
            }
        }
    }

    /// What of a list lies in the stretch and the range.
    fn within(&self, stretch: &Stretch, objects: Vec<ListedObject>, rest_after: Option<String>) -> ScanPage {
        let past_stretch = |object: &str| stretch.upto.as_deref().is_some_and(|upto| object > upto);
        let past_range = |key: &[u8]| match &self.range.end {
            Bound::Included(end) => key > end.as_slice(),
            Bound::Excluded(end) => key >= end.as_slice(),
            Bound::Unbounded => false,
        };
        let mut page = ScanPage { keys: Vec::with_capacity(objects.len()), rest_after };
        for object in objects {
            if past_stretch(&object.key) {
                page.rest_after = None;
                break;
            }
            let Some(key) = self.objects.key_of(&object.key) else { continue };
            if past_range(&key) {
                page.rest_after = None;
                break;
            }
            if self.range.contains(&key) {
                page.keys.push(ListedKey { key, object: object.key, value_bytes: object.size });
            }
        }
        let ended =
            page.rest_after.as_deref().is_some_and(|after| stretch.upto.as_deref().is_some_and(|upto| after >= upto));
        page.rest_after = page.rest_after.filter(|_| !ended);
        page
    }
}

/// How far a walk towards the end of a stretch has come, and where its pages met.
struct Walk {
    boundaries: Vec<Option<String>>,
    most: usize,
}

impl Walk {
    fn reached(&self) -> Option<String> {
        self.boundaries.last().cloned().flatten()
    }

    fn reach(&mut self, boundary: String) {
        self.boundaries.push(Some(boundary));
        if self.boundaries.len() > self.most {
            let last = self.boundaries.pop();
            self.boundaries = std::mem::take(&mut self.boundaries).into_iter().step_by(2).chain(last).collect();
        }
    }

    /// What lies between the boundaries, in their order.
    fn stretches(&self) -> impl Iterator<Item = Stretch> {
        self.boundaries.windows(2).map(|pair| Stretch { after: pair[0].clone(), upto: pair[1].clone() })
    }
}

/// Some keys, forward, and the object after which the stretch goes on.
struct ScanPage {
    keys: Vec<ListedKey>,
    rest_after: Option<String>,
}

/// The object after which a range starts: none of the range's sorts up to it, and few others after it.
fn after_of(objects: &Objects, range: &KeyRange) -> Option<String> {
    match &range.start {
        Bound::Unbounded => None,
        // A bound that is no text lies after its textual start, and so does all of the range.
        Bound::Excluded(start) => Some(objects.format.floor(start)).filter(|floor| !floor.is_empty()),
        Bound::Included(start) => just_before(&objects.format.floor(start)),
    }
}

/// A text shortly before another, so that listing after it includes that other.
fn just_before(text: &str) -> Option<String> {
    let last = text.chars().next_back()?;
    let rest = &text[..text.len() - last.len_utf8()];
    match last {
        '\0' => Some(rest.to_owned()).filter(|rest| !rest.is_empty()),
        // Room is left for the folder: what is longer starts a little earlier instead.
        last if text.len() > 512 => char::from_u32(u32::from(last) - 1).map(|before| format!("{rest}{before}")),
        '\u{e000}' => Some(format!("{rest}\u{d7ff}\u{10ffff}")),
        last => char::from_u32(u32::from(last) - 1).map(|before| format!("{rest}{before}\u{10ffff}")),
    }
}

/// What all objects of a range start with.
fn shared_prefix(objects: &Objects, range: &KeyRange) -> String {
    let (Bound::Included(start) | Bound::Excluded(start), Bound::Included(end) | Bound::Excluded(end)) =
        (&range.start, &range.end)
    else {
        return String::new();
    };
    let (start, end) = (objects.format.floor(start), objects.format.floor(end));
    start.chars().zip(end.chars()).take_while(|(a, b)| a == b).map(|(a, _)| a).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn just_before_a_text_is_before_it_and_after_what_precedes_it() {
        for (text, neighbour) in [("b", "a"), ("b", "azzz"), ("ab\0", "a"), ("\u{e000}", "\u{d7ff}"), ("🦀", "🥀")]
        {
            let before = just_before(text).unwrap();
            assert!(before.as_str() < text && neighbour <= before.as_str(), "{before:?}");
        }
        assert_eq!((just_before(""), just_before("\0")), (None, None));
    }

    #[test]
    fn a_long_walk_keeps_few_boundaries_and_loses_no_stretch() {
        let mut walk = Walk { boundaries: vec![None], most: 8 };
        (0..100).for_each(|n| walk.reach(format!("{n:03}")));
        assert!(walk.boundaries.len() <= 8);
        let stretches: Vec<Stretch> = walk.stretches().collect();
        assert_eq!((&stretches[0].after, stretches.last().unwrap().upto.as_deref()), (&None, Some("099")));
        assert!(stretches.windows(2).all(|pair| pair[0].upto == pair[1].after));
    }

    #[tokio::test]
    async fn a_walk_back_over_thinned_out_boundaries_gives_every_key() {
        let server = holdfast_testkit::TestServer::start(&["box"]).await.unwrap();
        let endpoint = Some(server.endpoint());
        let settings = holdfast_s3_client::ClientSettings { endpoint, ..Default::default() };
        let bucket = holdfast_s3_client::Client::new(settings).unwrap().bucket("box", "db/").unwrap();
        let objects = Objects { bucket, format: crate::KeyFormat::Utf8 };
        for n in 0..60 {
            objects.put(&[b'a' + n / 26, b'a' + n % 26], bytes::Bytes::new(), &crate::Condition::Always).await.unwrap();
        }
        let mut scan = KeyScan::new(objects, KeyRange::all(), Direction::Backward);
        scan.most_boundaries = 4;
        let mut found = Vec::new();
        while let Some(keys) = scan.next_page(2).await.unwrap() {
            found.extend(keys.into_iter().map(|listed| listed.key));
        }
        let expected: Vec<Vec<u8>> = (0..60).rev().map(|n| vec![b'a' + n / 26, b'a' + n % 26]).collect();
        assert_eq!(found, expected);
    }
}

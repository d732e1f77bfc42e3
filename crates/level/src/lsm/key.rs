//! Keys and ranges as SlateDB has them.

use std::ops::Bound;

use holdfast_base::{KeyRange, Result};

use crate::key_format::invalid_key;

/// Stands before every key.
pub(crate) const TAG: u8 = b'k';
/// The longest key that SlateDB's format promises to hold, less the tag.
const MAX_KEY_BYTES: usize = u16::MAX as usize - 1;

/// Where a range of stored keys begins and ends.
pub(crate) type Bounds = (Bound<Vec<u8>>, Bound<Vec<u8>>);

/// A key as it is stored.
pub(crate) fn tagged(key: &[u8]) -> Result<Vec<u8>> {
    match key.len() {
        n if n > MAX_KEY_BYTES => Err(invalid_key(key, "it has more than 65,534 bytes")),
        _ => Ok(with_tag(key)),
    }
}

/// A range as it is stored; `None` when no key can lie in it.
pub(crate) fn tagged_range(range: &KeyRange) -> Option<Bounds> {
    if range.is_empty() {
        return None;
    }
    let start = match &range.start {
        Bound::Included(key) => Bound::Included(with_tag(key)),
        Bound::Excluded(key) => Bound::Excluded(with_tag(key)),
        Bound::Unbounded => Bound::Included(vec![TAG]),
    };
    let end = match &range.end {
        Bound::Included(key) => Bound::Included(with_tag(key)),
        Bound::Excluded(key) => Bound::Excluded(with_tag(key)),
        Bound::Unbounded => Bound::Excluded(vec![TAG + 1]),
    };
    Some((start, end))
}

fn with_tag(key: &[u8]) -> Vec<u8> {
    let mut tagged = Vec::with_capacity(key.len() + 1);
    tagged.push(TAG);
    tagged.extend_from_slice(key);
    tagged
}

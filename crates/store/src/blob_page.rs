//! Makes a page of blobs from an adapter that finds the first blob of a range.

use std::ops::Bound;

use holdfast_base::{KeyRange, prefix_end};

use crate::cell::invalid;
use crate::{BlobInfo, BlobPage, BlobQuery, PutOptions};

/// Fills a page. `first_in` gives the first blob of a range (the last, when reversed).
pub(crate) fn page_of<E>(
    query: &BlobQuery,
    mut first_in: impl FnMut(&KeyRange) -> Result<Option<BlobInfo>, E>,
) -> Result<BlobPage, E> {
    let mut page = BlobPage::default();
    let mut range = query.range.clone();
    if let Some(after) = &query.after {
        skip(query, &mut range, after);
    }
    let mut last = None;
    while page.items.len() + page.prefixes.len() < query.limit {
        let Some(info) = first_in(&range)? else { return Ok(page) };
        let name = query.fold(&info.key).unwrap_or(&info.key).to_owned();
        skip(query, &mut range, &name);
        if name == info.key && query.fold(&info.key).is_none() {
            page.items.push(info);
        } else {
            page.prefixes.push(name.clone());
        }
        last = Some(name);
    }
    page.next = if first_in(&range)?.is_some() { last } else { None };
    Ok(page)
}

/// Cuts off what lies before `name` in the direction of the query, and all that folds into it.
pub(crate) fn skip(query: &BlobQuery, range: &mut KeyRange, name: &str) {
    let is_prefix = query.fold(name) == Some(name);
    if query.reverse {
        range.end = Bound::Excluded(name.as_bytes().to_vec());
    } else if is_prefix {
        // A prefix that nothing follows ends the listing: nothing lies behind an excluded highest key.
        range.start = prefix_end(name.as_bytes()).map_or(Bound::Excluded(vec![0xff; 5]), Bound::Included);
    } else {
        range.start = Bound::Excluded(name.as_bytes().to_vec());
    }
}

/// Whether the conditions of a put hold of the blob that is there.
///
/// # Errors
/// `Conflict` with code `BLOB_CHANGED`.
pub(crate) fn check_conditions(
    key: &str,
    current_etag: Option<&str>,
    options: &PutOptions,
) -> holdfast_base::Result<()> {
    let why = match (current_etag, options.if_none_match, options.if_match.as_deref()) {
        (Some(_), true, _) => "is there already",
        (None, _, Some(_)) => "does not exist",
        (Some(actual), _, Some(wanted)) if actual != wanted => "has another ETag than expected",
        _ => return Ok(()),
    };
    Err(conflict(key, why))
}

pub(crate) fn conflict(key: &str, why: &str) -> holdfast_base::Error {
    let message = format!("blob {key:?} {why}; look at it again and decide");
    holdfast_base::Error::new(holdfast_base::ErrorKind::Conflict, "BLOB_CHANGED", message).with("key", key)
}

/// Refuses metadata that can't travel in a header.
pub(crate) fn check_options(options: &PutOptions) -> holdfast_base::Result<()> {
    let is_token = |name: &str| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    if let Some(name) = options.metadata.keys().find(|name| !is_token(name)) {
        let message = format!("metadata name {name:?} can't be stored; use lower-case letters, digits and '-'");
        return Err(invalid("INVALID_METADATA", message));
    }
    let bytes: usize = options.metadata.iter().map(|(name, value)| name.len() + value.len()).sum();
    if bytes > 2048 {
        return Err(invalid("INVALID_METADATA", format!("the metadata has {bytes} bytes; at most 2048 are possible")));
    }
    let is_text = |text: &str| text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) && text.trim() == text;
    if let Some((name, _)) = options.metadata.iter().find(|(_, value)| !is_text(value)) {
        let message = format!("metadata {name:?} must be printable ASCII without spaces around it; encode it");
        return Err(invalid("INVALID_METADATA", message));
    }
    match &options.content_type {
        Some(content_type) if !is_text(content_type) || content_type.is_empty() => {
            Err(invalid("INVALID_CONTENT_TYPE", format!("{content_type:?} is no media type")))
        }
        _ => Ok(()),
    }
}

//! Tags as clients send them: in a document, or in a header.

use crate::encoding::decode_query;
use crate::error::{Code, S3Error, S3Result};
use crate::request::Request;
use crate::xml::{Element, XmlWriter};

/// The most tags of an object.
pub(crate) const MAX_OBJECT_TAGS: usize = 10;
/// The most tags of a bucket.
pub(crate) const MAX_BUCKET_TAGS: usize = 50;
/// The longest key, in characters.
const MAX_KEY_CHARACTERS: usize = 128;
/// The longest value, in characters.
const MAX_VALUE_CHARACTERS: usize = 256;
/// What clients can't set.
const SYSTEM_PREFIX: &str = "aws:";
/// What tags may hold beside letters, digits and spaces.
const PUNCTUATION: &str = "+-=._:/@";
const HEADER: &str = "x-amz-tagging";

/// Pairs of key and value with different keys, in the order they came.
pub(crate) type Tags = Vec<(String, String)>;

/// Reads a `Tagging` document.
///
/// # Errors
/// `MalformedXML`, `InvalidTag`, `BadRequest` for too many.
pub(crate) fn of_document(document: &[u8], max: usize) -> S3Result<Tags> {
    let tagging = Element::read(document, "Tagging")?;
    let set = tagging.child("TagSet").ok_or(Code::MalformedXML)?;
    let tags: Tags = set.children_named("Tag").map(read_pair).collect::<S3Result<_>>()?;
    if let Some(twice) = duplicate(&tags) {
        let message = "Cannot provide multiple Tags with the same key";
        return Err(S3Error::new(Code::InvalidTag, message).with("TagKey", twice));
    }
    checked(tags, max)
}

/// Reads a `Tag`.
///
/// # Errors
/// `MalformedXML`, `InvalidTag`.
pub(crate) fn read_tag(tag: &Element) -> S3Result<(String, String)> {
    let (key, value) = read_pair(tag)?;
    check(&key, &value)?;
    Ok((key, value))
}

fn read_pair(tag: &Element) -> S3Result<(String, String)> {
    let text = |name| tag.child(name).map(|child| child.text.clone()).ok_or(Code::MalformedXML);
    Ok((text("Key")?, text("Value")?))
}

/// Reads the header `x-amz-tagging` of a write; without one there are none.
///
/// # Errors
/// `InvalidArgument` when it is no query, `InvalidTag`, `BadRequest` for too many.
pub(crate) fn of_header(request: &Request) -> S3Result<Tags> {
    let Some(value) = request.headers().get(HEADER) else { return Ok(Tags::new()) };
    let wrong = || {
        let message = "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters \
            without tag name duplicates.";
        S3Error::argument(HEADER, &String::from_utf8_lossy(value.as_bytes()), message)
    };
    let text = value.to_str().map_err(|_| wrong())?;
    let read = |pair: &str| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        Some((decode_query(key)?, decode_query(value)?))
    };
    let pairs = text.split('&').filter(|pair| !pair.is_empty()).map(read);
    let tags: Tags = pairs.collect::<Option<_>>().ok_or_else(wrong)?;
    if duplicate(&tags).is_some() {
        return Err(wrong());
    }
    checked(tags, MAX_OBJECT_TAGS)
}

/// Writes them as S3 answers them.
pub(crate) fn write(xml: &mut XmlWriter, tags: &[(String, String)]) {
    xml.element("TagSet", |xml| {
        for (key, value) in tags {
            xml.element("Tag", |xml| {
                xml.text("Key", key);
                xml.text("Value", value);
            });
        }
    });
}

fn duplicate(tags: &[(String, String)]) -> Option<&str> {
    let mut seen = std::collections::HashSet::new();
    tags.iter().map(|(key, _)| key.as_str()).find(|key| !seen.insert(*key))
}

fn checked(tags: Tags, max: usize) -> S3Result<Tags> {
    if tags.len() > max {
        let what = if max == MAX_OBJECT_TAGS { "Object tags" } else { "Bucket tag count" };
        return Err(S3Error::new(Code::BadRequest, format!("{what} cannot be greater than {max}")));
    }
    for (key, value) in &tags {
        check(key, value)?;
    }
    Ok(tags)
}

fn check(key: &str, value: &str) -> S3Result<()> {
    let invalid = |message, key: &str| Err(S3Error::new(Code::InvalidTag, message).with("TagKey", key));
    let is_valid = |text: &str, max| {
        let may_stand = |c: char| c.is_alphanumeric() || c.is_whitespace() || PUNCTUATION.contains(c);
        text.chars().count() <= max && text.chars().all(may_stand)
    };
    if key.is_empty() || !is_valid(key, MAX_KEY_CHARACTERS) {
        return invalid("The TagKey you have provided is invalid", key);
    }
    if key.starts_with(SYSTEM_PREFIX) {
        return invalid("System tags cannot be added/updated by requester", key);
    }
    if !is_valid(value, MAX_VALUE_CHARACTERS) {
        return invalid("The TagValue you have provided is invalid", key);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(tags: &[(&str, &str)]) -> String {
        let tag = |(key, value): &(&str, &str)| format!("<Tag><Key>{key}</Key><Value>{value}</Value></Tag>");
        format!("<Tagging><TagSet>{}</TagSet></Tagging>", tags.iter().map(tag).collect::<String>())
    }

    fn code(tags: &[(&str, &str)]) -> Option<Code> {
        of_document(document(tags).as_bytes(), MAX_OBJECT_TAGS).err().map(|error| error.code())
    }

    #[test]
    fn what_s3_takes_is_taken() {
        let (longest, value) = ("ä".repeat(128), "漢".repeat(256));
        assert_eq!(code(&[(&longest, &value), ("a b+-=._:/@", ""), ("A", "a"), ("a", "a")]), None);
        assert_eq!(code(&[]), None);
    }

    #[test]
    fn what_s3_refuses_is_refused() {
        let (longer, value) = ("a".repeat(129), "a".repeat(257));
        for tag in [("", "a"), (longer.as_str(), "a"), ("a", value.as_str()), ("aws:a", "a"), ("a!", "a"), ("a", "#")] {
            assert_eq!(code(&[tag]), Some(Code::InvalidTag), "{tag:?}");
        }
        assert_eq!(code(&[("a", "1"), ("a", "2")]), Some(Code::InvalidTag));
        let keys: Vec<String> = (0..11).map(|n| format!("key-{n}")).collect();
        let many: Vec<(&str, &str)> = keys.iter().map(|key| (key.as_str(), "v")).collect();
        assert_eq!((code(&many[..10]), code(&many)), (None, Some(Code::BadRequest)));
        for bad in ["", "<Tagging/>", "<Tagging><TagSet><Tag><Key>a</Key></Tag></TagSet></Tagging>"] {
            let error = of_document(bad.as_bytes(), MAX_OBJECT_TAGS).unwrap_err();
            assert_eq!(error.code(), Code::MalformedXML, "{bad}");
        }
    }
}

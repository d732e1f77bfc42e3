//! JSON text as fields, and fields as JSON text.
//!
//! The store keeps what JSON can't say as `{"$holdfast": tree}`, in which an object with one property that begins
//! with `$` is a tag. A tag is one value, and so is a whole text that could be mistaken for one.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::register::Value;
use crate::Stamp;

/// Where a field is: the names of properties from the root.
pub(super) type Path = Vec<String>;

const ENVELOPE: &str = "$holdfast";
/// What lies deeper merges as a whole.
const MAX_DEPTH: usize = 32;
/// A record with more fields merges as a whole.
const MAX_FIELDS: usize = 4096;

type Object<'a> = BTreeMap<String, &'a RawValue>;

/// The fields of a JSON text. Text that has no fields to tell apart is one value at the root.
pub(super) fn flatten(text: &str) -> BTreeMap<Path, Value> {
    let whole = || BTreeMap::from([(Path::new(), Value::Leaf(text.to_owned()))]);
    let Ok(raw) = serde_json::from_str::<&RawValue>(text) else { return whole() };
    let tree = match object_of(raw) {
        None => return whole(),
        Some(object) => match (object.len(), object.get(ENVELOPE)) {
            (1, Some(tree)) => *tree,
            _ if has_tag(raw) => return whole(),
            _ => raw,
        },
    };
    let mut fields = BTreeMap::new();
    let is_split = split(tree, &mut Path::new(), &mut fields);
    match fields.get(&Path::new()) {
        Some(Value::Object) if is_split => fields,
        _ => whole(),
    }
}

/// Whether all fields found room.
fn split(raw: &RawValue, path: &mut Path, fields: &mut BTreeMap<Path, Value>) -> bool {
    if fields.len() >= MAX_FIELDS {
        return false;
    }
    let object = object_of(raw).filter(|object| path.len() < MAX_DEPTH && !is_tag(object));
    let Some(object) = object else {
        fields.insert(path.clone(), Value::Leaf(raw.get().to_owned()));
        return true;
    };
    fields.insert(path.clone(), Value::Object);
    object.into_iter().all(|(name, part)| {
        path.push(name);
        let is_split = split(part, path, fields);
        path.pop();
        is_split
    })
}

fn object_of(raw: &RawValue) -> Option<Object<'_>> {
    if raw.get().starts_with('{') { serde_json::from_str(raw.get()).ok() } else { None }
}

fn is_tag(object: &Object<'_>) -> bool {
    object.len() == 1 && object.keys().all(|name| name.starts_with('$'))
}

/// Whether an object that looks like a tag stands anywhere in it. What can't be read counts as one.
fn has_tag(raw: &RawValue) -> bool {
    let text = raw.get();
    if !text.contains("\"$") {
        return false;
    }
    match text.as_bytes().first() {
        Some(b'{') => object_of(raw).is_none_or(|object| is_tag(&object) || object.values().any(|part| has_tag(part))),
        Some(b'[') => {
            serde_json::from_str::<Vec<&RawValue>>(text).map_or(true, |parts| parts.iter().any(|part| has_tag(part)))
        }
        _ => false,
    }
}

/// A field on its way to text.
pub(super) type Entry<'a> = (&'a Path, Stamp, &'a Value);

/// The JSON text of fields in the order of their paths; `None` when nothing stands at the root.
pub(super) fn compose(entries: &[Entry<'_>]) -> Option<String> {
    let is_tagged = entries.iter().any(|(path, _, value)| {
        let is_tag_name = path.last().is_some_and(|name| name.starts_with('$'));
        let is_tag_leaf = match value {
            Value::Leaf(text) => {
                !path.is_empty() && serde_json::from_str(text).is_ok_and(|raw: &RawValue| has_tag(raw))
            }
            _ => false,
        };
        is_tag_name || is_tag_leaf
    });
    let (node, _) = node_of(entries, 0, is_tagged)?;
    Some(match node {
        Node::Leaf(text) => text,
        Node::Object(text) if is_tagged => format!("{{\"{ENVELOPE}\":{text}}}"),
        Node::Object(text) => text,
    })
}

enum Node {
    Leaf(String),
    Object(String),
}

/// The node that all entries lie at or below, and when the newest of them was written.
fn node_of(entries: &[Entry<'_>], depth: usize, is_tagged: bool) -> Option<(Node, Stamp)> {
    let (own, mut below) = match entries.split_first() {
        Some((first, rest)) if first.0.len() == depth => (Some(first), rest),
        _ => (None, entries),
    };
    let mut parts = Vec::new();
    let mut newest_below = None;
    while let Some(name) = below.first().and_then(|(path, ..)| path.get(depth)) {
        let end = below.partition_point(|(path, ..)| path.get(depth).is_some_and(|other| other <= name));
        let (group, rest) = below.split_at(end);
        if let Some((Node::Leaf(text) | Node::Object(text), newest)) = node_of(group, depth + 1, is_tagged) {
            parts.push((name, text));
            newest_below = newest_below.max(Some(newest));
        }
        below = rest;
    }
    match own {
        Some((_, changed, Value::Leaf(text))) if newest_below.is_none_or(|newest| *changed >= newest) => {
            Some((Node::Leaf(text.clone()), *changed))
        }
        Some((_, changed, Value::Removed)) if newest_below.is_none_or(|newest| *changed >= newest) => None,
        None if parts.is_empty() => None,
        Some((_, changed, _)) => Some((Node::Object(object_text(&parts, is_tagged)), newest_below.unwrap_or(*changed))),
        None => Some((Node::Object(object_text(&parts, is_tagged)), newest_below.unwrap_or_default())),
    }
}

fn object_text(parts: &[(&String, String)], is_tagged: bool) -> String {
    let mut text = String::from("{");
    for (at, (name, part)) in parts.iter().enumerate() {
        if at > 0 {
            text.push(',');
        }
        // A string always serialises.
        text.push_str(&serde_json::to_string(name).unwrap_or_default());
        text.push(':');
        text.push_str(part);
    }
    text.push('}');
    let is_tag = parts.len() == 1 && parts.iter().all(|(name, _)| name.starts_with('$'));
    if is_tagged && is_tag { format!("{{\"$object\":{text}}}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(text: &str) -> Option<String> {
        let fields = flatten(text);
        let entries = fields.iter().map(|(path, value)| (path, Stamp::default(), value)).collect::<Vec<_>>();
        compose(&entries)
    }

    #[test]
    fn a_text_comes_back_as_it_was() {
        for text in [
            "1",
            "null",
            "[]",
            "{}",
            r#"{"a":1,"b":{"c":[1,{"d":2}],"e":{}}}"#,
            r#"{"":{"":"$5"},"text":"\ud800 é 🦀"}"#,
            r#"{"$holdfast":{"a":{"$date":"x"},"b":{"c":1}}}"#,
            r#"{"$holdfast":{"$date":"x"}}"#,
            r#"{"a":{"$date":"x"}}"#,
            r#"{"a":[{"$b":1}]}"#,
            r#"{"\ud800":1}"#,
        ] {
            assert_eq!(round(text).as_deref(), Some(text));
        }
    }

    #[test]
    fn properties_are_fields_and_arrays_are_not() {
        let fields = flatten(r#"{"a":{"b":[1,{"c":2}]}}"#);
        let path = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Path>();
        assert_eq!(fields.len(), 3);
        assert_eq!(fields[&path(&["a"])], Value::Object);
        assert_eq!(fields[&path(&["a", "b"])], Value::Leaf(r#"[1,{"c":2}]"#.to_owned()));
    }

    #[test]
    fn what_is_too_deep_or_too_wide_is_one_value() {
        let deep = format!("{}1{}", "{\"a\":".repeat(60), "}".repeat(60));
        assert_eq!((flatten(&deep).len(), round(&deep)), (MAX_DEPTH + 1, Some(deep)));
        let wide = format!("{{{}}}", (0..5000).map(|n| format!("\"{n:04}\":1")).collect::<Vec<_>>().join(","));
        assert_eq!((flatten(&wide).len(), round(&wide)), (1, Some(wide)));
    }
}

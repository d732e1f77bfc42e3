//! Answers as JSON text: one string crosses the border where a thousand objects would.

use std::fmt::Write;

use crate::{BlobInfo, BlobPage, Entry, EntryPage, Event, EventPage, Outcome, StreamPage};

/// Writes itself as JSON.
pub trait ToJson {
    /// Appends its JSON to `out`.
    fn write_json(&self, out: &mut String);

    /// Its JSON.
    fn to_json(&self) -> String {
        let mut out = String::with_capacity(128);
        self.write_json(&mut out);
        out
    }
}

/// A position as users see it: a string that sorts.
pub(crate) fn position_text(position: u64) -> String {
    format!("{position:016}")
}

fn quoted(out: &mut String, text: &str) {
    // A string always serialises.
    out.push_str(&serde_json::to_string(text).unwrap_or_default());
}

fn list<T>(out: &mut String, items: &[T], mut write: impl FnMut(&mut String, &T)) {
    out.push('[');
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        write(out, item);
    }
    out.push(']');
}

fn next(out: &mut String, next: Option<&str>) {
    if let Some(text) = next {
        out.push_str(",\"next\":");
        quoted(out, text);
    }
    out.push('}');
}

/// Writing into a string can't fail.
macro_rules! put {
    ($out:expr, $($arg:tt)*) => {
        let _ = write!($out, $($arg)*);
    };
}

impl ToJson for Entry {
    fn write_json(&self, out: &mut String) {
        out.reserve(self.key.len() + self.value.len() + 96);
        out.push_str("{\"key\":");
        quoted(out, &self.key);
        if !self.value.is_empty() {
            out.push_str(",\"value\":");
            out.push_str(&self.value);
        }
        put!(
            out,
            ",\"version\":{},\"createdAt\":{},\"updatedAt\":{}",
            self.version,
            self.created_at_ms,
            self.updated_at_ms
        );
        if let Some(expires_at_ms) = self.expires_at_ms {
            put!(out, ",\"expiresAt\":{expires_at_ms}");
        }
        out.push('}');
    }
}

impl<T: ToJson> ToJson for Option<T> {
    fn write_json(&self, out: &mut String) {
        match self {
            Some(value) => value.write_json(out),
            None => out.push_str("null"),
        }
    }
}

impl<T: ToJson> ToJson for Vec<T> {
    fn write_json(&self, out: &mut String) {
        list(out, self, |out, item| item.write_json(out));
    }
}

impl ToJson for EntryPage {
    fn write_json(&self, out: &mut String) {
        out.push_str("{\"items\":");
        self.items.write_json(out);
        next(out, self.next.as_deref());
    }
}

impl ToJson for Outcome {
    fn write_json(&self, out: &mut String) {
        match self {
            Self::Checked => out.push_str("{}"),
            Self::Put { version, created_at_ms, updated_at_ms } => {
                put!(out, "{{\"version\":{version},\"createdAt\":{created_at_ms},\"updatedAt\":{updated_at_ms}}}");
            }
            Self::Deleted { existed } => {
                put!(out, "{{\"existed\":{existed}}}");
            }
            Self::Added { value, version } => {
                put!(out, "{{\"value\":{value},\"version\":{version}}}");
            }
            Self::Restored { changed } => {
                put!(out, "{{\"changed\":{changed}}}");
            }
            Self::Appended(event) => event.write_json(out),
        }
    }
}

impl ToJson for Event {
    fn write_json(&self, out: &mut String) {
        out.push_str("{\"id\":");
        quoted(out, &self.id);
        out.push_str(",\"stream\":");
        quoted(out, &self.stream);
        out.push_str(",\"payload\":");
        out.push_str(&self.payload);
        put!(
            out,
            ",\"timestamp\":{},\"version\":{},\"position\":\"{}\"}}",
            self.timestamp_ms,
            self.version,
            position_text(self.position)
        );
    }
}

impl ToJson for EventPage {
    fn write_json(&self, out: &mut String) {
        out.push_str("{\"items\":");
        self.items.write_json(out);
        next(out, self.next.map(position_text).as_deref());
    }
}

impl ToJson for StreamPage {
    fn write_json(&self, out: &mut String) {
        out.push_str("{\"items\":");
        list(out, &self.items, |out, (name, version)| {
            out.push_str("{\"stream\":");
            quoted(out, name);
            put!(out, ",\"version\":{version}}}");
        });
        next(out, self.next.as_deref());
    }
}

impl ToJson for BlobInfo {
    fn write_json(&self, out: &mut String) {
        out.push_str("{\"key\":");
        quoted(out, &self.key);
        put!(out, ",\"size\":{},\"updatedAt\":{},\"etag\":", self.size, self.updated_at_ms);
        quoted(out, &self.etag);
        if let Some(content_type) = &self.content_type {
            out.push_str(",\"contentType\":");
            quoted(out, content_type);
        }
        // A map of strings always serialises.
        let metadata = serde_json::to_string(&self.metadata).unwrap_or_default();
        put!(out, ",\"metadata\":{metadata}}}");
    }
}

impl ToJson for BlobPage {
    fn write_json(&self, out: &mut String) {
        out.push_str("{\"items\":");
        self.items.write_json(out);
        out.push_str(",\"prefixes\":");
        list(out, &self.prefixes, |out, prefix| quoted(out, prefix));
        next(out, self.next.as_deref());
    }
}

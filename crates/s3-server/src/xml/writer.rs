use std::fmt::{Display, Write as _};

use bytes::Bytes;
use quick_xml::escape::minimal_escape;

/// The namespace of every S3 document.
const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

/// Writes one document, element by element.
pub(crate) struct XmlWriter {
    out: String,
}

impl XmlWriter {
    /// A document whose root holds what `body` writes, in the namespace of S3.
    pub(crate) fn document(root: &str, body: impl FnOnce(&mut Self)) -> Bytes {
        Self::written(root, &format!("{root} xmlns=\"{NAMESPACE}\""), body)
    }

    /// A document without a namespace: errors have none.
    pub(crate) fn bare(root: &str, body: impl FnOnce(&mut Self)) -> Bytes {
        Self::written(root, root, body)
    }

    fn written(root: &str, opening: &str, body: impl FnOnce(&mut Self)) -> Bytes {
        let mut writer = Self { out: String::with_capacity(512) };
        writer.out.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<");
        writer.out.push_str(opening);
        writer.out.push('>');
        body(&mut writer);
        writer.close(root);
        Bytes::from(writer.out)
    }

    /// An element that holds text.
    pub(crate) fn text(&mut self, name: &str, value: &str) {
        self.open(name);
        push_escaped(&mut self.out, value);
        self.close(name);
    }

    /// An element that holds a number or a truth value.
    pub(crate) fn value(&mut self, name: &str, value: impl Display) {
        self.open(name);
        // Writing to a String can't fail.
        let _ = write!(self.out, "{value}");
        self.close(name);
    }

    /// Text of the element that is open.
    pub(crate) fn content(&mut self, value: &str) {
        push_escaped(&mut self.out, value);
    }

    /// An element that holds others, and has attributes: written as they stand, with a space before them.
    pub(crate) fn element_with(&mut self, name: &str, attributes: &'static str, body: impl FnOnce(&mut Self)) {
        self.out.push('<');
        self.out.push_str(name);
        if !attributes.is_empty() {
            self.out.push(' ');
            self.out.push_str(attributes);
        }
        self.out.push('>');
        body(self);
        self.close(name);
    }

    /// An element that holds others.
    pub(crate) fn element(&mut self, name: &str, body: impl FnOnce(&mut Self)) {
        self.open(name);
        body(self);
        self.close(name);
    }

    fn open(&mut self, name: &str) {
        self.out.push('<');
        self.out.push_str(name);
        self.out.push('>');
    }

    fn close(&mut self, name: &str) {
        self.out.push_str("</");
        self.out.push_str(name);
        self.out.push('>');
    }
}

/// Escapes text; control characters, which readers refuse raw or change, become references.
fn push_escaped(out: &mut String, value: &str) {
    let escaped = minimal_escape(value);
    if !escaped.chars().any(|c| c < ' ' || c == '>') {
        out.push_str(&escaped);
        return;
    }
    for c in escaped.chars() {
        match c {
            '>' => out.push_str("&gt;"),
            c if c < ' ' => {
                let _ = write!(out, "&#x{:x};", u32::from(c));
            }
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_and_control_characters_are_escaped() {
        let out = XmlWriter::bare("R", |xml| xml.text("Key", "a<b>&c\r\n\u{1}"));
        let text = String::from_utf8(out.to_vec()).unwrap();
        assert!(text.ends_with("<R><Key>a&lt;b&gt;&amp;c&#13;&#xa;&#x1;</Key></R>"), "{text}");
    }
}

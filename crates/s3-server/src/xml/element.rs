use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use crate::error::{Code, S3Error, S3Result};

/// How deep a document may nest; the deepest that S3 defines has 6.
const MAX_DEPTH: usize = 16;
/// How many elements a document may have; the largest that S3 defines, 10,000 parts with all that can be said of
/// each, has 80,000. What is read takes far more memory than what was sent.
const MAX_ELEMENTS: usize = 100_000;

/// One element of a small document: its local name, its type, its text, and its children in order.
///
/// Only the five predefined entities and character references are known, so nothing expands;
/// a document type is refused.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Element {
    pub(crate) name: String,
    /// The attribute `xsi:type`; others mean nothing to S3.
    pub(crate) kind: Option<String>,
    pub(crate) text: String,
    pub(crate) children: Vec<Element>,
}

impl Element {
    /// Reads a document whose root has that name. The caller has bounded its size.
    ///
    /// # Errors
    /// `MalformedXML`.
    pub(crate) fn read(document: &[u8], root: &str) -> S3Result<Self> {
        let element = read_root(document).ok_or_else(malformed)?;
        if element.name == root { Ok(element) } else { Err(malformed()) }
    }

    /// The first child of that name.
    pub(crate) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The text of the first child of that name, without the white space around it.
    pub(crate) fn text_of(&self, name: &str) -> Option<&str> {
        self.child(name).map(|child| child.text.trim())
    }

    /// Every child of that name.
    pub(crate) fn children_named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }
}

fn malformed() -> S3Error {
    Code::MalformedXML.into()
}

fn read_root(document: &[u8]) -> Option<Element> {
    let text = std::str::from_utf8(document).ok()?;
    let mut reader = Reader::from_str(text);
    let mut open: Vec<Element> = Vec::new();
    let mut root = None;
    let mut elements = 0;
    loop {
        let event = reader.read_event().ok()?;
        if matches!(event, Event::Start(_) | Event::Empty(_)) {
            elements += 1;
            if elements > MAX_ELEMENTS {
                return None;
            }
        }
        match event {
            Event::Start(start) => {
                if root.is_some() || open.len() >= MAX_DEPTH {
                    return None;
                }
                open.push(begun(&start)?);
            }
            Event::Empty(start) => {
                let element = begun(&start)?;
                close(element, &mut open, &mut root)?;
            }
            Event::End(_) => {
                let element = open.pop()?;
                close(element, &mut open, &mut root)?;
            }
            Event::Text(text) => append(&mut open, &text.xml10_content())?,
            Event::CData(data) => append(&mut open, &data.xml10_content())?,
            Event::GeneralRef(reference) => append(&mut open, &resolved(&reference)?)?,
            Event::DocType(_) => return None,
            Event::Eof => return if open.is_empty() { root } else { None },
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
        }
    }
}

fn begun(start: &BytesStart<'_>) -> Option<Element> {
    let mut element = Element { name: start.local_name().as_ref().to_owned(), ..Element::default() };
    for attribute in start.attributes() {
        let attribute = attribute.ok()?;
        if attribute.key.local_name().as_ref() == "type" {
            element.kind = Some(attribute.normalized_value(XmlVersion::Implicit1_0).ok()?.into_owned());
        }
    }
    Some(element)
}

fn close(element: Element, open: &mut [Element], root: &mut Option<Element>) -> Option<()> {
    match open.last_mut() {
        Some(parent) => parent.children.push(element),
        None if root.is_none() => *root = Some(element),
        None => return None,
    }
    Some(())
}

/// Adds text to the element that is open; outside the root only white space may stand.
fn append(open: &mut [Element], text: &str) -> Option<()> {
    match open.last_mut() {
        Some(element) => element.text.push_str(text),
        None if text.trim_start_matches('\u{feff}').trim().is_empty() => {}
        None => return None,
    }
    Some(())
}

fn resolved(reference: &BytesRef<'_>) -> Option<String> {
    match reference.resolve_char_ref().ok()? {
        Some(character) => Some(character.to_string()),
        None => resolve_xml_entity(reference).map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_children_text_and_references() {
        let document = b"<?xml version=\"1.0\"?><Delete xmlns=\"x\"><Object><Key> a&amp;b&#x20AC;<![CDATA[<]]></Key></Object><Quiet/></Delete>";
        let root = Element::read(document, "Delete").unwrap();
        assert_eq!(root.child("Object").unwrap().child("Key").unwrap().text, " a&b\u{20ac}<");
        assert_eq!(root.text_of("Quiet"), Some(""));
    }

    #[test]
    fn reads_the_type_of_an_element() {
        let document = b"<a><b xmlns:xsi=\"x\" xsi:type='Group&amp;'/><b type='T' x='y'></b><b/></a>";
        let root = Element::read(document, "a").unwrap();
        let kinds: Vec<_> = root.children.iter().map(|child| child.kind.as_deref()).collect();
        assert_eq!(kinds, [Some("Group&"), Some("T"), None]);
    }

    #[test]
    fn refuses_what_is_not_one_well_formed_document() {
        let deep = "<a>".repeat(1000);
        let many = format!("<a>{}</a>", "<b/>".repeat(MAX_ELEMENTS));
        for bad in [
            "",
            "x",
            "<a>",
            "<a></b>",
            "<a/><a/>",
            "<b/>",
            "<a>&bomb;</a>",
            deep.as_str(),
            many.as_str(),
            "<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>",
            "<a/>rest",
            "<a b></a>",
            "<a b='1' b='2'/>",
        ] {
            assert_eq!(Element::read(bad.as_bytes(), "a").unwrap_err().code(), Code::MalformedXML, "{bad:.40}");
        }
    }
}

use crate::error::{Code, S3Result};
use crate::xml::{Element, XmlWriter};

/// What an element may hold.
pub(super) enum Shape {
    /// Text that the function takes.
    Text(fn(&str) -> bool),
    /// Other elements, in any order.
    Of(&'static [Child]),
}

/// An element that another one may hold.
pub(super) struct Child {
    name: &'static str,
    min: usize,
    max: usize,
    shape: &'static Shape,
}

/// One that must be there.
pub(super) const fn one(name: &'static str, shape: &'static Shape) -> Child {
    Child { name, min: 1, max: 1, shape }
}

/// One that may be there.
pub(super) const fn maybe(name: &'static str, shape: &'static Shape) -> Child {
    Child { name, min: 0, max: 1, shape }
}

/// Any number of them.
pub(super) const fn many(name: &'static str, shape: &'static Shape) -> Child {
    Child { name, min: 0, max: usize::MAX, shape }
}

/// At least one of them.
pub(super) const fn some(name: &'static str, shape: &'static Shape) -> Child {
    Child { name, min: 1, max: usize::MAX, shape }
}

/// Any text.
pub(super) const TEXT: Shape = Shape::Text(|_| true);
/// Nothing.
pub(super) const EMPTY: Shape = Shape::Of(&[]);

impl Shape {
    /// Whether an element has the shape.
    ///
    /// # Errors
    /// `MalformedXML`.
    pub(super) fn check(&self, element: &Element) -> S3Result<()> {
        if self.fits(element) { Ok(()) } else { Err(Code::MalformedXML.into()) }
    }

    fn fits(&self, element: &Element) -> bool {
        match self {
            Self::Text(takes) => element.children.is_empty() && takes(element.text.trim()),
            Self::Of(children) => {
                let known = |found: &Element| {
                    children.iter().find(|child| child.name == found.name).is_some_and(|child| child.shape.fits(found))
                };
                let counts =
                    |child: &Child| (child.min..=child.max).contains(&element.children_named(child.name).count());
                element.text.trim().is_empty() && element.children.iter().all(known) && children.iter().all(counts)
            }
        }
    }
}

/// Writes what an element holds.
pub(super) fn write_children(xml: &mut XmlWriter, element: &Element) {
    for child in &element.children {
        if child.children.is_empty() {
            xml.text(&child.name, &child.text);
        } else {
            xml.element_with(&child.name, attributes(child), |xml| write_children(xml, child));
        }
    }
}

/// A grantee says of what kind it is; readers ask for it.
fn attributes(element: &Element) -> &'static str {
    const KINDS: [(&str, &str); 3] = [
        ("ID", r#"xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser""#),
        ("EmailAddress", r#"xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="AmazonCustomerByEmail""#),
        ("URI", r#"xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="Group""#),
    ];
    let kind = KINDS.iter().find(|(name, _)| element.name == "Grantee" && element.child(name).is_some());
    kind.map_or("", |(_, attributes)| attributes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAIR: Shape = Shape::Of(&[one("A", &TEXT), maybe("B", &EMPTY), many("C", &Shape::Text(|text| text == "c"))]);

    #[test]
    fn a_document_has_its_shape_or_is_malformed() {
        for (document, fits) in [
            ("<R><A>x</A></R>", true),
            ("<R><C>c</C><A/><B/><C> c </C></R>", true),
            ("<R/>", false),
            ("<R><A/><A/></R>", false),
            ("<R><A/><B>x</B></R>", false),
            ("<R><A/><C>d</C></R>", false),
            ("<R><A/><D/></R>", false),
            ("<R><A><X/></A></R>", false),
            ("<R>x<A/></R>", false),
        ] {
            let root = Element::read(document.as_bytes(), "R").unwrap();
            assert_eq!(PAIR.check(&root).is_ok(), fits, "{document}");
        }
    }
}

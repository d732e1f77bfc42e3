//! XML in and out: answers are written, small documents are read with their size and depth bounded.

mod element;
mod writer;

pub(crate) use element::Element;
pub(crate) use writer::XmlWriter;

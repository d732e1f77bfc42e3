//! Uploads by an HTML form: its fields, the policy that its author signed, and the file, which streams.

mod fields;
mod policy;
mod reader;

pub(crate) use fields::{Fields, missing};
pub(crate) use policy::FormPolicy;
#[cfg(any(test, fuzzing))]
pub(crate) use reader::MAX_FIELDS_BYTES;
pub(crate) use reader::{FormFile, FormReader};

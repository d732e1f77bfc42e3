//! Bucket policies: read strictly, evaluated whole. What is not understood is refused when the policy is set.
//!
//! ```text
//! Policy ── statement ── principal   who
//!               ├─────── actions     what
//!               ├─────── pattern     on which resource
//!               └─────── condition   when ── key, facts
//! ```

mod actions;
mod condition;
mod facts;
mod key;
mod pattern;
mod principal;
mod statement;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value};

use crate::error::{Code, S3Error, S3Result};
pub(crate) use facts::Facts;
use key::EXISTING_TAG;
use statement::Statement;

/// The version of the language that has variables.
const WITH_VARIABLES: &str = "2012-10-17";

/// What a policy says of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Allow,
    Deny,
    /// Nothing.
    Silent,
}

/// A bucket's policy.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Policy {
    statements: Vec<Statement>,
    asks_existing_tags: bool,
}

impl Policy {
    /// Reads a policy of a bucket.
    ///
    /// # Errors
    /// `MalformedPolicy` for what S3 would not take, and for what would not be followed here: an element, an
    /// operator or a key that is not known.
    pub(crate) fn read(text: &str, bucket: &str) -> S3Result<Self> {
        let not_json = || S3Error::from(Code::MalformedPolicy);
        if !text.starts_with('{') {
            return Err(not_json());
        }
        let whole: Value = serde_json::from_str(text).map_err(|_| not_json())?;
        let whole = whole.as_object().ok_or_else(not_json)?;
        if let Some(unknown) = whole.keys().find(|name| !["Version", "Id", "Statement"].contains(&name.as_str())) {
            return Err(malformed(format!("Unknown field {unknown}")));
        }
        let version = match whole.get("Version") {
            None => None,
            Some(Value::String(version)) if ["2012-10-17", "2008-10-17"].contains(&version.as_str()) => Some(version),
            Some(_) => return Err(malformed("The policy must contain a valid version string")),
        };
        if whole.get("Id").is_some_and(|id| !id.is_string()) {
            return Err(malformed("Invalid Id"));
        }
        let statements = match whole.get("Statement") {
            Some(Value::Array(statements)) if !statements.is_empty() => statements.as_slice(),
            Some(one @ Value::Object(_)) => std::slice::from_ref(one),
            _ => return Err(malformed("Missing required field Statement")),
        };
        let variables = version.is_some_and(|version| version == WITH_VARIABLES);
        let read = statements.iter().map(|statement| Statement::read(statement, bucket, variables));
        let asks_existing_tags =
            serde_json::to_string(whole).is_ok_and(|text| text.to_ascii_lowercase().contains(EXISTING_TAG));
        Ok(Self { statements: read.collect::<S3Result<_>>()?, asks_existing_tags })
    }

    /// What it says of an action (`s3:GetObject`) on a resource (`bucket` or `bucket/key`). A denial always wins.
    pub(crate) fn verdict(&self, facts: &Facts<'_>, action: &str, resource: &str) -> Verdict {
        let mut verdict = Verdict::Silent;
        for statement in self.statements.iter().filter(|statement| statement.is_about(facts, action, resource)) {
            if !statement.allows() {
                return Verdict::Deny;
            }
            verdict = Verdict::Allow;
        }
        verdict
    }

    /// Whether it lets everybody do something: a statement allows anyone, and no condition fixes who that is.
    pub(crate) fn is_public(&self) -> bool {
        self.statements.iter().any(Statement::is_public)
    }

    /// Whether it must be told the tags of the object that a request is about.
    pub(crate) fn asks_existing_tags(&self) -> bool {
        self.asks_existing_tags
    }
}

/// A field that holds one text or several.
fn texts(fields: &Map<String, Value>, name: &str) -> S3Result<Vec<String>> {
    let wrong = || malformed(format!("Missing required field {name}"));
    let values = match fields.get(name) {
        Some(Value::Array(values)) if !values.is_empty() => values.as_slice(),
        Some(one @ Value::String(_)) => std::slice::from_ref(one),
        _ => return Err(wrong()),
    };
    values.iter().map(|value| value.as_str().map(str::to_owned).ok_or_else(wrong)).collect()
}

fn malformed(why: impl Into<std::borrow::Cow<'static, str>>) -> S3Error {
    S3Error::new(Code::MalformedPolicy, why)
}

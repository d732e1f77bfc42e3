use serde_json::{Map, Value};

use super::condition::Condition;
use super::facts::Facts;
use super::pattern::{Meaning, Pattern, matches_text};
use super::principal::Principal;
use super::{actions, malformed, texts};
use crate::error::S3Result;

/// The beginning of every resource of S3.
const ARN: &str = "arn:aws:s3:::";
/// Elements of a statement.
const ELEMENTS: [&str; 9] =
    ["Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"];

/// One statement: whom it is about, for what, on what, when, and whether it allows or denies.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Statement {
    allows: bool,
    principals: OneOf<Principal>,
    /// In lower case.
    actions: OneOf<String>,
    resources: OneOf<Pattern>,
    conditions: Vec<Condition>,
}

/// Those of a list, or all others.
#[derive(Clone, Debug, PartialEq, Eq)]
struct OneOf<T> {
    negated: bool,
    items: Vec<T>,
}

impl<T> OneOf<T> {
    fn holds(&self, is_it: impl FnMut(&T) -> bool) -> bool {
        self.items.iter().any(is_it) != self.negated
    }
}

impl Statement {
    /// Reads a statement of a bucket's policy.
    ///
    /// # Errors
    /// `MalformedPolicy`.
    pub(super) fn read(statement: &Value, bucket: &str, variables: bool) -> S3Result<Self> {
        let fields = statement.as_object().ok_or_else(|| malformed("A statement is not an object"))?;
        if let Some(unknown) = fields.keys().find(|name| !ELEMENTS.contains(&name.as_str())) {
            return Err(malformed(format!("Unknown field {unknown}")));
        }
        if fields.get("Sid").is_some_and(|sid| !sid.is_string()) {
            return Err(malformed("Invalid Sid"));
        }
        let allows = match fields.get("Effect").and_then(Value::as_str) {
            Some("Allow") => true,
            Some("Deny") => false,
            _ => return Err(malformed("Invalid effect")),
        };
        let (negated, name) = either(fields, "Principal", "NotPrincipal")?;
        let principals = OneOf { negated, items: Principal::read_all(fields.get(name).unwrap_or(&Value::Null))? };
        let (negated, name) = either(fields, "Action", "NotAction")?;
        let items = texts(fields, name)?.iter().map(|text| actions::read(text)).collect::<S3Result<_>>()?;
        let actions = OneOf { negated, items };
        let (negated, name) = either(fields, "Resource", "NotResource")?;
        let resource = |text: &String| read_resource(text, bucket, variables);
        let resources = OneOf { negated, items: texts(fields, name)?.iter().map(resource).collect::<S3Result<_>>()? };
        Ok(Self { allows, principals, actions, resources, conditions: read_conditions(fields, variables)? })
    }

    pub(super) fn allows(&self) -> bool {
        self.allows
    }

    /// Whether it speaks of a request.
    pub(super) fn is_about(&self, facts: &Facts<'_>, action: &str, resource: &str) -> bool {
        let action = action.to_ascii_lowercase();
        self.principals.holds(|principal| principal.means(facts.identity))
            && self.actions.holds(|pattern| matches_text(pattern, &action))
            && self.resources.holds(|pattern| pattern.matches(resource, facts))
            && self.conditions.iter().all(|condition| condition.holds(facts))
    }

    /// Whether it allows something to everybody.
    pub(super) fn is_public(&self) -> bool {
        let anyone = self.principals.negated || self.principals.items.contains(&Principal::Anyone);
        self.allows && anyone && !self.conditions.iter().any(Condition::narrows)
    }
}

/// Which of two elements stands there, of which exactly one must.
fn either(fields: &Map<String, Value>, name: &'static str, negated: &'static str) -> S3Result<(bool, &'static str)> {
    match (fields.contains_key(name), fields.contains_key(negated)) {
        (true, false) => Ok((false, name)),
        (false, true) => Ok((true, negated)),
        (false, false) => Err(malformed(format!("Missing required field {name}"))),
        (true, true) => Err(malformed(format!("{name} and {negated} can't stand in one statement"))),
    }
}

fn read_resource(text: &str, bucket: &str, variables: bool) -> S3Result<Pattern> {
    let invalid = || malformed("Policy has invalid resource");
    let resource = text.strip_prefix(ARN).ok_or_else(invalid)?;
    let named = resource.split_once('/').map_or(resource, |(name, _)| name);
    if !matches_text(named, bucket) {
        return Err(invalid());
    }
    Pattern::read(resource, Meaning { wildcards: true, variables })
}

fn read_conditions(fields: &Map<String, Value>, variables: bool) -> S3Result<Vec<Condition>> {
    let invalid = || malformed("Conditions must be an object of operators, keys and values");
    let Some(block) = fields.get("Condition") else { return Ok(Vec::new()) };
    let mut conditions = Vec::new();
    for (operator, keys) in block.as_object().ok_or_else(invalid)? {
        for (key, values) in keys.as_object().filter(|keys| !keys.is_empty()).ok_or_else(invalid)? {
            conditions.push(Condition::read(operator, key, values, variables)?);
        }
    }
    Ok(conditions)
}

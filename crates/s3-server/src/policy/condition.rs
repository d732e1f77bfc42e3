use std::net::IpAddr;

use ipnet::IpNet;
use serde_json::Value;

use super::facts::Facts;
use super::key::Key;
use super::malformed;
use super::pattern::{Meaning, Pattern};
use crate::amz_time;
use crate::error::S3Result;

/// Ranges of addresses that are wider than this hold everybody, as S3 sees it: IPv4, IPv6.
const WIDEST_PREFIX: (u8, u8) = (8, 32);

/// One line of a `Condition`: a key, how it is compared, and with what.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Condition {
    key: Key,
    quantifier: Quantifier,
    /// Whether a request that does not say the key meets it.
    if_exists: bool,
    /// Whether it holds where nothing matches.
    negated: bool,
    comparison: Comparison,
}

/// How many of the request's values must be accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Quantifier {
    One,
    Any,
    All,
}

#[derive(Clone, Debug, PartialEq)]
enum Comparison {
    Text {
        patterns: Vec<Pattern>,
        ignoring_case: bool,
    },
    Arn(Vec<Pattern>),
    Number {
        relation: Relation,
        values: Vec<f64>,
    },
    Date {
        relation: Relation,
        values_ms: Vec<i64>,
    },
    Bool(Vec<bool>),
    Ip(Vec<IpNet>),
    /// Whether the key must be missing.
    Null(Vec<bool>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Relation {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Condition {
    /// Reads what stands under an operator: a key and its values.
    ///
    /// # Errors
    /// `MalformedPolicy` for an operator or key that is not known, and a value that the operator can't compare.
    pub(super) fn read(operator: &str, key: &str, values: &Value, variables: bool) -> S3Result<Self> {
        let (quantifier, plain) = match operator.split_once(':') {
            None => (Quantifier::One, operator),
            Some((word, rest)) if word.eq_ignore_ascii_case("ForAnyValue") => (Quantifier::Any, rest),
            Some((word, rest)) if word.eq_ignore_ascii_case("ForAllValues") => (Quantifier::All, rest),
            Some(_) => return Err(unknown_operator(operator)),
        };
        let lower = plain.to_ascii_lowercase();
        let stripped = lower.strip_suffix("ifexists");
        let name = stripped.unwrap_or(&lower);
        if name == "null" && (stripped.is_some() || quantifier != Quantifier::One) {
            return Err(unknown_operator(operator));
        }
        let values = scalars(values).ok_or_else(|| malformed(format!("Policy has an invalid value for {key}")))?;
        let (negated, comparison) =
            read_comparison(name, &values, variables)?.ok_or_else(|| unknown_operator(operator))?;
        Ok(Self { key: Key::read(key)?, quantifier, if_exists: stripped.is_some(), negated, comparison })
    }

    /// Whether a request meets it.
    pub(super) fn holds(&self, facts: &Facts<'_>) -> bool {
        let values = facts.values(&self.key);
        if let Comparison::Null(missing) = &self.comparison {
            return missing.contains(&values.is_none());
        }
        match (values, self.quantifier) {
            (None, Quantifier::All) => true,
            (None, Quantifier::Any) => self.if_exists,
            (None, Quantifier::One) => self.if_exists || self.negated,
            (Some(values), Quantifier::All) => values.iter().all(|value| self.accepts(value, facts)),
            (Some(values), _) => values.iter().any(|value| self.accepts(value, facts)),
        }
    }

    /// Whether only requests of somebody fixed meet it, so that a policy with it is not public.
    pub(super) fn narrows(&self) -> bool {
        if !self.key.is_narrowing() || self.if_exists || self.negated || self.quantifier == Quantifier::All {
            return false;
        }
        match &self.comparison {
            Comparison::Text { patterns, .. } => patterns.iter().all(|pattern| !pattern.has_wildcard_or_variable()),
            Comparison::Arn(patterns) => patterns.iter().all(|pattern| !pattern.has_wildcard_or_variable()),
            Comparison::Ip(networks) => networks.iter().all(|network| match network {
                IpNet::V4(network) => network.prefix_len() >= WIDEST_PREFIX.0,
                IpNet::V6(network) => network.prefix_len() >= WIDEST_PREFIX.1,
            }),
            _ => false,
        }
    }

    fn accepts(&self, value: &str, facts: &Facts<'_>) -> bool {
        let matches = match &self.comparison {
            Comparison::Text { patterns, ignoring_case: false } => {
                patterns.iter().any(|pattern| pattern.matches(value, facts))
            }
            Comparison::Text { patterns, ignoring_case: true } => {
                patterns.iter().any(|pattern| pattern.matches_ignoring_case(value, facts))
            }
            Comparison::Arn(patterns) => patterns.iter().any(|pattern| pattern.matches_arn(value, facts)),
            Comparison::Number { relation, values } => {
                number(value).is_some_and(|given| values.iter().any(|wanted| relation.holds(&given, wanted)))
            }
            Comparison::Date { relation, values_ms } => {
                date_ms(value).is_some_and(|given| values_ms.iter().any(|wanted| relation.holds(&given, wanted)))
            }
            Comparison::Bool(wanted) => boolean(value).is_some_and(|given| wanted.contains(&given)),
            Comparison::Ip(networks) => {
                value.parse::<IpAddr>().is_ok_and(|address| networks.iter().any(|network| network.contains(&address)))
            }
            Comparison::Null(_) => false,
        };
        matches != self.negated
    }
}

impl Relation {
    fn holds<T: PartialOrd>(self, given: &T, wanted: &T) -> bool {
        match self {
            Self::Equal => given == wanted,
            Self::Less => given < wanted,
            Self::LessOrEqual => given <= wanted,
            Self::Greater => given > wanted,
            Self::GreaterOrEqual => given >= wanted,
        }
    }

    /// Reads the end of an operator's name; the second says whether it is negated.
    fn read(ending: &str) -> Option<(Self, bool)> {
        Some(match ending {
            "equals" => (Self::Equal, false),
            "notequals" => (Self::Equal, true),
            "lessthan" => (Self::Less, false),
            "lessthanequals" => (Self::LessOrEqual, false),
            "greaterthan" => (Self::Greater, false),
            "greaterthanequals" => (Self::GreaterOrEqual, false),
            _ => return None,
        })
    }
}

/// Whether it is negated, and what it compares; `None` for an operator that is not known.
fn read_comparison(name: &str, values: &[String], variables: bool) -> S3Result<Option<(bool, Comparison)>> {
    let texts = |wildcards: bool| -> S3Result<Vec<Pattern>> {
        values.iter().map(|value| Pattern::read(value, Meaning { wildcards, variables })).collect()
    };
    if let Some((relation, negated)) = name.strip_prefix("numeric").and_then(Relation::read) {
        return Ok(Some((negated, Comparison::Number { relation, values: each(values, number)? })));
    }
    if let Some((relation, negated)) = name.strip_prefix("date").and_then(Relation::read) {
        return Ok(Some((negated, Comparison::Date { relation, values_ms: each(values, date_ms)? })));
    }
    let (negated, comparison) = match name {
        "stringequals" | "stringnotequals" => {
            (name.contains("not"), Comparison::Text { patterns: texts(false)?, ignoring_case: false })
        }
        "stringequalsignorecase" | "stringnotequalsignorecase" => {
            (name.contains("not"), Comparison::Text { patterns: texts(false)?, ignoring_case: true })
        }
        "stringlike" | "stringnotlike" => {
            (name.contains("not"), Comparison::Text { patterns: texts(true)?, ignoring_case: false })
        }
        "arnequals" | "arnlike" | "arnnotequals" | "arnnotlike" => {
            (name.contains("not"), Comparison::Arn(texts(true)?))
        }
        "bool" => (false, Comparison::Bool(each(values, boolean)?)),
        "ipaddress" | "notipaddress" => (name.starts_with("not"), Comparison::Ip(each(values, network)?)),
        "null" => (false, Comparison::Null(each(values, boolean)?)),
        _ => return Ok(None),
    };
    Ok(Some((negated, comparison)))
}

/// Texts, numbers and truth values, one or several.
fn scalars(values: &Value) -> Option<Vec<String>> {
    let scalar = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    };
    match values {
        Value::Array(values) if !values.is_empty() => values.iter().map(scalar).collect(),
        one => scalar(one).map(|value| vec![value]),
    }
}

fn each<T>(values: &[String], read: fn(&str) -> Option<T>) -> S3Result<Vec<T>> {
    let wrong = |value: &str| malformed(format!("Policy has an invalid condition value: {value}"));
    values.iter().map(|value| read(value).ok_or_else(|| wrong(value))).collect()
}

fn number(text: &str) -> Option<f64> {
    text.parse::<f64>().ok().filter(|number| number.is_finite())
}

fn date_ms(text: &str) -> Option<i64> {
    text.parse::<i64>().ok().and_then(|seconds| seconds.checked_mul(1000)).or_else(|| amz_time::from_iso(text))
}

fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

fn network(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

fn unknown_operator(operator: &str) -> crate::error::S3Error {
    malformed(format!("Invalid Condition type : {operator}"))
}

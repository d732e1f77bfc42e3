use std::collections::HashSet;

use super::due::DAY_MS;
use super::filter::Filter;
use super::rule::{Expiration, Lifecycle, MinimumSize, NoncurrentExpiration, Rule, Scope, Transition, TransitionTime};
use crate::amz_time;
use crate::error::{Code, S3Error, S3Result};
use crate::tag_set;
use crate::xml::Element;

/// The most rules of a bucket.
const MAX_RULES: usize = 1000;
/// The longest id, in characters.
const MAX_ID_CHARACTERS: usize = 255;
/// The longest prefix: that of the longest key, in bytes.
const MAX_PREFIX_BYTES: usize = 1024;
/// The largest size that a filter may name, in bytes.
const MAX_SIZE: u64 = 1_099_511_627_776_000;
/// The most noncurrent versions that a rule may keep.
const MAX_NEWER_VERSIONS: u32 = 100;
/// What a transition may name.
const STORAGE_CLASSES: [&str; 6] =
    ["GLACIER", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "DEEP_ARCHIVE", "GLACIER_IR"];
/// What takes no object that is younger than 30 days.
const INFREQUENT_ACCESS: [&str; 2] = ["STANDARD_IA", "ONEZONE_IA"];
const INFREQUENT_ACCESS_DAYS: u32 = 30;
/// What may stand in a rule.
const IN_A_RULE: [&str; 9] = [
    "ID",
    "Prefix",
    "Filter",
    "Status",
    "Expiration",
    "Transition",
    "NoncurrentVersionExpiration",
    "NoncurrentVersionTransition",
    "AbortIncompleteMultipartUpload",
];

impl Lifecycle {
    /// Reads a `LifecycleConfiguration`; a rule without an id gets one.
    ///
    /// # Errors
    /// `MalformedXML`, `InvalidArgument` and `InvalidRequest`, each where S3 answers it.
    pub(crate) fn read(document: &[u8], minimum_size: Option<&str>) -> S3Result<Self> {
        let configuration = Element::read(document, "LifecycleConfiguration")?;
        if configuration.children.iter().any(|child| child.name != "Rule") {
            return Err(malformed());
        }
        let rules: Vec<&Element> = configuration.children_named("Rule").collect();
        match rules.len() {
            0 => return Err(request("At least one lifecycle rule must be specified.")),
            1..=MAX_RULES => {}
            _ => return Err(request("The number of lifecycle rules must not exceed the allowed limit of 1000 rules.")),
        }
        let mut ids = HashSet::new();
        let has_filters = rules[0].child("Filter").is_some();
        let rules =
            rules.into_iter().map(|rule| read_rule(rule, has_filters, &mut ids)).collect::<S3Result<Vec<_>>>()?;
        if !has_filters {
            refuse_overlaps(&rules)?;
        }
        let unknown = || request("Invalid TransitionDefaultMinimumObjectSize found");
        let minimum_size = minimum_size.map(|name| MinimumSize::named(name).ok_or_else(unknown)).transpose()?;
        Ok(Self { rules, minimum_size: minimum_size.unwrap_or_default() })
    }
}

fn read_rule(rule: &Element, has_filters: bool, ids: &mut HashSet<String>) -> S3Result<Rule> {
    if rule.children.iter().any(|child| !IN_A_RULE.contains(&child.name.as_str())) {
        return Err(malformed());
    }
    let id = match rule.text_of("ID").filter(|id| !id.is_empty()) {
        Some(id) if id.chars().count() > MAX_ID_CHARACTERS => {
            return Err(S3Error::argument("ID", id, "ID length should not exceed allowed limit of 255"));
        }
        Some(id) => id.to_owned(),
        None => uuid::Uuid::new_v4().to_string(),
    };
    if !ids.insert(id.clone()) {
        return Err(S3Error::argument("ID", &id, "Rule ID must be unique. Found same ID for more than one rule"));
    }
    let is_enabled = match rule.text_of("Status") {
        Some("Enabled") => true,
        Some("Disabled") => false,
        _ => return Err(malformed()),
    };
    let read = Rule {
        id,
        is_enabled,
        scope: read_scope(rule, has_filters)?,
        expiration: rule.child("Expiration").map(read_expiration).transpose()?,
        noncurrent_expiration: rule
            .child("NoncurrentVersionExpiration")
            .map(|expiration| read_noncurrent(expiration, has_filters))
            .transpose()?,
        abort_after_days: rule.child("AbortIncompleteMultipartUpload").map(read_abortion).transpose()?,
        transitions: read_transitions(rule, "Transition", "Days", has_filters)?,
        noncurrent_transitions: read_transitions(rule, "NoncurrentVersionTransition", "NoncurrentDays", has_filters)?,
    };
    check_rule(&read)?;
    Ok(read)
}

fn check_rule(rule: &Rule) -> S3Result<()> {
    let has_action = rule.expiration.is_some()
        || rule.noncurrent_expiration.is_some()
        || rule.abort_after_days.is_some()
        || !rule.transitions.is_empty()
        || !rule.noncurrent_transitions.is_empty();
    if !has_action {
        return Err(request("At least one action needs to be specified in a rule"));
    }
    let has = |what: fn(&Filter) -> bool| rule.scope.filter().is_some_and(what);
    for (is_there, action) in [
        (matches!(rule.expiration, Some(Expiration::LoneMarkers(_))), "ExpiredObjectDeleteMarker"),
        (rule.abort_after_days.is_some(), "AbortIncompleteMultipartUpload"),
    ] {
        if is_there && has(Filter::has_tags) {
            return Err(request(format!("{action} cannot be specified with Tags.")));
        }
        if is_there && has(Filter::has_sizes) {
            return Err(request(format!("{action} cannot be specified with Object Size.")));
        }
    }
    for transition in &rule.transitions {
        check_order(rule, transition)?;
    }
    let of_noncurrent = rule.noncurrent_transitions.iter().map(|transition| transition.when);
    if let Some(NoncurrentExpiration { days: expires, .. }) = rule.noncurrent_expiration
        && of_noncurrent.into_iter().any(|when| matches!(when, TransitionTime::Days(moves) if moves >= expires))
    {
        let message = "'NoncurrentDays' in the NoncurrentVersionExpiration action must be greater than \
            'NoncurrentDays' in the NoncurrentVersionTransition action";
        return Err(S3Error::new(Code::InvalidArgument, message));
    }
    Ok(())
}

/// An object moves before it expires, and both are said in the same way.
fn check_order(rule: &Rule, transition: &Transition) -> S3Result<()> {
    let prefix = rule.scope.prefix();
    let is_in_order = match (transition.when, rule.expiration) {
        (TransitionTime::Days(moves), Some(Expiration::Days(expires))) => moves < expires,
        (TransitionTime::Date(moves), Some(Expiration::Date(expires))) => moves < expires,
        (_, None | Some(Expiration::LoneMarkers(_))) => true,
        (TransitionTime::Days(_), Some(Expiration::Date(_))) | (TransitionTime::Date(_), Some(Expiration::Days(_))) => {
            return Err(request(format!(
                "Found mixed 'Date' and 'Days' based Expiration and Transition actions in lifecycle rule for prefix '{prefix}'"
            )));
        }
    };
    if is_in_order {
        return Ok(());
    }
    let unit = if matches!(transition.when, TransitionTime::Days(_)) { "Days" } else { "Date" };
    let message = format!(
        "'{unit}' in the Expiration action for prefix '{prefix}' must be greater than '{unit}' in the Transition action"
    );
    Err(S3Error::new(Code::InvalidArgument, message))
}

fn read_scope(rule: &Element, has_filters: bool) -> S3Result<Scope> {
    match (rule.child("Prefix"), rule.child("Filter")) {
        (None, None) => Err(malformed()),
        (Some(_), _) if has_filters => {
            Err(request("Base level prefix cannot be used in Lifecycle V2, prefixes are only supported in the Filter."))
        }
        (_, Some(_)) if !has_filters => Err(request("Filter element can only be used in Lifecycle V2.")),
        (Some(prefix), _) => Ok(Scope::Prefix(checked_prefix(&prefix.text)?)),
        (None, Some(filter)) => Ok(Scope::Filter(read_filter(filter)?)),
    }
}

fn read_filter(element: &Element) -> S3Result<Filter> {
    let filter = match element.children.as_slice() {
        [] => return Ok(Filter::default()),
        [and] if and.name == "And" => {
            let filter = Filter { is_and: true, ..read_conditions(&and.children)? };
            if filter.conditions() < 2 {
                return Err(malformed());
            }
            filter
        }
        [_] => read_conditions(&element.children)?,
        _ => return Err(malformed()),
    };
    if let (Some(least), Some(most)) = (filter.larger_than, filter.smaller_than)
        && most <= least
    {
        return Err(request("'ObjectSizeLessThan' has to be a value greater than 'ObjectSizeGreaterThan'."));
    }
    Ok(filter)
}

fn read_conditions(elements: &[Element]) -> S3Result<Filter> {
    let mut filter = Filter::default();
    for element in elements {
        let was_there = match element.name.as_str() {
            "Prefix" => filter.prefix.replace(checked_prefix(&element.text)?).is_some(),
            "ObjectSizeGreaterThan" => filter.larger_than.replace(size(element, 0)?).is_some(),
            "ObjectSizeLessThan" => filter.smaller_than.replace(size(element, 1)?).is_some(),
            "Tag" => {
                let (key, value) = tag_set::read_tag(element)?;
                if filter.tags.iter().any(|(known, _)| *known == key) {
                    return Err(request("Duplicate Tag Keys are not allowed."));
                }
                filter.tags.push((key, value));
                false
            }
            _ => true,
        };
        if was_there {
            return Err(malformed());
        }
    }
    Ok(filter)
}

fn size(element: &Element, least: u64) -> S3Result<u64> {
    let number: i128 = element.text.trim().parse().map_err(|_| malformed())?;
    let fits = u64::try_from(number).ok().filter(|bytes| (least..=MAX_SIZE).contains(bytes));
    fits.ok_or_else(|| request(format!("'{}' should be between {least} and {MAX_SIZE}.", element.name)))
}

fn checked_prefix(prefix: &str) -> S3Result<String> {
    if prefix.len() <= MAX_PREFIX_BYTES {
        return Ok(prefix.to_owned());
    }
    Err(S3Error::new(Code::InvalidArgument, "The maximum size of a prefix is 1024."))
}

fn read_expiration(expiration: &Element) -> S3Result<Expiration> {
    let [child] = expiration.children.as_slice() else { return Err(malformed()) };
    let text = child.text.trim();
    match child.name.as_str() {
        "Days" => Ok(Expiration::Days(days(text, 1, "'Days' for Expiration action must be a positive integer")?)),
        "Date" => Ok(Expiration::Date(midnight(text)?)),
        "ExpiredObjectDeleteMarker" => match text {
            "true" | "1" => Ok(Expiration::LoneMarkers(true)),
            "false" | "0" => Ok(Expiration::LoneMarkers(false)),
            _ => Err(malformed()),
        },
        _ => Err(malformed()),
    }
}

fn read_noncurrent(expiration: &Element, has_filters: bool) -> S3Result<NoncurrentExpiration> {
    let message = "'NoncurrentDays' for NoncurrentVersionExpiration action must be a positive integer";
    let text = expiration.text_of("NoncurrentDays").ok_or_else(malformed)?;
    Ok(NoncurrentExpiration {
        days: days(text, 1, message)?,
        newer_versions: newer_versions(expiration, "NoncurrentVersionExpiration", has_filters)?,
    })
}

fn newer_versions(element: &Element, action: &str, has_filters: bool) -> S3Result<Option<u32>> {
    let Some(text) = element.text_of("NewerNoncurrentVersions") else { return Ok(None) };
    if !has_filters {
        return Err(request("NewerNoncurrentVersions element can only be used in Lifecycle V2."));
    }
    let number: i64 = text.parse().map_err(|_| malformed())?;
    let fits = u32::try_from(number).ok().filter(|number| (1..=MAX_NEWER_VERSIONS).contains(number));
    let message = format!("'NewerNoncurrentVersions' for {action} action must be between 1 and 100");
    fits.map(Some).ok_or_else(|| S3Error::argument("NewerNoncurrentVersions", text, message))
}

fn read_abortion(abortion: &Element) -> S3Result<u32> {
    let message = "'DaysAfterInitiation' for AbortIncompleteMultipartUpload action must be a positive integer";
    days(abortion.text_of("DaysAfterInitiation").ok_or_else(malformed)?, 1, message)
}

fn read_transitions(rule: &Element, name: &str, days_element: &str, has_filters: bool) -> S3Result<Vec<Transition>> {
    let mut transitions: Vec<Transition> = Vec::new();
    for element in rule.children_named(name) {
        let class = element.text_of("StorageClass").filter(|class| STORAGE_CLASSES.contains(class));
        let class = class.ok_or_else(malformed)?;
        if transitions.iter().any(|known| known.storage_class == class) {
            let message = format!("'StorageClass' must be different for '{name}' actions in same 'Rule'");
            return Err(request(message));
        }
        let when = match (element.text_of(days_element), element.text_of("Date")) {
            (Some(text), None) => {
                let message = format!("'{days_element}' in {name} action must be a non-negative integer");
                TransitionTime::Days(days(text, 0, &message)?)
            }
            (None, Some(text)) if days_element == "Days" => TransitionTime::Date(midnight(text)?),
            _ => return Err(malformed()),
        };
        let is_early = matches!(when, TransitionTime::Days(days) if days < INFREQUENT_ACCESS_DAYS);
        if is_early && INFREQUENT_ACCESS.contains(&class) {
            let message = format!(
                "'{days_element}' in {name} action must be greater than or equal to 30 for storageClass '{class}'"
            );
            return Err(S3Error::new(Code::InvalidArgument, message));
        }
        let newer_versions = newer_versions(element, name, has_filters)?;
        transitions.push(Transition { when, storage_class: class.to_owned(), newer_versions });
    }
    Ok(transitions)
}

fn days(text: &str, least: u32, message: &str) -> S3Result<u32> {
    let number: i64 = text.parse().map_err(|_| malformed())?;
    let fits = u32::try_from(number).ok().filter(|days| *days >= least && i32::try_from(*days).is_ok());
    fits.ok_or_else(|| S3Error::new(Code::InvalidArgument, message.to_owned()))
}

fn midnight(text: &str) -> S3Result<u64> {
    let at_ms = amz_time::from_iso(text).ok_or_else(malformed)?;
    let midnight = u64::try_from(at_ms).ok().filter(|at_ms| at_ms.is_multiple_of(DAY_MS));
    midnight.ok_or_else(|| S3Error::argument("Date", text, "'Date' must be at midnight GMT"))
}

/// Without filters no two rules may do the same with one key.
fn refuse_overlaps(rules: &[Rule]) -> S3Result<()> {
    type Does = fn(&Rule) -> bool;
    let actions: [(&str, Does); 5] = [
        ("Expiration", |rule| rule.expiration.is_some()),
        ("NoncurrentVersionExpiration", |rule| rule.noncurrent_expiration.is_some()),
        ("AbortIncompleteMultipartUpload", |rule| rule.abort_after_days.is_some()),
        ("Transition", |rule| !rule.transitions.is_empty()),
        ("NoncurrentVersionTransition", |rule| !rule.noncurrent_transitions.is_empty()),
    ];
    for (name, does) in actions {
        let mut prefixes: Vec<&str> =
            rules.iter().filter(|rule| rule.is_enabled && does(rule)).map(|rule| rule.scope.prefix()).collect();
        // A prefix stands right before one that begins with it, or before another that does.
        prefixes.sort_unstable();
        if let Some(pair) = prefixes.windows(2).find(|pair| pair[1].starts_with(pair[0])) {
            let (one, other) = (pair[0], pair[1]);
            return Err(request(format!(
                "Found overlapping prefixes '{one}' and '{other}' for same action type '{name}'"
            )));
        }
    }
    Ok(())
}

fn malformed() -> S3Error {
    Code::MalformedXML.into()
}

fn request(message: impl Into<std::borrow::Cow<'static, str>>) -> S3Error {
    S3Error::new(Code::InvalidRequest, message)
}

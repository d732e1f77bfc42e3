use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::Fields;
use crate::amz_time;
use crate::error::{Code, S3Error, S3Result};

/// Fields that a policy need not name.
const FREE: [&str; 6] = ["awsaccesskeyid", "file", "policy", "signature", "submit", "x-amz-signature"];
/// Fields whose names begin so need not be named either.
const IGNORED: &str = "x-ignore-";

/// What the author of a form allows to be sent with it, and until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FormPolicy {
    expires_at_ms: i64,
    conditions: Vec<Condition>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Condition {
    Equals { field: String, value: String },
    StartsWith { field: String, prefix: String },
    Length { min: u64, max: u64 },
}

impl FormPolicy {
    /// Reads the field `policy`: Base64 of JSON.
    ///
    /// # Errors
    /// `InvalidPolicyDocument`.
    pub(crate) fn read(encoded: &str) -> S3Result<Self> {
        let compact: String = encoded.split_ascii_whitespace().collect();
        let json = STANDARD.decode(compact).map_err(|_| invalid("could not be decoded as Base64."))?;
        let whole: Value = serde_json::from_slice(&json).map_err(|_| invalid("Invalid JSON."))?;
        let whole = whole.as_object().ok_or_else(|| invalid("Invalid JSON: not an object."))?;
        if let Some(unknown) = whole.keys().find(|name| !["expiration", "conditions"].contains(&name.as_str())) {
            return Err(invalid(format!("Unexpected: '{unknown}'.")));
        }
        let expiration = whole.get("expiration").ok_or_else(|| invalid("Policy missing expiration."))?;
        let expires_at_ms = expiration.as_str().filter(|text| text.contains('T')).and_then(amz_time::from_iso);
        let conditions = whole.get("conditions").and_then(Value::as_array);
        let conditions = conditions.ok_or_else(|| invalid("Policy missing conditions."))?;
        Ok(Self {
            expires_at_ms: expires_at_ms.ok_or_else(|| invalid("Invalid 'expiration' value."))?,
            conditions: conditions.iter().map(read_condition).collect::<S3Result<Vec<_>>>()?.concat(),
        })
    }

    /// Checks the fields of a form for a bucket, all but the length of its file.
    ///
    /// # Errors
    /// `AccessDenied` when it has expired, when a condition fails, and for a field that no condition names.
    pub(crate) fn check(&self, fields: &Fields, bucket: &str, now_ms: u64) -> S3Result<()> {
        if i64::try_from(now_ms).is_ok_and(|now_ms| now_ms >= self.expires_at_ms) {
            return Err(denied("Policy expired."));
        }
        let value_of = |field: &str| if field == "bucket" { Some(bucket) } else { fields.get(field) };
        for condition in &self.conditions {
            if !condition.holds(value_of) {
                return Err(denied(format!("Policy Condition failed: {}", condition.text())));
            }
        }
        let is_named = |field: &str| self.conditions.iter().any(|condition| condition.field() == Some(field));
        let is_free = |name: &str| FREE.contains(&name) || name.starts_with(IGNORED);
        let extra =
            fields.iter().map(|(name, _)| name).chain(["bucket"]).find(|name| !is_free(name) && !is_named(name));
        match extra {
            None => Ok(()),
            Some(name) => Err(denied(format!("Extra input fields: {name}"))),
        }
    }

    /// The least and the largest length of the file, in bytes, where it says them.
    pub(crate) fn length(&self) -> Option<(u64, u64)> {
        let lengths = self.conditions.iter().filter_map(|condition| match condition {
            Condition::Length { min, max } => Some((*min, *max)),
            _ => None,
        });
        lengths.reduce(|one, other| (one.0.max(other.0), one.1.min(other.1)))
    }
}

impl Condition {
    fn holds<'a>(&self, value_of: impl Fn(&str) -> Option<&'a str>) -> bool {
        match self {
            Self::Equals { field, value } => value_of(field) == Some(value),
            // What is not sent is empty: every text begins with nothing.
            Self::StartsWith { field, prefix } => value_of(field).unwrap_or_default().starts_with(prefix.as_str()),
            Self::Length { .. } => true,
        }
    }

    fn field(&self) -> Option<&str> {
        match self {
            Self::Equals { field, .. } | Self::StartsWith { field, .. } => Some(field),
            Self::Length { .. } => None,
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Equals { field, value } => format!("[\"eq\", \"${field}\", \"{value}\"]"),
            Self::StartsWith { field, prefix } => format!("[\"starts-with\", \"${field}\", \"{prefix}\"]"),
            Self::Length { min, max } => format!("[\"content-length-range\", {min}, {max}]"),
        }
    }
}

/// `{ "field": "value" }`, `["eq" or "starts-with", "$field", "value"]` or `["content-length-range", least, most]`.
fn read_condition(condition: &Value) -> S3Result<Vec<Condition>> {
    let wrong = || invalid("Invalid Condition.");
    let list = match condition {
        Value::Object(pairs) if !pairs.is_empty() => {
            let equals = |(field, value): (&String, &Value)| {
                Some(Condition::Equals { field: field.to_ascii_lowercase(), value: text(value)? })
            };
            return pairs.iter().map(equals).collect::<Option<_>>().ok_or_else(wrong);
        }
        Value::Array(list) => list,
        _ => return Err(wrong()),
    };
    let [operator, first, second] = list.as_slice() else { return Err(wrong()) };
    let operator = operator.as_str().ok_or_else(wrong)?.to_ascii_lowercase();
    if operator == "content-length-range" {
        let bytes = |value: &Value| value.as_u64().or_else(|| value.as_str()?.parse().ok()).ok_or_else(wrong);
        let (min, max) = (bytes(first)?, bytes(second)?);
        return if min <= max { Ok(vec![Condition::Length { min, max }]) } else { Err(wrong()) };
    }
    let field = first.as_str().and_then(|name| name.strip_prefix('$')).ok_or_else(wrong)?.to_ascii_lowercase();
    let value = text(second).ok_or_else(wrong)?;
    match operator.as_str() {
        "eq" => Ok(vec![Condition::Equals { field, value }]),
        "starts-with" => Ok(vec![Condition::StartsWith { field, prefix: value }]),
        _ => Err(wrong()),
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn invalid(why: impl std::fmt::Display) -> S3Error {
    S3Error::new(Code::InvalidPolicyDocument, format!("Invalid Policy: {why}"))
}

fn denied(why: impl std::fmt::Display) -> S3Error {
    S3Error::new(Code::AccessDenied, format!("Invalid according to Policy: {why}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// 2026-11-20T14:35:34Z.
    const NOW_MS: u64 = 1_795_185_334_000;

    fn read(policy: &Value) -> S3Result<FormPolicy> {
        FormPolicy::read(&STANDARD.encode(policy.to_string()))
    }

    fn check(conditions: &Value, sent: &[(&str, &str)]) -> S3Result<()> {
        let policy = read(&json!({"expiration": "2026-11-20T14:35:34.001Z", "conditions": conditions})).unwrap();
        let mut fields = Fields::default();
        sent.iter().for_each(|(name, value)| fields.push(name, (*value).to_owned()));
        policy.check(&fields, "bkt", NOW_MS)
    }

    #[test]
    fn each_condition_holds_for_what_it_says() {
        let bucket = json!({"Bucket": "bkt"});
        for (condition, value, expected) in [
            (json!({"key": "a"}), "a", true),
            (json!({"key": "a"}), "b", false),
            (json!(["eq", "$Key", "a"]), "a", true),
            (json!(["EQ", "$key", "a"]), "A", false),
            (json!(["starts-with", "$key", "a/"]), "a/b", true),
            (json!(["starts-with", "$key", "a/"]), "a", false),
            (json!(["starts-with", "$key", ""]), "x", true),
        ] {
            let found = check(&json!([bucket, condition]), &[("key", value)]).map_err(|error| error.code());
            let expected = if expected { Ok(()) } else { Err(Code::AccessDenied) };
            assert_eq!(found, expected, "{condition} {value}");
        }
        let starts = json!([bucket, {"key": "a"}, ["starts-with", "$x-amz-meta-a", "b"]]);
        assert_eq!(check(&starts, &[("key", "a")]).unwrap_err().code(), Code::AccessDenied);
    }

    #[test]
    fn what_no_condition_names_is_refused_but_for_the_signature_and_what_says_to_be_ignored() {
        let conditions = json!([{"bucket": "bkt"}, {"key": "a"}]);
        let with = |name: &'static str| check(&conditions, &[("key", "a"), (name, "x")]);
        for free in ["policy", "x-amz-signature", "signature", "AWSAccessKeyId", "x-ignore-me"] {
            assert!(with(free).is_ok(), "{free}");
        }
        for extra in ["acl", "x-amz-meta-a", "x-amz-credential", "success_action_redirect"] {
            assert_eq!(with(extra).unwrap_err().code(), Code::AccessDenied, "{extra}");
        }
        assert_eq!(check(&json!([{"key": "a"}]), &[("key", "a")]).unwrap_err().code(), Code::AccessDenied);
        let other = json!([{"bucket": "other"}, {"key": "a"}]);
        assert_eq!(check(&other, &[("key", "a")]).unwrap_err().code(), Code::AccessDenied);
    }

    #[test]
    fn a_policy_is_good_until_it_expires() {
        let policy = read(&json!({"expiration": "2026-11-20T14:35:34Z", "conditions": [{"bucket": "bkt"}]})).unwrap();
        assert!(policy.check(&Fields::default(), "bkt", NOW_MS - 1).is_ok());
        assert_eq!(policy.check(&Fields::default(), "bkt", NOW_MS).unwrap_err().code(), Code::AccessDenied);
    }

    #[test]
    fn lengths_are_those_that_all_ranges_allow() {
        let of = |conditions: Value| {
            read(&json!({"expiration": "2026-11-20T14:35:34Z", "conditions": conditions})).unwrap().length()
        };
        assert_eq!(of(json!([])), None);
        assert_eq!(of(json!([["content-length-range", 1, "10"]])), Some((1, 10)));
        assert_eq!(of(json!([["content-length-range", 1, 10], ["content-length-range", 5, 20]])), Some((5, 10)));
    }

    #[test]
    fn a_policy_that_is_not_understood_is_refused() {
        let at = "2026-11-20T14:35:34Z";
        assert_eq!(FormPolicy::read("!").unwrap_err().code(), Code::InvalidPolicyDocument);
        assert_eq!(FormPolicy::read("e30").unwrap_err().code(), Code::InvalidPolicyDocument);
        for policy in [
            json!([]),
            json!({}),
            json!({"expiration": at}),
            json!({"conditions": []}),
            json!({"EXPIRATION": at, "conditions": []}),
            json!({"expiration": at, "CONDITIONS": []}),
            json!({"expiration": "tomorrow", "conditions": []}),
            json!({"expiration": "2026-11-20", "conditions": []}),
            json!({"expiration": at, "conditions": [{}]}),
            json!({"expiration": at, "conditions": [["eq", "key", "a"]]}),
            json!({"expiration": at, "conditions": [["like", "$key", "a"]]}),
            json!({"expiration": at, "conditions": [["content-length-range", 0]]}),
            json!({"expiration": at, "conditions": [["content-length-range", -1, 0]]}),
            json!({"expiration": at, "conditions": [["content-length-range", 2, 1]]}),
        ] {
            assert_eq!(read(&policy).unwrap_err().code(), Code::InvalidPolicyDocument, "{policy}");
        }
    }
}

//! Bucket policies: read strictly, evaluated as far as they can be read.

use serde_json::{Map, Value};

use crate::auth::Identity;
use crate::error::{Code, S3Error, S3Result};

/// The beginning of every resource of S3.
const ARN: &str = "arn:aws:s3:::";
/// Elements of a statement that are read.
const ELEMENTS: [&str; 5] = ["Sid", "Effect", "Principal", "Action", "Resource"];
/// Elements that S3 knows and that are not evaluated here yet.
const NOT_DONE: [&str; 4] = ["NotPrincipal", "NotAction", "NotResource", "Condition"];

/// What a policy says of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Allow,
    Deny,
    /// Nothing.
    Silent,
}

/// A bucket's policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Policy(Vec<Statement>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Statement {
    allows: bool,
    /// `*`, or ARNs and ids of users.
    principals: Vec<String>,
    actions: Vec<String>,
    resources: Vec<String>,
}

impl Policy {
    /// Reads a policy of a bucket.
    ///
    /// # Errors
    /// `MalformedPolicy` for what S3 would not take, `NotImplemented` for an element that is not evaluated here:
    /// a policy that is kept and not followed would be a trap.
    pub(crate) fn read(text: &str, bucket: &str) -> S3Result<Self> {
        let whole: Value = serde_json::from_str(text).map_err(|_| S3Error::from(Code::MalformedPolicy))?;
        let whole = whole.as_object().ok_or_else(|| S3Error::from(Code::MalformedPolicy))?;
        if let Some(unknown) = whole.keys().find(|name| !["Version", "Id", "Statement"].contains(&name.as_str())) {
            return Err(malformed(format!("Unknown field {unknown}")));
        }
        let version = whole.get("Version").and_then(Value::as_str);
        if !matches!(version, None | Some("2012-10-17" | "2008-10-17")) {
            return Err(malformed("The policy must contain a valid version string"));
        }
        let statements = match whole.get("Statement") {
            Some(Value::Array(statements)) if !statements.is_empty() => statements.as_slice(),
            Some(one @ Value::Object(_)) => std::slice::from_ref(one),
            _ => return Err(malformed("Missing required field Statement")),
        };
        statements.iter().map(|statement| read_statement(statement, bucket)).collect::<S3Result<_>>().map(Self)
    }

    /// What it says of an action (`s3:GetObject`) on a resource (`bucket` or `bucket/key`). A denial always wins.
    pub(crate) fn verdict(&self, identity: &Identity, action: &str, resource: &str) -> Verdict {
        let matching = || self.0.iter().filter(|statement| statement.is_about(identity, action, resource));
        match () {
            () if matching().any(|statement| !statement.allows) => Verdict::Deny,
            () if matching().any(|statement| statement.allows) => Verdict::Allow,
            () => Verdict::Silent,
        }
    }
}

impl Statement {
    fn is_about(&self, identity: &Identity, action: &str, resource: &str) -> bool {
        let action = action.to_ascii_lowercase();
        self.principals.iter().any(|principal| is_meant(principal, identity))
            && self.actions.iter().any(|pattern| matches_pattern(&pattern.to_ascii_lowercase(), &action))
            && self.resources.iter().any(|pattern| matches_pattern(pattern, resource))
    }
}

/// A user is named by the access key alone, or at the end of an ARN such as `arn:aws:iam::123456789012:user/KEY`.
fn is_meant(principal: &str, identity: &Identity) -> bool {
    match identity {
        _ if principal == "*" => true,
        Identity::User(key) => principal == key || principal.rsplit_once(":user/").is_some_and(|(_, name)| name == key),
        Identity::Anonymous | Identity::Unchecked => false,
    }
}

fn read_statement(statement: &Value, bucket: &str) -> S3Result<Statement> {
    let fields = statement.as_object().ok_or_else(|| malformed("A statement is not an object"))?;
    for name in fields.keys().map(String::as_str) {
        if NOT_DONE.contains(&name) {
            let message = format!("This server does not evaluate the policy element {name}.");
            return Err(S3Error::new(Code::NotImplemented, message));
        }
        if !ELEMENTS.contains(&name) {
            return Err(malformed(format!("Unknown field {name}")));
        }
    }
    let allows = match fields.get("Effect").and_then(Value::as_str) {
        Some("Allow") => true,
        Some("Deny") => false,
        _ => return Err(malformed("Invalid effect")),
    };
    let actions = texts(fields, "Action")?;
    if actions.iter().any(|action| action != "*" && !action.to_ascii_lowercase().starts_with("s3:")) {
        return Err(malformed("Policy has invalid action"));
    }
    let resources =
        texts(fields, "Resource")?.iter().map(|text| read_resource(text, bucket)).collect::<S3Result<_>>()?;
    Ok(Statement { allows, principals: read_principals(fields)?, actions, resources })
}

fn read_resource(text: &str, bucket: &str) -> S3Result<String> {
    let resource = text.strip_prefix(ARN).ok_or_else(|| malformed("Policy has invalid resource"))?;
    let named = resource.split_once('/').map_or(resource, |(name, _)| name);
    if !matches_pattern(named, bucket) {
        return Err(malformed("Policy has invalid resource"));
    }
    Ok(resource.to_owned())
}

fn read_principals(fields: &Map<String, Value>) -> S3Result<Vec<String>> {
    let invalid = || malformed("Invalid principal in policy");
    match fields.get("Principal") {
        Some(Value::String(any)) if any == "*" => Ok(vec!["*".to_owned()]),
        Some(Value::Object(kinds)) if kinds.keys().all(|kind| kind == "AWS") => {
            texts(kinds, "AWS").map_err(|_| invalid())
        }
        _ => Err(invalid()),
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

/// Whether a text is as a pattern says: `*` stands for any characters, `?` for one.
fn matches_pattern(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut at, mut seen) = (0, 0);
    // Where to go on when what follows the last star did not fit: one character later.
    let mut retry: Option<(usize, usize)> = None;
    while seen < text.len() {
        match pattern.get(at) {
            Some('*') => {
                retry = Some((at + 1, seen));
                at += 1;
            }
            Some(&c) if c == '?' || c == text[seen] => (at, seen) = (at + 1, seen + 1),
            _ => {
                let Some((after_star, from)) = retry else { return false };
                retry = Some((after_star, from + 1));
                (at, seen) = (after_star, from + 1);
            }
        }
    }
    pattern[at..].iter().all(|&c| c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(effect: &str, principal: &str, action: &str, resource: &str) -> S3Result<Policy> {
        let text = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"{effect}","Principal":{principal},"Action":{action},"Resource":"{resource}"}}]}}"#
        );
        Policy::read(&text, "bkt")
    }

    #[test]
    fn patterns_match_as_written() {
        for (pattern, text, expected) in [
            ("a*c", "abbc", true),
            ("a*c", "abbd", false),
            ("*", "", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*a*b*", "xxaxxbxx", true),
            ("a**b", "ab", true),
            ("", "a", false),
        ] {
            assert_eq!(matches_pattern(pattern, text), expected, "{pattern} {text}");
        }
        assert!(!matches_pattern(&"*a".repeat(50), &"a".repeat(49)));
    }

    #[test]
    fn a_statement_is_about_those_it_names() {
        let user = |name: &str| Identity::User(name.to_owned());
        let read = policy("Allow", "\"*\"", "[\"s3:Get*\"]", "arn:aws:s3:::bkt/*").unwrap();
        assert_eq!(read.verdict(&Identity::Anonymous, "s3:GetObject", "bkt/k"), Verdict::Allow);
        assert_eq!(read.verdict(&Identity::Anonymous, "s3:PutObject", "bkt/k"), Verdict::Silent);
        assert_eq!(read.verdict(&Identity::Anonymous, "s3:GetObject", "bkt"), Verdict::Silent);
        let named = "{\"AWS\":[\"arn:aws:iam::123456789012:user/ann\"]}";
        let deny = policy("Deny", named, "\"s3:*\"", "arn:aws:s3:::bkt*").unwrap();
        assert_eq!(deny.verdict(&user("ann"), "s3:DeleteObject", "bkt/k"), Verdict::Deny);
        assert_eq!(deny.verdict(&user("joann"), "s3:DeleteObject", "bkt/k"), Verdict::Silent);
    }

    #[test]
    fn a_policy_that_is_not_understood_is_refused() {
        let code = |policy: S3Result<Policy>| policy.unwrap_err().code();
        assert_eq!(code(Policy::read("[]", "bkt")), Code::MalformedPolicy);
        assert_eq!(code(policy("Maybe", "\"*\"", "\"s3:*\"", "arn:aws:s3:::bkt")), Code::MalformedPolicy);
        assert_eq!(code(policy("Allow", "\"*\"", "\"ec2:*\"", "arn:aws:s3:::bkt")), Code::MalformedPolicy);
        assert_eq!(code(policy("Allow", "\"*\"", "\"s3:*\"", "arn:aws:s3:::other/*")), Code::MalformedPolicy);
        assert_eq!(code(policy("Allow", "\"me\"", "\"s3:*\"", "arn:aws:s3:::bkt")), Code::MalformedPolicy);
        let conditional = r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::bkt","Condition":{}}}"#;
        assert_eq!(code(Policy::read(conditional, "bkt")), Code::NotImplemented);
    }
}

//! The language, as tables: each element and operator, where it holds and where not.

use std::net::IpAddr;
use std::sync::Arc;

use http::Request as HttpRequest;
use serde_json::{Value, json};

use super::*;
use crate::auth::{Identity, OWN_ACCOUNT as ACCOUNT, SignedBy, User};
use crate::request::Request;

/// 2026-11-20T14:35:34Z.
const NOW_MS: u64 = 1_795_185_334_000;

fn user(name: &str) -> Identity {
    Identity::User(Arc::new(User::plain(name)))
}

/// Asks a policy of the bucket `bkt` about `s3:GetObject` of `bkt/own/ann/k`.
struct Question {
    identity: Identity,
    target: &'static str,
    headers: Vec<(&'static str, &'static str)>,
    peer: IpAddr,
}

impl Question {
    fn of(identity: Identity) -> Self {
        Self { identity, target: "/bkt/own/ann/k", headers: Vec::new(), peer: "10.1.2.3".parse().unwrap() }
    }

    fn ask(&self, policy: &Policy, action: &str, resource: &str) -> Verdict {
        let mut request = HttpRequest::builder().uri(self.target);
        for (name, value) in &self.headers {
            request = request.header(*name, *value);
        }
        let request = Request::read(request.body(()).unwrap().into_parts().0).unwrap();
        let signed = SignedBy::Header { at_ms: NOW_MS - 5000 };
        let tags = [("Colour".to_owned(), "green".to_owned())];
        let facts = Facts {
            identity: &self.identity,
            request: &request,
            signed,
            peer: self.peer,
            is_secure: false,
            region: "us-east-1",
            now_ms: NOW_MS,
            resource_account: ACCOUNT,
            tags: None,
            retention: None,
            existing_tags: Some(&tags),
        };
        policy.verdict(&facts, action, resource)
    }
}

fn read(statement: &Value) -> S3Result<Policy> {
    Policy::read(&json!({"Version": "2012-10-17", "Statement": [statement]}).to_string(), "bkt")
}

fn statement(changes: &[(&str, Value)]) -> Value {
    let mut whole =
        json!({"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::bkt/*"});
    for (name, value) in changes {
        match value {
            Value::Null => whole.as_object_mut().unwrap().remove(*name),
            value => whole.as_object_mut().unwrap().insert((*name).to_owned(), value.clone()),
        };
    }
    whole
}

/// Whether a condition holds for a request of ann with these headers.
fn holds(condition: Value, target: &'static str, headers: &[(&'static str, &'static str)]) -> bool {
    let policy = read(&statement(&[("Condition", condition)])).unwrap();
    let question = Question { target, headers: headers.to_vec(), ..Question::of(user("ann")) };
    question.ask(&policy, "s3:GetObject", "bkt/own/ann/k") == Verdict::Allow
}

#[test]
fn each_operator_holds_where_it_says_and_takes_a_missing_key_as_s3_does() {
    const REFERER: &str = "aws:Referer";
    // operator, value of the policy, a header that fits, one that does not, whether a missing one fits
    for (operator, wanted, fits, differs, missing) in [
        ("StringEquals", json!("Abc"), "Abc", "abc", false),
        ("StringEquals", json!("A*"), "A*", "Abc", false),
        ("StringNotEquals", json!("Abc"), "abc", "Abc", true),
        ("StringEqualsIgnoreCase", json!("ABC"), "abc", "abd", false),
        ("StringNotEqualsIgnoreCase", json!("ABC"), "abd", "abc", true),
        ("StringLike", json!(["x", "a?c*"]), "abcde", "ac", false),
        ("StringNotLike", json!(["x", "a*"]), "b", "ab", true),
        ("NumericEquals", json!(10), "10.0", "11", false),
        ("NumericNotEquals", json!("10"), "11", "10", true),
        ("NumericLessThan", json!("10"), "9", "10", false),
        ("NumericLessThanEquals", json!("10"), "10", "11", false),
        ("NumericGreaterThan", json!("10"), "11", "10", false),
        ("NumericGreaterThanEquals", json!("10"), "10", "x", false),
        ("DateEquals", json!("2026-01-01T00:00:00Z"), "2026-01-01", "2026-01-02", false),
        ("DateNotEquals", json!("2026-01-01T00:00:00Z"), "2026-01-02", "1767225600", true),
        ("DateLessThan", json!("2026-01-01T00:00:00Z"), "2025-12-31", "2026-01-01", false),
        ("DateLessThanEquals", json!("2026-01-01T00:00:00Z"), "2026-01-01", "2026-01-02", false),
        ("DateGreaterThan", json!("2026-01-01T00:00:00Z"), "2026-01-02", "2026-01-01", false),
        ("DateGreaterThanEquals", json!("2026-01-01T00:00:00Z"), "2026-01-01", "2025-12-31", false),
        ("Bool", json!(true), "true", "false", false),
        ("IpAddress", json!(["10.0.0.0/8", "::1"]), "10.9.9.9", "11.0.0.1", false),
        ("NotIpAddress", json!("2001:db8::/32"), "10.0.0.1", "2001:db8::1", true),
        ("ArnLike", json!("arn:aws:iam::*:user/a*"), "arn:aws:iam::1:user/ann", "arn:aws:iam:x:1:user/ann", false),
        ("ArnEquals", json!("arn:aws:iam::*:user/a*"), "arn:aws:iam::1:user/a", "arn:aws:iam::1:2:user/a", false),
        ("ArnNotLike", json!("arn:aws:iam::*:user/a*"), "arn:aws:iam::1:user/bob", "arn:aws:iam::1:user/ann", true),
        ("ArnNotEquals", json!("arn:aws:iam::1:user/a"), "arn:aws:iam::1:user/b", "arn:aws:iam::1:user/a", true),
    ] {
        let condition = |operator: &str| json!({operator: {REFERER: wanted.clone()}});
        let of =
            |operator: &str, headers: &[(&'static str, &'static str)]| holds(condition(operator), "/bkt/k", headers);
        assert!(of(operator, &[("referer", fits)]), "{operator} {wanted} {fits}");
        assert!(!of(operator, &[("referer", differs)]), "{operator} {wanted} {differs}");
        assert_eq!(of(operator, &[]), missing, "{operator} {wanted} without the key");
        let lenient = format!("{operator}IfExists");
        assert!(of(&lenient, &[]) && of(&lenient, &[("referer", fits)]), "{lenient}");
        assert!(!of(&lenient, &[("referer", differs)]), "{lenient}");
    }
}

#[test]
fn null_asks_whether_a_key_is_said() {
    let null = |wanted: Value| json!({"Null": {"s3:x-amz-acl": wanted}});
    assert!(holds(null(json!("true")), "/bkt/k", &[]));
    assert!(!holds(null(json!(true)), "/bkt/k", &[("x-amz-acl", "private")]));
    assert!(holds(null(json!("false")), "/bkt/k", &[("x-amz-acl", "private")]));
    assert!(!holds(null(json!(false)), "/bkt/k", &[]));
}

#[test]
fn keys_of_several_values_are_asked_for_any_or_all() {
    let tags = |names: &'static str| vec![("x-amz-tagging", names)];
    // operator, tags of the request, whether it holds
    for (operator, headers, expected) in [
        ("ForAnyValue:StringEquals", tags("a=1&x=1"), true),
        ("ForAnyValue:StringEquals", tags("x=1"), false),
        ("ForAnyValue:StringEquals", vec![], false),
        ("ForAnyValue:StringEqualsIfExists", vec![], true),
        ("ForAllValues:StringEquals", tags("a=1&b=1"), true),
        ("ForAllValues:StringEquals", tags("a=1&x=1"), false),
        ("ForAllValues:StringEquals", vec![], true),
        ("ForAnyValue:StringNotEquals", tags("a=1&x=1"), true),
        ("ForAnyValue:StringNotEquals", tags("a=1"), false),
        ("ForAllValues:StringNotEquals", tags("x=1"), true),
        ("ForAllValues:StringNotEquals", tags("a=1&x=1"), false),
    ] {
        let condition = json!({operator: {"s3:RequestObjectTagKeys": ["a", "b"]}});
        assert_eq!(holds(condition, "/bkt/k", &headers), expected, "{operator} {headers:?}");
    }
}

#[test]
fn every_operator_and_key_of_a_block_must_hold() {
    let both = json!({"StringEquals": {"aws:Referer": "r", "aws:UserAgent": "u"}, "IpAddress": {"aws:SourceIp": "10.0.0.0/8"}});
    assert!(holds(both.clone(), "/bkt/k", &[("referer", "r"), ("user-agent", "u")]));
    assert!(!holds(both.clone(), "/bkt/k", &[("referer", "r"), ("user-agent", "x")]));
    assert!(!holds(both, "/bkt/k", &[("user-agent", "u")]));
}

#[test]
fn keys_say_what_the_request_says() {
    let copy = &[("x-amz-copy-source", "/src/%61%20b?versionId=null")];
    for (key, value, target, headers) in [
        ("aws:SourceIp", "10.1.2.3", "/bkt/k", &[][..]),
        ("aws:SecureTransport", "false", "/bkt/k", &[]),
        ("aws:PrincipalArn", "arn:aws:iam::000000000000:user/ann", "/bkt/k", &[]),
        ("aws:PrincipalType", "User", "/bkt/k", &[]),
        ("aws:username", "ann", "/bkt/k", &[]),
        ("aws:EpochTime", "1795185334", "/bkt/k", &[]),
        ("aws:RequestedRegion", "us-east-1", "/bkt/k", &[]),
        ("s3:prefix", "a/b", "/bkt?prefix=a%2Fb", &[]),
        ("s3:prefix", "", "/bkt?prefix=", &[]),
        ("s3:delimiter", "/", "/bkt?delimiter=/", &[]),
        ("s3:max-keys", "5", "/bkt?max-keys=5", &[]),
        ("s3:x-amz-acl", "private", "/bkt/k", &[("x-amz-acl", "private")]),
        ("s3:x-amz-copy-source", "src/a b", "/bkt/k", copy),
        ("s3:x-amz-storage-class", "GLACIER", "/bkt/k", &[("x-amz-storage-class", "GLACIER")]),
        ("s3:RequestObjectTag/Colour", "red", "/bkt/k", &[("x-amz-tagging", "Colour=red")]),
        ("s3:ExistingObjectTag/Colour", "green", "/bkt/k", &[]),
        ("s3:signatureversion", "AWS4-HMAC-SHA256", "/bkt/k", &[]),
        ("s3:authType", "REST-HEADER", "/bkt/k", &[]),
        ("s3:signatureAge", "5000", "/bkt/k", &[]),
    ] {
        assert!(holds(json!({"StringEquals": {key: value}}), target, headers), "{key}");
        assert!(!holds(json!({"StringEquals": {key: "other"}}), target, headers), "{key}");
    }
    assert!(holds(json!({"Null": {"s3:prefix": true, "aws:SourceVpce": true}}), "/bkt", &[]));
}

#[test]
fn variables_stand_for_what_the_request_says_and_for_no_pattern() {
    let home = read(&statement(&[("Resource", json!("arn:aws:s3:::bkt/own/${aws:username}/*"))])).unwrap();
    let ask = |identity| Question::of(identity).ask(&home, "s3:GetObject", "bkt/own/ann/k");
    assert_eq!(ask(user("ann")), Verdict::Allow);
    assert_eq!(ask(user("bob")), Verdict::Silent);
    assert_eq!(ask(user("*")), Verdict::Silent);
    assert_eq!(ask(Identity::Anonymous), Verdict::Silent);
    let like = |wanted: &str| json!({"StringLike": {"aws:Referer": wanted}});
    assert!(holds(like("to ${aws:username}?"), "/bkt/k", &[("referer", "to ann!")]));
    assert!(holds(like("${*}${?}${$}"), "/bkt/k", &[("referer", "*?$")]));
    assert!(!holds(like("${*}"), "/bkt/k", &[("referer", "x")]));
    assert!(holds(like("${s3:prefix, 'none'}"), "/bkt/k", &[("referer", "none")]));
    let old = json!({"Version": "2008-10-17", "Statement": statement(&[("Condition", like("${aws:username}"))])});
    let old = Policy::read(&old.to_string(), "bkt").unwrap();
    let question = Question { headers: vec![("referer", "${aws:username}")], ..Question::of(user("ann")) };
    assert_eq!(question.ask(&old, "s3:GetObject", "bkt/k"), Verdict::Allow);
}

#[test]
fn a_statement_is_about_those_it_names() {
    let ann = user("ann");
    let canonical = User::plain("ann").account.canonical_id.clone();
    for (principal, for_ann, for_bob, for_anonymous) in [
        (json!("*"), true, true, true),
        (json!({"AWS": "*"}), true, true, true),
        (json!({"AWS": "ann"}), true, false, false),
        (json!({"AWS": ["arn:aws:iam::123456789012:user/ann"]}), true, false, false),
        (json!({"AWS": "arn:aws:iam:::user/ann"}), true, false, false),
        (json!({"AWS": canonical}), true, true, false),
        (json!({"CanonicalUser": canonical}), true, true, false),
        (json!({"CanonicalUser": "somebody else"}), false, false, false),
        (json!({"AWS": ACCOUNT}), true, true, false),
        (json!({"AWS": format!("arn:aws:iam::{ACCOUNT}:root")}), true, true, false),
        (json!({"AWS": "arn:aws:iam::123456789012:root"}), false, false, false),
        (json!({"Service": "logging.s3.amazonaws.com"}), false, false, false),
    ] {
        let given = read(&statement(&[("Principal", principal.clone())])).unwrap();
        let not = read(&statement(&[("Principal", Value::Null), ("NotPrincipal", principal.clone())])).unwrap();
        for (identity, expected) in [(&ann, for_ann), (&user("bob"), for_bob), (&Identity::Anonymous, for_anonymous)] {
            let ask = |policy| Question::of(identity.clone()).ask(policy, "s3:GetObject", "bkt/k") == Verdict::Allow;
            assert_eq!((ask(&given), ask(&not)), (expected, !expected), "{principal} {identity:?}");
        }
    }
}

#[test]
fn a_statement_is_about_the_actions_and_resources_it_names_or_all_others() {
    let ask = |changes: &[(&str, Value)], action: &str, resource: &str| {
        let policy = read(&statement(changes)).unwrap();
        Question::of(Identity::Anonymous).ask(&policy, action, resource) == Verdict::Allow
    };
    let get = [("Action", json!(["S3:get*"]))];
    assert!(ask(&get, "s3:GetObject", "bkt/k") && !ask(&get, "s3:PutObject", "bkt/k"));
    let not_get = [("Action", Value::Null), ("NotAction", json!("s3:Get*"))];
    assert!(!ask(&not_get, "s3:GetObject", "bkt/k") && ask(&not_get, "s3:PutObject", "bkt/k"));
    let below = [("Resource", json!("arn:aws:s3:::bkt/a/*"))];
    assert!(ask(&below, "s3:GetObject", "bkt/a/b/c") && !ask(&below, "s3:GetObject", "bkt/b"));
    let not_below = [("Resource", Value::Null), ("NotResource", json!(["arn:aws:s3:::bkt/a/*"]))];
    assert!(!ask(&not_below, "s3:GetObject", "bkt/a/b") && ask(&not_below, "s3:GetObject", "bkt/b"));
}

#[test]
fn a_denial_wins_wherever_it_stands() {
    let deny = statement(&[("Effect", json!("Deny"))]);
    for order in [json!([statement(&[]), deny]), json!([deny, statement(&[])])] {
        let policy = Policy::read(&json!({"Statement": order}).to_string(), "bkt").unwrap();
        assert_eq!(Question::of(user("ann")).ask(&policy, "s3:GetObject", "bkt/k"), Verdict::Deny);
    }
}

#[test]
fn a_policy_is_public_when_nothing_fixes_who_may() {
    for (changes, expected) in [
        (vec![], true),
        (vec![("Effect", json!("Deny"))], false),
        (vec![("Principal", json!({"AWS": "ann"}))], false),
        (vec![("Principal", Value::Null), ("NotPrincipal", json!({"AWS": "ann"}))], true),
        (vec![("Condition", json!({"IpAddress": {"aws:SourceIp": "10.0.0.0/32"}}))], false),
        (vec![("Condition", json!({"IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "0.0.0.0/0"]}}))], true),
        (vec![("Condition", json!({"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}}))], true),
        (vec![("Condition", json!({"StringEquals": {"aws:PrincipalArn": "arn:aws:iam::1:user/a"}}))], false),
        (vec![("Condition", json!({"StringLike": {"aws:PrincipalArn": "*"}}))], true),
        (vec![("Condition", json!({"StringEqualsIfExists": {"aws:SourceVpc": "vpc-1"}}))], true),
        (vec![("Condition", json!({"StringEquals": {"aws:Referer": "x"}}))], true),
    ] {
        assert_eq!(read(&statement(&changes)).unwrap().is_public(), expected, "{changes:?}");
    }
}

#[test]
fn a_policy_that_is_not_understood_is_refused() {
    for text in ["[]", "", " {}", "{", "{}", r#"{"Statement":[]}"#, r#"{"Statement":["x"]}"#] {
        assert_eq!(Policy::read(text, "bkt").unwrap_err().code(), Code::MalformedPolicy, "{text}");
    }
    let whole = |name: &str, value: Value| json!({"Statement": statement(&[]), name: value}).to_string();
    for text in [whole("Version", json!("2020-01-01")), whole("Version", json!(1)), whole("Sauce", json!("x"))] {
        assert_eq!(Policy::read(&text, "bkt").unwrap_err().code(), Code::MalformedPolicy, "{text}");
    }
    let condition = |operator: &str, key: &str, value: Value| ("Condition", json!({operator: {key: value}}));
    for changes in [
        vec![("Effect", json!("Maybe"))],
        vec![("Effect", Value::Null)],
        vec![("Principal", Value::Null)],
        vec![("Principal", json!("ann"))],
        vec![("Principal", json!({}))],
        vec![("Principal", json!({"Sauce": "x"}))],
        vec![("Principal", json!({"AWS": "arn:aws:iam::1:user/*"}))],
        vec![("NotPrincipal", json!("*"))],
        vec![("Action", json!("ec2:*"))],
        vec![("Action", json!("s3:Sauce"))],
        vec![("Action", json!([]))],
        vec![("NotAction", json!("s3:GetObject"))],
        vec![("Resource", json!("arn:aws:s3:::other/*"))],
        vec![("Resource", json!("bkt/*"))],
        vec![("NotResource", json!("arn:aws:s3:::bkt"))],
        vec![("Resource", json!("arn:aws:s3:::bkt/${aws:sauce}"))],
        vec![("Resource", json!("arn:aws:s3:::bkt/${aws:username"))],
        vec![("Sid", json!(1))],
        vec![("Sauce", json!("x"))],
        vec![("Condition", json!([]))],
        vec![("Condition", json!({"StringEquals": {}}))],
        vec![condition("StringSauce", "aws:Referer", json!("x"))],
        vec![condition("NullIfExists", "aws:Referer", json!("true"))],
        vec![condition("ForSomeValues:StringEquals", "aws:Referer", json!("x"))],
        vec![condition("StringEquals", "aws:Sauce", json!("x"))],
        vec![condition("StringEquals", "aws:Referer", json!([]))],
        vec![condition("StringEquals", "aws:Referer", json!({"a": "b"}))],
        vec![condition("NumericEquals", "s3:max-keys", json!("many"))],
        vec![condition("DateEquals", "aws:CurrentTime", json!("soon"))],
        vec![condition("IpAddress", "aws:SourceIp", json!("10.0.0.0/33"))],
        vec![condition("Bool", "aws:SecureTransport", json!("maybe"))],
    ] {
        let refused = read(&statement(&changes));
        assert_eq!(refused.map_err(|error| error.code()), Err(Code::MalformedPolicy), "{changes:?}");
    }
}

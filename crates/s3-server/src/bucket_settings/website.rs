use super::shape::{Shape, TEXT, maybe, one, some};
use crate::error::{Code, S3Error, S3Result};
use crate::xml::Element;

pub(super) const SHAPE: Shape = Shape::Of(&[
    maybe("ErrorDocument", &Shape::Of(&[one("Key", &TEXT)])),
    maybe("IndexDocument", &Shape::Of(&[one("Suffix", &TEXT)])),
    maybe("RedirectAllRequestsTo", &Shape::Of(&[one("HostName", &TEXT), maybe("Protocol", &TEXT)])),
    maybe("RoutingRules", &Shape::Of(&[some("RoutingRule", &RULE)])),
]);

const RULE: Shape = Shape::Of(&[
    maybe("Condition", &Shape::Of(&[maybe("HttpErrorCodeReturnedEquals", &TEXT), maybe("KeyPrefixEquals", &TEXT)])),
    one(
        "Redirect",
        &Shape::Of(&[
            maybe("HostName", &TEXT),
            maybe("HttpRedirectCode", &TEXT),
            maybe("Protocol", &TEXT),
            maybe("ReplaceKeyPrefixWith", &TEXT),
            maybe("ReplaceKeyWith", &TEXT),
        ]),
    ),
]);

const MAX_RULES: usize = 50;

pub(super) fn check(root: &Element) -> S3Result<()> {
    if let Some(all) = root.child("RedirectAllRequestsTo") {
        if root.children.len() > 1 {
            return Err(invalid("RedirectAllRequestsTo cannot be provided in conjunction with other Routing Rules."));
        }
        if all.text_of("HostName").is_none_or(str::is_empty) {
            return Err(invalid("The HostName of RedirectAllRequestsTo must not be empty."));
        }
        return check_protocol(all);
    }
    let suffix = root.child("IndexDocument").and_then(|index| index.text_of("Suffix"));
    match suffix {
        None => {
            let message = "A value for IndexDocument Suffix must be provided if RedirectAllRequestsTo is empty";
            return Err(S3Error::argument("IndexDocument", "null", message));
        }
        Some(suffix) if suffix.is_empty() || suffix.contains('/') => {
            return Err(S3Error::argument("IndexDocument", suffix, "The IndexDocument Suffix is not well formed"));
        }
        Some(_) => {}
    }
    if let Some(key) = root.child("ErrorDocument").and_then(|error| error.text_of("Key"))
        && (key.is_empty() || key.len() > 1024)
    {
        return Err(S3Error::argument("ErrorDocument", key, "The ErrorDocument Key is not well formed"));
    }
    let rules = root.child("RoutingRules").map_or(&[][..], |rules| &rules.children);
    if rules.len() > MAX_RULES {
        let message = format!(
            "{} routing rules provided, the number of routing rules in a website configuration is limited to {MAX_RULES}.",
            rules.len()
        );
        return Err(S3Error::new(Code::InvalidRequest, message));
    }
    rules.iter().try_for_each(check_rule)
}

fn check_rule(rule: &Element) -> S3Result<()> {
    if let Some(condition) = rule.child("Condition") {
        if condition.children.is_empty() {
            return Err(invalid(
                "Condition cannot be empty. To redirect all requests without a condition, the \
                condition element shouldn't be present.",
            ));
        }
        let code = condition.text_of("HttpErrorCodeReturnedEquals");
        if let Some(wrong) = code.filter(|code| !is_code(code, 400..=599)) {
            let message = format!("The provided HTTP error code ({wrong}) is not valid. Valid codes are 4XX or 5XX.");
            return Err(S3Error::new(Code::InvalidRequest, message));
        }
    }
    let Some(redirect) = rule.child("Redirect") else { return Err(Code::MalformedXML.into()) };
    if redirect.children.is_empty() {
        return Err(Code::MalformedXML.into());
    }
    check_protocol(redirect)?;
    if redirect.child("ReplaceKeyPrefixWith").is_some() && redirect.child("ReplaceKeyWith").is_some() {
        return Err(invalid("You can only define ReplaceKeyPrefix or ReplaceKey but not both."));
    }
    let code = redirect.text_of("HttpRedirectCode");
    if let Some(wrong) = code.filter(|code| !is_code(code, 301..=399)) {
        let message =
            format!("The provided HTTP redirect code ({wrong}) is not valid. Valid codes are 3XX except 300.");
        return Err(S3Error::new(Code::InvalidRequest, message));
    }
    Ok(())
}

fn check_protocol(redirect: &Element) -> S3Result<()> {
    match redirect.text_of("Protocol") {
        None | Some("http" | "https") => Ok(()),
        Some(_) => Err(invalid(
            "Invalid protocol, protocol can be http or https. If not defined, the protocol will be selected automatically.",
        )),
    }
}

fn is_code(text: &str, range: std::ops::RangeInclusive<u16>) -> bool {
    text.parse().is_ok_and(|code| range.contains(&code))
}

fn invalid(message: &'static str) -> S3Error {
    S3Error::new(Code::InvalidRequest, message)
}

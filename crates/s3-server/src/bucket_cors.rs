//! The rules of a bucket for browsers of other origins.

use std::collections::HashSet;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::error::{Code, S3Error, S3Result};
use crate::xml::{Element, XmlWriter};

/// The name of the document that holds them.
pub(crate) const CORS_DOCUMENT: &str = "cors";
/// The largest such document, in bytes.
pub(crate) const MAX_CORS_BYTES: usize = 64 * 1024;
const MAX_RULES: usize = 100;
const MAX_ID_CHARACTERS: usize = 255;
/// Methods that a rule may name.
const METHODS: [&str; 5] = ["GET", "PUT", "HEAD", "POST", "DELETE"];
/// What a rule may consist of.
const ELEMENTS: [&str; 6] = ["ID", "AllowedOrigin", "AllowedMethod", "AllowedHeader", "ExposeHeader", "MaxAgeSeconds"];

/// Rules in order; the first that fits counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BucketCors {
    rules: Vec<CorsRule>,
}

/// Who may send what, and read which headers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CorsRule {
    id: Option<String>,
    /// One `*` may stand in each.
    origins: Vec<String>,
    pub(crate) methods: Vec<String>,
    /// Request headers, in any case; one `*` may stand in each.
    headers: Vec<String>,
    /// Response headers that scripts may read.
    pub(crate) exposed: Vec<String>,
    pub(crate) max_age_s: Option<u32>,
}

impl BucketCors {
    /// Reads `CORSConfiguration`.
    ///
    /// # Errors
    /// `MalformedXML`, `InvalidRequest` for a method that can't be asked for, too many wildcards and an id that stands
    /// twice, `InvalidArgument` for a long id.
    pub(crate) fn read(document: &[u8]) -> S3Result<Self> {
        let configuration = Element::read(document, "CORSConfiguration")?;
        let rules = &configuration.children;
        if rules.is_empty() || rules.len() > MAX_RULES || rules.iter().any(|rule| rule.name != "CORSRule") {
            return Err(Code::MalformedXML.into());
        }
        let rules = rules.iter().map(CorsRule::read).collect::<S3Result<Vec<_>>>()?;
        let mut ids = HashSet::new();
        if !rules.iter().filter_map(|rule| rule.id.as_ref()).all(|id| ids.insert(id)) {
            return Err(invalid("Rule ID must be unique. Found same ID for more than one rule".to_owned()));
        }
        Ok(Self { rules })
    }

    /// Writes the same.
    pub(crate) fn write(&self) -> Bytes {
        XmlWriter::document("CORSConfiguration", |xml| {
            for rule in &self.rules {
                xml.element("CORSRule", |xml| rule.write(xml));
            }
        })
    }

    /// The first rule that lets an origin ask for a method with those headers, in lower case, and whether it lets any
    /// origin.
    pub(crate) fn fitting(&self, origin: &str, method: &str, headers: &[String]) -> Option<(&CorsRule, bool)> {
        self.rules.iter().find_map(|rule| {
            let pattern = rule.origins.iter().find(|pattern| matches(pattern, origin))?;
            let may_ask = rule.methods.iter().any(|known| known == method);
            let may_send =
                |name: &String| rule.headers.iter().any(|pattern| matches(&pattern.to_ascii_lowercase(), name));
            (may_ask && headers.iter().all(may_send)).then_some((rule, pattern == "*"))
        })
    }
}

impl CorsRule {
    fn read(rule: &Element) -> S3Result<Self> {
        let once = |name: &str| rule.children_named(name).count() <= 1;
        let is_known = |child: &Element| ELEMENTS.contains(&child.name.as_str());
        if !rule.children.iter().all(is_known) || !once("ID") || !once("MaxAgeSeconds") {
            return Err(Code::MalformedXML.into());
        }
        let all = |name: &str| rule.children_named(name).map(|child| child.text.trim().to_owned()).collect::<Vec<_>>();
        let max_age_s = rule.text_of("MaxAgeSeconds").map(|text| text.parse().map_err(|_| Code::MalformedXML));
        let read = Self {
            id: rule.text_of("ID").filter(|id| !id.is_empty()).map(str::to_owned),
            origins: all("AllowedOrigin"),
            methods: all("AllowedMethod"),
            headers: all("AllowedHeader"),
            exposed: all("ExposeHeader"),
            max_age_s: max_age_s.transpose()?,
        };
        read.check()?;
        Ok(read)
    }

    fn check(&self) -> S3Result<()> {
        let is_empty = |texts: &[String]| texts.iter().any(String::is_empty);
        if self.origins.is_empty() || self.methods.is_empty() || is_empty(&self.origins) || is_empty(&self.headers) {
            return Err(Code::MalformedXML.into());
        }
        if let Some(id) = self.id.as_ref().filter(|id| id.chars().count() > MAX_ID_CHARACTERS) {
            let message = format!("ID length should not exceed allowed limit of {MAX_ID_CHARACTERS}");
            return Err(S3Error::argument("ID", id, message));
        }
        if let Some(method) = self.methods.iter().find(|method| !METHODS.contains(&method.as_str())) {
            return Err(invalid(format!(
                "Found unsupported HTTP method in CORS config. Unsupported method is {method}"
            )));
        }
        for (name, patterns) in [("AllowedOrigin", &self.origins), ("AllowedHeader", &self.headers)] {
            if let Some(pattern) = patterns.iter().find(|pattern| pattern.matches('*').count() > 1) {
                return Err(invalid(format!("{name} \"{pattern}\" can not have more than one wildcard.")));
            }
        }
        if let Some(header) = self.exposed.iter().find(|header| header.contains('*')) {
            return Err(invalid(format!(
                "ExposeHeader \"{header}\" contains wildcard. We currently do not support wildcard for ExposeHeader."
            )));
        }
        Ok(())
    }

    fn write(&self, xml: &mut XmlWriter) {
        if let Some(id) = &self.id {
            xml.text("ID", id);
        }
        for (name, texts) in [
            ("AllowedHeader", &self.headers),
            ("AllowedMethod", &self.methods),
            ("AllowedOrigin", &self.origins),
            ("ExposeHeader", &self.exposed),
        ] {
            texts.iter().for_each(|text| xml.text(name, text));
        }
        if let Some(max_age_s) = self.max_age_s {
            xml.value("MaxAgeSeconds", max_age_s);
        }
    }
}

/// Whether a text is as a pattern says, in which one `*` may stand for anything.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((before, after)) => {
            text.len() >= before.len() + after.len() && text.starts_with(before) && text.ends_with(after)
        }
    }
}

fn invalid(message: String) -> S3Error {
    S3Error::new(Code::InvalidRequest, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_wildcard_stands_for_anything() {
        for (pattern, text, expected) in [
            ("*", "http://a", true),
            ("*suffix", "foo.suffix", true),
            ("*suffix", "foo.suffix.get", false),
            ("start*end", "startend", true),
            ("start*end", "start12end", true),
            ("start*end", "0start12end", false),
            ("aba*aba", "aba", false),
            ("http://a", "http://b", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }
}

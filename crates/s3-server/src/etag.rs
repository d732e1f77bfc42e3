//! ETags as they stand in conditions.

/// What `If-Match` or `If-None-Match` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum EtagList {
    /// `*`: whatever there is.
    Any,
    /// One of these, without their quotes.
    Of(Vec<String>),
}

impl EtagList {
    /// Reads the header; quotes may be missing, and a weak mark is dropped.
    pub(crate) fn read(text: &str) -> Self {
        if text.trim() == "*" {
            return Self::Any;
        }
        Self::Of(text.split(',').map(unquoted).filter(|etag| !etag.is_empty()).collect())
    }

    /// Whether an object with that ETag is meant.
    pub(crate) fn matches(&self, etag: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Of(etags) => etags.iter().any(|wanted| wanted == etag),
        }
    }
}

/// An ETag without weak mark and quotes.
pub(crate) fn unquoted(text: &str) -> String {
    let text = text.trim();
    let text = text.strip_prefix("W/").unwrap_or(text);
    text.trim_matches('"').to_owned()
}

/// An ETag in quotes.
pub(crate) fn quoted(etag: &str) -> String {
    format!("\"{etag}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_lists_quotes_and_the_star() {
        assert_eq!(EtagList::read("*"), EtagList::Any);
        let list = EtagList::read("\"a\", W/\"b\",c");
        assert!(["a", "b", "c"].into_iter().all(|etag| list.matches(etag)) && !list.matches("d"));
    }
}

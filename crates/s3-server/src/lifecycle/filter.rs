use serde::{Deserialize, Serialize};

/// Which objects a rule is about: all of what it names must hold; an empty one is about every object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Filter {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) prefix: Option<String>,
    /// With different keys.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) tags: Vec<(String, String)>,
    /// Only larger objects, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) larger_than: Option<u64>,
    /// Only smaller objects, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) smaller_than: Option<u64>,
    /// Whether it was written as `And`; it is given back that way.
    #[serde(default)]
    pub(crate) is_and: bool,
}

/// What a rule may be about: an object or a version of it, or a delete marker.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subject<'a> {
    pub(crate) key: &'a str,
    /// Size in bytes and tags; a delete marker has neither.
    pub(crate) object: Option<(u64, &'a [(String, String)])>,
}

impl Filter {
    /// How many conditions it names.
    pub(super) fn conditions(&self) -> usize {
        let sizes = [self.larger_than, self.smaller_than].into_iter().flatten().count();
        usize::from(self.prefix.is_some()) + self.tags.len() + sizes
    }

    pub(super) fn has_tags(&self) -> bool {
        !self.tags.is_empty()
    }

    pub(super) fn has_sizes(&self) -> bool {
        self.larger_than.is_some() || self.smaller_than.is_some()
    }

    /// Whether the rule is about that. A delete marker is in no filter on size or tags.
    pub(super) fn includes(&self, subject: Subject<'_>) -> bool {
        if !subject.key.starts_with(self.prefix.as_deref().unwrap_or_default()) {
            return false;
        }
        let Some((size, tags)) = subject.object else { return !self.has_tags() && !self.has_sizes() };
        self.larger_than.is_none_or(|least| size > least)
            && self.smaller_than.is_none_or(|most| size < most)
            && self.tags.iter().all(|tag| tags.contains(tag))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_a_filter_names_must_hold() {
        let tags = vec![("a".to_owned(), "1".to_owned()), ("b".to_owned(), "2".to_owned())];
        let filter = Filter {
            prefix: Some("logs/".into()),
            tags: tags[..1].to_vec(),
            larger_than: Some(10),
            smaller_than: Some(20),
            is_and: true,
        };
        let includes = |key, size, tags| filter.includes(Subject { key, object: Some((size, tags)) });
        assert!(includes("logs/a", 11, &tags) && includes("logs/", 19, &tags[..1]));
        assert!(!includes("log", 11, &tags) && !includes("logs/a", 11, &tags[1..]));
        assert!(!includes("logs/a", 10, &tags) && !includes("logs/a", 20, &tags));
    }

    #[test]
    fn a_delete_marker_is_found_by_its_key_alone() {
        let marker = Subject { key: "logs/a", object: None };
        let of_prefix = Filter { prefix: Some("logs/".into()), ..Filter::default() };
        assert!(Filter::default().includes(marker) && of_prefix.includes(marker));
        assert!(!Filter { smaller_than: Some(20), ..Filter::default() }.includes(marker));
    }
}

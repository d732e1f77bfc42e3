use super::filter::Filter;
use super::rule::{Expiration, Lifecycle, Rule, Scope, Transition, TransitionTime};
use crate::amz_time;
use crate::xml::XmlWriter;

impl Lifecycle {
    /// Writes the elements of a `LifecycleConfiguration`.
    pub(crate) fn write(&self, xml: &mut XmlWriter) {
        for rule in &self.rules {
            xml.element("Rule", |xml| write_rule(xml, rule));
        }
    }
}

fn write_rule(xml: &mut XmlWriter, rule: &Rule) {
    xml.text("ID", &rule.id);
    match &rule.scope {
        Scope::Prefix(prefix) => xml.text("Prefix", prefix),
        Scope::Filter(filter) if filter.is_and => xml.element("Filter", |xml| {
            xml.element("And", |xml| write_conditions(xml, filter));
        }),
        Scope::Filter(filter) => xml.element("Filter", |xml| write_conditions(xml, filter)),
    }
    xml.text("Status", if rule.is_enabled { "Enabled" } else { "Disabled" });
    for transition in &rule.transitions {
        xml.element("Transition", |xml| write_transition(xml, transition, "Days"));
    }
    if let Some(expiration) = rule.expiration {
        xml.element("Expiration", |xml| match expiration {
            Expiration::Days(days) => xml.value("Days", days),
            Expiration::Date(at_ms) => xml.text("Date", &amz_time::iso(at_ms)),
            Expiration::LoneMarkers(do_go) => xml.value("ExpiredObjectDeleteMarker", do_go),
        });
    }
    for transition in &rule.noncurrent_transitions {
        xml.element("NoncurrentVersionTransition", |xml| write_transition(xml, transition, "NoncurrentDays"));
    }
    if let Some(expiration) = rule.noncurrent_expiration {
        xml.element("NoncurrentVersionExpiration", |xml| {
            xml.value("NoncurrentDays", expiration.days);
            if let Some(newer) = expiration.newer_versions {
                xml.value("NewerNoncurrentVersions", newer);
            }
        });
    }
    if let Some(days) = rule.abort_after_days {
        xml.element("AbortIncompleteMultipartUpload", |xml| xml.value("DaysAfterInitiation", days));
    }
}

fn write_conditions(xml: &mut XmlWriter, filter: &Filter) {
    if let Some(prefix) = &filter.prefix {
        xml.text("Prefix", prefix);
    }
    for (key, value) in &filter.tags {
        xml.element("Tag", |xml| {
            xml.text("Key", key);
            xml.text("Value", value);
        });
    }
    if let Some(bytes) = filter.larger_than {
        xml.value("ObjectSizeGreaterThan", bytes);
    }
    if let Some(bytes) = filter.smaller_than {
        xml.value("ObjectSizeLessThan", bytes);
    }
}

fn write_transition(xml: &mut XmlWriter, transition: &Transition, days_element: &str) {
    match transition.when {
        TransitionTime::Days(days) => xml.value(days_element, days),
        TransitionTime::Date(at_ms) => xml.text("Date", &amz_time::iso(at_ms)),
    }
    if let Some(newer) = transition.newer_versions {
        xml.value("NewerNoncurrentVersions", newer);
    }
    xml.text("StorageClass", &transition.storage_class);
}

use std::collections::HashSet;

use super::shape::{EMPTY, Shape, TEXT, many, maybe, one, some};
use crate::error::{Code, S3Error, S3Result};
use crate::xml::Element;

pub(super) const SHAPE: Shape = Shape::Of(&[
    many("CloudFunctionConfiguration", &FUNCTION),
    maybe("EventBridgeConfiguration", &EMPTY),
    many("QueueConfiguration", &QUEUE),
    many("TopicConfiguration", &TOPIC),
]);

const FUNCTION: Shape =
    Shape::Of(&[one("CloudFunction", &TEXT), some("Event", &TEXT), maybe("Filter", &FILTER), maybe("Id", &ID)]);
const QUEUE: Shape =
    Shape::Of(&[some("Event", &TEXT), maybe("Filter", &FILTER), maybe("Id", &ID), one("Queue", &TEXT)]);
const TOPIC: Shape =
    Shape::Of(&[some("Event", &TEXT), maybe("Filter", &FILTER), maybe("Id", &ID), one("Topic", &TEXT)]);
const FILTER: Shape = Shape::Of(&[maybe(
    "S3Key",
    &Shape::Of(&[many("FilterRule", &Shape::Of(&[one("Name", &TEXT), one("Value", &TEXT)]))]),
)]);
const ID: Shape = Shape::Text(|text| text.len() <= 255);

/// Who is told, and the service that an ARN of it names.
const TARGETS: [(&str, &str); 3] = [("CloudFunction", "lambda"), ("Queue", "sqs"), ("Topic", "sns")];

/// What S3 tells of.
const EVENTS: [&str; 32] = [
    "s3:IntelligentTiering",
    "s3:LifecycleExpiration:*",
    "s3:LifecycleExpiration:Delete",
    "s3:LifecycleExpiration:DeleteMarkerCreated",
    "s3:LifecycleTransition",
    "s3:ObjectAcl:Put",
    "s3:ObjectAnnotation:*",
    "s3:ObjectAnnotation:Delete",
    "s3:ObjectAnnotation:Put",
    "s3:ObjectCreated:*",
    "s3:ObjectCreated:CompleteMultipartUpload",
    "s3:ObjectCreated:Copy",
    "s3:ObjectCreated:Post",
    "s3:ObjectCreated:Put",
    "s3:ObjectRemoved:*",
    "s3:ObjectRemoved:Delete",
    "s3:ObjectRemoved:DeleteMarkerCreated",
    "s3:ObjectRestore:*",
    "s3:ObjectRestore:Completed",
    "s3:ObjectRestore:Delete",
    "s3:ObjectRestore:Post",
    "s3:ObjectTagging:*",
    "s3:ObjectTagging:Delete",
    "s3:ObjectTagging:Put",
    "s3:ReducedRedundancyLostObject",
    "s3:Replication:*",
    "s3:Replication:OperationFailedReplication",
    "s3:Replication:OperationMissedThreshold",
    "s3:Replication:OperationNotTracked",
    "s3:Replication:OperationReplicatedAfterThreshold",
    "s3:TestEvent",
    "s3:ObjectRestore:Initiated",
];

/// What one configuration listens to.
struct Listener {
    events: Vec<String>,
    prefix: String,
    suffix: String,
}

/// Checks the configurations, and gives an id to each that has none.
pub(super) fn check(root: &mut Element) -> S3Result<()> {
    let mut ids = HashSet::new();
    let mut listeners: Vec<Listener> = Vec::new();
    for configuration in root.children.iter_mut().filter(|child| child.name != "EventBridgeConfiguration") {
        check_target(configuration)?;
        let listener = Listener::read(configuration)?;
        if listeners.iter().any(|other| other.overlaps(&listener)) {
            let message = "Configurations overlap. Configurations on the same bucket cannot share a common event type.";
            return Err(S3Error::new(Code::InvalidArgument, message));
        }
        listeners.push(listener);
        let id = match configuration.text_of("Id").filter(|id| !id.is_empty()) {
            Some(id) => id.to_owned(),
            None => {
                let text = uuid::Uuid::new_v4().to_string();
                configuration.children.retain(|child| child.name != "Id");
                configuration.children.push(Element { name: "Id".into(), text: text.clone(), ..Element::default() });
                text
            }
        };
        if !ids.insert(id) {
            let message = "Same ID used for multiple configurations. IDs must be unique";
            return Err(S3Error::new(Code::InvalidArgument, message));
        }
    }
    Ok(())
}

/// `arn:<partition>:<service>:<region>:<account>:<name>`.
fn check_target(configuration: &Element) -> S3Result<()> {
    let found = TARGETS.iter().find_map(|(name, service)| Some((*name, *service, configuration.text_of(name)?)));
    let Some((name, service, arn)) = found else { return Err(Code::MalformedXML.into()) };
    let fields: Vec<&str> = arn.split(':').collect();
    match fields.as_slice() {
        ["arn", partition, found, region, account, rest @ ..]
            if *found == service
                && [partition, region, account].iter().all(|field| !field.is_empty())
                && rest.first().is_some_and(|field| !field.is_empty()) =>
        {
            Ok(())
        }
        _ => Err(S3Error::argument(name, arn, "The ARN could not be parsed")),
    }
}

impl Listener {
    fn read(configuration: &Element) -> S3Result<Self> {
        let events: Vec<String> =
            configuration.children_named("Event").map(|event| event.text.trim().to_owned()).collect();
        if let Some(unknown) = events.iter().find(|event| !EVENTS.contains(&event.as_str())) {
            return Err(S3Error::argument("Event", unknown, "The event is not supported for notifications"));
        }
        let (mut prefix, mut suffix) = (None, None);
        let rules = configuration.child("Filter").and_then(|filter| filter.child("S3Key"));
        for rule in rules.map_or(&[][..], |rules| &rules.children) {
            let name = rule.text_of("Name").unwrap_or_default();
            let kept = match name.to_ascii_lowercase().as_str() {
                "prefix" => &mut prefix,
                "suffix" => &mut suffix,
                _ => {
                    let message = "filter rule name must be either prefix or suffix";
                    return Err(S3Error::argument("FilterRule.Name", name, message));
                }
            };
            let value = rule.child("Value").map(|value| value.text.clone()).unwrap_or_default();
            if value.len() > 1024 {
                let message = "Size of filter rule value cannot exceed 1024 bytes in UTF-8 representation";
                return Err(S3Error::argument("FilterRule.Value", &value, message));
            }
            if kept.replace(value).is_some() {
                let message = format!("Cannot specify more than one {name} rule in a filter.");
                return Err(S3Error::argument("FilterRule.Name", name, message));
            }
        }
        Ok(Self { events, prefix: prefix.unwrap_or_default(), suffix: suffix.unwrap_or_default() })
    }

    /// Whether one thing that happens could be told twice.
    fn overlaps(&self, other: &Self) -> bool {
        let same_event = |one: &str, two: &str| {
            one == two
                || one.strip_suffix('*').is_some_and(|front| two.starts_with(front))
                || two.strip_suffix('*').is_some_and(|front| one.starts_with(front))
        };
        self.events.iter().any(|one| other.events.iter().any(|two| same_event(one, two)))
            && (self.prefix.starts_with(&other.prefix) || other.prefix.starts_with(&self.prefix))
            && (self.suffix.ends_with(&other.suffix) || other.suffix.ends_with(&self.suffix))
    }
}

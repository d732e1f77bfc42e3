use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::filter::{Filter, Subject};
use crate::engine::{Engine, EngineError};
use crate::error::{Code, S3Result};

/// The name of the document that holds a bucket's rules.
const LIFECYCLE_DOCUMENT: &str = "lifecycle";

/// The rules of a bucket, in the order they came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Lifecycle {
    pub(crate) rules: Vec<Rule>,
    #[serde(default)]
    pub(crate) minimum_size: MinimumSize,
}

/// Which small objects a transition leaves where they are. Kept and given back: nothing moves between classes here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum MinimumSize {
    #[default]
    #[serde(rename = "all_storage_classes_128K")]
    AllClasses,
    #[serde(rename = "varies_by_storage_class")]
    ByClass,
}

impl MinimumSize {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::AllClasses => "all_storage_classes_128K",
            Self::ByClass => "varies_by_storage_class",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        [Self::AllClasses, Self::ByClass].into_iter().find(|size| size.name() == name)
    }
}

/// One rule; at least one of its actions is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Rule {
    /// No other rule of the bucket has it.
    pub(crate) id: String,
    /// One that is not does nothing.
    pub(crate) is_enabled: bool,
    pub(crate) scope: Scope,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) expiration: Option<Expiration>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) noncurrent_expiration: Option<NoncurrentExpiration>,
    /// Days after its beginning, at least 1, an upload is aborted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) abort_after_days: Option<u32>,
    /// Kept and given back: all objects are stored alike.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) transitions: Vec<Transition>,
    /// The same of noncurrent versions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) noncurrent_transitions: Vec<Transition>,
}

/// How a rule says what it is about: it is given back that way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Scope {
    /// `Prefix` beside the actions, as before there were filters.
    Prefix(String),
    Filter(Filter),
}

/// What happens to the current version of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Expiration {
    /// It ends that many days, at least 1, after it was written. A delete marker with nothing behind it too.
    Days(u32),
    /// It ends at that time, a midnight UTC in milliseconds since the epoch, and all later ones at once.
    Date(u64),
    /// Whether a delete marker with nothing behind it goes.
    LoneMarkers(bool),
}

/// When versions end that are not the newest of their key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NoncurrentExpiration {
    /// At least 1, since the next version was written.
    pub(crate) days: u32,
    /// So many of the newest stay, 1 to 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) newer_versions: Option<u32>,
}

/// Another storage class from some time on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Transition {
    pub(crate) when: TransitionTime,
    pub(crate) storage_class: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) newer_versions: Option<u32>,
}

/// When a transition happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum TransitionTime {
    /// After that many days.
    Days(u32),
    /// At that midnight UTC, in milliseconds since the epoch.
    Date(u64),
}

impl Lifecycle {
    /// That of a bucket, unless none was set.
    ///
    /// # Errors
    /// The engine's, and `InternalError` for a document that can't be read.
    pub(crate) async fn of(engine: &Engine, bucket: &str) -> Result<Option<Self>, EngineError> {
        read(engine.document(bucket, LIFECYCLE_DOCUMENT).await?.as_ref())
    }

    /// The same, from all documents of the bucket.
    ///
    /// # Errors
    /// `Storage` for a document that can't be read.
    pub(crate) fn of_documents(documents: &HashMap<String, String>) -> Result<Option<Self>, EngineError> {
        read(documents.get(LIFECYCLE_DOCUMENT))
    }

    /// Makes it that of a bucket.
    ///
    /// # Errors
    /// The engine's.
    pub(crate) async fn set(&self, engine: &Engine, bucket: &str) -> S3Result<()> {
        let text = serde_json::to_string(self).map_err(|_| Code::InternalError)?;
        Ok(engine.set_document(bucket, LIFECYCLE_DOCUMENT, &text).await?)
    }

    /// Forgets that of a bucket.
    ///
    /// # Errors
    /// The engine's.
    pub(crate) async fn delete(engine: &Engine, bucket: &str) -> S3Result<()> {
        engine.delete_document(bucket, LIFECYCLE_DOCUMENT).await?;
        Ok(())
    }

    /// Whether a rule ends versions or delete markers.
    pub(super) fn ends_versions(&self) -> bool {
        let mut enabled = self.rules.iter().filter(|rule| rule.is_enabled);
        enabled.any(|rule| rule.expiration.is_some() || rule.noncurrent_expiration.is_some())
    }

    /// Whether a rule aborts uploads.
    pub(super) fn aborts_uploads(&self) -> bool {
        self.rules.iter().any(|rule| rule.is_enabled && rule.abort_after_days.is_some())
    }

    /// The rules that do something for a subject.
    pub(super) fn rules_about<'a>(&'a self, subject: Subject<'_>) -> impl Iterator<Item = &'a Rule> {
        self.rules.iter().filter(move |rule| rule.is_enabled && rule.scope.includes(subject))
    }
}

fn read(document: Option<&String>) -> Result<Option<Lifecycle>, EngineError> {
    let damaged = |_| holdfast_base::Error::internal("the index holds a lifecycle that is damaged; set it again");
    Ok(document.map(|text| serde_json::from_str(text)).transpose().map_err(damaged)?)
}

impl Scope {
    /// The filter that it is.
    pub(super) fn filter(&self) -> Option<&Filter> {
        match self {
            Self::Prefix(_) => None,
            Self::Filter(filter) => Some(filter),
        }
    }

    /// What all keys that it is about begin with.
    pub(super) fn prefix(&self) -> &str {
        match self {
            Self::Prefix(prefix) => prefix,
            Self::Filter(filter) => filter.prefix.as_deref().unwrap_or_default(),
        }
    }

    fn includes(&self, subject: Subject<'_>) -> bool {
        match self {
            Self::Prefix(prefix) => subject.key.starts_with(prefix.as_str()),
            Self::Filter(filter) => filter.includes(subject),
        }
    }
}

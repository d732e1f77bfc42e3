//! Everything at once: objects with and without versions, tags, and a bucket's settings.

use holdfast_s3_server::Server;
use holdfast_s3_server::engine::{Condition, Engine, Result};
use holdfast_testkit::Dice;

use crate::engine_bench::attributes;
use crate::frame::{Found, Step, bytes_of, make_bucket, stage, survives_kill_9};
use crate::objects::ObjectStep;
use crate::versions::VersionStep;

/// How many kills CI affords; `HOLDFAST_CRASH_ROUNDS` asks for more.
const ROUNDS: u64 = 100;
const SETTINGS_BUCKET: &str = "settings";
const TAGGED_KEY: &str = "tagged";

#[test]
fn a_mixture_of_all_work_survives_kill_9() {
    survives_kill_9::<MixedStep>("mixed::a_mixture_of_all_work_survives_kill_9", ROUNDS);
}

pub(crate) enum MixedStep {
    Object(String, ObjectStep),
    Version(String, VersionStep),
    Setting(SettingStep),
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum MixedContent {
    #[default]
    Nothing,
    Object(String),
    Versions(Vec<Option<String>>),
    Setting(String),
}

/// A document of a bucket, or the tags of an object, is set or removed.
pub(crate) struct SettingStep {
    slot: String,
    task: u64,
    value: Option<String>,
}

impl Step for MixedStep {
    type Content = MixedContent;
    const TASKS: u64 = 4;

    fn new(mut dice: Dice, task: u64, name: String) -> Self {
        match dice.below(3) {
            0 => {
                let step = ObjectStep::new(dice, task, name);
                Self::Object(format!("object {}", step.slot()), step)
            }
            1 => {
                let step = VersionStep::new(dice, task, name);
                Self::Version(format!("versions {}", step.slot()), step)
            }
            _ => {
                let slot = *dice.pick(&["document", "tags"]);
                let value = (dice.below(4) > 0).then_some(name);
                Self::Setting(SettingStep { slot: format!("{slot} {task}"), task, value })
            }
        }
    }

    fn slot(&self) -> &str {
        match self {
            Self::Object(slot, _) | Self::Version(slot, _) => slot,
            Self::Setting(step) => &step.slot,
        }
    }

    fn apply(&self, content: &mut MixedContent) {
        *content = match self {
            Self::Object(_, step) => {
                let mut etag = None;
                step.apply(&mut etag);
                etag.map_or(MixedContent::Nothing, MixedContent::Object)
            }
            Self::Version(_, step) => {
                let mut versions = match content {
                    MixedContent::Versions(versions) => std::mem::take(versions),
                    _ => Vec::new(),
                };
                step.apply(&mut versions);
                if versions.is_empty() { MixedContent::Nothing } else { MixedContent::Versions(versions) }
            }
            Self::Setting(step) => step.value.clone().map_or(MixedContent::Nothing, MixedContent::Setting),
        };
    }

    async fn run(&self, engine: &Engine) -> Result<()> {
        match self {
            Self::Object(_, step) => step.run(engine).await,
            Self::Version(_, step) => step.run(engine).await,
            Self::Setting(step) => step.run(engine).await,
        }
    }

    async fn prepare(server: &Server) -> Result<()> {
        ObjectStep::prepare(server).await?;
        VersionStep::prepare(server).await?;
        let engine = server.engine();
        make_bucket(engine, SETTINGS_BUCKET).await?;
        for task in 0..Self::TASKS {
            let key = format!("{TAGGED_KEY} {task}");
            if engine.object(SETTINGS_BUCKET, &key, None).await.is_err() {
                let staged = stage(engine, SETTINGS_BUCKET, bytes_of(&key)).await?;
                engine.put(SETTINGS_BUCKET, &key, staged, attributes(&key), Condition::Always).await?;
            }
        }
        Ok(())
    }

    async fn contents(engine: &Engine) -> Result<(Found<MixedContent>, usize)> {
        let mut found = Found::new();
        let (objects, mut files) = ObjectStep::contents(engine).await?;
        for (key, etag) in objects {
            found.insert(format!("object {key}"), etag.map_or(MixedContent::Nothing, MixedContent::Object));
        }
        let (versions, more) = VersionStep::contents(engine).await?;
        files += more;
        for (key, versions) in versions {
            found.insert(format!("versions {key}"), MixedContent::Versions(versions));
        }
        for task in 0..Self::TASKS {
            if let Some(document) = engine.document(SETTINGS_BUCKET, &document_of(task)).await? {
                found.insert(format!("document {task}"), MixedContent::Setting(document));
            }
            let Ok(object) = engine.object(SETTINGS_BUCKET, &format!("{TAGGED_KEY} {task}"), None).await else {
                continue; // killed before it was made
            };
            files += 1;
            if let Some((_, tag)) = object.attributes.tags.into_iter().next() {
                found.insert(format!("tags {task}"), MixedContent::Setting(tag));
            }
        }
        Ok((found, files))
    }
}

fn document_of(task: u64) -> String {
    format!("document-{task}")
}

impl SettingStep {
    async fn run(&self, engine: &Engine) -> Result<()> {
        if self.slot.starts_with("tags") {
            let tags = self.value.iter().map(|value| ("step".to_owned(), value.clone())).collect();
            engine.set_tags(SETTINGS_BUCKET, &format!("{TAGGED_KEY} {}", self.task), None, tags).await?;
            return Ok(());
        }
        match &self.value {
            Some(value) => engine.set_document(SETTINGS_BUCKET, &document_of(self.task), value).await,
            None => engine.delete_document(SETTINGS_BUCKET, &document_of(self.task)).await.map(|_| ()),
        }
    }
}

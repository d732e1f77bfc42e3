//! Puts and deletes in a bucket that keeps versions.

use holdfast_s3_server::Server;
use holdfast_s3_server::engine::{
    Condition, Deletion, Engine, ListQuery, Result, VersionEntry, VersionPage, VersionQuery,
};
use holdfast_testkit::Dice;

use crate::engine_bench::attributes;
use crate::frame::{Found, Step, bytes_of, check_bytes, make_bucket, stage, survives_kill_9};

const BUCKET: &str = "versioned";
const KEYS_OF_A_TASK: u64 = 2;

#[test]
fn every_acknowledged_version_survives_kill_9_in_its_place() {
    survives_kill_9::<VersionStep>("versions::every_acknowledged_version_survives_kill_9_in_its_place", 24);
}

/// A write of one key: the slot holds its versions, newest first: ETags, and `None` for a delete marker.
pub(crate) struct VersionStep {
    key: String,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Put(String),
    /// Leaves a delete marker.
    Delete,
    /// Removes the n-th version of the newest, when there are that many.
    Remove(usize),
}

impl Step for VersionStep {
    type Content = Vec<Option<String>>;
    const TASKS: u64 = 3;

    fn new(mut dice: Dice, task: u64, name: String) -> Self {
        let key = format!("task-{task}/key-{}", dice.below(KEYS_OF_A_TASK));
        let kind = match dice.below(10) {
            0 => Kind::Delete,
            1..5 => Kind::Put(name),
            // Mostly the newest: what it hides comes back.
            5..8 => Kind::Remove(0),
            _ => Kind::Remove(dice.below(3) as usize),
        };
        Self { key, kind }
    }

    fn slot(&self) -> &str {
        &self.key
    }

    fn apply(&self, versions: &mut Self::Content) {
        match &self.kind {
            Kind::Put(etag) => versions.insert(0, Some(etag.clone())),
            Kind::Delete => versions.insert(0, None),
            Kind::Remove(place) if *place < versions.len() => drop(versions.remove(*place)),
            Kind::Remove(_) => {}
        }
    }

    async fn run(&self, engine: &Engine) -> Result<()> {
        match &self.kind {
            Kind::Put(etag) => {
                let staged = stage(engine, BUCKET, bytes_of(etag)).await?;
                engine.put(BUCKET, &self.key, staged, attributes(etag), Condition::Always).await?;
            }
            Kind::Delete => {
                engine.delete(BUCKET, &self.key, Condition::Always).await?;
            }
            Kind::Remove(place) => {
                let query = VersionQuery { prefix: self.key.clone(), max: place + 1, ..VersionQuery::default() };
                let page = engine.list_versions(BUCKET, query).await?;
                let Some(VersionEntry::Version(listed)) = page.entries.get(*place) else { return Ok(()) };
                let (key, version) = (self.key.clone(), Some(listed.version));
                engine.delete_one(BUCKET, Deletion { key, version, ..Deletion::default() }).await?;
            }
        }
        Ok(())
    }

    async fn prepare(server: &Server) -> Result<()> {
        make_bucket(server.engine(), BUCKET).await?;
        server.engine().set_versioning(BUCKET, true).await
    }

    /// And the plain listing shows what the versions say.
    async fn contents(engine: &Engine) -> Result<(Found<Self::Content>, usize)> {
        let mut found: Found<Self::Content> = Found::new();
        let mut query = VersionQuery { max: 100, ..VersionQuery::default() };
        loop {
            let page: VersionPage = engine.list_versions(BUCKET, query.clone()).await?;
            for entry in page.entries {
                let VersionEntry::Version(listed) = entry else { panic!("{entry:?}") };
                let (key, etag) = (&listed.object.key, &listed.object.etag);
                let versions = found.entry(key.clone()).or_default();
                assert_eq!(listed.is_latest, versions.is_empty());
                versions.push((!listed.is_marker).then(|| etag.clone()));
                if !listed.is_marker {
                    let (info, file) = engine.open_object(BUCKET, key, Some(listed.version)).await?;
                    assert_eq!(&info.attributes.etag, etag);
                    check_bytes(file, key, etag).await;
                }
            }
            let Some((key, version)) = page.next else { break };
            (query.after_key, query.after_version) = (Some(key), version);
        }
        let shown = engine.list(BUCKET, ListQuery { max: 1000, ..ListQuery::default() }).await?;
        let shown: Vec<&str> = shown.entries.iter().map(|entry| entry.text()).collect();
        let expected = found.iter().filter(|(_, versions)| versions[0].is_some());
        assert_eq!(shown, expected.map(|(key, _)| key.as_str()).collect::<Vec<_>>());
        let files = found.values().flatten().flatten().count();
        Ok((found, files))
    }
}

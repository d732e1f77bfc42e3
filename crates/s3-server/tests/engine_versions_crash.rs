//! The disk engine is killed (SIGKILL) in the middle of puts and deletes in a bucket that keeps versions.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod engine_bench;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use engine_bench::{attributes, below, settings};
use futures_util::TryStreamExt as _;
use holdfast_s3_server::engine::{
    Condition, Deletion, Engine, EngineError, ListQuery, VersionEntry, VersionId, VersionPage, VersionQuery,
};
use holdfast_testkit::Dice;
use holdfast_testkit::crash::{Child, CrashTest, Role};

const ROUNDS: u64 = 24;
const TASKS: u64 = 3;
const KEYS_OF_A_TASK: u64 = 2;

/// A key's versions, newest first: ETags, and `None` for a delete marker.
type Versions = Vec<Option<String>>;

#[test]
fn every_acknowledged_version_survives_kill_9_in_its_place() {
    let test = CrashTest::named("every_acknowledged_version_survives_kill_9_in_its_place");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    match test.role() {
        Role::Child(child) => runtime.block_on(work_until_killed(child)),
        Role::Parent => {
            let folder = tempfile::tempdir().unwrap();
            let mut before = BTreeMap::new();
            let mut acknowledged = 0;
            for round in 0..ROUNDS {
                let lines = test.kill_one(folder.path(), round);
                acknowledged += lines.len();
                let after = runtime.block_on(contents(folder.path()));
                for task in 0..TASKS {
                    let done = lines.iter().filter(|line| line.split(' ').next() == Some(&task.to_string())).count();
                    compare((round, task, done as u64), &before, &after);
                }
                before = after;
            }
            assert!(acknowledged > 100, "only {acknowledged} writes were acknowledged");
        }
    }
}

/// The n-th write of a task in a round.
struct Step {
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

impl Step {
    fn new(round: u64, task: u64, n: u64) -> Self {
        let mut dice = Dice::new((round * TASKS + task) * 1_000_000 + n);
        let key = format!("task-{task}/key-{}", dice.below(KEYS_OF_A_TASK));
        let kind = match dice.below(10) {
            0 => Kind::Delete,
            1..5 => Kind::Put(format!("{round}-{task}-{n}")),
            // Mostly the newest: what it hides comes back.
            5..8 => Kind::Remove(0),
            _ => Kind::Remove(dice.below(3) as usize),
        };
        Self { key, kind }
    }

    /// What the key holds after it.
    fn apply(&self, versions: &mut Versions) {
        match &self.kind {
            Kind::Put(etag) => versions.insert(0, Some(etag.clone())),
            Kind::Delete => versions.insert(0, None),
            Kind::Remove(place) if *place < versions.len() => drop(versions.remove(*place)),
            Kind::Remove(_) => {}
        }
    }

    async fn run(&self, engine: &Engine) -> Result<(), EngineError> {
        match &self.kind {
            Kind::Put(etag) => {
                let mut staged = engine.stage("bucket").await?;
                staged.write(bytes_of(etag)).await?;
                engine.put("bucket", &self.key, staged, attributes(etag), Condition::Always).await?;
            }
            Kind::Delete => {
                engine.delete("bucket", &self.key, Condition::Always).await?;
            }
            Kind::Remove(place) => {
                let query = VersionQuery { prefix: self.key.clone(), max: place + 1, ..VersionQuery::default() };
                let page = engine.list_versions("bucket", query).await?;
                let Some(VersionEntry::Version(listed)) = page.entries.get(*place) else { return Ok(()) };
                let (key, version) = (self.key.clone(), Some(listed.version));
                engine.delete_one("bucket", Deletion { key, version, ..Deletion::default() }).await?;
            }
        }
        Ok(())
    }
}

/// Between 10 bytes and 300 KB that only this ETag has.
fn bytes_of(etag: &str) -> Bytes {
    let mut dice = Dice::new(etag.bytes().fold(17, |sum, byte| sum * 31 + u64::from(byte)));
    let largest = *dice.pick(&[100, 5000, 300_000]);
    let length = 10 + dice.below(largest) as usize;
    etag.bytes().cycle().take(length).collect::<Vec<u8>>().into()
}

async fn work_until_killed(child: Child) {
    let engine = Engine::open(settings(child.folder())).await.unwrap();
    match engine.create_bucket("bucket", "us-east-1").await {
        Ok(_) | Err(EngineError::BucketAlreadyOwnedByYou(_)) => {}
        Err(error) => panic!("{error}"),
    }
    engine.set_versioning("bucket", true).await.unwrap();
    let child = Arc::new(child);
    let task = |task| {
        let (engine, child) = (engine.clone(), Arc::clone(&child));
        tokio::spawn(async move {
            for n in 0.. {
                Step::new(child.round(), task, n).run(&engine).await.unwrap();
                child.acknowledge(&format!("{task} {n}"));
            }
        })
    };
    for task in (0..TASKS).map(task).collect::<Vec<_>>() {
        task.await.unwrap();
    }
}

/// What a new process finds: every byte compared, no file left over, and the plain listing as the versions say.
async fn contents(folder: &Path) -> BTreeMap<String, Versions> {
    let engine = Engine::open(settings(folder)).await.unwrap();
    let mut found: BTreeMap<String, Versions> = BTreeMap::new();
    let mut query = VersionQuery { max: 100, ..VersionQuery::default() };
    loop {
        let page: VersionPage = match engine.list_versions("bucket", query.clone()).await {
            Ok(page) => page,
            Err(EngineError::NoSuchBucket(_)) => return found, // killed before it was made
            Err(error) => panic!("{error}"),
        };
        for entry in page.entries {
            let VersionEntry::Version(listed) = entry else { panic!("{entry:?}") };
            let versions = found.entry(listed.object.key.clone()).or_default();
            assert_eq!(listed.is_latest, versions.is_empty());
            versions.push((!listed.is_marker).then(|| listed.object.etag.clone()));
            if !listed.is_marker {
                check_bytes(&engine, &listed.object.key, listed.version, &listed.object.etag).await;
            }
        }
        let Some((key, version)) = page.next else { break };
        (query.after_key, query.after_version) = (Some(key), version);
    }
    let shown = engine.list("bucket", ListQuery { max: 1000, ..ListQuery::default() }).await.unwrap();
    let shown: Vec<&str> = shown.entries.iter().map(|entry| entry.text()).collect();
    let expected = found.iter().filter(|(_, versions)| versions[0].is_some());
    assert_eq!(shown, expected.map(|(key, _)| key.as_str()).collect::<Vec<_>>());
    engine.close().await;
    let objects = found.values().flatten().flatten().count();
    let files = below(folder);
    assert_eq!(files.len(), objects, "orphans among {files:?}, versions are {found:?}");
    found
}

async fn check_bytes(engine: &Engine, key: &str, version: VersionId, etag: &str) {
    let (info, file) = engine.open_object("bucket", key, Some(version)).await.unwrap();
    let bytes: Vec<Bytes> = file.stream(0..info.size).try_collect().await.unwrap();
    assert!(info.attributes.etag == etag && bytes.concat() == bytes_of(etag), "{key} {version} is torn");
}

/// Each key holds what a task's acknowledged writes left, or what the one under way would leave on top.
fn compare(
    (round, task, done): (u64, u64, u64),
    before: &BTreeMap<String, Versions>,
    after: &BTreeMap<String, Versions>,
) {
    let of = |all: &BTreeMap<String, Versions>, key: &str| all.get(key).cloned().unwrap_or_default();
    for key in (0..KEYS_OF_A_TASK).map(|key| format!("task-{task}/key-{key}")) {
        let mut expected = of(before, &key);
        for step in (0..done).map(|n| Step::new(round, task, n)).filter(|step| step.key == key) {
            step.apply(&mut expected);
        }
        let mut possible = vec![expected.clone()];
        let under_way = Step::new(round, task, done);
        if under_way.key == key {
            under_way.apply(&mut expected);
            possible.push(expected);
        }
        let found = of(after, &key);
        assert!(possible.contains(&found), "round {round}: {key} holds {found:?}, expected one of {possible:?}");
    }
}

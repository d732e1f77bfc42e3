//! The disk engine is killed (SIGKILL) in the middle of puts, deletes and completions.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod engine_bench;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use engine_bench::{attributes, below, settings};
use futures_util::TryStreamExt as _;
use holdfast_s3_server::engine::{
    CompletedPart, Condition, DataKey, Engine, EngineError, ListEntry, ListQuery, ObjectAttributes, PartAttributes,
    Scheme, Staged,
};
use holdfast_testkit::Dice;
use holdfast_testkit::crash::{Child, CrashTest, Role};

const ROUNDS: u64 = 24;
const TASKS: u64 = 4;
const KEYS_OF_A_TASK: u64 = 3;

/// What a key holds: the ETag, from which its bytes follow.
type Content = Option<String>;

#[test]
fn what_was_acknowledged_survives_kill_9_and_nothing_is_torn_or_orphaned() {
    let test = CrashTest::named("what_was_acknowledged_survives_kill_9_and_nothing_is_torn_or_orphaned");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
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
                compare(round, &lines, &before, &after);
                before = after;
            }
            assert!(acknowledged > 100, "only {acknowledged} writes were acknowledged");
        }
    }
}

/// The n-th write of a task in a round.
struct Step {
    key: String,
    kind: u64,
    etag: String,
    /// Whether its bytes are encrypted.
    is_sealed: bool,
}

impl Step {
    fn new(round: u64, task: u64, n: u64) -> Self {
        let mut dice = Dice::new((round * TASKS + task) * 1_000_000 + n);
        let key = format!("task-{task}/key-{}", dice.below(KEYS_OF_A_TASK));
        let (kind, is_sealed) = (dice.below(5), dice.below(2) == 0);
        Self { key, kind, etag: format!("{round}-{task}-{n}"), is_sealed }
    }

    /// What the key holds after it.
    fn content(&self) -> Content {
        (self.kind > 0).then(|| self.etag.clone())
    }

    async fn run(&self, engine: &Engine) -> Result<(), EngineError> {
        let bytes = bytes_of(&self.etag);
        match self.kind {
            0 => {
                engine.delete("bucket", &self.key, Condition::Always).await?;
            }
            1 => self.run_in_parts(engine, &bytes).await?,
            _ => {
                let (attributes, key) = self.attributes(engine).await?;
                let staged = stage(engine, bytes, key.as_ref(), None).await?;
                engine.put("bucket", &self.key, staged, attributes, Condition::Always).await?;
            }
        }
        Ok(())
    }

    async fn run_in_parts(&self, engine: &Engine, bytes: &Bytes) -> Result<(), EngineError> {
        let (whole, key) = self.attributes(engine).await?;
        let upload = engine.create_upload("bucket", &self.key, whole.clone()).await?.id;
        let id = ("bucket", self.key.as_str(), upload.as_str());
        let middle = bytes.len() / 2;
        let mut named = Vec::new();
        for (number, part) in [(1, bytes.slice(..middle)), (2, bytes.slice(middle..))] {
            let part_attributes = PartAttributes { etag: format!("part-{number}"), checksum: None };
            engine
                .put_part(id, number, stage(engine, part, key.as_ref(), Some(number)).await?, part_attributes.clone())
                .await?;
            named.push(CompletedPart { number, etag: part_attributes.etag, checksum: None });
        }
        engine.complete_upload(id, named, move |_, _| Ok(whole), Condition::Always).await?;
        Ok(())
    }

    async fn attributes(&self, engine: &Engine) -> Result<(ObjectAttributes, Option<DataKey>), EngineError> {
        let mut attributes = attributes(&self.etag);
        if !self.is_sealed {
            return Ok((attributes, None));
        }
        let (encryption, key) = engine.new_data_key(("bucket", &self.key), Scheme::S3, None).await?;
        attributes.encryption = Some(encryption);
        Ok((attributes, Some(key)))
    }
}

async fn stage(engine: &Engine, bytes: Bytes, key: Option<&DataKey>, part: Option<u16>) -> Result<Staged, EngineError> {
    let mut staged = match key {
        None => engine.stage("bucket").await?,
        Some(key) => engine.stage_sealed("bucket", key, part).await?,
    };
    staged.write(bytes).await?;
    Ok(staged)
}

/// Between 10 bytes and 900 KB that only this ETag has.
fn bytes_of(etag: &str) -> Bytes {
    let mut dice = Dice::new(etag.bytes().fold(17, |sum, byte| sum * 31 + u64::from(byte)));
    let largest = *dice.pick(&[100, 5000, 900_000]);
    let length = 10 + dice.below(largest) as usize;
    etag.bytes().cycle().take(length).collect::<Vec<u8>>().into()
}

async fn work_until_killed(child: Child) {
    let engine = Engine::open(settings(child.folder())).await.unwrap();
    match engine.create_bucket("bucket", "us-east-1").await {
        Ok(_) | Err(EngineError::BucketAlreadyOwnedByYou(_)) => {}
        Err(error) => panic!("{error}"),
    }
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

/// What a new process finds, every byte compared; and that no file is left over.
async fn contents(folder: &Path) -> BTreeMap<String, String> {
    let engine = Engine::open(settings(folder)).await.unwrap();
    while engine.abort_uploads_before(u64::MAX).await.unwrap() > 0 {}
    let mut found = BTreeMap::new();
    let query = ListQuery { max: 1000, ..ListQuery::default() };
    let page = match engine.list("bucket", query).await {
        Ok(page) => page,
        Err(EngineError::NoSuchBucket(_)) => return found, // killed before it was made
        Err(error) => panic!("{error}"),
    };
    for entry in page.entries {
        let ListEntry::Object(object) = entry else { panic!("{entry:?}") };
        let (info, mut file) = engine.open_object("bucket", &object.key, None).await.unwrap();
        if let Some(encryption) = &info.attributes.encryption {
            let key = engine.data_key(("bucket", &object.key), encryption, None).await.unwrap();
            file = file.unlocked(key).unwrap();
        }
        let bytes: Vec<Bytes> = file.stream(0..info.size).try_collect().await.unwrap();
        assert!(bytes.concat() == bytes_of(&object.etag), "{object:?} is torn");
        found.insert(object.key, object.etag);
    }
    engine.close().await;
    let files = below(folder);
    assert_eq!(files.len(), found.len(), "orphans among {files:?}, objects are {found:?}");
    found
}

/// Each key holds what its last acknowledged write left, or what the one write under way would leave.
fn compare(round: u64, lines: &[String], before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) {
    for task in 0..TASKS {
        let done = lines.iter().filter(|line| line.split(' ').next() == Some(&task.to_string())).count() as u64;
        let mut expected: BTreeMap<String, Vec<Content>> = BTreeMap::new();
        for key in (0..KEYS_OF_A_TASK).map(|key| format!("task-{task}/key-{key}")) {
            let content = before.get(&key).cloned();
            expected.insert(key, vec![content]);
        }
        for n in 0..done {
            let step = Step::new(round, task, n);
            expected.insert(step.key.clone(), vec![step.content()]);
        }
        let under_way = Step::new(round, task, done);
        expected.get_mut(&under_way.key).unwrap().push(under_way.content());
        for (key, possible) in expected {
            let found = after.get(&key).cloned();
            assert!(possible.contains(&found), "round {round}: {key} holds {found:?}, expected one of {possible:?}");
        }
    }
}

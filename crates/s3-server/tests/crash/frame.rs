//! What every crash test does: children work in tasks that have slots of their own, and are killed; a new process
//! looks at what is there and compares it with what was acknowledged.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use holdfast_s3_server::engine::{Engine, EngineError, ObjectFile, Result, Staged};
use holdfast_s3_server::{Server, ServerSettings};
use holdfast_testkit::Dice;
use holdfast_testkit::crash::{Child, CrashTest, Role};
use tokio::task::JoinSet;

use crate::engine_bench::{below, settings};

/// What a new process finds: what each slot holds. A slot that holds nothing is left out.
pub(crate) type Found<C> = BTreeMap<String, C>;

/// One step of a task's work. The n-th step of a task in a round is always the same.
pub(crate) trait Step: Send + Sync + 'static {
    /// What a slot holds; the default is nothing.
    type Content: Clone + Debug + Default + PartialEq + Send;
    /// How many tasks work at once.
    const TASKS: u64;

    fn new(dice: Dice, task: u64, name: String) -> Self;

    /// The slot that it changes; no other task has it.
    fn slot(&self) -> &str;

    /// What the slot holds after it.
    fn apply(&self, content: &mut Self::Content);

    fn run(&self, engine: &Engine) -> impl Future<Output = Result<()>> + Send;

    /// What differs in the settings of the server that works; what looks afterwards does not have it.
    fn change(_settings: &mut ServerSettings) {}

    /// Makes what the steps need, unless it is there.
    fn prepare(server: &Server) -> impl Future<Output = Result<()>> + Send;

    /// One pass of what goes on beside the steps, again and again; the default is nothing.
    fn beside(_server: &Server) -> impl Future<Output = Result<()>> + Send {
        std::future::pending()
    }

    /// What is there, every byte compared; and how many data files that takes.
    fn contents(engine: &Engine) -> impl Future<Output = Result<(Found<Self::Content>, usize)>> + Send;
}

/// What a pass beside the steps acknowledges.
const BESIDE: &str = "beside";

/// Kills children in the middle of such steps. `name` is the test's full name. Gives back how many passes there were
/// beside them.
pub(crate) fn survives_kill_9<S: Step>(name: &'static str, rounds: u64) -> usize {
    let test = CrashTest::named(name);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let child = match test.role() {
        Role::Child(child) => child,
        Role::Parent => return kill_and_compare::<S>(test, rounds, &runtime),
    };
    runtime.block_on(work_until_killed::<S>(child));
    0
}

fn kill_and_compare<S: Step>(test: CrashTest, rounds: u64, runtime: &tokio::runtime::Runtime) -> usize {
    let folder = tempfile::tempdir().unwrap();
    let mut before = Found::new();
    let (mut acknowledged, mut beside) = (0, 0);
    for round in 0..test.rounds(rounds) {
        let lines = test.kill_one(folder.path(), round);
        beside += lines.iter().filter(|line| *line == BESIDE).count();
        acknowledged += lines.len();
        let after = runtime.block_on(look::<S>(folder.path()));
        for task in 0..S::TASKS {
            let done = lines.iter().filter(|line| line.split(' ').next() == Some(&task.to_string())).count();
            compare::<S>((round, task, done as u64), &before, &after);
        }
        before = after;
    }
    assert!(acknowledged as u64 > 4 * rounds, "only {acknowledged} steps were acknowledged");
    beside
}

fn step<S: Step>(round: u64, task: u64, n: u64) -> S {
    S::new(Dice::new((round * S::TASKS + task) * 1_000_000 + n), task, format!("{round}-{task}-{n}"))
}

async fn work_until_killed<S: Step>(child: Child) {
    let mut its = ServerSettings::new(child.folder());
    its.clock = settings(child.folder()).clock;
    its.min_part_bytes = settings(child.folder()).min_part_bytes;
    S::change(&mut its);
    let server = Arc::new(Server::start(its).await.unwrap());
    S::prepare(&server).await.unwrap();
    let child = Arc::new(child);
    let mut tasks = JoinSet::new();
    for task in 0..S::TASKS {
        let (server, child) = (Arc::clone(&server), Arc::clone(&child));
        tasks.spawn(async move {
            for n in 0.. {
                step::<S>(child.round(), task, n).run(server.engine()).await.unwrap();
                child.acknowledge(&format!("{task} {n}"));
            }
        });
    }
    let beside = async {
        loop {
            S::beside(&server).await.unwrap();
            child.acknowledge(BESIDE);
        }
    };
    tokio::select! {
        () = beside => {}
        ended = tasks.join_next() => panic!("a task ended: {ended:?}"),
    }
}

/// What a new process finds; and that no file is left over.
async fn look<S: Step>(folder: &Path) -> Found<S::Content> {
    let engine = Engine::open(settings(folder)).await.unwrap();
    while engine.abort_uploads_before(u64::MAX).await.unwrap() > 0 {}
    let (found, files) = match S::contents(&engine).await {
        Err(EngineError::NoSuchBucket(_)) => (Found::new(), 0), // killed before it was made
        contents => contents.unwrap(),
    };
    engine.close().await;
    let there = below(folder);
    assert_eq!(there.len(), files, "orphans among {there:?}, found {found:?}");
    found
}

/// Each slot holds what a task's acknowledged steps left, or what the one under way would leave on top.
fn compare<S: Step>((round, task, done): (u64, u64, u64), before: &Found<S::Content>, after: &Found<S::Content>) {
    let of = |all: &Found<S::Content>, slot: &str| all.get(slot).cloned().unwrap_or_default();
    let mut expected = Found::<S::Content>::new();
    for step in (0..done).map(|n| step::<S>(round, task, n)) {
        let slot = step.slot().to_owned();
        step.apply(expected.entry(slot).or_insert_with_key(|slot| of(before, slot)));
    }
    let under_way = step::<S>(round, task, done);
    expected.entry(under_way.slot().to_owned()).or_insert_with_key(|slot| of(before, slot));
    for (slot, content) in expected {
        let found = of(after, &slot);
        let mut with_the_last = content.clone();
        if under_way.slot() == slot {
            under_way.apply(&mut with_the_last);
        }
        let is_possible = found == content || found == with_the_last;
        assert!(is_possible, "round {round}: {slot} holds {found:?}, expected {content:?} or {with_the_last:?}");
    }
}

/// A bucket that may be there already.
pub(crate) async fn make_bucket(engine: &Engine, name: &str) -> Result<()> {
    match engine.create_bucket(name, "us-east-1").await {
        Ok(_) | Err(EngineError::BucketAlreadyOwnedByYou(_)) => Ok(()),
        Err(error) => Err(error),
    }
}

pub(crate) async fn stage(engine: &Engine, bucket: &str, bytes: Bytes) -> Result<Staged> {
    let mut staged = engine.stage(bucket).await?;
    staged.write(bytes).await?;
    Ok(staged)
}

/// Between 10 bytes and some 900 KB that only this ETag has.
pub(crate) fn bytes_of(etag: &str) -> Bytes {
    let mut dice = Dice::new(etag.bytes().fold(17, |sum, byte| sum * 31 + u64::from(byte)));
    let largest = *dice.pick(&[100, 5000, 900_000]);
    let length = 10 + dice.below(largest) as usize;
    etag.bytes().cycle().take(length).collect::<Vec<u8>>().into()
}

/// Fails when a file does not have the bytes of its ETag.
pub(crate) async fn check_bytes(file: ObjectFile, what: &str, etag: &str) {
    let length = file.len();
    let bytes: Vec<Bytes> = file.stream(0..length).try_collect().await.unwrap();
    assert!(bytes.concat() == bytes_of(etag), "{what} with the ETag {etag} is torn");
}

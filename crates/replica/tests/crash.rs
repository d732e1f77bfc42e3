//! The process is killed in the middle of its work, again and again, on a real server: at random moments, and
//! at every step that a crash must not be able to spoil.
//!
//! 50 rounds a mode; `HOLDFAST_KILL_ROUNDS=500` is the long form.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, unreachable_pub)]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use holdfast_base::{Clock, SystemClock};
use holdfast_replica::{BucketStore, Point, Replica, ReplicaSettings, Statement, Step, StepSink, SyncMode, Value};
use holdfast_s3_client::{Client, ClientSettings};
use holdfast_sqlite::rusqlite::Connection;
use holdfast_testkit::crash::{Child, CrashTest, Role};
use holdfast_testkit::{Dice, TestServer};
use tokio::runtime::Runtime;

/// Time passes this much faster for the children, so that retention has something to remove.
const HURRY: u64 = 1200;

const STEPS: [Step; 14] = [
    Step::Committed,
    Step::PutBegins,
    Step::PutDone,
    Step::SnapshotBegun,
    Step::SnapshotStored,
    Step::SnapshotCounts,
    Step::PackStored,
    Step::SegmentsRemoved,
    Step::GenerationUncounted,
    Step::GenerationRemoved,
    Step::RestoreBegun,
    Step::RestoreVerified,
    Step::RestoreDone,
    Step::Checkpointed,
];

#[expect(clippy::disallowed_methods, reason = "a test's length is the caller's choice")]
fn rounds() -> u64 {
    std::env::var("HOLDFAST_KILL_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(50)
}

/// A clock in a hurry, common to all children.
#[derive(Debug)]
struct HurriedClock;

impl Clock for HurriedClock {
    fn now_ms(&self) -> u64 {
        static START: u64 = 1_780_000_000_000;
        START + (SystemClock.now_ms() - START) * HURRY
    }
}

fn store(endpoint: &str) -> Arc<BucketStore> {
    let settings = ClientSettings { endpoint: Some(endpoint.to_owned()), ..ClientSettings::default() };
    Arc::new(BucketStore::new(Client::new(settings).unwrap().bucket("bucket", "app/").unwrap()))
}

/// Where a child ends: at the n-th time that a step comes by.
fn end_at(step: Step, nth: u64) -> StepSink {
    let seen = AtomicU64::new(0);
    StepSink::new(move |now| {
        if now == step && seen.fetch_add(1, Ordering::SeqCst) + 1 == nth {
            // As `kill -9` would, and at exactly this place: nothing is flushed, no destructor runs.
            std::process::abort();
        }
    })
}

/// What the parent tells the children of a test.
struct Plan {
    endpoint: String,
    end_at: Option<(Step, u64)>,
}

impl Plan {
    fn write(&self, folder: &Path) {
        let end = self.end_at.map_or_else(String::new, |(step, nth)| {
            let at = STEPS.iter().position(|&other| other == step).unwrap();
            format!("{at} {nth}")
        });
        std::fs::write(folder.join("plan"), format!("{}\n{end}\n", self.endpoint)).unwrap();
    }

    fn read(folder: &Path) -> Self {
        let text = std::fs::read_to_string(folder.join("plan")).unwrap();
        let mut lines = text.lines();
        let endpoint = lines.next().unwrap().to_owned();
        let end = lines.next().and_then(|line| line.split_once(' '));
        let end_at = end.map(|(at, nth)| (STEPS[at.parse::<usize>().unwrap()], nth.parse().unwrap()));
        Self { endpoint, end_at }
    }
}

/// Inserts rows one after the other, with checkpoints, snapshots, packs and removals in between, until it ends.
async fn work(child: &Child, mode: SyncMode) -> ! {
    let plan = Plan::read(child.folder());
    let settings = ReplicaSettings {
        mode,
        interval_ms: 3,
        wal_threshold_bytes: 32 << 10,
        snapshot_interval_ms: 150,
        retention_ms: 3_600_000,
        force_lock: true,
        steps: plan.end_at.map_or_else(StepSink::default, |(step, nth)| end_at(step, nth)),
        ..ReplicaSettings::new(child.folder().join("local/app.db"))
    };
    let replica = Replica::open(settings, store(&plan.endpoint), Arc::new(HurriedClock), Arc::new(|_| ())).await;
    let replica = replica.unwrap();
    let run = |sql: &str| replica.execute(Statement::new(sql, Vec::new()));
    run("create table if not exists t (id integer primary key autoincrement, filler blob)").await.unwrap();
    loop {
        let rows = run("insert into t (filler) values (randomblob(abs(random()) % 3000)) returning id").await.unwrap();
        let Value::Integer(id) = rows.rows[0][0] else { panic!("an id is a number") };
        let status = replica.status().unwrap();
        let lag = status.local_commits - status.durable_commits;
        child.acknowledge(&format!("{id} {lag}"));
        if mode == SyncMode::Async {
            // Nothing holds it back, and a large database says no more than a small one.
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
    }
}

struct Machine {
    runtime: Runtime,
    server: TestServer,
    folder: tempfile::TempDir,
    mode: SyncMode,
    /// The last row that was acknowledged.
    acknowledged: Option<i64>,
    /// The last row that was said to be stored.
    stored: i64,
}

impl Machine {
    fn start(mode: SyncMode) -> Self {
        let runtime = Runtime::new().unwrap();
        let server = runtime.block_on(TestServer::start(&["bucket"])).unwrap();
        Self { runtime, server, folder: tempfile::tempdir().unwrap(), mode, acknowledged: None, stored: 0 }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn plan(&self, end_at: Option<(Step, u64)>) {
        Plan { endpoint: self.server.endpoint(), end_at }.write(self.path());
    }

    fn note(&mut self, acknowledged: Vec<String>) {
        for line in acknowledged {
            let (id, lag) = line.split_once(' ').unwrap();
            let (id, lag): (i64, i64) = (id.parse().unwrap(), lag.parse().unwrap());
            self.acknowledged = self.acknowledged.max(Some(id));
            self.stored = self.stored.max(id - lag);
        }
    }

    fn lose_disk(&mut self) {
        drop(std::fs::remove_dir_all(self.path().join("local")));
        // What was not stored is gone with the disk; sync mode has promised that nothing is.
        if self.mode == SyncMode::Async {
            self.acknowledged = self.acknowledged.map(|_| 0);
        }
    }

    /// What the bucket holds is a prefix of the order of commits, with all that was said to be stored; in sync
    /// mode, with all that was acknowledged.
    fn check(&self, what: &str) {
        let Some(acknowledged) = self.acknowledged else { return };
        let path = self.path().join("restored.db");
        let restored = holdfast_replica::restore(store(&self.server.endpoint()), &path, Point::Newest);
        self.runtime.block_on(restored).unwrap_or_else(|error| panic!("{what}: {} {error}", error.code()));
        let ids = ids_in(&path);
        std::fs::remove_file(path).unwrap();
        let prefix: Vec<i64> = (1..=ids.len() as i64).collect();
        assert_eq!(ids, prefix, "{what}: what is restored is a prefix of the order of commits");
        let last = ids.last().copied().unwrap_or(0);
        assert!(last >= self.stored, "{what}: {} was said to be stored, {last} is restored", self.stored);
        if self.mode == SyncMode::Sync {
            assert!(last >= acknowledged, "{what}: {acknowledged} was acknowledged, {last} is restored");
        }
    }

    /// After a kill that left the disk, the local file has what was acknowledged, in either mode.
    fn check_local(&self, what: &str) {
        let file: PathBuf = self.path().join("local/app.db");
        let Some(acknowledged) = self.acknowledged.filter(|_| file.exists()) else { return };
        let last = ids_in(&file).last().copied().unwrap_or(0);
        assert!(last >= acknowledged, "{what}: {acknowledged} was acknowledged, {last} is in the file");
    }
}

fn ids_in(path: &Path) -> Vec<i64> {
    let connection = Connection::open_with_flags(path, holdfast_sqlite::rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY);
    let connection = connection.unwrap();
    // The table itself may not be there yet.
    let Ok(mut statement) = connection.prepare("select id from t order by id") else { return Vec::new() };
    statement.query_map([], |row| row.get(0)).unwrap().map(|id| id.unwrap()).collect()
}

fn kill_again_and_again(name: &'static str, mode: SyncMode) {
    let test = CrashTest::named(name);
    if let Role::Child(child) = test.role() {
        Runtime::new().unwrap().block_on(work(&child, mode))
    }
    let mut machine = Machine::start(mode);
    let mut dice = Dice::new(7);
    for round in 0..rounds() {
        machine.plan(None);
        let acknowledged = test.kill_one(machine.path(), round);
        machine.note(acknowledged);
        let loses_disk = dice.below(3) == 0;
        let what = format!("round {round}");
        if loses_disk && mode == SyncMode::Async {
            machine.lose_disk();
        }
        machine.check(&what);
        if loses_disk {
            machine.lose_disk();
        }
    }
    let Machine { runtime, server, .. } = machine;
    runtime.block_on(server.stop());
}

fn end_at_every_step(name: &'static str, mode: SyncMode) {
    let test = CrashTest::named(name);
    if let Role::Child(child) = test.role() {
        Runtime::new().unwrap().block_on(work(&child, mode))
    }
    let mut machine = Machine::start(mode);
    for nth in [1, 2] {
        for step in STEPS {
            let what = format!("{mode:?}, {step:?}, time {nth}");
            // A restore happens once in a life, and only without a disk.
            let is_restore = matches!(step, Step::RestoreBegun | Step::RestoreVerified | Step::RestoreDone);
            if is_restore {
                machine.lose_disk();
            }
            machine.plan(Some((step, if is_restore { 1 } else { nth })));
            let acknowledged = test.end_one(machine.path(), nth);
            machine.note(acknowledged);
            machine.check_local(&what);
            machine.check(&what);
        }
    }
    let Machine { runtime, server, .. } = machine;
    runtime.block_on(server.stop());
}

#[test]
fn in_sync_mode_what_was_acknowledged_is_restored() {
    kill_again_and_again("in_sync_mode_what_was_acknowledged_is_restored", SyncMode::Sync);
}

#[test]
fn in_async_mode_what_is_restored_is_a_prefix() {
    kill_again_and_again("in_async_mode_what_is_restored_is_a_prefix", SyncMode::Async);
}

#[test]
fn ended_at_any_step_in_sync_mode_nothing_acknowledged_is_lost() {
    end_at_every_step("ended_at_any_step_in_sync_mode_nothing_acknowledged_is_lost", SyncMode::Sync);
}

#[test]
fn ended_at_any_step_in_async_mode_a_prefix_is_restored_and_the_file_has_it_all() {
    end_at_every_step("ended_at_any_step_in_async_mode_a_prefix_is_restored_and_the_file_has_it_all", SyncMode::Async);
}

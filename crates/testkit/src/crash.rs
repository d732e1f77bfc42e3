//! Kills a process with SIGKILL in the middle of its work, again and again.
//!
//! The test's own binary is the process: the parent starts it once more for the same test, the child
//! does work and reports each thing that was acknowledged, and the parent kills it at a random moment and
//! looks at what is left.
//!
//! ```no_run
//! use holdfast_testkit::crash::{CrashTest, Role};
//!
//! # fn open(_: &std::path::Path) -> Vec<String> { Vec::new() }
//! // #[test]
//! fn what_was_acknowledged_is_there() {
//!     let test = CrashTest::named("what_was_acknowledged_is_there"); // as `cargo test -- --list` shows it
//!     let folder = tempfile::tempdir().unwrap();
//!     match test.role() {
//!         Role::Child(child) => loop {
//!             // … write something below child.folder(), and only when it is acknowledged:
//!             child.acknowledge("what it was");
//!         },
//!         Role::Parent => {
//!             for round in 0..20 {
//!                 let acknowledged = test.kill_one(folder.path(), round);
//!                 let found = open(folder.path());
//!                 assert!(acknowledged.iter().all(|what| found.contains(what)));
//!             }
//!         }
//!     }
//! }
//! ```
//!
//! What a child acknowledged counts once its line is in the pipe, even when the kill follows at once: the
//! parent reads the pipe to its end. A child that ends on its own fails the test.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child as Process, Command, Stdio};
use std::time::Duration;

use crate::Dice;

const FOLDER: &str = "HOLDFAST_CRASH_FOLDER";
const ROUND: &str = "HOLDFAST_CRASH_ROUND";
const ROUNDS: &str = "HOLDFAST_CRASH_ROUNDS";
const MARK: &str = "acknowledged: ";
/// The kill comes after up to that many acknowledgements,
const MAX_ACKNOWLEDGED: u64 = 60;
/// and up to that much later.
const MAX_LATER_US: u64 = 3000;

/// A child that ends itself does so before.
const MOST_ACKNOWLEDGED: usize = 10_000;

/// A test that runs as parent and as child.
#[derive(Clone, Copy, Debug)]
pub struct CrashTest {
    name: &'static str,
}

/// What this process is to do.
#[derive(Debug)]
pub enum Role {
    /// Start children, kill them, look.
    Parent,
    /// Work until killed.
    Child(Child),
}

/// The process that will be killed.
#[derive(Debug)]
pub struct Child {
    folder: PathBuf,
    round: u64,
}

impl CrashTest {
    /// `name` is the test's full name (`module::test`), by which the child is started.
    pub fn named(name: &'static str) -> Self {
        Self { name }
    }

    /// Whether this process is the parent or a child.
    #[expect(clippy::disallowed_methods, reason = "the parent tells the child what it is by its environment")]
    pub fn role(&self) -> Role {
        match (std::env::var(FOLDER), std::env::var(ROUND).map(|round| round.parse())) {
            (Ok(folder), Ok(Ok(round))) => Role::Child(Child { folder: folder.into(), round }),
            _ => Role::Parent,
        }
    }

    /// How often to kill: `usual`, unless the variable `HOLDFAST_CRASH_ROUNDS` asks for another number.
    #[expect(clippy::disallowed_methods, reason = "the long form is asked for from outside")]
    pub fn rounds(&self, usual: u64) -> u64 {
        std::env::var(ROUNDS).ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(usual)
    }

    /// Starts a child on `folder`, kills it after a number of acknowledgements that `round` decides and a
    /// moment more, and gives everything that it acknowledged, in order.
    ///
    /// # Panics
    /// When the child can't be started, or ends before it is killed.
    pub fn kill_one(&self, folder: &Path, round: u64) -> Vec<String> {
        let mut dice = Dice::new(round);
        let kill_after = dice.below(MAX_ACKNOWLEDGED);
        let later = Duration::from_micros(dice.below(MAX_LATER_US));
        let mut child = self.start(folder, round);
        let mut acknowledged = Vec::new();
        let mut was_killed = false;
        let mut lines = BufReader::new(child.process.stdout.take().expect("the child's output is a pipe"));
        loop {
            if !was_killed && acknowledged.len() as u64 >= kill_after {
                std::thread::sleep(later); // the fault itself: any moment will do
                was_killed = child.process.kill().is_ok();
            }
            let mut line = String::new();
            let read = lines.read_line(&mut line).expect("the child's output can be read");
            if read == 0 {
                break;
            }
            // A line cut by the kill was not acknowledged to anybody.
            if let Some(what) = line.strip_suffix('\n').and_then(|line| line.strip_prefix(MARK)) {
                acknowledged.push(what.to_owned());
            }
        }
        let status = child.process.wait().expect("the child can be waited for");
        assert!(was_killed && status.code().is_none(), "round {round}: the child ended by itself with {status}");
        acknowledged
    }

    /// Starts a child on `folder` that ends itself at some place of its work, as a kill would, and gives
    /// everything that it acknowledged, in order.
    ///
    /// # Panics
    /// When the child can't be started, ends in another way, or acknowledges 10,000 things without ending.
    pub fn end_one(&self, folder: &Path, round: u64) -> Vec<String> {
        let mut child = self.start(folder, round);
        let mut acknowledged = Vec::new();
        let lines = BufReader::new(child.process.stdout.take().expect("the child's output is a pipe"));
        for line in lines.split(b'\n') {
            let line = String::from_utf8(line.expect("the child's output can be read")).expect("it is text");
            if let Some(what) = line.strip_prefix(MARK) {
                acknowledged.push(what.to_owned());
            }
            assert!(acknowledged.len() < MOST_ACKNOWLEDGED, "round {round}: the child never came to its end");
        }
        let status = child.process.wait().expect("the child can be waited for");
        assert!(status.code().is_none(), "round {round}: the child ended with {status}");
        acknowledged
    }

    /// Starts a child on `folder` that comes to the end of its work, and gives everything that it acknowledged, in
    /// order: another process, when a test needs one.
    ///
    /// # Panics
    /// When the child can't be started, or fails.
    pub fn run_one(&self, folder: &Path, round: u64) -> Vec<String> {
        let mut child = self.start(folder, round);
        let lines = BufReader::new(child.process.stdout.take().expect("the child's output is a pipe"));
        let lines = lines.lines().map(|line| line.expect("the child's output can be read"));
        let acknowledged = lines.filter_map(|line| line.strip_prefix(MARK).map(str::to_owned)).collect();
        let status = child.process.wait().expect("the child can be waited for");
        assert!(status.success(), "round {round}: the child ended with {status}");
        acknowledged
    }

    fn start(&self, folder: &Path, round: u64) -> Started {
        let process = Command::new(std::env::current_exe().expect("the test's binary has a path"))
            .args([self.name, "--exact", "--nocapture", "--include-ignored"])
            .env(FOLDER, folder)
            .env(ROUND, round.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the test's binary starts as a child");
        Started { process }
    }
}

/// A child that does not outlive a parent that fails.
struct Started {
    process: Process,
}

impl Drop for Started {
    fn drop(&mut self) {
        // It is dead already unless the parent panicked.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Child {
    /// Where to work.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Which round this is, as the parent counts them.
    pub fn round(&self) -> u64 {
        self.round
    }

    /// Says that something was acknowledged: one line, in the pipe when this returns.
    ///
    /// # Panics
    /// When `what` has more than one line, or the parent is gone.
    pub fn acknowledge(&self, what: &str) {
        assert!(!what.contains('\n'), "an acknowledgement is one line: {what:?}");
        // The line before may be the test runner's, unfinished; one write, so that lines never mix.
        let line = format!("\n{MARK}{what}\n");
        let mut out = std::io::stdout().lock();
        out.write_all(line.as_bytes()).and_then(|()| out.flush()).expect("the parent reads what is acknowledged");
    }
}

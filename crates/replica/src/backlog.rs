//! What is committed here and not stored there yet, and who waits for it.
//!
//! Invariants: commits are numbered from 1 in the order of commit; `stored` only grows; a commit is a
//! frame number, not its pages, which stay in the log until they are stored.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use holdfast_base::{Error, ErrorKind, Result};
use tokio::sync::{Notify, watch};

/// One local commit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LocalCommit {
    /// Which run of the log it is in; grows when the log starts again at its first frame.
    pub(crate) cycle: u64,
    /// Its last frame.
    pub(crate) frame: u32,
    pub(crate) committed_ms: u64,
    pub(crate) number: u64,
}

/// How far storing has come.
#[derive(Clone, Debug, Default)]
pub(crate) struct Progress {
    /// The last commit that is stored.
    pub(crate) stored: u64,
    /// How often all attempts of a round failed.
    pub(crate) failed_rounds: u64,
    /// The last failure, until something is stored again.
    pub(crate) failure: Option<Error>,
    /// Why nothing can be stored any more.
    pub(crate) fenced: Option<Error>,
}

#[derive(Debug, Default)]
struct State {
    commits: VecDeque<LocalCommit>,
    last: u64,
    stored_frame: u32,
}

/// Shared by the writer, which adds, and the shipper, which takes.
#[derive(Debug)]
pub(crate) struct Backlog {
    state: Mutex<State>,
    progress: watch::Sender<Progress>,
    /// Something was added, or somebody wants it stored at once.
    pub(crate) work: Notify,
    max_commits: usize,
    max_frames: u32,
    /// Whether one failure keeps writers out, as in sync mode; otherwise only a full backlog does.
    is_strict: bool,
}

impl Backlog {
    pub(crate) fn new(max_commits: usize, max_frames: u32, is_strict: bool) -> Self {
        Self {
            state: Mutex::default(),
            progress: watch::Sender::default(),
            work: Notify::new(),
            max_commits,
            max_frames,
            is_strict,
        }
    }

    /// Notes a commit and gives it its number.
    pub(crate) fn add(&self, cycle: u64, frame: u32, committed_ms: u64) -> u64 {
        let mut state = self.state();
        state.last += 1;
        let number = state.last;
        state.commits.push_back(LocalCommit { cycle, frame, committed_ms, number });
        drop(state);
        self.work.notify_one();
        number
    }

    /// The commits to store next: as many as fit into `max_frames` behind `from`, at least one.
    pub(crate) fn next(&self, from: u32, max_frames: u32) -> Vec<LocalCommit> {
        let state = self.state();
        let Some(first) = state.commits.front() else { return Vec::new() };
        let fits = |commit: &&LocalCommit| {
            commit.cycle == first.cycle
                && (commit.number == first.number || commit.frame.saturating_sub(from) <= max_frames)
        };
        state.commits.iter().take_while(fits).copied().collect()
    }

    /// Everything up to `number` is stored.
    pub(crate) fn stored(&self, number: u64) {
        let mut state = self.state();
        while let Some(commit) = state.commits.front().copied().filter(|commit| commit.number <= number) {
            state.stored_frame = commit.frame;
            state.commits.pop_front();
        }
        drop(state);
        self.progress.send_modify(|progress| {
            progress.stored = progress.stored.max(number);
            progress.failure = None;
        });
    }

    /// The log has started again at its first frame.
    pub(crate) fn restarted(&self) {
        self.state().stored_frame = 0;
    }

    /// The bucket takes what it is given.
    pub(crate) fn answered(&self) {
        self.progress.send_if_modified(|progress| progress.failure.take().is_some());
    }

    /// A round of attempts failed; more will follow.
    pub(crate) fn failed(&self, error: Error) {
        self.progress.send_modify(|progress| {
            progress.failed_rounds += 1;
            progress.failure = Some(error);
        });
    }

    /// Nothing can be stored any more.
    pub(crate) fn fence(&self, error: Error) {
        self.progress.send_modify(|progress| {
            progress.fenced.get_or_insert(error);
        });
        self.work.notify_one();
    }

    pub(crate) fn progress(&self) -> Progress {
        self.progress.borrow().clone()
    }

    /// The number of the last commit.
    pub(crate) fn last(&self) -> u64 {
        self.state().last
    }

    /// Frames that are not stored, and when the oldest of them was committed.
    pub(crate) fn lag(&self) -> (u32, Option<u64>) {
        let state = self.state();
        let frames = state.commits.back().map_or(0, |last| last.frame.saturating_sub(state.stored_frame));
        (frames, state.commits.front().map(|first| first.committed_ms))
    }

    fn is_full(&self) -> bool {
        let state = self.state();
        let frames = state.commits.back().map_or(0, |last| last.frame.saturating_sub(state.stored_frame));
        state.commits.len() >= self.max_commits || frames >= self.max_frames
    }

    /// Waits until commit `number` is stored, or a round of attempts fails.
    pub(crate) async fn wait_stored(&self, number: u64) -> Result<(), Error> {
        let mut progress = self.progress.subscribe();
        let rounds = progress.borrow().failed_rounds;
        let done = progress.wait_for(|now| now.stored >= number || now.fenced.is_some() || now.failed_rounds > rounds);
        let now = done.await.map_err(|_| Error::closed("the replica"))?.clone();
        if now.stored >= number {
            return Ok(());
        }
        Err(now.fenced.or(now.failure).unwrap_or_else(|| Error::internal("a round failed without an error")))
    }

    /// Waits for a round of attempts to fail from now on while `is_given_up`, and answers with its error.
    pub(crate) fn failed_while(&self, is_given_up: impl Fn() -> bool) -> impl Future<Output = Error> {
        let mut progress = self.progress.subscribe();
        let rounds = progress.borrow().failed_rounds;
        async move {
            let failed = progress.wait_for(|now| now.failed_rounds > rounds && is_given_up()).await;
            let failure = failed.ok().and_then(|now| now.failure.clone());
            failure.unwrap_or_else(|| Error::closed("the replica"))
        }
    }

    /// Waits until a writer may write: not fenced, room in the backlog, and in sync mode nothing failed that
    /// is not made good. Gives up when a round of attempts fails meanwhile.
    pub(crate) async fn wait_open(&self) -> Result<()> {
        let mut progress = self.progress.subscribe();
        let rounds = progress.borrow().failed_rounds;
        loop {
            let now = progress.borrow_and_update().clone();
            if let Some(fenced) = now.fenced {
                return Err(fenced);
            }
            let failed = self.is_strict && now.failure.is_some();
            if !failed && !self.is_full() {
                return Ok(());
            }
            if now.failed_rounds > rounds {
                let why = now.failure.map_or_else(String::new, |error| format!(": {error}"));
                let message = format!(
                    "nothing was written: earlier commits could not be replicated{why}. Try again when the bucket answers"
                );
                return Err(Error::new(ErrorKind::Connection, "REPLICATION_BEHIND", message));
            }
            progress.changed().await.map_err(|_| Error::closed("the replica"))?;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The error of a write that is committed here and not stored there.
pub(crate) fn not_replicated(why: &Error) -> Error {
    if why.kind() == ErrorKind::Locked {
        let message = format!("committed locally, and not part of the database any more: {why}");
        return Error::new(ErrorKind::Locked, why.code(), message);
    }
    let message = format!(
        "committed locally, not replicated: {why}. The commit is kept and shipped when the bucket answers; \
         don't repeat it"
    );
    Error::new(ErrorKind::Connection, "NOT_REPLICATED", message).retryable(false).with("cause", why.code())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(commits: &[LocalCommit]) -> Vec<u32> {
        commits.iter().map(|commit| commit.frame).collect()
    }

    #[test]
    fn what_queued_meanwhile_is_taken_together() {
        let backlog = Backlog::new(100, 1000, true);
        for frame in [2, 5, 9] {
            backlog.add(0, frame, 0);
        }
        assert_eq!(frames(&backlog.next(0, 100)), [2, 5, 9]);
        assert_eq!(frames(&backlog.next(0, 6)), [2, 5]);
        assert_eq!(frames(&backlog.next(0, 1)), [2], "a transaction larger than a segment is still taken");
    }

    #[test]
    fn commits_of_two_cycles_are_not_taken_together() {
        let backlog = Backlog::new(100, 1000, true);
        backlog.add(0, 7, 0);
        backlog.add(1, 3, 0);
        assert_eq!(frames(&backlog.next(0, 100)), [7]);
    }

    #[tokio::test]
    async fn a_failed_round_fails_those_who_wait_and_keeps_new_writers_out() {
        let backlog = Backlog::new(100, 1000, true);
        let number = backlog.add(0, 1, 0);
        let (waited, ()) = tokio::join!(backlog.wait_stored(number), async {
            backlog.failed(Error::new(ErrorKind::Connection, "REFUSED", "no"));
        });
        assert_eq!(waited.unwrap_err().code(), "REFUSED");
        let (open, ()) = tokio::join!(backlog.wait_open(), async {
            backlog.failed(Error::new(ErrorKind::Connection, "REFUSED", "no"));
        });
        assert_eq!(open.unwrap_err().code(), "REPLICATION_BEHIND");
        backlog.stored(number);
        backlog.wait_open().await.unwrap();
    }

    #[tokio::test]
    async fn a_full_backlog_makes_writers_wait_until_there_is_room() {
        let backlog = Backlog::new(2, 1000, true);
        backlog.add(0, 1, 0);
        let last = backlog.add(0, 2, 0);
        let (open, ()) = tokio::join!(backlog.wait_open(), async { backlog.stored(last) });
        open.unwrap();
    }

    #[tokio::test]
    async fn a_fence_is_final() {
        let backlog = Backlog::new(2, 1000, true);
        backlog.fence(Error::new(ErrorKind::Locked, "FENCED", "another"));
        backlog.stored(5);
        assert_eq!(backlog.wait_open().await.unwrap_err().code(), "FENCED");
    }
}

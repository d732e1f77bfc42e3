//! States that are kept and brought back, for tests.
//!
//! A snapshot has a copy of the index's rows and a second name (a hard link) for each data file. Data files never
//! change, so that neither costs a byte of copying. Snapshots last until the engine is closed.
//!
//! Keeping and bringing back happen while no write is under way: each write is wholly before or wholly after.

use std::collections::HashSet;
use std::io;
use std::sync::Arc;

use holdfast_base::{Error, ErrorKind};
use holdfast_sqlite::Work;
use holdfast_sqlite::rusqlite::Connection;

use super::chores::{do_now, finish_left_over};
use super::data_path::DataPath;
use super::index::chores::{self, Chore};
use super::index::snapshots::{self, Files};
use super::opening::Shared;
use super::uploads::remove_part_files;
use super::{Engine, Result};

/// A kept state of an [`Engine`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SnapshotId(i64);

impl Engine {
    /// Keeps everything as it is now: buckets with all that is set on them, objects, versions, uploads in parts.
    ///
    /// # Errors
    /// `Storage`; nothing is kept then.
    pub async fn snapshot(&self) -> Result<SnapshotId> {
        self.alone(|shared| {
            let number = shared.next_number();
            shared.files.create_snapshot(number)?;
            let keeping = Arc::clone(shared);
            let kept = shared.transaction(move |connection| {
                snapshots::keep(connection, number)?;
                let placed = |path| keeping.files.keep_object(number, &path).map_err(|error| lost(&error));
                let staged = |file| keeping.files.keep_staged(number, file).map_err(|error| lost(&error));
                snapshots::visit_files(connection, |path| Ok(placed(path)?), |file| Ok(staged(file)?))
            });
            if kept.is_err() {
                // What is left of it goes when the engine is opened again.
                let _ = shared.files.remove_snapshot(number);
            }
            kept.map(|()| SnapshotId(number))
        })
        .await
    }

    /// Brings a kept state back, as often as wanted. Bodies that are on their way in are refused afterwards; objects
    /// that are being read are read to their end.
    ///
    /// # Errors
    /// `Storage`: `SNAPSHOT_NOT_FOUND` when it was forgotten, or kept by another opening; nothing has changed.
    pub async fn restore(&self, snapshot: SnapshotId) -> Result<()> {
        self.alone(move |shared| bring_back(shared, snapshot.0)).await
    }

    /// Forgets a kept state; one that is forgotten already is fine.
    ///
    /// # Errors
    /// `Storage`.
    pub async fn forget_snapshot(&self, SnapshotId(number): SnapshotId) -> Result<()> {
        self.alone(move |shared| {
            shared.transaction(move |connection| snapshots::forget(connection, number))?;
            Ok(shared.files.remove_snapshot(number)?)
        })
        .await
    }
}

/// What a return to a snapshot changes on the disk.
#[derive(Default)]
struct Changes {
    /// After the commit, as any commit's.
    owed: Vec<Chore>,
    /// Objects' files whose bytes are a part of an upload again.
    parts_again: Vec<DataPath>,
    /// Files of parts that nobody names any more.
    parts_gone: Vec<i64>,
}

/// Blocks.
fn bring_back(shared: &Arc<Shared>, snapshot: i64) -> Result<()> {
    // An unlink that is still owed must not meet the file when it is back.
    finish_left_over(shared)?;
    let bringing = Arc::clone(shared);
    let changes = shared.transaction(move |connection| {
        if !snapshots::exists(connection, snapshot)? {
            return Err(not_found().into());
        }
        let (back, gone) = snapshots::differences(connection, snapshot)?;
        // Files first: what no row names yet is an orphan, and goes at the next open.
        let numbers = back.placed.iter().map(DataPath::number).chain(back.staged.iter().copied());
        for number in numbers {
            bringing.files.bring_back(snapshot, number).map_err(|error| lost(&error))?;
        }
        let changes = changes(back, gone);
        for chore in &changes.owed {
            chores::delete(connection, &[(chore.row_key().0, 0), (chore.row_key().0, 1)])?;
            chores::insert(connection, chore)?;
        }
        snapshots::bring_back(connection, snapshot)?;
        Ok(changes)
    })?;
    shared.begin_era();
    do_now(shared, &changes.owed);
    remove_part_files(shared, &changes.parts_gone);
    for path in &changes.parts_again {
        if let Err(error) = shared.files.remove_placed(path) {
            tracing::warn!(%error, "a file of the state before could not be unlinked; remove it by hand");
        }
    }
    Ok(())
}

/// A part becomes an object's file as it is, so that one file may be the one before and the other after.
fn changes(back: Files, gone: Files) -> Changes {
    let parts_back: HashSet<i64> = back.staged.iter().copied().collect();
    let placed_back: HashSet<i64> = back.placed.iter().map(DataPath::number).collect();
    let (parts_again, gone_for_good): (Vec<_>, Vec<_>) =
        gone.placed.into_iter().partition(|path| parts_back.contains(&path.number()));
    let owed = back.placed.into_iter().map(Chore::Place).chain(gone_for_good.into_iter().map(Chore::Remove)).collect();
    let parts_gone = gone.staged.into_iter().filter(|file| !placed_back.contains(file)).collect();
    Changes { owed, parts_again, parts_gone }
}

impl Shared {
    /// Runs `work` in a transaction that the database of the snapshots takes part in. Blocks.
    fn transaction<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Connection) -> Work<T> + Send + 'static,
    ) -> Result<T> {
        let shared = Arc::clone(self);
        let run = self.database.alone(move |connection| {
            snapshots::attach(connection, &shared.files.kept_index_path())?;
            connection.execute_batch("begin immediate")?;
            let done = shared.forget_done_chores(connection).and_then(|()| work(connection));
            // What failed is undone; the error that made it so is the one to tell.
            let ended = connection.execute_batch(if done.is_ok() { "commit" } else { "rollback" });
            let done = done?;
            ended?;
            Ok(done)
        });
        Ok(tokio::runtime::Handle::current().block_on(run)?)
    }
}

fn lost(error: &io::Error) -> Error {
    let message = format!("a data file can't be linked: {error}; was it removed by hand?");
    Error::new(ErrorKind::Integrity, "DATA_FILE_MISSING", message)
}

fn not_found() -> Error {
    let message = "the snapshot is not there: it was released, or its server was stopped since; take another";
    Error::new(ErrorKind::NotFound, "SNAPSHOT_NOT_FOUND", message)
}

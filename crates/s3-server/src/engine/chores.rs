//! What commits owe the files: done after each commit, and what a crash left at open.

use std::sync::Arc;

use super::data_files::DataFiles;
use super::folder::Touched;
use super::index::chores::{self, Chore};
use super::opening::Shared;
use super::{Durability, Result};

/// Unlinking a larger file takes a while.
pub(super) const MAX_QUICK_UNLINK_BYTES: u64 = 4 << 20;

/// What a commit owes the files.
pub(super) struct Owed {
    pub(super) chores: Vec<Chore>,
    /// Whether no large file is to be unlinked.
    pub(super) are_quick: bool,
}

/// How many rows are read, or files looked at, in one go at open.
const BATCH: usize = 1000;

/// Does the chores of a commit that stands. One that fails stays in the index for the next open; the
/// object can be read all the same. Blocks.
pub(super) fn do_now(shared: &Shared, owed: &[Chore]) {
    shared.note_done_chores(done(&shared.files, owed));
}

/// As [`do_now`], on a file thread where they are quick, and at once where no file is touched.
pub(super) async fn do_now_async(shared: &Arc<Shared>, owed: Owed) -> Result<()> {
    if owed.are_quick && shared.files.are_in_memory() {
        do_now(shared, &owed.chores);
        return Ok(());
    }
    let doing = Arc::clone(shared);
    if owed.are_quick && shared.files.durability() == Durability::Process {
        return shared.writers.run(move || do_now(&doing, &owed.chores)).await;
    }
    Ok(tokio::task::spawn_blocking(move || do_now(&doing, &owed.chores)).await?)
}

/// Does the chores that the last process left. Blocks.
pub(super) fn finish_left_over(shared: &Arc<Shared>) -> Result<()> {
    let mut after = (-1, 0);
    loop {
        let owed = shared.database.read(|connection| chores::list(connection, after, BATCH))?;
        let Some(last) = owed.last() else { return Ok(()) };
        after = last.row_key();
        do_now(shared, &owed);
        shared.write(|_| Ok(Ok(())))?;
    }
}

/// Unlinks what no commit ever named. Blocks.
pub(super) fn sweep_staging(shared: &Shared) -> Result<()> {
    for number in shared.files.left_in_staging()? {
        let number = number?;
        if !shared.database.read(|connection| chores::needs_staged(connection, number))? {
            remove_orphan(shared, number);
        }
    }
    Ok(())
}

fn remove_orphan(shared: &Shared, number: i64) {
    if let Err(error) = shared.files.remove_staged(number) {
        tracing::warn!(%error, "an orphan in the staging folder can't be unlinked; remove it by hand");
    }
}

/// Does them in order; gives the rows of those that are done for good.
fn done(files: &DataFiles, owed: &[Chore]) -> Vec<(i64, i64)> {
    let mut rows = Vec::with_capacity(owed.len());
    let mut touched = Touched::default();
    for chore in owed {
        let outcome = match chore {
            Chore::Place(path) => files.place(path, &mut touched),
            Chore::Remove(path) => files.remove(path, &mut touched),
        };
        match outcome {
            Ok(()) => rows.push(chore.row_key()),
            Err(error) => {
                tracing::warn!(%error, ?chore, "a file was not moved or unlinked; the next start tries again")
            }
        }
    }
    match files.sync_touched(&touched) {
        Ok(()) => rows,
        Err(error) => {
            tracing::warn!(%error, "moved files are not synced in their places; the next start tries again");
            Vec::new()
        }
    }
}

//! What commits owe the files: done after each commit, and what a crash left at open.

use std::sync::Arc;

use super::data_path::number_of;
use super::folder::Folder;
use super::index::chores::{self, Chore};
use super::{Engine, Result};

/// How many rows are read, or files looked at, in one go at open.
const BATCH: usize = 1000;

/// Does the chores of a commit that stands. One that fails stays in the index for the next open; the
/// object can be read all the same.
pub(super) async fn do_now(engine: &Engine, owed: Vec<Chore>) -> Result<()> {
    let shared = Arc::clone(&engine.0);
    tokio::task::spawn_blocking(move || shared.note_done_chores(done(&shared.folder, &owed))).await?;
    Ok(())
}

/// Does the chores that the last process left.
pub(super) async fn finish_left_over(engine: &Engine) -> Result<()> {
    let mut after = (-1, 0);
    loop {
        let owed = engine.read(move |connection| Ok(Ok(chores::list(connection, after, BATCH)?))).await?;
        let Some(last) = owed.last() else { break };
        after = last.row_key();
        do_now(engine, owed).await?;
        engine.write(|_| Ok(Ok(()))).await?;
    }
    Ok(())
}

/// Unlinks what no commit ever named.
pub(super) async fn sweep_staging(engine: &Engine) -> Result<()> {
    let shared = Arc::clone(&engine.0);
    tokio::task::spawn_blocking(move || {
        for entry in shared.folder.staged_entries()? {
            let name = entry?.file_name();
            // What isn't named like a file of ours is somebody else's.
            let Some(number) = name.to_str().and_then(number_of) else { continue };
            if !shared.database.read(|connection| chores::needs_staged(connection, number))? {
                shared.folder.remove_staged(number)?;
            }
        }
        Ok(())
    })
    .await?
}

/// Does them in order; gives the rows of those that succeeded.
fn done(folder: &Folder, owed: &[Chore]) -> Vec<(i64, i64)> {
    let mut rows = Vec::with_capacity(owed.len());
    for chore in owed {
        let outcome = match chore {
            Chore::Place(path) => folder.place(path),
            Chore::Remove(path) => folder.remove(path),
        };
        match outcome {
            Ok(()) => rows.push(chore.row_key()),
            Err(error) => {
                tracing::warn!(%error, ?chore, "a file could not be moved or unlinked; the next start tries again")
            }
        }
    }
    rows
}

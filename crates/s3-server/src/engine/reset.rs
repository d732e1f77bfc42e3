//! Everything goes at once.

use std::sync::Arc;

use super::chores::finish_left_over;
use super::index::chores::Chore;
use super::index::{buckets, chores, snapshots};
use super::opening::Shared;
use super::uploads::remove_part_files;
use super::{BucketInfo, Engine, EngineError, Result, is_valid_bucket_name};

/// Up to so many files are unlinked before the answer, more of them after it.
const MAX_FILES_AT_ONCE: usize = 500;

impl Engine {
    /// Removes every bucket with all that is in it, and makes these, in one commit. Bodies that are on their way in
    /// are refused afterwards; objects that are being read are read to their end. Only files that the index names
    /// are unlinked.
    ///
    /// # Errors
    /// `InvalidBucketName`, `Storage`: nothing has changed.
    pub async fn reset(&self, buckets: &[String], region: &str) -> Result<()> {
        if let Some(name) = buckets.iter().find(|name| !is_valid_bucket_name(name)) {
            return Err(EngineError::InvalidBucketName(name.clone()));
        }
        let made: Vec<BucketInfo> = buckets.iter().map(|name| self.new_bucket(name, region)).collect();
        let files = self.alone(move |shared| empty(shared, made)).await?;
        if files > MAX_FILES_AT_ONCE {
            let engine = self.clone();
            tokio::spawn(async move {
                if let Err(error) = engine.to_the_end(finish_left_over).await {
                    tracing::warn!(%error, "files of a reset could not be unlinked; the next start tries again");
                }
            });
        }
        Ok(())
    }
}

/// Gives how many objects' files go. Blocks.
fn empty(shared: &Arc<Shared>, made: Vec<BucketInfo>) -> Result<usize> {
    for bucket in &made {
        shared.files.create_bucket(&bucket.name)?;
    }
    let stay: Vec<String> = made.iter().map(|bucket| bucket.name.clone()).collect();
    let (gone, count, parts) = shared.write(move |connection| {
        let gone = buckets::names(connection)?;
        let (mut count, mut parts) = (0, Vec::new());
        let owe = |path| {
            count += 1;
            chores::insert(connection, &Chore::Remove(path))
        };
        let note = |file| {
            parts.push(file);
            Ok(())
        };
        snapshots::visit_files(connection, owe, note)?;
        snapshots::clear(connection)?;
        for bucket in &made {
            buckets::insert(connection, bucket)?;
        }
        Ok(Ok((gone, count, parts)))
    })?;
    shared.begin_era();
    remove_part_files(shared, &parts);
    if count <= MAX_FILES_AT_ONCE {
        finish_left_over(shared)?;
    }
    for name in gone.iter().filter(|name| !stay.contains(name)) {
        if let Err(error) = shared.files.remove_bucket(name) {
            tracing::debug!(%error, bucket = name, "the folder of a removed bucket still holds files");
        }
    }
    Ok(count)
}

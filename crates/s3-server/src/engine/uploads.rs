//! Uploads in parts: begun, found, listed, aborted.

use std::ops::ControlFlow;
use std::sync::Arc;

use holdfast_base::{Error, ErrorKind};
use holdfast_sqlite::Work;
use holdfast_sqlite::rusqlite::Connection;

use super::buckets::MAX_PAGE;
use super::data_path::id_of;
use super::index::uploads::StoredUpload;
use super::index::{buckets, parts, range_end, uploads};
use super::lists::Rule;
use super::opening::{Shared, no_such_bucket};
use super::puts::check_key;
use super::{Engine, EngineError, ObjectAttributes, Result, UploadEntry, UploadInfo, UploadPage, UploadQuery};

/// How many uploads one commit aborts at most.
const MAX_ABORTED: usize = 100;

impl Engine {
    /// Begins an upload in parts. Of `attributes`, the ETag and the checksum's value are not known yet.
    ///
    /// # Errors
    /// `NoSuchBucket`, `KeyTooLong`, `NoObjectLock` (the attributes bring a lock), `Storage`.
    pub async fn create_upload(&self, bucket: &str, key: &str, attributes: ObjectAttributes) -> Result<UploadInfo> {
        check_key(key)?;
        let number = self.0.next_number();
        let initiated_at_ms = self.0.clock.now_ms();
        let info = UploadInfo { id: new_upload_id(number)?, key: key.to_owned(), initiated_at_ms, attributes };
        let bucket = bucket.to_owned();
        self.to_the_end(move |shared| {
            shared.write(move |connection| {
                let Some(state) = buckets::state(connection, &bucket)? else { return no_such_bucket(&bucket) };
                if info.attributes.lock.is_some() && !state.has_object_lock {
                    return Ok(Err(EngineError::NoObjectLock));
                }
                let upload = StoredUpload { number, info };
                uploads::insert(connection, state.id, &upload)?;
                Ok(Ok(upload.info))
            })
        })
        .await
    }

    /// An upload that was begun and neither completed nor aborted.
    ///
    /// # Errors
    /// `NoSuchBucket`, `NoSuchUpload` (also when the key is another), `Storage`.
    pub async fn upload(&self, bucket: &str, key: &str, upload: &str) -> Result<UploadInfo> {
        let (bucket, key, upload) = (bucket.to_owned(), key.to_owned(), upload.to_owned());
        self.read(move |connection| Ok(find(connection, &bucket, &key, &upload)?.map(|found| found.info))).await
    }

    /// One page of uploads, by key, then by age.
    ///
    /// # Errors
    /// `NoSuchBucket`, `Storage`.
    pub async fn list_uploads(&self, bucket: &str, query: UploadQuery) -> Result<UploadPage> {
        let bucket = bucket.to_owned();
        self.read(move |connection| {
            let Some(id) = buckets::id(connection, &bucket)? else { return no_such_bucket(&bucket) };
            Ok(Ok(page(connection, id, &query)?))
        })
        .await
    }

    /// Ends an upload and discards its parts.
    ///
    /// # Errors
    /// `NoSuchBucket`, `NoSuchUpload`, `Storage`.
    pub async fn abort_upload(&self, bucket: &str, key: &str, upload: &str) -> Result<()> {
        let (bucket, key, upload) = (bucket.to_owned(), key.to_owned(), upload.to_owned());
        self.to_the_end(move |shared| {
            let files = shared.write(move |connection| match find_number(connection, &bucket, &key, &upload)? {
                Ok(number) => Ok(Ok(forget(connection, number)?)),
                Err(refusal) => Ok(Err(refusal)),
            })?;
            remove_part_files(shared, &files);
            Ok(())
        })
        .await
    }

    /// Aborts the oldest uploads begun before a time, at most 100 a call; how many. Call it until it says 0.
    ///
    /// # Errors
    /// `Storage`.
    pub async fn abort_uploads_before(&self, before_ms: u64) -> Result<usize> {
        self.to_the_end(move |shared| {
            abort_some(shared, move |connection| uploads::begun_before(connection, before_ms, MAX_ABORTED))
        })
        .await
    }
}

/// Aborts the uploads of a bucket that is no more.
pub(super) fn abort_uploads_of(shared: &Arc<Shared>, bucket: i64) -> Result<()> {
    while abort_some(shared, move |connection| uploads::of_bucket(connection, bucket, MAX_ABORTED))? > 0 {}
    Ok(())
}

/// Aborts the uploads whose numbers `which` gives; how many.
fn abort_some(
    shared: &Arc<Shared>,
    which: impl FnOnce(&Connection) -> Work<Vec<i64>> + Send + 'static,
) -> Result<usize> {
    let (count, files) = shared.write(move |connection| {
        let numbers = which(connection)?;
        let forgotten = numbers.iter().map(|number| forget(connection, *number)).collect::<Work<Vec<_>>>()?;
        Ok(Ok((numbers.len(), forgotten.concat())))
    })?;
    remove_part_files(shared, &files);
    Ok(count)
}

/// The upload, or S3's refusal.
pub(super) fn find(connection: &Connection, bucket: &str, key: &str, upload: &str) -> Work<Result<StoredUpload>> {
    let Some(id) = buckets::id(connection, bucket)? else { return no_such_bucket(bucket) };
    let found = uploads::find(connection, id, key, upload)?;
    Ok(found.ok_or_else(|| EngineError::NoSuchUpload(upload.to_owned())))
}

/// Only its number.
pub(super) fn find_number(connection: &Connection, bucket: &str, key: &str, upload: &str) -> Work<Result<i64>> {
    let Some(id) = buckets::id(connection, bucket)? else { return no_such_bucket(bucket) };
    let found = uploads::number(connection, id, key, upload)?;
    Ok(found.ok_or_else(|| EngineError::NoSuchUpload(upload.to_owned())))
}

/// Forgets an upload and its parts; gives the files that nobody names any more.
pub(super) fn forget(connection: &Connection, number: i64) -> Work<Vec<i64>> {
    let files = parts::files(connection, number)?;
    parts::delete(connection, number)?;
    uploads::delete(connection, number)?;
    Ok(files)
}

/// Unlinks files of parts that a commit forgot. What fails here is swept at the next open. Blocks.
pub(super) fn remove_part_files(shared: &Shared, files: &[i64]) {
    for file in files {
        if let Err(error) = shared.files.remove_staged(*file) {
            tracing::warn!(%error, "a part could not be unlinked; the next start sweeps it");
        }
    }
}

fn page(connection: &Connection, bucket: i64, query: &UploadQuery) -> Work<UploadPage> {
    let max = query.max.min(MAX_PAGE);
    if max == 0 {
        return Ok(UploadPage::default());
    }
    let rule = Rule { prefix: &query.prefix, delimiter: query.delimiter.as_deref().filter(|text| !text.is_empty()) };
    let end = range_end(&query.prefix);
    let mut entries = Vec::new();
    let (mut from, mut after_id) = match (&query.after_key, &query.after_upload) {
        (Some(key), Some(upload)) if key.as_str() >= query.prefix.as_str() => {
            (key.clone().into_bytes(), upload.as_str())
        }
        (key, _) => (rule.first_after(key.as_deref()), ""),
    };
    loop {
        let mut next = ControlFlow::Break(());
        uploads::walk(connection, bucket, (&from, after_id), &end, |upload| {
            if let Some(prefix) = rule.common_prefix(&upload.key) {
                next = ControlFlow::Continue(range_end(prefix));
                entries.push(UploadEntry::CommonPrefix(prefix.to_owned()));
                return false;
            }
            entries.push(UploadEntry::Upload(Box::new(upload)));
            entries.len() <= max
        })?;
        match next {
            ControlFlow::Continue(behind) if entries.len() <= max => (from, after_id) = (behind, ""),
            _ => break,
        }
    }
    let is_more = entries.len() > max;
    entries.truncate(max);
    let next = entries.last().filter(|_| is_more).map(|entry| match entry {
        UploadEntry::Upload(upload) => (upload.key.clone(), Some(upload.id.clone())),
        UploadEntry::CommonPrefix(prefix) => (prefix.clone(), None),
    });
    Ok(UploadPage { entries, next })
}

/// The number first, so that ids sort by age, then 80 bits that nobody guesses.
fn new_upload_id(number: i64) -> Result<String> {
    let mut secret = [0; 10];
    getrandom::fill(&mut secret).map_err(|error| {
        Error::new(ErrorKind::Io, "NO_RANDOMNESS", format!("the system gives no random bytes: {error}"))
    })?;
    let secret: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("{:0>13}{secret}", id_of(number)))
}

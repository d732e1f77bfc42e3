//! Parts of an upload: put and listed.

use super::buckets::MAX_PAGE;
use super::index::parts::{self, StoredPart};
use super::uploads::{find_number, remove_part_files};
use super::{Engine, EngineError, PartAttributes, PartInfo, PartPage, Result, Staged};

/// The highest number of a part, as S3 has it.
pub(super) const MAX_PART_NUMBER: u16 = 10_000;

impl Engine {
    /// Makes a staged body a part of an upload, over the one of that number. Runs to its end once begun.
    ///
    /// # Errors
    /// `InvalidArgument` (number), `NoSuchBucket`, `NoSuchUpload`, `Storage`. The body is discarded.
    pub async fn put_part(
        &self,
        (bucket, key, upload): (&str, &str, &str),
        number: u16,
        staged: Staged,
        attributes: PartAttributes,
    ) -> Result<PartInfo> {
        if !(1..=MAX_PART_NUMBER).contains(&number) {
            let message = format!("{number} is no part number; 1 to {MAX_PART_NUMBER} are possible");
            return Err(EngineError::InvalidArgument(message));
        }
        let (bucket, key, upload) = (bucket.to_owned(), key.to_owned(), upload.to_owned());
        let staged = staged.settled().await?;
        self.to_the_end(move |shared| {
            staged.check_era(shared)?;
            let file = staged.finish()?;
            let last_modified_ms = shared.clock.now_ms();
            let (info, replaced) = shared.write(move |connection| {
                let upload = match find_number(connection, &bucket, &key, &upload)? {
                    Ok(upload) => upload,
                    Err(refusal) => return Ok(Err(refusal)),
                };
                let info = PartInfo { number, size: file.len(), last_modified_ms, attributes };
                let part = StoredPart { file: file.number(), info };
                let replaced = parts::put(connection, upload, &part)?;
                file.keep();
                Ok(Ok((part.info, replaced)))
            })?;
            remove_part_files(shared, replaced.as_slice());
            Ok(info)
        })
        .await
    }

    /// One page of an upload's parts after a number.
    ///
    /// # Errors
    /// `NoSuchBucket`, `NoSuchUpload`, `Storage`.
    pub async fn list_parts(
        &self,
        (bucket, key, upload): (&str, &str, &str),
        after: u16,
        max: usize,
    ) -> Result<PartPage> {
        let (bucket, key, upload) = (bucket.to_owned(), key.to_owned(), upload.to_owned());
        let max = max.min(MAX_PAGE);
        self.read(move |connection| {
            let upload = match find_number(connection, &bucket, &key, &upload)? {
                Ok(upload) => upload,
                Err(refusal) => return Ok(Err(refusal)),
            };
            let mut parts = parts::list(connection, upload, after, max + 1)?;
            let is_more = parts.len() > max;
            parts.truncate(max);
            let next = parts.last().filter(|_| is_more).map(|part| part.number);
            Ok(Ok(PartPage { parts, next }))
        })
        .await
    }
}

//! Completion: the parts of an upload become one plain file, in one commit.

use std::io;
use std::sync::Arc;

use holdfast_sqlite::Work;
use holdfast_sqlite::rusqlite::Connection;

use super::chores::{Owed, do_now};
use super::encryption::sealed_bytes;
use super::index::parts::{self, StoredPart};
use super::opening::Shared;
use super::puts::{NewObject, commit};
use super::staged::StagedFile;
use super::uploads::{find, find_number, forget, remove_part_files};
use super::{
    CompletedPart, Condition, Engine, EngineError, EventOperation, ObjectAttributes, ObjectInfo, ObjectPart, PartInfo,
    Result, UploadInfo,
};

impl Engine {
    /// Makes an object of the named parts, in their order, and ends the upload. `attributes` says what the
    /// object is given, from the upload and those parts; it may refuse. Runs to its end once begun.
    ///
    /// # Errors
    /// `NoSuchBucket`, `NoSuchUpload`, `InvalidArgument` (no parts), `InvalidPart`, `InvalidPartOrder`,
    /// `EntityTooSmall`, `PreconditionFailed`, `NoSuchKey` (the condition wants an object), what
    /// `attributes` refuses with, `Storage`. The upload and its parts stay.
    pub async fn complete_upload(
        &self,
        (bucket, key, upload): (&str, &str, &str),
        named: Vec<CompletedPart>,
        attributes: impl FnOnce(&UploadInfo, &[PartInfo]) -> Result<ObjectAttributes> + Send + 'static,
        condition: Condition,
    ) -> Result<ObjectInfo> {
        let (bucket, key, upload) = (bucket.to_owned(), key.to_owned(), upload.to_owned());
        self.to_the_end(move |shared| {
            let id = (bucket.as_str(), key.as_str(), upload.as_str());
            let (info, chosen) =
                shared.database.read(|connection| chosen(connection, id, &named, shared.min_part_bytes))??;
            let of_parts: Vec<PartInfo> = chosen.iter().map(|part| part.info.clone()).collect();
            let attributes = ObjectAttributes { upload: Some(upload.clone()), ..attributes(&info, &of_parts)? };
            let file = join(shared, &chosen, attributes.encryption.is_some())?;
            let files: Vec<(i64, u16)> = chosen.iter().map(|part| (part.file, part.info.number)).collect();
            let operation = EventOperation::CompleteMultipartUpload;
            let object =
                NewObject { bucket, key, file, attributes, parts: object_parts(of_parts), condition, operation };
            let committing = Arc::clone(shared);
            let done =
                shared.write(move |connection| commit_upload(connection, &committing, object, &upload, &files))?;
            do_now(shared, &done.owed.chores);
            remove_part_files(shared, &done.forgotten);
            Ok(done.info)
        })
        .await
    }
}

/// What a committed completion leaves to do.
struct Completed {
    info: ObjectInfo,
    owed: Owed,
    /// Files of parts that nobody names any more.
    forgotten: Vec<i64>,
}

/// The upload and the parts that are named, when all is as S3 wants it.
fn chosen(
    connection: &Connection,
    (bucket, key, upload): (&str, &str, &str),
    named: &[CompletedPart],
    min_part_bytes: u64,
) -> Work<Result<(UploadInfo, Vec<StoredPart>)>> {
    let upload = match find(connection, bucket, key, upload)? {
        Ok(upload) => upload,
        Err(refusal) => return Ok(Err(refusal)),
    };
    if named.is_empty() {
        return Ok(Err(EngineError::InvalidArgument("no part is named; name at least one".to_owned())));
    }
    if !named.is_sorted_by(|before, after| before.number < after.number) {
        return Ok(Err(EngineError::InvalidPartOrder));
    }
    let mut chosen = Vec::with_capacity(named.len().min(usize::from(super::parts::MAX_PART_NUMBER)));
    for (place, wanted) in named.iter().enumerate() {
        let found = parts::find(connection, upload.number, wanted.number)?;
        let Some(part) = found.filter(|part| is_as_named(&part.info, wanted)) else {
            return Ok(Err(EngineError::InvalidPart(wanted.number)));
        };
        let size = part.info.size;
        if size < min_part_bytes && place + 1 < named.len() {
            return Ok(Err(EngineError::EntityTooSmall { number: wanted.number, size, min_bytes: min_part_bytes }));
        }
        chosen.push(part);
    }
    Ok(Ok((upload.info, chosen)))
}

fn is_as_named(part: &PartInfo, named: &CompletedPart) -> bool {
    let checksum = part.attributes.checksum.as_ref().map(|checksum| checksum.value.as_str());
    part.attributes.etag == named.etag && (named.checksum.is_none() || named.checksum.as_deref() == checksum)
}

/// One whole staged file of the parts' bytes, encrypted ones as they are. A single part is taken as it is. Blocks.
fn join(shared: &Shared, chosen: &[StoredPart], are_sealed: bool) -> Result<StagedFile> {
    if let [part] = chosen {
        return Ok(StagedFile::of_part(Arc::clone(&shared.files), part.file, part.info.size));
    }
    let mut whole = StagedFile::create(Arc::clone(&shared.files), shared.next_number(), None)?;
    for part in chosen {
        let size = part.info.size;
        let file_bytes = if are_sealed { sealed_bytes(size) } else { size };
        let copied = shared.files.open_staged(part.file).and_then(|file| whole.append_part(file, size));
        match copied {
            Ok(copied) if copied == file_bytes => {}
            Ok(_) => return Err(io::Error::other("a part's file is shorter than the index says").into()),
            // Replaced or aborted in the meantime.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(EngineError::InvalidPart(part.info.number));
            }
            Err(error) => return Err(error.into()),
        }
    }
    whole.close()?;
    Ok(whole)
}

/// The commit: the object is there and the upload is gone. Refuses when a part was replaced meanwhile.
fn commit_upload(
    connection: &Connection,
    shared: &Shared,
    object: NewObject,
    upload: &str,
    files: &[(i64, u16)],
) -> Work<Result<Completed>> {
    let number = match find_number(connection, &object.bucket, &object.key, upload)? {
        Ok(number) => number,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let present: std::collections::HashSet<i64> = parts::files(connection, number)?.into_iter().collect();
    if let Some((_, part)) = files.iter().find(|(file, _)| !present.contains(file)) {
        return Ok(Err(EngineError::InvalidPart(*part)));
    }
    let becomes_the_object = object.file.number();
    let (info, owed) = match commit(connection, shared, object)? {
        Ok(committed) => committed,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let mut forgotten = forget(connection, number)?;
    forgotten.retain(|file| *file != becomes_the_object);
    Ok(Ok(Completed { info, owed, forgotten }))
}

fn object_parts(parts: Vec<PartInfo>) -> Vec<ObjectPart> {
    let object_part = |part: PartInfo| ObjectPart {
        number: part.number,
        size: part.size,
        checksum: part.attributes.checksum.map(|checksum| checksum.value),
    };
    parts.into_iter().map(object_part).collect()
}

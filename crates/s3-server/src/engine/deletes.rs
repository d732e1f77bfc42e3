//! Deletes.

use holdfast_sqlite::Work;
use holdfast_sqlite::rusqlite::Connection;

use super::chores::{MAX_QUICK_UNLINK_BYTES, Owed, do_now, do_now_async};
use super::index::chores::{self, Chore};
use super::index::{buckets, objects};
use super::opening::no_such_bucket;
use super::puts::check_key;
use super::{Condition, Engine, EngineError, Result};

/// The most keys of one call, as S3 has it.
const MAX_KEYS: usize = 1000;

/// What a delete did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deleted {
    /// Whether an object was there.
    pub existed: bool,
}

impl Engine {
    /// Deletes the object of a key. One that isn't there is no error, unless the condition wants it.
    ///
    /// # Errors
    /// `NoSuchBucket`, `KeyTooLong`, `PreconditionFailed`, `NoSuchKey` (the condition wants an object), `Storage`.
    pub async fn delete(&self, bucket: &str, key: &str, condition: Condition) -> Result<Deleted> {
        check_key(key)?;
        let (bucket, key) = (bucket.to_owned(), key.to_owned());
        self.to_the_end_async(|shared| async move {
            let delete = move |connection: &_| {
                let Some(id) = buckets::id(connection, &bucket)? else { return no_such_bucket(&bucket) };
                delete_one(connection, id, &key, &condition)
            };
            let Some(owed) = shared.write_async(delete).await? else { return Ok(Deleted { existed: false }) };
            do_now_async(&shared, owed).await?;
            Ok(Deleted { existed: true })
        })
        .await
    }

    /// Deletes up to 1,000 keys in one commit; gives an answer for each, in their order.
    ///
    /// # Errors
    /// `NoSuchBucket`, `InvalidArgument` (too many keys), `Storage`: then none was deleted. A key of its own
    /// can only be `KeyTooLong` or empty.
    pub async fn delete_many(&self, bucket: &str, keys: Vec<String>) -> Result<Vec<Result<Deleted>>> {
        if keys.len() > MAX_KEYS {
            let count = keys.len();
            return Err(EngineError::InvalidArgument(format!("{count} keys given; at most {MAX_KEYS} are possible")));
        }
        let bucket = bucket.to_owned();
        self.to_the_end(move |shared| {
            let outcomes = shared.write(move |connection| {
                let Some(id) = buckets::id(connection, &bucket)? else { return no_such_bucket(&bucket) };
                let each = |key: &String| match check_key(key) {
                    Ok(()) => delete_one(connection, id, key, &Condition::Always),
                    Err(refusal) => Ok(Err(refusal)),
                };
                Ok(Ok(keys.iter().map(each).collect::<Work<Vec<_>>>()?))
            })?;
            let mut chores = Vec::new();
            let answer = |outcome: Result<Option<Owed>>| {
                outcome.map(|owed| {
                    let existed = owed.is_some();
                    chores.extend(owed.into_iter().flat_map(|owed| owed.chores));
                    Deleted { existed }
                })
            };
            let answers = outcomes.into_iter().map(answer).collect();
            do_now(shared, &chores);
            Ok(answers)
        })
        .await
    }
}

/// Deletes one row; gives what it owes the files, when there was one.
fn delete_one(connection: &Connection, bucket: i64, key: &str, condition: &Condition) -> Work<Result<Option<Owed>>> {
    let present = objects::present(connection, bucket, key)?;
    if let Err(refusal) = condition.check(key, present.as_ref().map(|present| present.etag.as_str())) {
        return Ok(Err(refusal));
    }
    let Some(present) = present else { return Ok(Ok(None)) };
    objects::delete(connection, bucket, key)?;
    let are_quick = present.size <= MAX_QUICK_UNLINK_BYTES;
    let chore = Chore::Remove(present.path);
    chores::insert(connection, &chore)?;
    Ok(Ok(Some(Owed { chores: vec![chore], are_quick })))
}

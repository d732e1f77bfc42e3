//! Buckets: made, found, listed, removed.

use std::sync::Arc;

use super::index::{buckets, documents, objects, versions};
use super::opening::{Shared, no_such_bucket};
use super::uploads::abort_uploads_of;
use super::{Engine, EngineError, Event, EventKind, EventOperation, Page, Result, Versioning, is_valid_bucket_name};

/// The most entries of one page.
pub(super) const MAX_PAGE: usize = 10_000;

/// A bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BucketInfo {
    /// Its name, also that of its folder.
    pub name: String,
    /// The region it was made for.
    pub region: String,
    /// When it was made, in milliseconds since the epoch.
    pub created_at_ms: u64,
    /// Whether it keeps what is replaced and deleted.
    pub versioning: Versioning,
    /// Whether versions in it can be locked; then versioning stays enabled.
    pub has_object_lock: bool,
    /// Its owner's canonical id; `None` is the server's own account.
    pub owner_id: Option<String>,
}

/// A bucket that is to be made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewBucket {
    /// Its name.
    pub name: String,
    /// The region it is made for.
    pub region: String,
    /// Its owner's canonical id; `None` is the server's own account.
    pub owner_id: Option<String>,
    /// Whether versions in it can be locked; then it has versioning from the start.
    pub has_object_lock: bool,
    /// Documents that it has from the first, by name.
    pub documents: Vec<(&'static str, String)>,
}

/// Whose buckets to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum BucketsOf {
    /// Everybody's.
    #[default]
    All,
    /// Those without an owner's id.
    OwnAccount,
    /// Those with that owner's id.
    Owner(String),
    /// Both of these.
    OwnAccountAnd(String),
}

impl Engine {
    /// Makes a bucket and its folder.
    ///
    /// # Errors
    /// `InvalidBucketName`, `BucketAlreadyOwnedByYou`, `Storage`.
    pub async fn create_bucket(&self, name: &str, region: &str) -> Result<BucketInfo> {
        let bucket = NewBucket { name: name.to_owned(), region: region.to_owned(), ..NewBucket::default() };
        self.make_bucket(bucket).await
    }

    /// As [`Engine::create_bucket`], with all that a bucket can be made with.
    ///
    /// # Errors
    /// `InvalidBucketName`, `BucketAlreadyOwnedByYou` (whoever owns it), `Storage`.
    pub async fn make_bucket(&self, new: NewBucket) -> Result<BucketInfo> {
        if !is_valid_bucket_name(&new.name) {
            return Err(EngineError::InvalidBucketName(new.name));
        }
        let mut bucket = BucketInfo { owner_id: new.owner_id, ..self.new_bucket(&new.name, &new.region) };
        if new.has_object_lock {
            bucket.has_object_lock = true;
            bucket.versioning = Versioning::Enabled;
        }
        self.to_the_end(move |shared| {
            shared.files.create_bucket(&bucket.name)?;
            let noting = Arc::clone(shared);
            shared.write(move |connection| {
                if buckets::id(connection, &bucket.name)?.is_some() {
                    return Ok(Err(EngineError::BucketAlreadyOwnedByYou(bucket.name)));
                }
                let id = buckets::insert(connection, &bucket)?;
                for (name, body) in &new.documents {
                    documents::set(connection, id, name, body)?;
                }
                noting.note_bucket(EventKind::BucketCreated, EventOperation::CreateBucket, &bucket.name);
                Ok(Ok(bucket))
            })
        })
        .await
    }

    /// A bucket as it is when it is made.
    pub(super) fn new_bucket(&self, name: &str, region: &str) -> BucketInfo {
        BucketInfo {
            name: name.to_owned(),
            region: region.to_owned(),
            created_at_ms: self.0.clock.now_ms(),
            versioning: Versioning::Never,
            has_object_lock: false,
            owner_id: None,
        }
    }

    /// Removes a bucket without objects, versions and delete markers, with its documents and its unfinished uploads.
    ///
    /// # Errors
    /// `NoSuchBucket`, `BucketNotEmpty`, `Storage`.
    pub async fn delete_bucket(&self, name: &str) -> Result<()> {
        let name = name.to_owned();
        self.to_the_end(move |shared| {
            let (bucket, noting) = (name.clone(), Arc::clone(shared));
            let id = shared.write(move |connection| {
                let Some(id) = buckets::id(connection, &bucket)? else { return no_such_bucket(&bucket) };
                if objects::exist(connection, id)? || versions::exist(connection, id)? {
                    return Ok(Err(EngineError::BucketNotEmpty(bucket)));
                }
                buckets::delete(connection, id)?;
                noting.note_bucket(EventKind::BucketRemoved, EventOperation::DeleteBucket, &bucket);
                Ok(Ok(id))
            })?;
            abort_uploads_of(shared, id)?;
            if let Err(error) = shared.files.remove_bucket(&name) {
                tracing::info!(%error, "the folder of a deleted bucket holds foreign files and stays");
            }
            Ok(())
        })
        .await
    }

    /// Turns versioning on, or suspends it. Objects from before are null versions from then on.
    ///
    /// # Errors
    /// `NoSuchBucket`, `KeepsVersioning` (object lock is on), `Storage`.
    pub async fn set_versioning(&self, bucket: &str, is_enabled: bool) -> Result<()> {
        let bucket = bucket.to_owned();
        self.to_the_end(move |shared| {
            shared.write(move |connection| {
                let Some(state) = buckets::state(connection, &bucket)? else { return no_such_bucket(&bucket) };
                if state.has_object_lock && !is_enabled {
                    return Ok(Err(EngineError::KeepsVersioning));
                }
                buckets::set_versioning(connection, state.id, is_enabled)?;
                Ok(Ok(()))
            })
        })
        .await
    }

    /// One bucket. Answered on the calling thread: the row is a page that stays in memory.
    ///
    /// # Errors
    /// `NoSuchBucket`, `Storage`.
    pub async fn bucket(&self, name: &str) -> Result<BucketInfo> {
        let found = self.0.database.read(|connection| buckets::find(connection, name))?;
        found.ok_or_else(|| EngineError::NoSuchBucket(name.to_owned()))
    }

    /// One page of buckets by name.
    ///
    /// # Errors
    /// `Storage`.
    pub async fn list_buckets(&self, after: Option<&str>, prefix: &str, max: usize) -> Result<Page<BucketInfo>> {
        self.list_buckets_of(BucketsOf::All, after, prefix, max).await
    }

    /// One page of somebody's buckets by name.
    ///
    /// # Errors
    /// `Storage`.
    pub async fn list_buckets_of(
        &self,
        whose: BucketsOf,
        after: Option<&str>,
        prefix: &str,
        max: usize,
    ) -> Result<Page<BucketInfo>> {
        let after = after.unwrap_or_default().to_owned();
        let prefix = prefix.to_owned();
        let max = max.min(MAX_PAGE);
        self.read(move |connection| {
            let mut items = buckets::list(connection, &whose, &after, &prefix, max + 1)?;
            let is_more = items.len() > max;
            items.truncate(max);
            let next = items.last().filter(|_| is_more).map(|bucket| bucket.name.clone());
            Ok(Ok(Page { items, next }))
        })
        .await
    }
}

impl Shared {
    fn note_bucket(&self, kind: EventKind, operation: EventOperation, name: &str) {
        let (bucket, at_ms) = (name.to_owned(), self.clock.now_ms());
        self.events.note(|| Event { kind, operation, bucket, key: None, size: None, etag: None, version: None, at_ms });
    }
}

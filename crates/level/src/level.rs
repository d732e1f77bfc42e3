//! A database in a bucket.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use holdfast_base::{Error, ErrorKind, KeyRange, Result};
use holdfast_s3_client::{Bucket, Client, ClientSettings, ListRequest};

use crate::batch_log::BatchLog;
use crate::failure::level_error;
use crate::journal::JournalPlace;
use crate::objects::Objects;
use crate::{Condition, FormatMarker, IteratorOptions, KeyFormat, Layout, LevelIterator, Location, Operation};

const BATCH_PATIENCE_MS: u64 = 5000;

/// How to open a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LevelSettings {
    /// Where it is.
    pub location: Location,
    /// The layout: `None` for whatever is there, and objects where nothing is.
    pub layout: Option<Layout>,
    /// How keys are written: `None` for whatever is there, and UTF-8 where nothing is.
    pub key_format: Option<KeyFormat>,
    /// Makes the bucket and the database where they are missing. Default true.
    pub create_if_missing: bool,
    /// Refuses a database that is there. Default false.
    pub error_if_exists: bool,
    /// How many milliseconds a batch of another process may stand before its process counts as dead and the batch is
    /// completed in its place. Default 5,000.
    pub batch_patience_ms: u64,
}

impl LevelSettings {
    /// Opens what is at a location, or makes it.
    pub fn new(location: Location) -> Self {
        Self {
            location,
            layout: None,
            key_format: None,
            create_if_missing: true,
            error_if_exists: false,
            batch_patience_ms: BATCH_PATIENCE_MS,
        }
    }
}

/// Which keys to delete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClearOptions {
    /// The keys.
    pub range: KeyRange,
    /// From the last to the first; matters with a limit.
    pub reverse: bool,
    /// Most keys; `None` for all.
    pub limit: Option<u64>,
}

/// A database in a bucket. Clones share it.
#[derive(Clone, Debug)]
pub struct Level {
    objects: Objects,
    batches: BatchLog,
    closed: Arc<AtomicBool>,
}

impl Level {
    /// A client for databases at one endpoint, which they share. Sends nothing.
    ///
    /// # Errors
    /// `Config` with code `LEVEL_INVALID_OPTION`.
    pub fn connect(settings: ClientSettings) -> Result<Client> {
        Client::new(settings).map_err(level_error)
    }

    /// Opens a database: two requests for one that is there, three for a new one. A batch that another process left
    /// half done is completed first; one that seems to be under way is waited for.
    ///
    /// # Errors
    /// `NotFound` (code `LEVEL_BUCKET_NOT_FOUND`, `LEVEL_DATABASE_NOT_FOUND`), `Conflict` (code
    /// `LEVEL_DATABASE_EXISTS`), `Config` (code `LEVEL_LAYOUT_MISMATCH`), `Capability` (code
    /// `LEVEL_NOT_SUPPORTED`), `Integrity` (code `LEVEL_FORMAT_UNKNOWN`), `Connection` (code
    /// `LEVEL_ACCESS_DENIED`, `LEVEL_CONNECTION_FAILED`), `Timeout`. Nothing is written then.
    pub async fn open(client: &Client, settings: &LevelSettings) -> Result<Self> {
        let marker = open_marker(client, settings).await.map_err(level_error)?;
        marker.check(settings.layout, settings.key_format)?;
        refuse_lsm(marker.layout)?;
        let location = &settings.location;
        let bucket = client.bucket(location.bucket(), location.prefix()).map_err(level_error)?;
        let objects = Objects { bucket, format: marker.key_format };
        let place = JournalPlace::new(client.bucket(location.bucket(), "").map_err(level_error)?, location);
        let batches = BatchLog::new(place, settings.batch_patience_ms);
        batches.give_way(&objects).await.map_err(level_error)?;
        Ok(Self { objects, batches, closed: Arc::new(AtomicBool::new(false)) })
    }

    /// Deletes a database with all of its data; the bucket stays. One that is not there is no error.
    ///
    /// # Errors
    /// `Connection`, `Timeout`.
    pub async fn destroy(client: &Client, location: &Location) -> Result<()> {
        let root = client.bucket(location.bucket(), "").map_err(level_error)?;
        let bucket = client.bucket(location.bucket(), location.prefix()).map_err(level_error)?;
        let objects = Objects { bucket, format: KeyFormat::Utf8 };
        let all = ClearOptions { range: KeyRange::all(), reverse: false, limit: None };
        let batches = BatchLog::new(JournalPlace::new(root.clone(), location), BATCH_PATIENCE_MS);
        let level = Self { objects, batches, closed: Arc::new(AtomicBool::new(false)) };
        match level.clear(all).await {
            Err(error) if error.code() == "LEVEL_BUCKET_NOT_FOUND" => return Ok(()),
            outcome => outcome?,
        }
        level.batches.clear().await.map_err(level_error)?;
        FormatMarker::remove(&root, location).await.map_err(level_error)
    }

    /// A value, or `None`.
    ///
    /// # Errors
    /// `Validation` (code `LEVEL_INVALID_KEY`), `Connection`, `Timeout`, `Closed`; so for all that follow.
    pub async fn get(&self, key: &[u8]) -> Result<Option<Bytes>> {
        self.settled().await?.get(key).await
    }

    /// A value with its ETag, for a conditional write after it.
    ///
    /// # Errors
    /// As [`Level::get`].
    pub async fn get_with_etag(&self, key: &[u8]) -> Result<Option<(Bytes, String)>> {
        self.settled().await?.get_with_etag(key).await
    }

    /// The values of many keys, in their order.
    ///
    /// # Errors
    /// As [`Level::get`].
    pub async fn get_many(&self, keys: &[Vec<u8>]) -> Result<Vec<Option<Bytes>>> {
        self.settled().await?.get_many(keys).await
    }

    /// Whether each of many keys is there, in their order.
    ///
    /// # Errors
    /// As [`Level::get`].
    pub async fn has_many(&self, keys: &[Vec<u8>]) -> Result<Vec<bool>> {
        self.settled().await?.has_many(keys).await
    }

    /// Stores a value; gives back its ETag.
    ///
    /// # Errors
    /// As [`Level::get`]; `Conflict` (code `LEVEL_CONFLICT`) when the condition does not hold, and code
    /// `LEVEL_OUTCOME_UNKNOWN` when a conditional write got no verdict.
    pub async fn put(&self, key: &[u8], value: Bytes, condition: &Condition) -> Result<String> {
        self.settled().await?.put(key, value, condition).await
    }

    /// Deletes a key; one that is not there is no error without `if_match`, an ETag.
    ///
    /// # Errors
    /// As [`Level::put`].
    pub async fn del(&self, key: &[u8], if_match: Option<&str>) -> Result<()> {
        self.settled().await?.del(key, if_match).await
    }

    /// Applies many writes, 64 in flight; of several to one key the last counts. When it fails, or its process dies,
    /// all of them are there after the next call or the next opening, or none. Readers in between may see some.
    ///
    /// # Errors
    /// As [`Level::get`]; a key that can't be stored is refused before anything is sent. Code `LEVEL_OUTCOME_UNKNOWN`
    /// when it is not known which of the two it is.
    pub async fn batch(&self, operations: Vec<Operation>) -> Result<()> {
        let objects = self.settled().await?;
        let writes = objects.merged(operations)?;
        let written = match writes.len() {
            0 => return Ok(()),
            // One write is whole as it is.
            1 => objects.apply(&writes.into_journal()).await,
            _ => self.batches.write(objects, writes).await,
        };
        written.map_err(level_error)
    }

    /// A cursor over a range. Sends nothing until it is read.
    ///
    /// # Errors
    /// `Closed`.
    pub fn iterator(&self, options: IteratorOptions) -> Result<LevelIterator> {
        Ok(LevelIterator::new(self.open_objects()?.clone(), self.batches.clone(), options))
    }

    /// Deletes a range, a thousand keys in a request.
    ///
    /// # Errors
    /// As [`Level::get`]; some keys may be deleted then.
    pub async fn clear(&self, options: ClearOptions) -> Result<()> {
        let objects = self.settled().await?.clone();
        let ClearOptions { range, reverse, limit } = options;
        let mut doomed = LevelIterator::new(
            objects.clone(),
            self.batches.clone(),
            IteratorOptions { range, reverse, limit, values: false, page_keys: None },
        );
        loop {
            let page = doomed.next_page(1000, usize::MAX).await?;
            if page.entries.is_empty() {
                return Ok(());
            }
            let keys = page.entries.iter().map(|entry| objects.object_key(&entry.key)).collect::<Result<Vec<_>>>()?;
            objects.bucket.delete_many(&keys).await.map_err(level_error)?;
        }
    }

    /// The requests sent since the client was made, by kind.
    pub fn stats(&self) -> BTreeMap<String, u64> {
        self.objects.bucket.client().stats().by_operation()
    }

    /// Closes it: calls after this one fail. Requests under way go on.
    pub fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }

    /// The objects, once no batch of this database is half done.
    async fn settled(&self) -> Result<&Objects> {
        let objects = self.open_objects()?;
        self.batches.settle(objects).await.map_err(level_error)?;
        Ok(objects)
    }

    fn open_objects(&self) -> Result<&Objects> {
        if self.closed.load(Ordering::Acquire) {
            return Err(level_error(Error::closed("the database")));
        }
        Ok(&self.objects)
    }
}

async fn open_marker(client: &Client, settings: &LevelSettings) -> Result<FormatMarker> {
    refuse_lsm(settings.layout.unwrap_or_default())?;
    let location = &settings.location;
    let root = client.bucket(location.bucket(), "")?;
    let found = match FormatMarker::load(&root, location).await {
        Err(error) if error.code() == "NO_SUCH_BUCKET" && settings.create_if_missing => {
            client.create_bucket(location.bucket()).await?;
            None
        }
        outcome => outcome?,
    };
    if settings.error_if_exists && (found.is_some() || has_data(&root, location).await?) {
        let message = format!("the database {location} exists already; open it without errorIfExists");
        return Err(Error::new(ErrorKind::Conflict, "LEVEL_DATABASE_EXISTS", message));
    }
    match found {
        Some(marker) => Ok(marker),
        None => new_marker(&root, settings).await,
    }
}

/// The marker of a location that has none: what s3leveldown left, a new database, or a whole bucket.
async fn new_marker(root: &Bucket, settings: &LevelSettings) -> Result<FormatMarker> {
    let location = &settings.location;
    let wanted = FormatMarker::new(Layout::Objects, settings.key_format.unwrap_or_default());
    let may_exist = !wanted.is_plain() || !settings.create_if_missing;
    if may_exist && has_data(root, location).await? {
        // Unmarked data is plain data: the check that follows refuses any other wish.
        return FormatMarker::new(Layout::Objects, KeyFormat::Utf8).store(root, location).await;
    }
    if !settings.create_if_missing && !location.is_whole_bucket() {
        let message = format!("the database {location} does not exist; open it with createIfMissing to make it");
        return Err(Error::new(ErrorKind::NotFound, "LEVEL_DATABASE_NOT_FOUND", message));
    }
    wanted.store(root, location).await
}

async fn has_data(root: &Bucket, location: &Location) -> Result<bool> {
    let request = ListRequest { prefix: location.prefix().to_owned(), max_keys: Some(1), ..ListRequest::default() };
    Ok(!root.list(&request).await?.objects.is_empty())
}

fn refuse_lsm(layout: Layout) -> Result<()> {
    match layout {
        Layout::Objects => Ok(()),
        Layout::Lsm => {
            let message = "layout \"lsm\" comes with a later release; use \"objects\"";
            Err(Error::new(ErrorKind::Capability, "LEVEL_NOT_SUPPORTED", message))
        }
    }
}

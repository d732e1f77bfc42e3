//! A database in a bucket.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use holdfast_base::{Error, ErrorKind, KeyRange, Result};
use holdfast_s3_client::{Bucket, Client, ClientSettings};

use crate::batch_log::BatchLog;
use crate::failure::level_error;
use crate::journal::JournalPlace;
use crate::lsm::{Lsm, read_only};
use crate::objects::Objects;
use crate::opening::open_marker;
use crate::view::{State, View, settled};
use crate::{Condition, FormatMarker, IteratorOptions, KeyFormat, Layout, LevelIterator, Location, Operation};

const BATCH_PATIENCE_MS: u64 = 5000;
const REFRESH_MS: u64 = 2000;
/// Keys that are deleted in one piece when a range is.
const CLEAR_KEYS: usize = 1000;

/// How to open a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LevelSettings {
    /// Where it is.
    pub location: Location,
    /// The layout: `None` for whatever is there; where nothing is, the tree, or objects when a key format is given.
    pub layout: Option<Layout>,
    /// How keys are written: `None` for whatever is there, and UTF-8 where nothing is.
    pub key_format: Option<KeyFormat>,
    /// Makes the bucket and the database where they are missing; a reader makes nothing. Default true.
    pub create_if_missing: bool,
    /// Refuses a database that is there. Default false.
    pub error_if_exists: bool,
    /// How many milliseconds a batch of another process may stand before its process counts as dead and the batch is
    /// completed in its place. Default 5,000.
    pub batch_patience_ms: u64,
    /// Opens a database for reading alone, one of the lsm layout beside its writer. Default false.
    pub read_only: bool,
    /// How many milliseconds a reader may lag behind its writer, before the time that requests take. Default 2,000.
    pub refresh_ms: u64,
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
            read_only: false,
            refresh_ms: REFRESH_MS,
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
    engine: Engine,
    bucket: Bucket,
    closed: Arc<AtomicBool>,
}

#[derive(Clone, Debug)]
enum Engine {
    Objects { objects: Objects, batches: BatchLog, read_only: bool },
    Lsm(Arc<Lsm>),
}

impl Level {
    /// A client for databases at one endpoint, which they share. Sends nothing.
    ///
    /// # Errors
    /// `Config` with code `LEVEL_INVALID_OPTION`.
    pub fn connect(settings: ClientSettings) -> Result<Client> {
        Client::new(settings).map_err(level_error)
    }

    /// Opens a database. In the objects layout that takes two requests, four for a new one; a batch that another
    /// process left half done is completed first, and one that seems to be under way is waited for. In the lsm layout
    /// whoever had it open for writing before writes no more.
    ///
    /// # Errors
    /// `NotFound` (code `LEVEL_BUCKET_NOT_FOUND`, `LEVEL_DATABASE_NOT_FOUND`), `Conflict` (code
    /// `LEVEL_DATABASE_EXISTS`), `Config` (code `LEVEL_LAYOUT_MISMATCH`), `Integrity` (code `LEVEL_FORMAT_UNKNOWN`,
    /// `LEVEL_CORRUPTION`), `Connection` (code `LEVEL_ACCESS_DENIED`, `LEVEL_CONNECTION_FAILED`), `Timeout`. Nothing is
    /// written then.
    pub async fn open(client: &Client, settings: &LevelSettings) -> Result<Self> {
        check(settings)?;
        let create_if_missing = settings.create_if_missing && !settings.read_only;
        let settings = &LevelSettings { create_if_missing, ..settings.clone() };
        let marker = open_marker(client, settings).await.map_err(level_error)?;
        marker.check(settings.layout, settings.key_format)?;
        Self::open_as(client, settings, &marker).await
    }

    /// Opens a database without keeping others from writing to it.
    pub(crate) async fn open_to_read(client: &Client, settings: &LevelSettings) -> Result<Self> {
        let marker = open_marker(client, settings).await.map_err(level_error)?;
        // Half a batch of objects has to be completed before anything is copied.
        let read_only = marker.layout == Layout::Lsm;
        Self::open_as(client, &LevelSettings { read_only, ..settings.clone() }, &marker).await
    }

    /// Opens what a marker describes.
    pub(crate) async fn open_as(client: &Client, settings: &LevelSettings, marker: &FormatMarker) -> Result<Self> {
        let location = &settings.location;
        let bucket = client.bucket(location.bucket(), location.prefix()).map_err(level_error)?;
        let engine = match marker.layout {
            Layout::Objects => {
                let objects = Objects { bucket: bucket.clone(), format: marker.key_format };
                let place = JournalPlace::new(client.bucket(location.bucket(), "").map_err(level_error)?, location);
                let batches = BatchLog::new(place, settings.batch_patience_ms);
                let read_only = settings.read_only;
                if !read_only {
                    batches.give_way(&objects).await.map_err(level_error)?;
                }
                Engine::Objects { objects, batches, read_only }
            }
            Layout::Lsm if settings.read_only => {
                let refresh = Duration::from_millis(settings.refresh_ms);
                Engine::Lsm(Arc::new(Lsm::open_reader(bucket.clone(), refresh).await?))
            }
            Layout::Lsm => Engine::Lsm(Arc::new(Lsm::open(bucket.clone()).await?)),
        };
        Ok(Self { engine, bucket, closed: Arc::default() })
    }

    /// Deletes a database with all of its data, whatever its layout; the bucket stays. One that is not there is no
    /// error.
    ///
    /// # Errors
    /// `Connection`, `Timeout`.
    pub async fn destroy(client: &Client, location: &Location) -> Result<()> {
        let root = client.bucket(location.bucket(), "").map_err(level_error)?;
        let bucket = client.bucket(location.bucket(), location.prefix()).map_err(level_error)?;
        let objects = Objects { bucket: bucket.clone(), format: KeyFormat::Utf8 };
        let all = ClearOptions { range: KeyRange::all(), reverse: false, limit: None };
        let batches = BatchLog::new(JournalPlace::new(root.clone(), location), BATCH_PATIENCE_MS);
        let level = Self {
            engine: Engine::Objects { objects, batches: batches.clone(), read_only: false },
            bucket,
            closed: Arc::default(),
        };
        match level.clear(all, &level.view()?).await {
            Err(error) if error.code() == "LEVEL_BUCKET_NOT_FOUND" => return Ok(()),
            outcome => outcome?,
        }
        batches.clear().await.map_err(level_error)?;
        FormatMarker::remove(&root, location).await.map_err(level_error)
    }

    /// How the data is laid out.
    pub fn layout(&self) -> Layout {
        match &self.engine {
            Engine::Objects { .. } => Layout::Objects,
            Engine::Lsm(_) => Layout::Lsm,
        }
    }

    /// Whether reads see the state at the moment they begin, and snapshots can be taken.
    pub fn has_snapshots(&self) -> bool {
        matches!(&self.engine, Engine::Lsm(lsm) if lsm.has_snapshots())
    }

    /// What reads see from now on. In the lsm layout that is the state at this moment, and taking it sends nothing.
    ///
    /// # Errors
    /// `Closed`; `Locked` with code `LEVEL_LOCKED` when another process took the database over.
    pub fn view(&self) -> Result<View> {
        Ok(View(match self.open_engine()? {
            Engine::Objects { objects, batches, .. } => {
                State::Objects { objects: objects.clone(), batches: batches.clone() }
            }
            Engine::Lsm(lsm) => State::Lsm(lsm.view()?),
        }))
    }

    /// A value, or `None`.
    ///
    /// # Errors
    /// As [`View::get`] and [`Level::view`]; so for all that follow.
    pub async fn get(&self, key: &[u8]) -> Result<Option<Bytes>> {
        self.view()?.get(key).await
    }

    /// A value with its ETag, for a conditional write after it; in the objects layout.
    ///
    /// # Errors
    /// As [`Level::get`]; `Capability` with code `LEVEL_NOT_SUPPORTED`.
    pub async fn get_with_etag(&self, key: &[u8]) -> Result<Option<(Bytes, String)>> {
        match self.open_engine()? {
            Engine::Objects { objects, batches, .. } => settled(objects, batches).await?.get_with_etag(key).await,
            Engine::Lsm(_) => Err(no_conditions()),
        }
    }

    /// The values of many keys, in their order.
    ///
    /// # Errors
    /// As [`Level::get`].
    pub async fn get_many(&self, keys: &[Vec<u8>]) -> Result<Vec<Option<Bytes>>> {
        self.view()?.get_many(keys).await
    }

    /// Whether each of many keys is there, in their order.
    ///
    /// # Errors
    /// As [`Level::get`].
    pub async fn has_many(&self, keys: &[Vec<u8>]) -> Result<Vec<bool>> {
        self.view()?.has_many(keys).await
    }

    /// Stores a value; gives back its ETag, which is empty in the lsm layout.
    ///
    /// # Errors
    /// As [`Level::get`]; `Conflict` (code `LEVEL_CONFLICT`) when the condition does not hold, and code
    /// `LEVEL_OUTCOME_UNKNOWN` when a write got no verdict; `Capability` with code `LEVEL_NOT_SUPPORTED` for a
    /// condition in the lsm layout, and `LEVEL_READONLY`.
    pub async fn put(&self, key: &[u8], value: Bytes, condition: &Condition) -> Result<String> {
        match self.writable()? {
            Engine::Objects { objects, batches, .. } => {
                settled(objects, batches).await?.put(key, value, condition).await
            }
            Engine::Lsm(lsm) if *condition == Condition::Always => {
                lsm.write(vec![Operation::Put { key: key.to_vec(), value }], true).await.map(|()| String::new())
            }
            Engine::Lsm(_) => Err(no_conditions()),
        }
    }

    /// Deletes a key; one that is not there is no error without `if_match`, an ETag.
    ///
    /// # Errors
    /// As [`Level::put`].
    pub async fn del(&self, key: &[u8], if_match: Option<&str>) -> Result<()> {
        match self.writable()? {
            Engine::Objects { objects, batches, .. } => settled(objects, batches).await?.del(key, if_match).await,
            Engine::Lsm(lsm) if if_match.is_none() => lsm.write(vec![Operation::Del { key: key.to_vec() }], true).await,
            Engine::Lsm(_) => Err(no_conditions()),
        }
    }

    /// Applies many writes; of several to one key the last counts.
    ///
    /// In the objects layout 64 are in flight. When it fails, or its process dies, all of them are there after the next
    /// call or the next opening, or none. Readers in between may see some.
    ///
    /// In the lsm layout all of them are there or none, for all readers. Without `sync` they are acknowledged at once
    /// and stored within 100 ms, together with all before them.
    ///
    /// # Errors
    /// As [`Level::get`]; a key that can't be stored is refused before anything is sent. Code `LEVEL_OUTCOME_UNKNOWN`
    /// when it is not known which of the two it is; `Capability` with code `LEVEL_READONLY`.
    pub async fn batch(&self, operations: Vec<Operation>, sync: bool) -> Result<()> {
        let (objects, batches) = match self.writable()? {
            Engine::Objects { objects, batches, .. } => (settled(objects, batches).await?, batches),
            Engine::Lsm(lsm) => return lsm.write(operations, sync).await,
        };
        let writes = objects.merged(operations)?;
        let written = match writes.len() {
            0 => return Ok(()),
            // One write is whole as it is.
            1 => objects.apply(&writes.into_journal()).await,
            _ => batches.write(objects, writes).await,
        };
        written.map_err(level_error)
    }

    /// Applies writes that may be repeated when they fail: stored, but not as one.
    pub(crate) async fn load(&self, operations: Vec<Operation>) -> Result<()> {
        match self.writable()? {
            Engine::Objects { objects, .. } => {
                objects.apply(&objects.merged(operations)?.into_journal()).await.map_err(level_error)
            }
            Engine::Lsm(lsm) => lsm.write(operations, true).await,
        }
    }

    /// A cursor over a range. Sends nothing until it is read.
    ///
    /// # Errors
    /// As [`Level::view`].
    pub fn iterator(&self, options: IteratorOptions) -> Result<LevelIterator> {
        Ok(self.view()?.iterator(options))
    }

    /// Deletes the keys of a range that a view has, a thousand at a time.
    ///
    /// # Errors
    /// As [`Level::get`]; some keys may be deleted then.
    pub async fn clear(&self, options: ClearOptions, view: &View) -> Result<()> {
        let ClearOptions { range, reverse, limit } = options;
        let options = IteratorOptions { range, reverse, limit, values: false, page_keys: None };
        let mut doomed = view.iterator(options);
        loop {
            let page = doomed.next_page(CLEAR_KEYS, usize::MAX).await?;
            let last = page.entries.len() < CLEAR_KEYS;
            match self.writable()? {
                _ if page.entries.is_empty() => return Ok(()),
                Engine::Objects { objects, .. } => {
                    let keys = page.entries.iter().map(|entry| objects.object_key(&entry.key));
                    let keys = keys.collect::<Result<Vec<_>>>()?;
                    objects.bucket.delete_many(&keys).await.map_err(level_error)?;
                }
                Engine::Lsm(lsm) => {
                    let dels = page.entries.into_iter().map(|entry| Operation::Del { key: entry.key });
                    // What comes last is waited for, and everything before it is stored with it.
                    lsm.write(dels.collect(), last).await?;
                    if last {
                        return Ok(());
                    }
                }
            }
        }
    }

    /// The requests sent since the client was made, by kind.
    pub fn stats(&self) -> BTreeMap<String, u64> {
        self.bucket.client().stats().by_operation()
    }

    /// Closes it: calls after this one fail. In the objects layout requests under way go on; in the lsm layout all that
    /// was written is stored first.
    ///
    /// # Errors
    /// `Connection`, `Timeout`; it is closed all the same.
    pub async fn close(&self) -> Result<()> {
        match (self.closed.swap(true, Ordering::AcqRel), &self.engine) {
            (false, Engine::Lsm(lsm)) => lsm.close().await,
            _ => Ok(()),
        }
    }

    /// The engine, when it may be written to; a reader of the lsm layout refuses by itself.
    fn writable(&self) -> Result<&Engine> {
        match self.open_engine()? {
            Engine::Objects { read_only: true, .. } => Err(read_only()),
            engine => Ok(engine),
        }
    }

    fn open_engine(&self) -> Result<&Engine> {
        if self.closed.load(Ordering::Acquire) {
            return Err(level_error(Error::closed("the database")));
        }
        Ok(&self.engine)
    }
}

fn check(settings: &LevelSettings) -> Result<()> {
    let invalid = |message: &str| Err(Error::new(ErrorKind::Config, "LEVEL_INVALID_OPTION", message));
    match settings {
        LevelSettings { layout: Some(Layout::Lsm), key_format: Some(_), .. } => {
            invalid("keyFormat is for layout \"objects\"; in layout \"lsm\" keys are any bytes")
        }
        LevelSettings { refresh_ms: ..100, .. } => invalid("refreshInterval is less than 100 milliseconds"),
        _ => Ok(()),
    }
}

fn no_conditions() -> Error {
    let message = "conditions and ETags are for layout \"objects\"; in layout \"lsm\" one process alone writes";
    Error::new(ErrorKind::Capability, "LEVEL_NOT_SUPPORTED", message)
}

//! An engine: opened, swept, closed.

use std::fmt;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use holdfast_base::Clock;
use holdfast_sqlite::rusqlite::Connection;
use holdfast_sqlite::{Database, Settings, Synchronous, Work};
use tokio::runtime::Handle;
use tokio::sync::RwLock;

use super::chores::{finish_left_over, sweep_staging};
use super::clean_slate::remove_all_buckets;
use super::data_files::DataFiles;
use super::encryption::{MasterKeyFile, Sealer};
use super::file_threads::FileThreads;
use super::folder::Folder;
use super::index::{self, buckets, chores};
use super::memory_files::MemoryFiles;
use super::predecessor;
use super::{DataKey, Durability, EngineError, EngineSettings, Event, Events, Result, Staged};

/// Numbers that one opening may give before it would meet those of the next: 4 million millions.
const NUMBERS_OF_A_GENERATION: i64 = 1 << 42;

/// Of each connection; beyond it the system's page cache serves.
const INDEX_CACHE_KIB: u32 = 2048;

/// More of them only wait for each other: they change the same folders.
const MAX_WRITERS: usize = 4;
/// As many as read from a slow disk at the same time. Each may hold a connection to the index.
const MAX_READERS: usize = 8;
/// After that many pages of 4 KiB in its log the index is checkpointed; SQLite's own 1,000 are reached often.
const CHECKPOINT_PAGES: i64 = 4000;

/// Buckets and objects in one directory. Clones share it.
#[derive(Clone)]
pub struct Engine(pub(super) Arc<Shared>);

/// What the clones share.
pub(super) struct Shared {
    pub(super) database: Database,
    pub(super) files: Arc<DataFiles>,
    pub(super) master_key: MasterKeyFile,
    /// For short writes, renames and unlinks.
    pub(super) writers: FileThreads,
    /// For the index and for reading files.
    pub(super) readers: Arc<FileThreads>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) min_part_bytes: u64,
    pub(super) events: Events,
    /// The next file's or commit's number. Never given twice, not even by another opening.
    next_number: AtomicI64,
    /// Rows of chores that are done; the next write deletes them.
    done_chores: Mutex<Vec<(i64, i64)>>,
    /// Held shared by each write to its end, and alone by what concerns everything (`close`, `reset`, …).
    writes: Arc<RwLock<()>>,
    /// Grows when everything is replaced: a body that was begun before is not put after.
    era: AtomicU64,
}

impl Engine {
    /// Opens the directory, making it where missing; finishes what a crash left undone.
    ///
    /// # Errors
    /// `Storage`: `DIRECTORY_IN_USE` when another process has it open, `PERMISSION_DENIED`, `DISK_FULL`,
    /// `Integrity` when the index is corrupt, foreign or newer.
    pub async fn open(settings: EngineSettings) -> Result<Self> {
        let opened = tokio::task::spawn_blocking(move || -> Result<_> {
            let (files, mut of_index) = open_files(&settings)?;
            // The readers' own, one for completions and one for each thread that answers where it is asked.
            of_index.max_readers = MAX_READERS + 1 + Handle::current().metrics().num_workers();
            of_index.cache_kib = INDEX_CACHE_KIB;
            of_index.has_stable_plans = true;
            if settings.durability == Durability::Disk {
                of_index.synchronous = Synchronous::Full;
            }
            Ok((Database::open(&of_index, index::SCHEMA)?, Arc::new(files), settings))
        });
        let (database, files, settings) = opened.await??;
        database.alone(checkpoint_less_often).await?;
        let generation = database.write(next_generation).await?;
        let engine = Self(Arc::new(Shared {
            database,
            master_key: MasterKeyFile::new(files.master_key_path()),
            files,
            writers: FileThreads::new(MAX_WRITERS),
            readers: Arc::new(FileThreads::new(MAX_READERS)),
            clock: settings.clock,
            min_part_bytes: settings.min_part_bytes,
            events: Events::default(),
            next_number: AtomicI64::new(generation * NUMBERS_OF_A_GENERATION),
            done_chores: Mutex::default(),
            writes: Arc::default(),
            era: AtomicU64::new(0),
        }));
        if engine.0.files.folder().is_some_and(Folder::is_taking_over) {
            let (region, is_policy) = (settings.region.clone(), settings.is_policy);
            let take_over = move |shared: &Arc<Shared>| {
                finish_left_over(shared)?;
                let Some(folder) = shared.files.folder() else { return Ok(()) };
                predecessor::take_over(shared, folder, is_policy, &region)?;
                Ok(folder.end_take_over()?)
            };
            if let Err(error) = engine.to_the_end(take_over).await {
                engine.close().await;
                return Err(error);
            }
        }
        if settings.clean_slate {
            engine.to_the_end(remove_all_buckets).await?;
        }
        engine.to_the_end(finish_left_over).await?;
        engine.to_the_end(|shared| sweep_staging(shared)).await?;
        Ok(engine)
    }

    /// Lets the writes in flight finish, then closes. Calls after it fail with `CLOSED`. Twice is fine.
    pub async fn close(&self) {
        let _alone = self.0.writes.write().await;
        let shared = Arc::clone(&self.0);
        // Rows left here are done once more at the next open, which changes nothing.
        let _ = self.0.database.write(move |connection| shared.forget_done_chores(connection)).await;
        self.0.writers.close();
        self.0.readers.close();
        self.0.database.close().await;
        if let Err(error) = self.0.files.clear_snapshots() {
            tracing::info!(%error, "snapshots could not be removed; the next start does it");
        }
        self.0.files.unlock();
    }

    /// What its commits change, for one listener.
    pub fn events(&self) -> &Events {
        &self.0.events
    }

    /// Begins a body for an object or a part.
    ///
    /// # Errors
    /// `NoSuchBucket`.
    pub async fn stage(&self, bucket: &str) -> Result<Staged> {
        self.stage_with(bucket, None)
    }

    /// Begins a body that is encrypted: of an object put in one piece, or of the part of that number.
    ///
    /// # Errors
    /// `NoSuchBucket`, `Storage`.
    pub async fn stage_sealed(&self, bucket: &str, key: &DataKey, part: Option<u16>) -> Result<Staged> {
        self.stage_with(bucket, Some(Box::new(Sealer::new(key, part)?)))
    }

    fn stage_with(&self, bucket: &str, sealer: Option<Box<Sealer>>) -> Result<Staged> {
        let found = self.0.database.read(|connection| buckets::id(connection, bucket))?;
        found.ok_or_else(|| EngineError::NoSuchBucket(bucket.to_owned()))?;
        Ok(Staged::new(Arc::clone(&self.0.files), self.0.next_number(), self.0.era(), sealer))
    }

    /// Runs a write on one blocking thread, to its end even when its caller goes away: what a commit owes
    /// the files is not left for the next open just because a client hung up.
    pub(super) async fn to_the_end<T: Send + 'static>(
        &self,
        write: impl FnOnce(&Arc<Shared>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let in_flight = Arc::clone(&self.0.writes).read_owned().await;
        let shared = Arc::clone(&self.0);
        let running = tokio::task::spawn_blocking(move || {
            let _in_flight = in_flight;
            write(&shared)
        });
        running.await?
    }

    /// As [`Engine::to_the_end`], for a write that waits without a thread.
    pub(super) async fn to_the_end_async<T: Send + 'static, F: Future<Output = Result<T>> + Send + 'static>(
        &self,
        write: impl FnOnce(Arc<Shared>) -> F + Send + 'static,
    ) -> Result<T> {
        let in_flight = Arc::clone(&self.0.writes).read_owned().await;
        let write = write(Arc::clone(&self.0));
        let running = tokio::spawn(async move {
            let _in_flight = in_flight;
            write.await
        });
        running.await?
    }

    /// Runs `work` on one blocking thread, to its end, while no write is under way.
    pub(super) async fn alone<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Arc<Shared>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let alone = Arc::clone(&self.0.writes).write_owned().await;
        let shared = Arc::clone(&self.0);
        let running = tokio::task::spawn_blocking(move || {
            let _alone = alone;
            work(&shared)
        });
        running.await?
    }

    /// Runs `work` with a connection to the index on a reader.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Work<Result<T>> + Send + 'static,
    ) -> Result<T> {
        let database = self.0.database.clone();
        self.0.readers.run(move || database.read(work)).await??
    }
}

impl Shared {
    /// Runs `work` in a write transaction, together with the deletion of done chores; answers after the
    /// commit. A refusal (`Ok(Err(_))`) must come before any change, since it does not undo one.
    pub(super) async fn write_async<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Connection) -> Work<Result<T>> + Send + 'static,
    ) -> Result<T> {
        let (shared, telling) = (Arc::clone(self), Arc::clone(self));
        let work = move |connection: &Connection| {
            shared.forget_done_chores(connection)?;
            // What a piece of work noted that failed is nobody's.
            drop(shared.events.take_noted());
            Ok((work(connection)?, shared.events.take_noted()))
        };
        let tell = move |(_, events): &mut (Result<T>, Vec<Event>)| telling.events.tell(std::mem::take(events));
        self.database.write_then(work, tell).await?.0
    }

    /// As [`Shared::write_async`]; blocks until the commit.
    pub(super) fn write<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Connection) -> Work<Result<T>> + Send + 'static,
    ) -> Result<T> {
        Handle::current().block_on(self.write_async(work))
    }

    /// A number for a file, a commit or an upload.
    pub(super) fn next_number(&self) -> i64 {
        self.next_number.fetch_add(1, Ordering::Relaxed)
    }

    /// Which of the states that replaced each other is the present one. It stays while a write is under way.
    pub(super) fn era(&self) -> u64 {
        self.era.load(Ordering::Acquire)
    }

    /// Said by who has replaced everything: bodies that were begun before belong to the state before.
    pub(super) fn begin_era(&self) {
        self.era.fetch_add(1, Ordering::AcqRel);
    }

    /// Remembers rows of chores for deletion.
    pub(super) fn note_done_chores(&self, rows: impl IntoIterator<Item = (i64, i64)>) {
        self.done_chores.lock().unwrap_or_else(PoisonError::into_inner).extend(rows);
    }

    /// Deletes the rows of done chores.
    pub(super) fn forget_done_chores(&self, connection: &Connection) -> Work<()> {
        let done = std::mem::take(&mut *self.done_chores.lock().unwrap_or_else(PoisonError::into_inner));
        chores::delete(connection, &done)
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("files", &self.0.files).finish_non_exhaustive()
    }
}

/// The data files, and where the index is. Blocks.
fn open_files(settings: &EngineSettings) -> Result<(DataFiles, Settings)> {
    if let Some(max_bytes) = settings.max_memory_bytes {
        return Ok((DataFiles::Memory(MemoryFiles::new(max_bytes)), Settings::in_memory()));
    }
    // Readers open the index when they are first needed: the working folder may be another by then.
    let directory = std::path::absolute(&settings.directory)?;
    let folder = Folder::open(&directory, settings.durability)?;
    folder.clear_snapshots()?;
    if !folder.index_path().exists() && predecessor::is_in(&directory)? {
        folder.begin_take_over()?;
    }
    let of_index = Settings::new(folder.index_path());
    Ok((DataFiles::Folder(folder), of_index))
}

/// A checkpoint syncs, and all writes wait for it.
fn checkpoint_less_often(connection: &Connection) -> Work<()> {
    connection.pragma_update_and_check(None, "wal_autocheckpoint", CHECKPOINT_PAGES, |_| Ok(()))?;
    Ok(())
}

fn next_generation(connection: &Connection) -> Work<i64> {
    Ok(connection
        .query_row("update engine set generation = generation + 1 returning generation", [], |row| row.get(0))?)
}

/// The refusal for a bucket that isn't there.
pub(super) fn no_such_bucket<T>(name: &str) -> Work<Result<T>> {
    Ok(Err(EngineError::NoSuchBucket(name.to_owned())))
}

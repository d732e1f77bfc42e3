//! A bucket in memory with faults, and a replica on it.
#![allow(dead_code)]

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::{StreamExt, TryStreamExt, stream};
use holdfast_base::{Error, ErrorKind, ManualClock, Result};
use holdfast_replica::{
    ByteStream, Event, KeyPage, KeyQuery, ListedKey, Outcome, Point, Replica, ReplicaSettings, ReplicaStore, Rows,
    Statement, StoredObject, StoredSegment, SyncMode, Value,
};
use tempfile::TempDir;
use tokio::sync::Semaphore;

/// What happens to the next put of a key that contains `part`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Not stored, and an error.
    Drop,
    /// Stored, and an error.
    StoreThenDrop,
}

#[derive(Debug, Default)]
struct Inside {
    objects: BTreeMap<String, (Bytes, String)>,
    faults: VecDeque<(String, Fault)>,
    puts: Vec<String>,
    gets: Vec<String>,
    removed: Vec<(String, Bytes)>,
    requests: usize,
    etags: u64,
    is_down: bool,
}

/// Atomic, like a real bucket; clones share it.
#[derive(Clone, Debug)]
pub struct MemoryStore {
    inside: Arc<Mutex<Inside>>,
    /// Puts of segments take one of these; take them away to hold puts back.
    pub gate: Arc<Semaphore>,
    /// Each chunk of a snapshot takes one of these.
    pub chunks: Arc<Semaphore>,
    /// Honour conditions; a bucket that does not is what start-up must notice.
    is_conditional: bool,
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self { inside: Arc::default(), gate: open(), chunks: open(), is_conditional: true }
    }
}

impl MemoryStore {
    pub fn without_conditions() -> Self {
        Self { is_conditional: false, ..Self::default() }
    }

    /// The same bucket, reached by another way.
    pub fn with_gate_of_its_own(&self) -> Self {
        Self { gate: open(), chunks: open(), ..self.clone() }
    }

    pub fn fault(&self, part: &str, fault: Fault) {
        self.inside.lock().unwrap().faults.push_back((part.to_owned(), fault));
    }

    pub fn set_down(&self, is_down: bool) {
        self.inside.lock().unwrap().is_down = is_down;
    }

    pub fn keys(&self, part: &str) -> Vec<String> {
        self.inside.lock().unwrap().objects.keys().filter(|key| key.contains(part)).cloned().collect()
    }

    pub fn bytes(&self, key: &str) -> Bytes {
        self.inside.lock().unwrap().objects[key].0.clone()
    }

    pub fn set(&self, key: &str, bytes: impl Into<Bytes>) {
        let mut inside = self.inside.lock().unwrap();
        inside.etags += 1;
        let etag = inside.etags.to_string();
        inside.objects.insert(key.to_owned(), (bytes.into(), etag));
    }

    /// Another bucket with what is in this one now.
    pub fn copied(&self) -> Self {
        let copy = Self::default();
        copy.inside.lock().unwrap().objects = self.inside.lock().unwrap().objects.clone();
        copy.inside.lock().unwrap().etags = self.inside.lock().unwrap().etags;
        copy
    }

    pub fn remove(&self, key: &str) {
        self.inside.lock().unwrap().objects.remove(key).unwrap();
    }

    pub fn puts(&self, part: &str) -> usize {
        self.inside.lock().unwrap().puts.iter().filter(|key| key.contains(part)).count()
    }

    pub fn gets(&self, part: &str) -> usize {
        self.inside.lock().unwrap().gets.iter().filter(|key| key.contains(part)).count()
    }

    /// What was removed by [`ReplicaStore::remove`].
    pub fn removed(&self) -> Vec<(String, Bytes)> {
        self.inside.lock().unwrap().removed.clone()
    }

    /// How many requests there were.
    pub fn requests(&self) -> usize {
        self.inside.lock().unwrap().requests
    }

    fn put(&self, key: &str, bytes: Bytes, allowed: impl Fn(Option<&str>) -> bool) -> Result<Outcome> {
        let mut inside = self.inside.lock().unwrap();
        inside.requests += 1;
        if inside.is_down {
            return Err(refused());
        }
        inside.puts.push(key.to_owned());
        let at = inside.faults.iter().position(|(part, _)| key.contains(part));
        let fault = at.and_then(|at| inside.faults.remove(at)).map(|(_, fault)| fault);
        if fault == Some(Fault::Drop) {
            return Err(refused());
        }
        let there = inside.objects.get(key).map(|(_, etag)| etag.as_str());
        if self.is_conditional && !allowed(there) {
            return Ok(Outcome::Refused);
        }
        inside.etags += 1;
        let etag = inside.etags.to_string();
        inside.objects.insert(key.to_owned(), (bytes, etag.clone()));
        if fault == Some(Fault::StoreThenDrop) { Err(refused()) } else { Ok(Outcome::Done(etag)) }
    }
}

fn open() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(1_000_000))
}

fn refused() -> Error {
    Error::new(ErrorKind::Connection, "REFUSED", "the bucket is down")
}

impl ReplicaStore for MemoryStore {
    fn create<'a>(&'a self, key: &'a str, bytes: Bytes) -> BoxFuture<'a, Result<Outcome>> {
        Box::pin(async move {
            if key.ends_with(".seg") {
                self.gate.acquire().await.unwrap().forget();
            }
            self.put(key, bytes, |there| there.is_none())
        })
    }

    fn replace<'a>(&'a self, key: &'a str, bytes: Bytes, etag: &'a str) -> BoxFuture<'a, Result<Outcome>> {
        Box::pin(async move { self.put(key, bytes, |there| there == Some(etag)) })
    }

    fn put_stream<'a>(&'a self, key: &'a str, body: ByteStream) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let mut body = body;
            let mut chunks = Vec::new();
            while let Some(chunk) = body.try_next().await? {
                self.chunks.acquire().await.unwrap().forget();
                chunks.push(chunk);
            }
            self.put(key, chunks.concat().into(), |_| true).map(drop)
        })
    }

    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<StoredObject>>> {
        Box::pin(async move {
            let mut inside = self.inside.lock().unwrap();
            inside.requests += 1;
            inside.gets.push(key.to_owned());
            if inside.is_down {
                return Err(refused());
            }
            Ok(inside.objects.get(key).map(|(bytes, etag)| StoredObject { bytes: bytes.clone(), etag: etag.clone() }))
        })
    }

    fn get_stream<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<ByteStream>>> {
        Box::pin(async move {
            let Some(object) = self.get(key).await? else { return Ok(None) };
            let chunks: Vec<Result<Bytes>> =
                object.bytes.chunks(10_000).map(|chunk| Ok(Bytes::copy_from_slice(chunk))).collect();
            Ok(Some(stream::iter(chunks).boxed()))
        })
    }

    fn delete<'a>(&'a self, key: &'a str, etag: &'a str) -> BoxFuture<'a, Result<Outcome>> {
        Box::pin(async move {
            let mut inside = self.inside.lock().unwrap();
            if inside.objects.get(key).is_none_or(|(_, there)| there != etag) {
                return Ok(Outcome::Refused);
            }
            inside.objects.remove(key);
            Ok(Outcome::Done(String::new()))
        })
    }

    fn remove<'a>(&'a self, keys: &'a [String]) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let mut inside = self.inside.lock().unwrap();
            if inside.is_down {
                return Err(refused());
            }
            inside.requests += 1;
            for key in keys {
                let removed = inside.objects.remove(key);
                inside.removed.extend(removed.map(|(bytes, _)| (key.clone(), bytes)));
            }
            Ok(())
        })
    }

    fn abort_uploads<'a>(&'a self, _before_ms: u64) -> BoxFuture<'a, Result<u64>> {
        Box::pin(async { Ok(0) })
    }

    fn list<'a>(&'a self, query: &'a KeyQuery) -> BoxFuture<'a, Result<KeyPage>> {
        Box::pin(async move {
            let mut inside = self.inside.lock().unwrap();
            inside.requests += 1;
            if inside.is_down {
                return Err(refused());
            }
            let mut page = KeyPage::default();
            let after = query.continuation.as_ref().or(query.after.as_ref());
            for key in inside.objects.keys().filter(|key| key.starts_with(&query.prefix)) {
                let entry = match key[query.prefix.len()..].find('/').filter(|_| query.folders) {
                    Some(slash) => &key[..=query.prefix.len() + slash],
                    None => key,
                };
                if after.is_some_and(|after| entry <= after.as_str())
                    || page.folders.last().is_some_and(|last| last == entry)
                {
                    continue;
                }
                // Small pages, so that going on with the next one is tried as well.
                if page.keys.len() + page.folders.len() == 3 {
                    page.next = page.keys.last().map(|listed| &listed.key).max(page.folders.last()).cloned();
                    break;
                }
                if entry.ends_with('/') {
                    page.folders.push(entry.to_owned())
                } else {
                    let bytes = inside.objects[key].0.len() as u64;
                    page.keys.push(ListedKey { key: entry.to_owned(), bytes })
                }
            }
            Ok(page)
        })
    }
}

/// A machine: a folder, a clock, and a bucket that other machines may share.
pub struct Machine {
    pub folder: TempDir,
    pub store: MemoryStore,
    pub clock: Arc<ManualClock>,
    pub events: Arc<Mutex<Vec<Event>>>,
}

impl Machine {
    pub fn new(store: &MemoryStore) -> Self {
        Self {
            folder: TempDir::new().unwrap(),
            store: store.clone(),
            clock: Arc::new(ManualClock::at(1_800_000_000_000)),
            events: Arc::default(),
        }
    }

    pub fn file(&self) -> PathBuf {
        self.folder.path().join("app.db")
    }

    pub fn settings(&self, mode: SyncMode) -> ReplicaSettings {
        ReplicaSettings {
            mode,
            interval_ms: 1,
            lock_ttl_ms: 1000,
            lock_refresh_ms: 500,
            ..ReplicaSettings::new(self.file())
        }
    }

    pub async fn open(&self, mode: SyncMode) -> Replica {
        self.open_with(self.settings(mode)).await.unwrap()
    }

    pub async fn open_with(&self, settings: ReplicaSettings) -> Result<Replica> {
        let events = Arc::clone(&self.events);
        let sink = Arc::new(move |event| events.lock().unwrap().push(event));
        Replica::open(settings, Arc::new(self.store.clone()), self.clock.clone(), sink).await
    }

    /// Removes the database and everything beside it, as a lost disk would.
    pub fn lose_disk(&self) {
        for entry in std::fs::read_dir(self.folder.path()).unwrap() {
            std::fs::remove_file(entry.unwrap().path()).unwrap();
        }
    }

    pub async fn restored(&self) -> (TempDir, PathBuf) {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("restored.db");
        holdfast_replica::restore(Arc::new(self.store.clone()), &path, Point::Newest).await.unwrap();
        (folder, path)
    }

    pub fn saw(&self, matches: impl Fn(&Event) -> bool) -> bool {
        self.events.lock().unwrap().iter().any(matches)
    }
}

pub async fn run(replica: &Replica, sql: &str) -> Rows {
    try_run(replica, sql).await.unwrap()
}

pub async fn try_run(replica: &Replica, sql: &str) -> Result<Rows> {
    replica.execute(Statement::new(sql, Vec::new())).await
}

pub async fn number(replica: &Replica, sql: &str) -> i64 {
    match &run(replica, sql).await.rows[0][0] {
        Value::Integer(number) => *number,
        other => panic!("{other:?}"),
    }
}

/// The segment under a key.
pub fn decoded(store: &MemoryStore, key: &str) -> StoredSegment {
    let name = key.rsplit('/').next().unwrap().strip_suffix(".seg").unwrap();
    StoredSegment::decode(&store.bytes(key), u64::from_str_radix(name, 16).unwrap()).unwrap()
}

/// Waits for a condition that other tasks bring about.
pub async fn until(is_met: impl Fn() -> bool) {
    let met = async {
        while !is_met() {
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
    };
    let waited = tokio::time::timeout(std::time::Duration::from_secs(30), met).await;
    assert!(waited.is_ok(), "the condition is met within 30 s");
}

/// The rows of a statement on a file that is not open.
pub fn rows_of(path: &std::path::Path, sql: &str) -> Vec<String> {
    let connection = holdfast_sqlite::rusqlite::Connection::open(path).unwrap();
    let mut statement = connection.prepare(sql).unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().map(|row| row.unwrap()).collect()
}

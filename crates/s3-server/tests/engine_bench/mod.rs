//! An engine in a folder of its own, with one bucket, and short words for what tests do with it.
#![allow(clippy::unwrap_used, missing_docs, dead_code, unreachable_pub)]

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use holdfast_base::ManualClock;
use holdfast_s3_server::engine::{Condition, Engine, EngineSettings, ObjectAttributes, ObjectInfo, Result, Staged};

pub struct Bench {
    folder: tempfile::TempDir,
    pub engine: Engine,
}

impl Bench {
    pub async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let engine = Engine::open(settings(folder.path())).await.unwrap();
        engine.create_bucket("bucket", "us-east-1").await.unwrap();
        Self { folder, engine }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Closes the engine and opens it again.
    pub async fn reopen(self) -> Self {
        self.reopen_with(|_| ()).await
    }

    /// As [`Bench::reopen`], with other settings.
    pub async fn reopen_with(self, change: impl FnOnce(&mut EngineSettings)) -> Self {
        self.engine.close().await;
        let mut settings = settings(self.folder.path());
        change(&mut settings);
        Self { engine: Engine::open(settings).await.unwrap(), folder: self.folder }
    }

    pub async fn stage(&self, bytes: impl Into<Bytes>) -> Staged {
        let mut staged = self.engine.stage("bucket").await.unwrap();
        staged.write(bytes.into()).await.unwrap();
        staged
    }

    pub async fn put_bytes(&self, key: &str, bytes: Bytes) -> Result<ObjectInfo> {
        let attributes = attributes(&format!("etag-of-{}", bytes.len()));
        let staged = self.stage(bytes).await;
        self.engine.put("bucket", key, staged, attributes, Condition::Always).await
    }

    pub async fn put(&self, key: &str, text: &str) -> ObjectInfo {
        self.put_bytes(key, Bytes::copy_from_slice(text.as_bytes())).await.unwrap()
    }

    pub async fn get(&self, key: &str) -> Result<(ObjectInfo, Bytes)> {
        let (info, file) = self.engine.open_object("bucket", key, None).await?;
        let size = info.size;
        let bytes: Vec<Bytes> = file.stream(0..size).try_collect().await.unwrap();
        Ok((info, bytes.concat().into()))
    }

    /// The data files of the engine, as paths from its directory.
    pub fn files(&self) -> Vec<String> {
        below(self.path())
    }
}

/// All files below an engine's directory but the index, the lock and the master key, as paths from there.
pub fn below(folder: &Path) -> Vec<String> {
    let mut files = Vec::new();
    collect(folder, folder, &mut files);
    let own =
        ["index.db", "index.db-wal", "index.db-shm", "lock", "master.key"].map(|name| format!(".holdfast/{name}"));
    files.retain(|file| !own.contains(file));
    files.sort();
    files
}

pub fn settings(folder: &Path) -> EngineSettings {
    let mut settings = EngineSettings::new(folder, Arc::new(ManualClock::at(1_700_000_000_000)));
    settings.min_part_bytes = 5;
    settings
}

pub fn attributes(etag: &str) -> ObjectAttributes {
    ObjectAttributes { etag: etag.to_owned(), ..ObjectAttributes::default() }
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(root, &path, files);
        } else {
            files.push(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned());
        }
    }
}

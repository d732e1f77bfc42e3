//! Copies of databases into another layout, for `lib/level`.

use std::sync::Arc;

use holdfast_base::{Error, Result};
use holdfast_level::{Location, Migration, MigrationState};
use napi_derive::napi;
use tokio::sync::Mutex;

use crate::level::{LevelConnection, LevelOpenOptions};
use crate::reply::Reply;

/// How far a copy is.
#[napi(object)]
pub struct LevelMigrationState {
    /// Entries copied so far.
    pub entries: i64,
    /// Bytes of keys and values copied so far.
    pub bytes: i64,
}

impl From<MigrationState> for LevelMigrationState {
    fn from(state: MigrationState) -> Self {
        let whole = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        Self { entries: whole(state.entries), bytes: whole(state.bytes) }
    }
}

#[napi]
impl LevelConnection {
    /// Begins to copy the database at a location, or goes on with a copy that was interrupted.
    #[napi]
    pub async fn migrate(&self, source: String, target: LevelOpenOptions) -> napi::Result<Reply<LevelMigration>> {
        let client = self.client();
        Reply::from_future(async move {
            let (source, target) = (Location::parse(&source)?, target.settings()?);
            let migration = Migration::begin(&client, &source, &target).await?;
            Ok(LevelMigration(Arc::new(Mutex::new(Some(migration)))))
        })
        .await
    }
}

/// A copy that is under way.
#[napi]
pub struct LevelMigration(Arc<Mutex<Option<Migration>>>);

#[napi]
impl LevelMigration {
    /// Copies a piece; answers how far the copy is, or nothing when it is whole.
    #[napi]
    pub async fn step(&self) -> napi::Result<Reply<Option<LevelMigrationState>>> {
        let migration = self.0.clone();
        Reply::from_future(async move {
            let mut migration = migration.lock().await;
            let migration = migration.as_mut().ok_or_else(|| Error::closed("the migration"))?;
            Ok(migration.step().await?.map(LevelMigrationState::from))
        })
        .await
    }

    /// Closes both databases.
    #[napi]
    pub async fn close(&self) -> napi::Result<Reply<()>> {
        let migration = self.0.clone();
        Reply::from_future(async move { close(migration.lock().await.take()).await }).await
    }
}

async fn close(migration: Option<Migration>) -> Result<()> {
    match migration {
        Some(migration) => migration.close().await,
        None => Ok(()),
    }
}

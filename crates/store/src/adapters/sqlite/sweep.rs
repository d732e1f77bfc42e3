//! Takes away what nobody can see any more, in small transactions, so that writers never wait long.

use std::sync::Arc;
use std::time::Duration;

use holdfast_base::{Clock, Result};
use holdfast_sqlite::rusqlite::{Connection, OptionalExtension, params};
use holdfast_sqlite::{Database, Work};
use tokio::task::JoinHandle;

use super::{followers, signed};
use crate::adapters::leases::Leases;

const EVERY: Duration = Duration::from_secs(30);
/// A body that was replaced may still be read by another process for so long.
const REPLACED_GRACE_MS: u64 = 60_000;
/// An upload that has taken nothing in for so long is abandoned.
const ABANDONED_MS: u64 = 60 * 60_000;
const ROWS_AT_ONCE: i64 = 256;

/// The background task; ends with [`Sweeper::stop`], or with the last handle of the store.
pub(super) struct Sweeper(JoinHandle<()>);

impl Sweeper {
    pub(super) fn start(database: Database, clock: Arc<dyn Clock>, leases: Leases) -> Self {
        Self(tokio::spawn(async move {
            loop {
                if let Err(error) = sweep(&database, clock.now_ms(), &leases).await {
                    tracing::debug!(code = error.code(), "the sweep stopped early; it goes on later");
                }
                tokio::time::sleep(EVERY).await;
            }
        }))
    }

    pub(super) fn stop(&self) {
        self.0.abort();
    }
}

impl Drop for Sweeper {
    fn drop(&mut self) {
        self.stop();
    }
}

pub(super) async fn sweep(database: &Database, now_ms: u64, leases: &Leases) -> Result<()> {
    while has_work(database, now_ms)? {
        let leases = leases.clone();
        let swept = database
            .write(move |connection| {
                let swept = expire(connection, now_ms)? + drop_chunks(connection, now_ms, &leases.held())?;
                Ok(swept + followers::forget_gone(connection, now_ms)?)
            })
            .await?;
        if swept == 0 {
            break;
        }
    }
    Ok(())
}

/// Asked of a reader, so that an idle store writes nothing.
fn has_work(database: &Database, now_ms: u64) -> Result<bool> {
    database.read(|connection| {
        let mut ask = connection.prepare_cached(
            "select exists (select 1 from entries where expires_ms <= ?1)
             or exists (select 1 from blob_bodies where state = 2 and touched_ms <= ?2)
             or exists (select 1 from blob_bodies where state = 0 and touched_ms <= ?3)",
        )?;
        let [now, replaced, abandoned] = times(now_ms);
        let is_any: bool = ask.query_row([now, replaced, abandoned], |row| row.get(0))?;
        Ok(is_any || followers::are_gone(connection, now_ms)?)
    })
}

fn times(now_ms: u64) -> [i64; 3] {
    [now_ms, now_ms.saturating_sub(REPLACED_GRACE_MS), now_ms.saturating_sub(ABANDONED_MS)].map(signed)
}

/// Turns expired entries into deleted ones.
fn expire(connection: &Connection, now_ms: u64) -> Work<usize> {
    let mut expire = connection.prepare_cached(
        "update entries set value = null, expires_ms = null where (space, key) in
         (select space, key from entries where expires_ms <= ?1 limit ?2)",
    )?;
    Ok(expire.execute([signed(now_ms), ROWS_AT_ONCE])?)
}

/// Deletes some chunks of one dead body, and the body after its last chunk.
fn drop_chunks(connection: &Connection, now_ms: u64, held: &[i64]) -> Work<usize> {
    let mut dead = connection.prepare_cached(
        "select id from blob_bodies where (state = 2 and touched_ms <= ?1) or (state = 0 and touched_ms <= ?2)",
    )?;
    let [_, replaced, abandoned] = times(now_ms);
    let bodies = dead.query_map([replaced, abandoned], |row| row.get::<_, i64>(0))?;
    let Some(body) = bodies.filter_map(Result::ok).find(|body| !held.contains(body)) else { return Ok(0) };
    let mut drop_some = connection.prepare_cached(
        "delete from blob_chunks where rowid in (select rowid from blob_chunks where body = ?1 limit ?2)",
    )?;
    let dropped = drop_some.execute([body, ROWS_AT_ONCE / 8])?;
    let rest = connection
        .prepare_cached("select 1 from blob_chunks where body = ?1 limit 1")?
        .query_row([body], |_| Ok(()))
        .optional()?;
    if rest.is_none() {
        connection.prepare_cached("delete from blob_bodies where id = ?1")?.execute(params![body])?;
    }
    Ok(dropped + 1)
}

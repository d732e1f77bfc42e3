//! Takes away what nobody can see any more, in small transactions. Of all processes one sweeps at a time.

use std::time::Duration;

use deadpool_postgres::Object;
use holdfast_base::Result;
use tokio::task::JoinHandle;

use super::Database;
use super::failure::Work;
use crate::adapters::leases::Leases;
use crate::adapters::signed;

const EVERY: Duration = Duration::from_secs(30);
/// A body that was replaced may still be read by another process; while it is, its time is moved on.
const REPLACED_GRACE_MS: u64 = 5 * 60_000;
/// An upload that has taken nothing in for so long is abandoned.
const ABANDONED_MS: u64 = 60 * 60_000;
const ROWS_AT_ONCE: i64 = 256;
const CHUNKS_AT_ONCE: i64 = 32;

/// The background task; ends with [`Sweeper::stop`], or with the last handle of the store.
pub(super) struct Sweeper(JoinHandle<()>);

impl Sweeper {
    pub(super) fn start(database: Database, leases: Leases) -> Self {
        Self(tokio::spawn(async move {
            loop {
                // First the pause: processes that begin together need not sweep together.
                tokio::time::sleep(EVERY).await;
                if let Err(error) = sweep(&database, &leases).await {
                    tracing::debug!(code = error.code(), "the sweep stopped early; it goes on later");
                }
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

pub(super) async fn sweep(database: &Database, leases: &Leases) -> Result<()> {
    loop {
        let held = leases.held();
        let held = &held[..];
        let now_ms = database.now_ms();
        let lock = database.locks.sweep;
        let swept = database
            .server
            .repeat(|mut client| async move { sweep_some(&mut client, now_ms, lock, held).await })
            .await?;
        if swept == 0 {
            return Ok(());
        }
    }
}

/// Sweeps some, and says how many rows that were; none when another process is at it.
async fn sweep_some(client: &mut Object, now_ms: u64, lock: i64, held: &[i64]) -> Work<u64> {
    let transaction = client.transaction().await?;
    let row = transaction.query_one("select pg_try_advisory_xact_lock($1)", &[&lock]).await?;
    if !row.try_get::<_, bool>(0)? {
        return Ok(0);
    }
    let expired = transaction
        .execute(
            "update entries set value = null, expires_ms = null where (space, key) in
             (select space, key from entries where expires_ms <= $1 limit $2 for update skip locked)",
            &[&signed(now_ms), &ROWS_AT_ONCE],
        )
        .await?;
    let [replaced, abandoned] = [REPLACED_GRACE_MS, ABANDONED_MS].map(|grace| signed(now_ms.saturating_sub(grace)));
    let dead = transaction
        .query_opt(
            "select id from blob_bodies where ((state = 2 and touched_ms <= $1) or (state = 0 and touched_ms <= $2))
             and id <> all($3) limit 1 for update skip locked",
            &[&replaced, &abandoned, &held],
        )
        .await?;
    let mut dropped = 0;
    if let Some(row) = dead {
        let body: i64 = row.try_get(0)?;
        dropped = 1 + transaction
            .execute(
                "delete from blob_chunks where body = $1 and number in
                 (select number from blob_chunks where body = $1 limit $2)",
                &[&body, &CHUNKS_AT_ONCE],
            )
            .await?;
        let sql = "delete from blob_bodies where id = $1 and not exists (select 1 from blob_chunks where body = $1)";
        transaction.execute(sql, &[&body]).await?;
    }
    transaction.commit().await?;
    Ok(expired + dropped)
}

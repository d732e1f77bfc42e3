//! Who wants to be told what others commit, and what is noted for them.
//!
//! A follower is a row with a time until which it counts; who lives moves it on. A writer asks in its own transaction
//! whether anybody else follows, and notes its changes in the same one: what is committed after a follower began is
//! noted, or the follower has lost its row and knows that it missed something. Without followers nothing is noted.

use holdfast_sqlite::Work;
use holdfast_sqlite::rusqlite::{Connection, params};

use super::signed;
use crate::Space;
use crate::ports::News;

/// How long a follower counts after it last said that it lives.
pub(super) const LEASE_MS: u64 = 60_000;
/// How many changes are read at once.
const READ_AT_ONCE: i64 = 1000;
/// How many are thrown away at once: more than are read, so that a heap that grew gets smaller.
const FORGET_AT_ONCE: i64 = 4000;
/// All that nobody waits for.
const TOLD: &str = "number <= coalesce((select min(told) from followers), 9223372036854775807)";

/// Whether anybody but `origin` follows.
pub(super) fn others_follow(connection: &Connection, origin: &str, now_ms: u64) -> Work<bool> {
    let mut ask =
        connection.prepare_cached("select exists (select 1 from followers where id <> ?1 and until_ms > ?2)")?;
    Ok(ask.query_row(params![origin, signed(now_ms)], |row| row.get(0))?)
}

/// Notes a change for those who follow: an entry, or that events were appended.
pub(super) fn note(connection: &Connection, origin: &str, entry: Option<(Space, &str)>) -> Work<()> {
    let (space, key) = entry.map(|(space, key)| (space.number(), key)).unzip();
    let mut note = connection.prepare_cached("insert into changes (origin, space, key) values (?1, ?2, ?3)")?;
    note.execute(params![origin, space, key])?;
    Ok(())
}

/// Begins to follow, from now on. Gives back the newest change, behind which it reads.
pub(super) fn join(connection: &Connection, origin: &str, now_ms: u64) -> Work<i64> {
    // The counter outlives the rows: numbers never come back.
    let newest = connection
        .prepare_cached("select coalesce(max(seq), 0) from sqlite_sequence where name = 'changes'")?
        .query_row([], |row| row.get(0))?;
    let mut join = connection.prepare_cached(
        "insert into followers (id, told, until_ms) values (?1, ?2, ?3)
         on conflict (id) do update set told = excluded.told, until_ms = excluded.until_ms",
    )?;
    join.execute(params![origin, newest, signed(now_ms.saturating_add(LEASE_MS))])?;
    Ok(newest)
}

/// Says that a follower lives and what it was told, and throws away what nobody waits for. False when its time was
/// over before: something may not have been noted for it.
pub(super) fn renew(connection: &Connection, origin: &str, told: i64, now_ms: u64) -> Work<bool> {
    let mut renew =
        connection.prepare_cached("update followers set told = ?2, until_ms = ?3 where id = ?1 and until_ms > ?4")?;
    let until_ms = signed(now_ms.saturating_add(LEASE_MS));
    let renewed = renew.execute(params![origin, told, until_ms, signed(now_ms)])?;
    forget_gone(connection, now_ms)?;
    Ok(renewed > 0)
}

/// Ends following.
pub(super) fn leave(connection: &Connection, origin: &str) -> Work<()> {
    connection.prepare_cached("delete from followers where id = ?1")?.execute([origin])?;
    forget_told(connection)?;
    Ok(())
}

/// Whether there is anything to forget.
pub(super) fn are_gone(connection: &Connection, now_ms: u64) -> Work<bool> {
    let sql = format!(
        "select exists (select 1 from followers where until_ms <= ?1) or exists (select 1 from changes where {TOLD})"
    );
    Ok(connection.prepare_cached(&sql)?.query_row([signed(now_ms)], |row| row.get(0))?)
}

/// Forgets followers whose time is over, and some of the changes that nobody waits for. Says how many rows that were.
pub(super) fn forget_gone(connection: &Connection, now_ms: u64) -> Work<usize> {
    let gone = connection.prepare_cached("delete from followers where until_ms <= ?1")?.execute([signed(now_ms)])?;
    Ok(gone + forget_told(connection)?)
}

fn forget_told(connection: &Connection) -> Work<usize> {
    let sql = format!("delete from changes where number in (select number from changes where {TOLD} limit ?1)");
    Ok(connection.prepare_cached(&sql)?.execute([FORGET_AT_ONCE])?)
}

/// Some of what others changed.
pub(super) struct Changes {
    /// `None` when they did nothing.
    pub(super) news: Option<News>,
    /// The last change that is in it, or that was passed over.
    pub(super) told: i64,
    /// Whether there may be more.
    pub(super) follows: bool,
}

/// What others than `origin` changed after `told`.
pub(super) fn changes(connection: &Connection, origin: &str, told: i64) -> Work<Changes> {
    let mut find = connection
        .prepare_cached("select number, origin, space, key from changes where number > ?1 order by number limit ?2")?;
    let mut rows = find.query(params![told, READ_AT_ONCE])?;
    let mut all = Changes { news: None, told, follows: false };
    let (mut changed, mut appended, mut read) = (Vec::new(), false, 0);
    while let Some(row) = rows.next()? {
        read += 1;
        all.told = row.get(0)?;
        if row.get_ref(1)?.as_str().is_ok_and(|by| by == origin) {
            continue;
        }
        match (row.get::<_, Option<i64>>(2)?, row.get::<_, Option<String>>(3)?) {
            (Some(space), Some(key)) => changed.push((Space::numbered(space), key)),
            _ => appended = true,
        }
    }
    all.follows = read == READ_AT_ONCE;
    all.news = (appended || !changed.is_empty()).then_some(News::Committed { changed, appended });
    Ok(all)
}

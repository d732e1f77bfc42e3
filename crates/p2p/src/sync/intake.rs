//! Takes in what a peer sent, in one transaction.

use holdfast_sqlite::Work;
use holdfast_sqlite::rusqlite::Connection;

use crate::{Changes, FieldConflict, Item, ItemId, Kind, Rows, State};

/// Shows merged states in the tables that readers read.
pub trait Mirror: Send + Sync {
    /// An item holds this now; `None` when it was forgotten.
    ///
    /// # Errors
    /// Of SQLite; the whole transaction is undone.
    fn show(&self, connection: &Connection, kind: Kind, key: &str, state: Option<&State>) -> Work<()>;
}

/// How long deletes are remembered.
#[derive(Clone, Copy, Debug)]
pub struct Retention {
    /// The time, in milliseconds since the epoch.
    pub now_ms: u64,
    /// What has been dead since before this may be forgotten.
    pub forget_before_ms: u64,
    /// Until when the sender's writes reached this store: what it sends from before, and this store does not know,
    /// was deleted here.
    pub known_until_ms: u64,
}

/// What became of an item that came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Merged {
    /// Which.
    pub id: ItemId,
    /// It brought something new.
    pub is_news: bool,
    /// The sender lacks something of what is here now.
    pub is_more: bool,
}

/// What became of items that came.
#[derive(Debug, Default)]
pub struct Received {
    /// Those that were merged.
    pub merged: Vec<Merged>,
    /// Those of a clock that is too far ahead.
    pub refused: Vec<ItemId>,
    /// By how much it is, at most, in milliseconds.
    pub ahead_ms: u64,
    /// Those that were deleted too long ago to remember.
    pub gone: Vec<ItemId>,
    /// The names of those that brought something new.
    pub news: Vec<(Kind, String)>,
    /// Fields of records that both had written.
    pub conflicts: Vec<(String, FieldConflict)>,
}

/// Merges items that a peer sent.
///
/// # Errors
/// Of SQLite, or of the mirror.
pub fn merge_items(
    rows: &Rows,
    connection: &Connection,
    changes: &mut Changes,
    items: Vec<Item>,
    retention: Retention,
    mirror: &dyn Mirror,
) -> Work<Received> {
    let mut received = Received::default();
    for item in items {
        merge_item(rows, connection, changes, item, retention, mirror, &mut received)?;
    }
    rows.save_clock(connection)?;
    Ok(received)
}

fn merge_item(
    rows: &Rows,
    connection: &Connection,
    changes: &mut Changes,
    item: Item,
    retention: Retention,
    mirror: &dyn Mirror,
    received: &mut Received,
) -> Work<()> {
    let (id, newest) = (item.id(), item.state.newest());
    if newest.is_ahead(retention.now_ms) {
        received.refused.push(id);
        received.ahead_ms = received.ahead_ms.max(newest.ms - retention.now_ms);
        return Ok(());
    }
    let Some(mut state) = rows.load(connection, id)? else {
        if newest.ms <= retention.known_until_ms.min(retention.forget_before_ms) {
            received.gone.push(id);
        } else if item.state.dead_ms().is_none_or(|dead_ms| dead_ms >= retention.forget_before_ms) {
            rows.see(newest);
            rows.store(connection, changes, &item)?;
            mirror.show(connection, item.kind, &item.key, Some(&item.state))?;
            received.merged.push(Merged { id, is_news: true, is_more: false });
            received.news.push((item.kind, item.key));
        }
        return Ok(());
    };
    rows.see(newest);
    if let (State::Record(local), State::Record(remote)) = (&state, &item.state) {
        let found = if item.kind == Kind::Record { local.conflicts(remote) } else { Vec::new() };
        received.conflicts.extend(found.into_iter().map(|conflict| (item.key.clone(), conflict)));
    }
    let before = state.clone();
    state.merge(item.state.clone());
    let (is_news, is_more) = (state != before, state != item.state);
    if is_news {
        let merged = Item { kind: item.kind, key: item.key, state };
        rows.store(connection, changes, &merged)?;
        mirror.show(connection, merged.kind, &merged.key, Some(&merged.state))?;
        received.news.push((merged.kind, merged.key));
    }
    received.merged.push(Merged { id, is_news, is_more });
    Ok(())
}

/// Forgets items that a peer says were deleted long ago; those that are not that old stay. Gives back the rest.
///
/// # Errors
/// Of SQLite, or of the mirror.
pub fn forget_gone(
    rows: &Rows,
    connection: &Connection,
    changes: &mut Changes,
    ids: &[ItemId],
    forget_before_ms: u64,
    mirror: &dyn Mirror,
) -> Work<Vec<(Kind, String)>> {
    let mut forgotten = Vec::new();
    for id in ids {
        let Some(item) = rows.item(connection, *id)? else { continue };
        if item.kind != Kind::Event && item.state.newest().ms <= forget_before_ms {
            rows.drop_item(connection, changes, *id)?;
            mirror.show(connection, item.kind, &item.key, None)?;
            forgotten.push((item.kind, item.key));
        }
    }
    Ok(forgotten)
}

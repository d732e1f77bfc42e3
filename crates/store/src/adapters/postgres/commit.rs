//! A transaction for a group of batches: two round trips, however many there are.
//!
//! - The first locks and loads all that the batches touch. Locks are taken in one order everywhere: rows by class
//!   and key, then the lock of events. The lock of events is held until the commit is visible, so that positions
//!   become visible in their order: a reader that has seen one has seen all below it.
//! - Then the batches run in memory, by the rules that every adapter shares; one that fails changes nothing.
//! - The second stores what changed, tells it, and commits. A new row that somebody else made meanwhile breaks it,
//!   and all is done again.

use deadpool_postgres::Object;
use holdfast_base::Result;

use super::entries::{space_named, space_of};
use super::events::event_of;
use super::failure::{Failure, Work};
use super::group::{Group, Slot, Wanted};
use super::pipeline::Pipeline;
use super::{Database, news};
use crate::adapters::{signed, unsigned};
use crate::cell::Cell;
use crate::{Batch, Event, Outcome, Space};

/// What became of each batch.
pub(super) type Results = Vec<Result<Vec<Outcome>>>;

/// A transaction that did not answer.
pub(super) struct Broken {
    pub(super) failure: Failure,
    /// Where the commit may have been done: what its transaction is called, and what it would answer.
    pub(super) unsure: Option<(Transaction, Results)>,
}

/// What the server calls a transaction.
pub(super) struct Transaction {
    pub(super) id: String,
}

impl From<Failure> for Broken {
    fn from(failure: Failure) -> Self {
        Self { failure, unsure: None }
    }
}

/// Runs and commits a group.
pub(super) async fn commit(database: &Database, client: &Object, batches: &[Batch]) -> Result<Results, Broken> {
    let (mut group, transaction) = load(database, client, &Wanted::of(batches)).await?;
    let now_ms = database.now_ms();
    let results: Results = batches.iter().map(|batch| group.run(batch.clone(), now_ms)).collect();
    let end =
        if group.is_changed() { storing(database, client, &group).await? } else { ending(client, "rollback").await? };
    match end.send(client).await {
        Ok(_) => Ok(results),
        Err(failure) => Err(Broken { unsure: failure.is_lost().then_some((transaction, results)), failure }),
    }
}

async fn ending(client: &Object, sql: &str) -> Work<Pipeline> {
    let mut end = Pipeline::default();
    end.add(client, sql, Vec::new()).await?;
    Ok(end)
}

async fn load(database: &Database, client: &Object, wanted: &Wanted) -> Work<(Group, Transaction)> {
    let mut begin = Pipeline::default();
    begin.add(client, "begin", Vec::new()).await?;
    begin.add(client, "select pg_current_xact_id()::text", Vec::new()).await?;
    if !wanted.keys.is_empty() {
        let spaces: Vec<i16> = wanted.keys.keys().map(|(space, _)| space_of(*space)).collect();
        let keys: Vec<String> = wanted.keys.keys().map(|(_, key)| key.clone()).collect();
        let values: Vec<bool> = wanted.keys.values().copied().collect();
        let sql = "select e.space, e.key, case when w.is_needed then e.value else '' end, e.value is not null,
             e.version, e.created_ms, e.updated_ms, e.expires_ms
             from unnest($1::smallint[], $2::text[], $3::boolean[]) as w (space, key, is_needed)
             join entries e on e.space = w.space and e.key = w.key
             order by e.space, e.key for update of e";
        begin.add(client, sql, vec![Box::new(spaces), Box::new(keys), Box::new(values)]).await?;
    }
    if !wanted.streams.is_empty() {
        let streams: Vec<String> = wanted.streams.iter().cloned().collect();
        let (of, ids): (Vec<String>, Vec<String>) = wanted.ids.iter().cloned().unzip();
        // Statements of their own: each sees what was committed when it begins, so the last three see what the
        // holder of the lock before us committed.
        begin.add(client, "select pg_advisory_xact_lock($1)", vec![Box::new(database.locks.events)]).await?;
        begin.add(client, "select coalesce(max(position), 0) from events", Vec::new()).await?;
        let sql = "select stream, version from streams where stream = any($1)";
        begin.add(client, sql, vec![Box::new(streams)]).await?;
        let sql = "select e.position, e.stream, e.version, e.id, e.payload, e.timestamp_ms
             from unnest($1::text[], $2::text[]) as w (stream, id)
             join events e on e.stream = w.stream and e.id = w.id";
        begin.add(client, sql, vec![Box::new(of), Box::new(ids)]).await?;
    }
    let mut answers = begin.send(client).await?.into_iter().skip(1);
    let mut rows = || answers.next().unwrap_or_default();
    let id = rows().first().map_or(Ok(String::new()), |row| row.try_get(0))?;
    let mut group = Group::default();
    if !wanted.keys.is_empty() {
        for row in rows() {
            let (key, slot) = slot_of(&row)?;
            group.cells.insert(key, slot);
        }
    }
    if !wanted.streams.is_empty() {
        let _lock = rows();
        group.position = rows().first().map_or(Ok(0), |row| row.try_get(0).map(unsigned))?;
        for row in rows() {
            group.streams.insert(row.try_get(0)?, unsigned(row.try_get(1)?));
        }
        for row in rows() {
            let event = event_of(&row)?;
            group.ids.insert((event.stream.clone(), event.id.clone()), event);
        }
    }
    Ok((group, Transaction { id }))
}

fn slot_of(row: &tokio_postgres::Row) -> Work<((Space, String), Slot)> {
    let space = space_named(row.try_get(0)?);
    let has_value: bool = row.try_get(3)?;
    let cell = Cell {
        value: row.try_get::<_, Option<String>>(2)?.filter(|_| has_value),
        version: unsigned(row.try_get(4)?),
        created_at_ms: unsigned(row.try_get(5)?),
        updated_at_ms: unsigned(row.try_get(6)?),
        expires_at_ms: row.try_get::<_, Option<i64>>(7)?.map(unsigned),
    };
    Ok(((space, row.try_get(1)?), Slot { cell: Some(cell), is_stored: true, ..Slot::default() }))
}

/// What stores the group, tells it, and commits.
async fn storing(database: &Database, client: &Object, group: &Group) -> Work<Pipeline> {
    let mut end = Pipeline::default();
    let (stored, made): (Vec<_>, Vec<_>) =
        group.cells.iter().filter(|(_, slot)| slot.is_changed).partition(|(_, slot)| slot.is_stored);
    if !stored.is_empty() {
        let sql = "update entries e set value = c.value, version = c.version, created_ms = c.created_ms,
             updated_ms = c.updated_ms, expires_ms = c.expires_ms
             from unnest($1::smallint[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[])
             as c (space, key, value, version, created_ms, updated_ms, expires_ms)
             where e.space = c.space and e.key = c.key";
        end.add(client, sql, columns(&stored)).await?;
    }
    if !made.is_empty() {
        let sql = "insert into entries (space, key, value, version, created_ms, updated_ms, expires_ms)
             select * from unnest($1::smallint[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[],
             $7::bigint[])";
        end.add(client, sql, columns(&made)).await?;
    }
    let absent: Vec<_> = group.cells.iter().filter(|(_, slot)| slot.is_checked && slot.cell.is_none()).collect();
    if !absent.is_empty() {
        keep_absent(client, &mut end, &absent).await?;
    }
    if !group.appended.is_empty() {
        append(client, &mut end, group).await?;
    }
    let told = news::messages(&database.station.origin, group);
    let sql = "select pg_notify($1, message) from unnest($2::text[]) as message";
    end.add(client, sql, vec![Box::new(database.station.channel.clone()), Box::new(told)]).await?;
    end.add(client, "commit", Vec::new()).await?;
    Ok(end)
}

type Slots<'a> = [(&'a (Space, String), &'a Slot)];

fn columns(slots: &Slots<'_>) -> Vec<super::pipeline::Parameter> {
    let cells: Vec<Cell> = slots.iter().map(|(_, slot)| slot.cell.clone().unwrap_or_default()).collect();
    let (spaces, keys) = names(slots);
    vec![
        Box::new(spaces),
        Box::new(keys),
        Box::new(cells.iter().map(|cell| cell.value.clone()).collect::<Vec<_>>()),
        Box::new(cells.iter().map(|cell| signed(cell.version)).collect::<Vec<_>>()),
        Box::new(cells.iter().map(|cell| signed(cell.created_at_ms)).collect::<Vec<_>>()),
        Box::new(cells.iter().map(|cell| signed(cell.updated_at_ms)).collect::<Vec<_>>()),
        Box::new(cells.iter().map(|cell| cell.expires_at_ms.map(signed)).collect::<Vec<_>>()),
    ]
}

fn names(slots: &Slots<'_>) -> (Vec<i16>, Vec<String>) {
    slots.iter().map(|((space, key), _)| (space_of(*space), key.clone())).unzip()
}

/// A row that is made and deleted in one transaction: whoever makes the same one waits for the end of it.
async fn keep_absent(client: &Object, end: &mut Pipeline, slots: &Slots<'_>) -> Work<()> {
    let (spaces, keys) = names(slots);
    let sql = "insert into entries (space, key, version, created_ms, updated_ms)
         select space, key, 0, 0, 0 from unnest($1::smallint[], $2::text[]) as c (space, key)";
    end.add(client, sql, vec![Box::new(spaces.clone()), Box::new(keys.clone())]).await?;
    let sql = "delete from entries e using unnest($1::smallint[], $2::text[]) as c (space, key)
         where e.space = c.space and e.key = c.key and e.version = 0";
    end.add(client, sql, vec![Box::new(spaces), Box::new(keys)]).await
}

async fn append(client: &Object, end: &mut Pipeline, group: &Group) -> Work<()> {
    let events = &group.appended;
    let texts = |of: fn(&Event) -> &String| Box::new(events.iter().map(|event| of(event).clone()).collect::<Vec<_>>());
    let numbers = |of: fn(&Event) -> u64| Box::new(events.iter().map(|event| signed(of(event))).collect::<Vec<_>>());
    let sql = "insert into events (position, stream, version, id, payload, timestamp_ms)
         select * from unnest($1::bigint[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::bigint[])";
    let columns: Vec<super::pipeline::Parameter> = vec![
        numbers(|event| event.position),
        texts(|event| &event.stream),
        numbers(|event| event.version),
        texts(|event| &event.id),
        texts(|event| &event.payload),
        numbers(|event| event.timestamp_ms),
    ];
    end.add(client, sql, columns).await?;
    let changed: Vec<_> =
        group.streams.iter().filter(|(name, _)| events.iter().any(|it| it.stream == **name)).collect();
    let names: Vec<String> = changed.iter().map(|(name, _)| (*name).clone()).collect();
    let versions: Vec<i64> = changed.iter().map(|(_, version)| signed(**version)).collect();
    let sql = "insert into streams select * from unnest($1::text[], $2::bigint[])
         on conflict (stream) do update set version = excluded.version";
    end.add(client, sql, vec![Box::new(names), Box::new(versions)]).await
}

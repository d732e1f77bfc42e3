//! The tables. A script is never changed once released; a change is one more script.

use deadpool_postgres::Object;
use holdfast_base::{Error, ErrorKind};

use super::failure::Work;
use super::server::quoted;

/// One script for each version of the tables.
const SCRIPTS: &[&str] = &[FIRST];

/// The oldest server that knows `pg_xact_status(xid8)`.
const OLDEST_SERVER: i32 = 130_000;

/// `entries.value` is null where the entry was deleted: the row stays, so that its version goes on counting.
/// `blob_bodies.state`: 0 being uploaded, 1 in use by `blobs`, 2 replaced or deleted; `touched_ms` says
/// when it last changed, or was last read. Only 0 and 2 are ever swept.
const FIRST: &str = r#"
create table entries (
  space smallint not null,
  key text collate "C" not null,
  value text,
  version bigint not null,
  created_ms bigint not null,
  updated_ms bigint not null,
  expires_ms bigint,
  primary key (space, key)
);
create index entries_by_expiry on entries (expires_ms) where expires_ms is not null;

create table streams (
  stream text collate "C" primary key,
  version bigint not null
);
create table events (
  position bigint primary key,
  stream text collate "C" not null,
  version bigint not null,
  id text collate "C" not null,
  payload text not null,
  timestamp_ms bigint not null
);
create unique index events_by_stream on events (stream, version);
create unique index events_by_id on events (stream, id);
create index events_by_time on events (timestamp_ms);

create table blob_bodies (
  id bigint generated always as identity primary key,
  state smallint not null,
  touched_ms bigint not null
);
create index blob_bodies_by_state on blob_bodies (state, touched_ms) where state <> 1;
create table blob_chunks (
  body bigint not null,
  number bigint not null,
  bytes bytea not null,
  primary key (body, number)
);
alter table blob_chunks alter column bytes set storage external;
create table blobs (
  key text collate "C" primary key,
  body bigint not null,
  size bigint not null,
  etag text not null,
  content_type text,
  metadata text not null,
  updated_ms bigint not null
);
create index blobs_by_body on blobs (body);
"#;

/// Makes what is missing. Two processes at once: the second waits and finds everything made.
pub(super) async fn prepare(client: &mut Object, schema: &str, lock: i64) -> Work<()> {
    check_server(client).await?;
    let transaction = client.transaction().await?;
    transaction.execute("select pg_advisory_xact_lock($1)", &[&lock]).await?;
    let known = transaction.query_opt("select 1 from pg_namespace where nspname = $1", &[&schema]).await?;
    if known.is_none() {
        transaction.batch_execute(&format!("create schema {}", quoted(schema))).await?;
    }
    let tables: Vec<String> = transaction
        .query("select tablename::text from pg_tables where schemaname = $1", &[&schema])
        .await?
        .iter()
        .map(|row| row.try_get(0))
        .collect::<Result<_, _>>()?;
    let version = if tables.iter().any(|table| table == "holdfast") {
        let row = transaction.query_one("select version from holdfast", &[]).await?;
        usize::try_from(row.try_get::<_, i32>(0)?).unwrap_or(0)
    } else {
        refuse_foreign(schema, &tables)?;
        transaction.batch_execute("create table holdfast (version integer not null)").await?;
        transaction.batch_execute("insert into holdfast values (0)").await?;
        0
    };
    let Some(missing) = SCRIPTS.get(version..) else { return Err(newer(schema, version).into()) };
    for script in missing {
        transaction.batch_execute(script).await?;
    }
    if !missing.is_empty() {
        let version = i32::try_from(SCRIPTS.len()).unwrap_or(i32::MAX);
        transaction.execute("update holdfast set version = $1", &[&version]).await?;
    }
    Ok(transaction.commit().await?)
}

async fn check_server(client: &Object) -> Work<()> {
    let row = client
        .query_one("select current_setting('server_version_num')::int, current_setting('server_encoding')", &[])
        .await?;
    let (version, encoding): (i32, String) = (row.try_get(0)?, row.try_get(1)?);
    if version < OLDEST_SERVER {
        let message = format!("the server is PostgreSQL {}; 13 or later is needed", version / 10_000);
        return Err(Error::new(ErrorKind::Config, "SERVER_TOO_OLD", message).into());
    }
    if encoding != "UTF8" {
        let message = format!("the database has the encoding {encoding}; make one with UTF8, so that every key fits");
        return Err(Error::new(ErrorKind::Config, "ENCODING_NOT_UTF8", message).into());
    }
    Ok(())
}

/// A schema that others use is fine, unless it has tables that have our names.
fn refuse_foreign(schema: &str, tables: &[String]) -> Result<(), Error> {
    let ours = ["entries", "streams", "events", "blobs", "blob_bodies", "blob_chunks"];
    let Some(table) = tables.iter().find(|table| ours.contains(&table.as_str())) else { return Ok(()) };
    let message = format!("the schema {schema:?} has a table {table:?} of somebody else; give another schema");
    Err(Error::new(ErrorKind::Integrity, "FOREIGN_SCHEMA", message).with("schema", schema))
}

fn newer(schema: &str, version: usize) -> Error {
    let known = SCRIPTS.len();
    let message = format!(
        "the schema {schema:?} has version {version} and this release knows {known}; use the release that made it, or a later one"
    );
    Error::new(ErrorKind::Integrity, "NEWER_SCHEMA", message).with("schema", schema)
}

//! The tables. A script is never changed once released; a change is one more script.

use holdfast_sqlite::Schema;

/// "hfst", so that the file is known as ours.
const APPLICATION_ID: i32 = 0x6866_7374;

pub(super) const SCHEMA: Schema = Schema { application_id: APPLICATION_ID, scripts: &[FIRST, FOLLOWERS] };

/// `entries.value` is null where the entry was deleted: the row stays, so that its version goes on counting.
/// `blob_bodies.state`: 0 being uploaded, 1 in use by `blobs`, 2 replaced or deleted; `touched_ms` says
/// when it last changed. Only 0 and 2 are ever swept.
pub(in crate::adapters) const FIRST: &str = "
create table entries (
  space integer not null,
  key text not null,
  value text,
  version integer not null,
  created_ms integer not null,
  updated_ms integer not null,
  expires_ms integer,
  primary key (space, key)
) strict, without rowid;
create index entries_by_expiry on entries (expires_ms) where expires_ms is not null;

create table streams (
  stream text primary key,
  version integer not null
) strict, without rowid;
create table events (
  position integer primary key autoincrement,
  stream text not null,
  version integer not null,
  id text not null,
  payload text not null,
  timestamp_ms integer not null
) strict;
create unique index events_by_stream on events (stream, version);
create unique index events_by_id on events (stream, id);
create index events_by_time on events (timestamp_ms);

create table blob_bodies (
  id integer primary key autoincrement,
  state integer not null,
  touched_ms integer not null
) strict;
create index blob_bodies_by_state on blob_bodies (state, touched_ms) where state <> 1;
create table blob_chunks (
  body integer not null,
  number integer not null,
  start integer not null,
  bytes blob not null,
  primary key (body, number)
) strict;
create table blobs (
  key text primary key,
  body integer not null,
  size integer not null,
  etag text not null,
  content_type text,
  metadata text not null,
  updated_ms integer not null
) strict, without rowid;
";

/// `followers`: who wants to be told what others commit, until when, and up to which of `changes` it was told. A
/// writer notes its changes while somebody else follows; one without a key says that events were appended.
pub(in crate::adapters) const FOLLOWERS: &str = "
create table followers (
  id text primary key,
  told integer not null,
  until_ms integer not null
) strict, without rowid;
create table changes (
  number integer primary key autoincrement,
  origin text not null,
  space integer,
  key text
) strict;
";

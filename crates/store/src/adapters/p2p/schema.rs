//! The tables: those of the SQLite adapter as they were when this one began, the items, and the order of events.

use std::sync::LazyLock;

use holdfast_sqlite::Schema;

use crate::adapters::sqlite::{FIRST_TABLES, FOLLOWERS_TABLES};

/// "hfp2": the SQLite adapter does not open such a file, since what it wrote would never reach a peer.
const APPLICATION_ID: i32 = 0x6866_7032;

/// The order of the events of a stream, the same on every peer that has them.
const EVENT_ORDER: &str = "
create table event_order (
  position integer primary key,
  stream text not null,
  ms integer not null,
  count integer not null,
  author blob not null
) strict;
create unique index event_order_by_stamp on event_order (stream, ms, count, author, position);
";

/// Made once: a schema's scripts live as long as the process.
static SCRIPTS: LazyLock<[&'static str; 1]> =
    LazyLock::new(|| [[FIRST_TABLES, FOLLOWERS_TABLES, holdfast_p2p::TABLES, EVENT_ORDER].concat().leak()]);

pub(super) fn schema() -> Schema {
    Schema { application_id: APPLICATION_ID, scripts: &*SCRIPTS }
}

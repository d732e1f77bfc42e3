//! Another process opens the database's file, while it is replicated and while it is not.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, unreachable_pub)]

mod support;

use std::path::Path;
use std::time::Duration;

use holdfast_replica::{Event, Replica, ReplicaSettings, SyncMode};
use holdfast_sqlite::rusqlite::Connection;
use holdfast_testkit::crash::{CrashTest, Role};
use support::{Machine, MemoryStore, number, rows_of, run};
use tokio::runtime::Runtime;

/// Runs the other process on a file's folder to its end, and gives what it told.
type RunOther<'a> = &'a dyn Fn(&Path) -> String;

/// A test's two halves: what the other process does to the file, telling what it saw, and what this one finds.
struct Halves {
    other: fn(Connection) -> String,
    this: fn(&Runtime, RunOther<'_>),
}

impl Halves {
    fn run(&self, name: &'static str) {
        let test = CrashTest::named(name);
        match test.role() {
            Role::Child(child) => {
                let connection = Connection::open(child.folder().join("app.db")).unwrap();
                connection.busy_timeout(Duration::from_millis(200)).unwrap();
                child.acknowledge(&(self.other)(connection));
            }
            Role::Parent => {
                let runtime = Runtime::new().unwrap();
                let other = |file: &Path| test.run_one(file.parent().unwrap(), 0).join("\n");
                (self.this)(&runtime, &other);
            }
        }
    }
}

/// The one value that a statement gives, or its error.
fn value(connection: &Connection, sql: &str) -> String {
    let value = connection.query_row(sql, [], |row| row.get::<_, holdfast_replica::Value>(0));
    value.map_or_else(|error| error.to_string(), |value| format!("{value:?}"))
}

async fn opened(machine: &Machine) -> Replica {
    let settings = ReplicaSettings { wal_threshold_bytes: 64 << 10, ..machine.settings(SyncMode::Sync) };
    let replica = machine.open_with(settings).await.unwrap();
    run(&replica, "create table if not exists t (name text)").await;
    replica
}

fn restored(runtime: &Runtime, machine: &Machine) -> Vec<String> {
    let (_folder, path) = runtime.block_on(machine.restored());
    rows_of(&path, "select name from t order by rowid")
}

#[test]
fn another_process_reads_what_is_committed_and_what_it_writes_is_stored_with_the_next_commit() {
    Halves {
        other: |connection| {
            let seen = value(&connection, "select group_concat(name) from t");
            connection.execute_batch("insert into t values ('theirs')").unwrap();
            seen
        },
        this: |runtime, other| {
            let machine = Machine::new(&MemoryStore::default());
            let replica = runtime.block_on(opened(&machine));
            runtime.block_on(run(&replica, "insert into t values ('ours')"));
            assert_eq!(other(&machine.file()), r#"Text("ours")"#);
            runtime.block_on(run(&replica, "insert into t values ('ours again')"));
            assert_eq!(restored(runtime, &machine), ["ours", "theirs", "ours again"]);
            runtime.block_on(replica.close()).unwrap();
        },
    }
    .run("another_process_reads_what_is_committed_and_what_it_writes_is_stored_with_the_next_commit");
}

#[test]
fn another_process_can_not_take_the_log_away_by_checkpoints_by_its_end_or_by_another_journal_mode() {
    Halves {
        other: |connection| {
            let mut seen = Vec::new();
            for mode in ["passive", "full", "restart", "truncate"] {
                seen.push(value(&connection, &format!("pragma wal_checkpoint({mode})")));
            }
            for mode in ["delete", "truncate", "memory", "off"] {
                seen.push(value(&connection, &format!("pragma journal_mode = {mode}")));
            }
            // Whoever closes a database last checkpoints it and removes its log; it is not the last one.
            connection.close().unwrap();
            seen.join("; ")
        },
        this: |runtime, other| {
            let machine = Machine::new(&MemoryStore::default());
            let replica = runtime.block_on(opened(&machine));
            for round in 0..3 {
                let expected: Vec<String> = (0..=round).map(|n| format!("round {n}")).collect();
                runtime.block_on(run(&replica, &format!("insert into t values ('round {round}')")));
                let seen = other(&machine.file());
                assert!(!seen.contains("delete") && seen.contains("locked"), "{seen}");
                assert_eq!(restored(runtime, &machine), expected);
            }
            assert!(!machine.saw(|event| matches!(event, Event::LockLost { .. })), "{:?}", machine.events);
            runtime.block_on(replica.close()).unwrap();
        },
    }
    .run("another_process_can_not_take_the_log_away_by_checkpoints_by_its_end_or_by_another_journal_mode");
}

#[test]
fn a_file_whose_journal_mode_was_changed_while_it_was_closed_goes_on_with_nothing_lost() {
    Halves {
        other: |connection| {
            let mode = value(&connection, "pragma journal_mode = delete");
            connection.close().unwrap();
            mode
        },
        this: |runtime, other| {
            let machine = Machine::new(&MemoryStore::default());
            let replica = runtime.block_on(opened(&machine));
            runtime.block_on(run(&replica, "insert into t values ('one')"));
            runtime.block_on(replica.close()).unwrap();
            assert_eq!(other(&machine.file()), r#"Text("delete")"#);
            let again = runtime.block_on(opened(&machine));
            runtime.block_on(run(&again, "insert into t values ('two')"));
            assert_eq!(restored(runtime, &machine), ["one", "two"]);
            runtime.block_on(again.close()).unwrap();
        },
    }
    .run("a_file_whose_journal_mode_was_changed_while_it_was_closed_goes_on_with_nothing_lost");
}

#[test]
fn what_another_process_wrote_while_the_database_was_closed_is_kept_beside_it_and_said() {
    Halves {
        other: |connection| {
            connection
                .execute_batch("insert into t values ('behind our back'); pragma wal_checkpoint(truncate)")
                .unwrap();
            connection.close().unwrap();
            "written".to_owned()
        },
        this: |runtime, other| {
            let machine = Machine::new(&MemoryStore::default());
            let replica = runtime.block_on(opened(&machine));
            runtime.block_on(run(&replica, "insert into t values ('one')"));
            runtime.block_on(replica.close()).unwrap();
            assert_eq!(other(&machine.file()), "written");
            let again = runtime.block_on(opened(&machine));
            let events = machine.events.lock().unwrap().clone();
            let kept = events.iter().find_map(|event| match event {
                Event::Diverged { kept } => Some(kept.clone()),
                _ => None,
            });
            assert_eq!(runtime.block_on(number(&again, "select count(*) from t")), 1);
            runtime.block_on(again.close()).unwrap();
            assert_eq!(rows_of(Path::new(&kept.unwrap()), "select name from t"), ["one", "behind our back"]);
        },
    }
    .run("what_another_process_wrote_while_the_database_was_closed_is_kept_beside_it_and_said");
}

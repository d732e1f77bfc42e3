//! What a commit costs: bytes and requests, on four workloads, whatever the size of the database.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, unreachable_pub)]

mod support;

use holdfast_replica::{Event, Replica, ReplicaSettings, SyncMode};
use holdfast_testkit::Dice;
use support::{Machine, MemoryStore, run};

const COMMITS: usize = 40;

/// The mean size of a segment, over commits that `sql` makes.
async fn bytes_a_commit(machine: &Machine, replica: &Replica, mut sql: impl FnMut(&mut Dice) -> String) -> usize {
    let mut dice = Dice::new(3);
    let uploaded = || {
        machine.events.lock().unwrap().clone().into_iter().filter_map(|event| match event {
            Event::WalUploaded { size, .. } => Some(size as usize),
            _ => None,
        })
    };
    let before = uploaded().count();
    for _ in 0..COMMITS {
        run(replica, &sql(&mut dice)).await;
    }
    assert_eq!(uploaded().count(), before + COMMITS, "one request a commit");
    uploaded().skip(before).sum::<usize>() / COMMITS
}

async fn database(rows: usize) -> (Machine, Replica) {
    let machine = Machine::new(&MemoryStore::default());
    let settings = ReplicaSettings { snapshot_interval_ms: 0, ..machine.settings(SyncMode::Sync) };
    let replica = machine.open_with(settings).await.unwrap();
    let numbers = format!("with recursive c(x) as (values(1) union all select x + 1 from c where x < {rows})");
    for sql in [
        "create table t (id integer primary key, n integer, name text)",
        "create table big (id integer primary key, body text)",
        "create table indexed (id integer primary key, a text, b text, c integer)",
        "create index by_a on indexed (a)",
        "create index by_b on indexed (b)",
        "create index by_c on indexed (c)",
        &format!("insert into t (n, name) {numbers} select x, 'name ' || x from c"),
        &format!(
            "insert into indexed (a, b, c) {numbers} select hex(randomblob(8)), hex(randomblob(8)), random() from c"
        ),
    ] {
        run(&replica, sql).await;
    }
    replica.snapshot().await.unwrap();
    (machine, replica)
}

async fn four_figures(rows: usize) -> [usize; 4] {
    let (machine, replica) = database(rows).await;
    let update = |dice: &mut Dice| format!("update t set n = n + 1 where id = {}", dice.below(rows as u64) + 1);
    let small = |_: &mut Dice| "insert into t (n, name) values (7, 'twenty bytes of text')".to_owned();
    let large = |_: &mut Dice| "insert into big (body) values (hex(randomblob(500)))".to_owned();
    let indexed = |_: &mut Dice| {
        "insert into indexed (a, b, c) values (hex(randomblob(8)), hex(randomblob(8)), random())".to_owned()
    };
    let figures = [
        bytes_a_commit(&machine, &replica, update).await,
        bytes_a_commit(&machine, &replica, small).await,
        bytes_a_commit(&machine, &replica, large).await,
        bytes_a_commit(&machine, &replica, indexed).await,
    ];
    replica.close().await.unwrap();
    figures
}

#[tokio::test]
async fn a_commit_uploads_no_more_than_its_page_differences_would() {
    let figures = four_figures(20_000).await;
    let most = [48, 104, 666, 1581];
    let is_within = figures.iter().zip(most).all(|(&bytes, most)| bytes <= most);
    assert!(
        is_within,
        "update of a column, row of 20 bytes, of 1000, with three indexes: {figures:?}, at most {most:?}"
    );
}

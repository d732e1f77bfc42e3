//! Transactions that stay open between calls.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, unreachable_pub)]

mod support;

use holdfast_replica::{Replica, Statement, SyncMode, Transaction};
use support::{Machine, MemoryStore, number, run};

async fn inside(transaction: &Transaction, sql: &str) {
    transaction.execute(Statement::new(sql, Vec::new())).await.unwrap();
}

async fn opened(machine: &Machine) -> Replica {
    let replica = machine.open(SyncMode::Async).await;
    run(&replica, "create table t (name text unique)").await;
    replica
}

#[tokio::test]
async fn other_writes_wait_and_readers_see_only_what_is_committed() {
    let machine = Machine::new(&MemoryStore::default());
    let replica = opened(&machine).await;
    let mut transaction = replica.begin().await.unwrap();
    inside(&transaction, "insert into t values ('inside')").await;
    let beside = tokio::spawn({
        let replica = replica.clone();
        async move { run(&replica, "insert into t values ('beside')").await }
    });
    assert_eq!(number(&replica, "select count(*) from t").await, 0);
    assert!(!beside.is_finished());
    transaction.roll_back().await.unwrap();
    beside.await.unwrap();
    assert_eq!(number(&replica, "select count(*) from t where name = 'beside'").await, 1);
    assert_eq!(number(&replica, "select count(*) from t").await, 1);
    replica.close().await.unwrap();
}

#[tokio::test]
async fn a_transaction_that_is_given_up_is_rolled_back_and_frees_the_writer() {
    let machine = Machine::new(&MemoryStore::default());
    let replica = opened(&machine).await;
    let transaction = replica.begin().await.unwrap();
    inside(&transaction, "insert into t values ('given up')").await;
    drop(transaction);
    run(&replica, "insert into t values ('next')").await;
    assert_eq!(number(&replica, "select count(*) from t").await, 1);
    replica.close().await.unwrap();
}

#[tokio::test]
async fn a_nested_transaction_is_undone_alone() {
    let machine = Machine::new(&MemoryStore::default());
    let replica = opened(&machine).await;
    let mut transaction = replica.begin().await.unwrap();
    inside(&transaction, "insert into t values ('outer')").await;
    transaction.begin_nested().await.unwrap();
    inside(&transaction, "insert into t values ('undone')").await;
    transaction.begin_nested().await.unwrap();
    inside(&transaction, "insert into t values ('undone as well')").await;
    transaction.end_nested(true).await.unwrap();
    transaction.end_nested(false).await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(number(&replica, "select count(*) from t").await, 1);
    replica.close().await.unwrap();
}

#[tokio::test]
async fn a_statement_that_fails_leaves_the_transaction_open() {
    let machine = Machine::new(&MemoryStore::default());
    let replica = opened(&machine).await;
    let mut transaction = replica.begin().await.unwrap();
    inside(&transaction, "insert into t values ('one')").await;
    let twice = transaction.execute(Statement::new("insert into t values ('one')", Vec::new())).await.unwrap_err();
    assert_eq!(twice.code(), "CONSTRAINT");
    let ended = transaction.execute(Statement::new("commit", Vec::new())).await.unwrap_err();
    assert_eq!(ended.code(), "TRANSACTION_REFUSED");
    inside(&transaction, "insert into t values ('two')").await;
    transaction.commit().await.unwrap();
    assert_eq!(number(&replica, "select count(*) from t").await, 2);
    assert_eq!(transaction.execute(Statement::new("select 1", Vec::new())).await.unwrap_err().code(), "CLOSED");
    replica.close().await.unwrap();
}

#[tokio::test]
async fn what_sqlite_rolled_back_by_itself_is_not_called_committed() {
    let machine = Machine::new(&MemoryStore::default());
    let replica = opened(&machine).await;
    run(&replica, "create table strict_one (n integer primary key on conflict rollback)").await;
    let mut transaction = replica.begin().await.unwrap();
    inside(&transaction, "insert into strict_one values (1)").await;
    transaction.execute(Statement::new("insert into strict_one values (1)", Vec::new())).await.unwrap_err();
    let lost = transaction.execute(Statement::new("insert into t values ('x')", Vec::new())).await.unwrap_err();
    assert_eq!(lost.code(), "TRANSACTION_LOST");
    assert_eq!(transaction.commit().await.unwrap_err().code(), "TRANSACTION_LOST");
    assert_eq!(number(&replica, "select count(*) from strict_one").await, 0);
    run(&replica, "insert into t values ('goes on')").await;
    replica.close().await.unwrap();
}

//! What a `Database` promises.
#![allow(clippy::unwrap_used, missing_docs)]

use holdfast_base::{Error, ErrorKind};
use holdfast_sqlite::{Database, Schema, Settings};

const SCHEMA: Schema = Schema { application_id: 7, scripts: &["create table t (n integer primary key) strict"] };

async fn insert(database: &Database, n: i64) -> Result<(), Error> {
    database
        .write(move |connection| {
            connection.execute("insert into t values (?1)", [n])?;
            Ok(())
        })
        .await
}

fn count(database: &Database) -> i64 {
    database.read(|connection| Ok(connection.query_row("select count(*) from t", [], |row| row.get(0))?)).unwrap()
}

#[tokio::test]
async fn a_write_is_visible_once_answered() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::open(&Settings::new(folder.path().join("a.db")), SCHEMA).unwrap();
    insert(&database, 1).await.unwrap();
    assert_eq!(count(&database), 1);
    database.close().await;
}

#[tokio::test]
async fn work_that_fails_undoes_only_itself() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::open(&Settings::new(folder.path().join("a.db")), SCHEMA).unwrap();
    let writes = (0..50).map(|n| {
        let database = database.clone();
        tokio::spawn(async move {
            database
                .write(move |connection| {
                    connection.execute("insert into t values (?1)", [n])?;
                    if n % 2 == 0 { Err(Error::new(ErrorKind::Conflict, "EVEN", "even").into()) } else { Ok(n) }
                })
                .await
        })
    });
    let mut succeeded = 0;
    for write in writes.collect::<Vec<_>>() {
        succeeded += i64::from(write.await.unwrap().is_ok());
    }
    assert_eq!((succeeded, count(&database)), (25, 25));
    database.close().await;
}

#[tokio::test]
async fn a_panic_in_the_work_is_an_error_and_the_writer_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::open(&Settings::new(folder.path().join("a.db")), SCHEMA).unwrap();
    let panicked = database.write::<()>(|_| panic!("on purpose")).await;
    assert_eq!(panicked.unwrap_err().kind(), ErrorKind::Internal);
    insert(&database, 1).await.unwrap();
    assert_eq!(count(&database), 1);
    database.close().await;
}

#[tokio::test]
async fn calls_after_close_are_closed_errors() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::open(&Settings::new(folder.path().join("a.db")), SCHEMA).unwrap();
    database.close().await;
    database.close().await;
    assert_eq!(insert(&database, 1).await.unwrap_err().kind(), ErrorKind::Closed);
    assert_eq!(database.read(|_| Ok(())).unwrap_err().kind(), ErrorKind::Closed);
}

#[tokio::test]
async fn a_foreign_a_newer_and_a_corrupt_file_are_refused_and_left_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let foreign = Settings::new(&path).connect_writer().unwrap();
    foreign.execute_batch("create table mine (x)").unwrap();
    drop(foreign);
    let code = |schema: Schema| Database::open(&Settings::new(&path), schema).unwrap_err().code();
    assert_eq!(code(SCHEMA), "FOREIGN_FILE");

    std::fs::remove_file(&path).unwrap();
    Database::open(&Settings::new(&path), SCHEMA).unwrap().close().await;
    assert_eq!(code(Schema { application_id: 7, scripts: &[] }), "NEWER_FILE");

    std::fs::write(&path, b"this is no database, and it is longer than a header of a hundred bytes. ".repeat(3))
        .unwrap();
    assert_eq!(code(SCHEMA), "NOT_A_DATABASE");
    assert!(std::fs::read(&path).unwrap().starts_with(b"this is no database"));
}

#[tokio::test]
async fn a_write_that_waits_in_vain_for_another_connection_is_a_locked_error() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings { busy_timeout_ms: 20, ..Settings::new(folder.path().join("a.db")) };
    let database = Database::open(&settings, SCHEMA).unwrap();
    let other = settings.connect_writer().unwrap();
    other.execute_batch("begin immediate").unwrap();
    let error = insert(&database, 1).await.unwrap_err();
    assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Locked, true));
    other.execute_batch("rollback").unwrap();
    insert(&database, 1).await.unwrap();
    assert_eq!(count(&database), 1);
    database.close().await;
}

#[test]
fn submitted_writes_are_committed_in_the_order_of_calls() {
    let folder = tempfile::tempdir().unwrap();
    let schema = Schema { application_id: 7, scripts: &["create table t (at integer primary key, n integer) strict"] };
    let database = Database::open(&Settings::new(folder.path().join("a.db")), schema).unwrap();
    // More than the queue holds: the calls wait for room and keep their order.
    let answers: Vec<_> = (0..3000_i64)
        .map(|n| {
            database.submit(move |connection| {
                connection.prepare_cached("insert into t (n) values (?1)")?.execute([n])?;
                Ok(connection.last_insert_rowid())
            })
        })
        .collect();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        for (n, answer) in (0_i64..).zip(answers) {
            assert_eq!(answer.await.unwrap(), n + 1);
        }
        database.close().await;
    });
}

#[tokio::test]
async fn work_that_fails_alone_is_undone_and_the_next_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::open(&Settings::new(folder.path().join("a.db")), SCHEMA).unwrap();
    let failed = database.write::<()>(|connection| {
        connection.execute("insert into t values (1)", [])?;
        Err(Error::new(ErrorKind::Conflict, "NO", "no").into())
    });
    assert_eq!(failed.await.unwrap_err().code(), "NO");
    assert_eq!(count(&database), 0);
    insert(&database, 1).await.unwrap();
    assert_eq!(count(&database), 1);
    database.close().await;
}

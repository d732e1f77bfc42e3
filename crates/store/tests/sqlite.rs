//! The SQLite adapter keeps the store's promises, and some of its own.
#![allow(clippy::unwrap_used, missing_docs)]

use std::path::Path;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::TryStreamExt;
use holdfast_base::{Key, ManualClock};
use holdfast_sqlite::rusqlite::Connection;
use holdfast_store::adapters::sqlite::Sqlite;
use holdfast_store::ports::{Blobs, Hear, News};
use holdfast_store::{Adapter, Batch, Condition, Outcome, PutOptions, Space, Step};
use holdfast_testkit::conformance::store::{BEGIN_MS, Subject};

async fn sqlite() -> Subject {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::at(BEGIN_MS));
    let adapter = Arc::new(open(folder.path(), &clock));
    Subject { adapter, clock, keep: Box::new(folder) }
}

fn open(folder: &Path, clock: &Arc<ManualClock>) -> Sqlite {
    let settings = holdfast_sqlite::Settings::new(folder.join("data/app.db"));
    Sqlite::open(&settings, clock.clone()).unwrap()
}

holdfast_testkit::store_conformance!(sqlite);

fn key(name: &str) -> Key {
    Key::new(name).unwrap()
}

fn rows(folder: &Path, sql: &str) -> i64 {
    let connection = Connection::open(folder.join("data/app.db")).unwrap();
    connection.query_row(sql, [], |row| row.get(0)).unwrap()
}

#[tokio::test]
async fn what_was_written_is_there_after_opening_again() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::at(BEGIN_MS));
    let store = open(folder.path(), &clock);
    store.commit(Batch::one(Step::put(Space::Records, key("a"), "1"))).await.unwrap();
    store.commit(Batch::one(Step::delete(Space::Records, key("a")))).await.unwrap();
    let mut upload = store.open_upload(key("b"), PutOptions::default()).await.unwrap();
    upload.write(Bytes::from_static(b"hello")).await.unwrap();
    upload.finish().await.unwrap();
    store.close().await.unwrap();

    let store = open(folder.path(), &clock);
    let put = store.commit(Batch::one(Step::put(Space::Records, key("a"), "2"))).await.unwrap();
    assert!(matches!(put[0], Outcome::Put { version: 2, .. }));
    let body = store.open_blob(key("b"), None).await.unwrap().unwrap();
    assert_eq!(body.stream.try_collect::<Vec<_>>().await.unwrap().concat(), b"hello");
    store.close().await.unwrap();
}

#[tokio::test]
async fn two_stores_on_one_file_see_each_others_commits() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::at(BEGIN_MS));
    let (one, two) = (open(folder.path(), &clock), open(folder.path(), &clock));
    one.commit(Batch::one(Step::put(Space::Kv, key("a"), "1"))).await.unwrap();
    let stale = Step::Put {
        space: Space::Kv,
        key: key("a"),
        value: "2".to_owned(),
        condition: Condition::Absent,
        ttl_ms: None,
    };
    assert_eq!(two.commit(Batch::one(stale)).await.unwrap_err().code(), "VERSION_CONFLICT");
    one.close().await.unwrap();
    two.close().await.unwrap();
}

#[tokio::test]
async fn the_sweep_takes_expired_values_and_keeps_their_versions() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::at(BEGIN_MS));
    let store = open(folder.path(), &clock);
    let steps = (0..600)
        .map(|n| Step::Put {
            space: Space::Kv,
            key: key(&format!("k{n}")),
            value: "1".to_owned(),
            condition: Condition::Any,
            ttl_ms: Some(10),
        })
        .collect();
    store.commit(Batch { steps, atomic: true }).await.unwrap();
    clock.advance_ms(10);
    store.sweep().await.unwrap();
    assert_eq!(rows(folder.path(), "select count(*) from entries where value is not null"), 0);
    let put = store.commit(Batch::one(Step::put(Space::Kv, key("k1"), "2"))).await.unwrap();
    assert!(matches!(put[0], Outcome::Put { version: 2, .. }));
    store.close().await.unwrap();
}

async fn upload(store: &Sqlite, name: &str, length: usize) {
    let mut upload = store.open_upload(key(name), PutOptions::default()).await.unwrap();
    upload.write(Bytes::from(vec![7; length])).await.unwrap();
    upload.finish().await.unwrap();
}

#[tokio::test]
async fn the_sweep_takes_what_replaced_deleted_and_abandoned_blobs_left() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::at(BEGIN_MS));
    let store = open(folder.path(), &clock);
    upload(&store, "replaced", 2 << 20).await;
    upload(&store, "replaced", 10).await;
    upload(&store, "deleted", 600_000).await;
    store.delete_blobs(vec![key("deleted")]).await.unwrap();
    let mut abandoned = store.open_upload(key("abandoned"), PutOptions::default()).await.unwrap();
    abandoned.write(Bytes::from(vec![7; 600_000])).await.unwrap();
    store.sweep().await.unwrap();
    assert_eq!(rows(folder.path(), "select count(*) from blob_bodies"), 4, "nothing goes before its time");
    clock.advance_ms(2 * 60 * 60_000);
    store.sweep().await.unwrap();
    assert_eq!(rows(folder.path(), "select count(*) from blob_chunks"), 1);
    assert_eq!(rows(folder.path(), "select count(*) from blob_bodies"), 1);
    assert_eq!(abandoned.finish().await.unwrap_err().code(), "UPLOAD_ABANDONED");
    store.close().await.unwrap();
}

#[tokio::test]
async fn the_sweep_leaves_what_is_being_read() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::at(BEGIN_MS));
    let store = open(folder.path(), &clock);
    upload(&store, "a", 2 << 20).await;
    let mut body = store.open_blob(key("a"), None).await.unwrap().unwrap();
    body.stream.try_next().await.unwrap().unwrap();
    store.delete_blobs(vec![key("a")]).await.unwrap();
    clock.advance_ms(2 * 60 * 60_000);
    store.sweep().await.unwrap();
    let rest = body.stream.try_collect::<Vec<_>>().await.unwrap().concat();
    assert_eq!(rest.len(), (2 << 20) - (256 << 10));
    store.sweep().await.unwrap();
    assert_eq!(rows(folder.path(), "select count(*) from blob_chunks"), 0);
    store.close().await.unwrap();
}

/// What a store was told, and a way to wait for more.
#[derive(Default)]
struct Told {
    news: Mutex<Vec<News>>,
    more: tokio::sync::Notify,
}

impl Told {
    fn hear(self: &Arc<Self>) -> Hear {
        let told = Arc::clone(self);
        Arc::new(move |news| {
            told.news.lock().unwrap().push(news);
            told.more.notify_one();
        })
    }

    /// Everything, once it is as long as `count`.
    async fn until(&self, count: usize) -> Vec<News> {
        loop {
            let news = self.news.lock().unwrap().clone();
            if news.len() >= count {
                return news;
            }
            self.more.notified().await;
        }
    }
}

fn changed(names: &[(Space, &str)], appended: bool) -> News {
    News::Committed { changed: names.iter().map(|(space, name)| (*space, (*name).to_owned())).collect(), appended }
}

#[tokio::test]
async fn who_follows_hears_what_others_commit_and_nothing_of_itself() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::at(BEGIN_MS));
    let (one, two) = (open(folder.path(), &clock), open(folder.path(), &clock));
    two.commit(Batch::one(Step::put(Space::Kv, key("before"), "1"))).await.unwrap();
    let told = Arc::new(Told::default());
    one.follow(told.hear()).await.unwrap();
    one.commit(Batch::one(Step::put(Space::Kv, key("own"), "1"))).await.unwrap();
    let refused = Step::Delete { space: Space::Kv, key: key("x"), condition: Condition::Version(7) };
    two.commit(Batch { steps: vec![Step::put(Space::Kv, key("undone"), "1"), refused], atomic: true })
        .await
        .unwrap_err();
    let stream = key("s");
    let append = Step::Append { stream, payload: "1".into(), expected_version: None, id: None, timestamp_ms: None };
    let steps = vec![Step::put(Space::Records, key("a"), "1"), Step::delete(Space::Kv, key("before")), append];
    two.commit(Batch { steps, atomic: true }).await.unwrap();
    let expected = vec![changed(&[(Space::Records, "a"), (Space::Kv, "before")], true)];
    assert_eq!(told.until(1).await, expected);
    one.close().await.unwrap();
    assert_eq!(rows(folder.path(), "select count(*) from changes"), 0, "nobody waits for them");
    two.commit(Batch::one(Step::put(Space::Kv, key("after"), "1"))).await.unwrap();
    assert_eq!(rows(folder.path(), "select count(*) from changes"), 0, "nobody follows");
    two.close().await.unwrap();
}

#[tokio::test]
async fn who_did_not_say_in_time_that_it_lives_hears_of_a_gap_and_follows_anew() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::at(BEGIN_MS));
    let (one, two) = (open(folder.path(), &clock), open(folder.path(), &clock));
    let told = Arc::new(Told::default());
    one.follow(told.hear()).await.unwrap();
    clock.advance_ms(61_000);
    assert_eq!(told.until(1).await, vec![News::Gap]);
    two.commit(Batch::one(Step::put(Space::Kv, key("a"), "1"))).await.unwrap();
    assert_eq!(told.until(2).await[1], changed(&[(Space::Kv, "a")], false));
    one.close().await.unwrap();
    two.close().await.unwrap();
}

#[tokio::test]
async fn the_sweep_forgets_who_went_without_a_word_and_what_was_noted_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::at(BEGIN_MS));
    let store = open(folder.path(), &clock);
    let lost = Connection::open(folder.path().join("data/app.db")).unwrap();
    let until_ms = i64::try_from(BEGIN_MS + 60_000).unwrap();
    lost.execute("insert into followers (id, told, until_ms) values ('lost', 0, ?1)", [until_ms]).unwrap();
    store.commit(Batch::one(Step::put(Space::Kv, key("a"), "1"))).await.unwrap();
    assert_eq!(rows(folder.path(), "select count(*) from changes"), 1, "somebody may still want to hear of it");
    clock.advance_ms(60_000);
    store.sweep().await.unwrap();
    assert_eq!(rows(folder.path(), "select (select count(*) from changes) + (select count(*) from followers)"), 0);
    store.close().await.unwrap();
}

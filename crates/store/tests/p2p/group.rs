//! Peers of a test: real stores, real sockets on the loopback.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use holdfast_base::{Key, KeyRange, SystemClock};
use holdfast_store::adapters::p2p::{Discovery, P2p, P2pSettings};
use holdfast_store::ports::Peers;
use holdfast_store::{Adapter, Batch, EntryQuery, EventQuery, Outcome, PeerNews, Space, Step};
use tempfile::TempDir;

/// Nothing that is waited for takes longer, also on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn settings(path: &Path, topic: &str, peers: &[String]) -> P2pSettings {
    P2pSettings {
        path: path.to_owned(),
        discovery: Discovery { topic: topic.to_owned(), method: None, mdns: None },
        secret: Some("a secret of the test".to_owned()),
        listen: Some("127.0.0.1:0".to_owned()),
        peers: peers.to_vec(),
        max_peers: None,
    }
}

/// A store of its own, and what it told.
pub(crate) struct Member {
    pub(crate) store: P2p,
    pub(crate) folder: TempDir,
    told: Arc<Mutex<Vec<PeerNews>>>,
}

impl Member {
    pub(crate) async fn join(others: &[&Member]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let peers = others.iter().flat_map(|other| other.store.addresses()).collect::<Vec<_>>();
        Self::open(settings(&folder.path().join("app.db"), "topic", &peers), folder).await
    }

    pub(crate) async fn open(settings: P2pSettings, folder: TempDir) -> Self {
        let store = P2p::open(settings, Arc::new(SystemClock)).await.unwrap();
        let told = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&told);
        store.hear(Arc::new(move |news| heard.lock().unwrap().push(news)));
        Self { store, folder, told }
    }

    pub(crate) fn told(&self) -> Vec<PeerNews> {
        self.told.lock().unwrap().clone()
    }

    pub(crate) async fn commit(&self, step: Step) -> Outcome {
        self.store.commit(Batch::one(step)).await.unwrap().remove(0)
    }

    pub(crate) async fn put(&self, space: Space, name: &str, value: &str) {
        self.commit(Step::put(space, key(name), value)).await;
    }

    pub(crate) async fn append(&self, stream: &str, payload: &str) {
        let (stream, payload) = (key(stream), payload.to_owned());
        self.commit(Step::Append { stream, payload, expected_version: None, id: None, timestamp_ms: None }).await;
    }

    pub(crate) async fn value(&self, space: Space, name: &str) -> Option<String> {
        use holdfast_store::ports::Entries;
        self.store.get(space, &key(name)).await.unwrap().map(|entry| entry.value)
    }

    /// All that a reader can see of records, kv and the events of a stream.
    pub(crate) async fn all(&self) -> (BTreeMap<(u8, String), String>, Vec<(u64, String)>) {
        use holdfast_store::ports::{Entries, Events};
        let mut entries = BTreeMap::new();
        for space in [Space::Records, Space::Kv] {
            let page = self.store.list(space, EntryQuery::of(KeyRange::all(), 100_000)).await.unwrap();
            entries.extend(page.items.into_iter().map(|entry| ((space.number(), entry.key), entry.value)));
        }
        let query = EventQuery {
            stream: Some("s".to_owned()),
            after: None,
            since_ms: None,
            reverse: false,
            by_arrival: false,
            limit: 100_000,
        };
        let events = self.store.list_events(query).await.unwrap().items;
        (entries, events.into_iter().map(|event| (event.version, event.payload)).collect())
    }
}

pub(crate) fn key(name: &str) -> Key {
    Key::new(name).unwrap()
}

/// Waits until `is_so` says so.
pub(crate) async fn until<F: Future<Output = bool>>(what: &str, mut is_so: impl FnMut() -> F) {
    let waiting = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, waiting).await.is_ok(), "it never came about that {what}");
}

/// Waits until all see the same, and it is what `is_all` asks for.
pub(crate) async fn until_equal(members: &[&Member], what: &str) {
    until(what, || async {
        let first = members[0].all().await;
        for member in members {
            if member.all().await != first {
                return false;
            }
        }
        true
    })
    .await;
}

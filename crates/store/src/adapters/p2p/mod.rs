//! The p2p adapter: a SQLite file as that of the SQLite adapter, and beside each entry and event the state from
//! which peers merge it. A write is durable here when it is answered, and reaches peers when there are any.
//!
//! Readers read the tables of the SQLite adapter. Whatever changes one of them changes the state beside it in the
//! same transaction: local commits in `commit.rs`, what peers send in `mirror.rs`.

mod blobs;
mod commit;
mod entries;
mod events;
mod mirror;
mod schema;
mod settings;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use holdfast_base::{Clock, Error, Result};
use holdfast_p2p::{Changes, HearPeers, Identity, Kind, Peer, PeerNews, Rows, Store, TopicKey};
use holdfast_sqlite::Database;

use crate::adapters::sqlite::Sqlite;
use crate::ports::{Hear, News, Peers};
use crate::{Adapter, Answer, Batch, Capabilities, Outcome, Pending, Space};

pub use settings::{Discovery, DiscoveryMethod, P2pSettings};

/// How often deletes that are long past are forgotten.
const PURGE_EVERY: Duration = Duration::from_secs(3600);
/// How long deletes are remembered.
const HORIZON_MS: u64 = 30 * 24 * 3_600_000;
const PURGED_AT_ONCE: u32 = 500;

/// A store among peers. Clones share it.
#[derive(Clone)]
pub struct P2p {
    inner: Sqlite,
    database: Database,
    rows: Arc<Rows>,
    clock: Arc<dyn Clock>,
    peer: Arc<Peer>,
    hearers: Arc<Hearers>,
    purger: Arc<Purger>,
}

/// Who hears what peers do.
#[derive(Default)]
struct Hearers {
    news: Mutex<Option<Hear>>,
    peers: Mutex<Option<HearPeers>>,
}

impl Hearers {
    fn tell(&self, told: PeerNews) {
        let PeerNews::Committed { changed } = told else {
            if let Some(hear) = self.peers.lock().unwrap_or_else(PoisonError::into_inner).clone() {
                hear(told);
            }
            return;
        };
        let hear = self.news.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(hear) = hear {
            let appended = changed.iter().any(|(kind, _)| *kind == Kind::Event);
            let changed = changed.into_iter().filter_map(|(kind, key)| match kind {
                Kind::Record => Some((Space::Records, key)),
                Kind::Kv => Some((Space::Kv, key)),
                Kind::Event | Kind::Blob => None,
            });
            hear(News::Committed { changed: changed.collect(), appended });
        }
    }
}

/// Forgets deletes in the background; ends with the last handle of the store.
struct Purger(tokio::task::JoinHandle<()>);

impl Drop for Purger {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl P2p {
    /// Opens (or makes) the file and begins to look for peers. Needs an ambient tokio runtime.
    ///
    /// # Errors
    /// As [`Sqlite::open`], [`Identity::open`] and [`Peer::start`].
    pub async fn open(settings: P2pSettings, clock: Arc<dyn Clock>) -> Result<Self> {
        let (topic, secret) = (settings.discovery.topic.clone(), settings.secret.clone());
        let (path, own) = (settings.path.clone(), Arc::clone(&clock));
        // Waits for the disk, and makes the topic's key slowly.
        let opening = tokio::task::spawn_blocking(move || {
            let key = TopicKey::derive(&topic, secret.as_deref())?;
            Ok::<_, Error>((key, open_file(path, own)?))
        });
        let (key, (inner, identity)) = opening.await.map_err(|error| Error::internal(error.to_string()))??;
        let database = inner.database().clone();
        let rows = Arc::new(database.read(|connection| Rows::open(connection, identity.author()))?);
        let hearers = Arc::new(Hearers::default());
        let told = Arc::clone(&hearers);
        let hear: HearPeers = Arc::new(move |news| told.tell(news));
        let store = Store {
            database: database.clone(),
            rows: Arc::clone(&rows),
            mirror: Arc::new(mirror::Tables),
            clock: Arc::clone(&clock),
            hearer: Arc::new(Mutex::new(Some(hear))),
        };
        let peer = match settings.net(key).and_then(|net| Peer::start(store, identity, net)) {
            Ok(peer) => peer,
            Err(error) => {
                inner.close().await?;
                return Err(error);
            }
        };
        let purger = Purger(tokio::spawn(purge(database.clone(), Arc::clone(&rows), Arc::clone(&clock))));
        Ok(Self { inner, database, rows, clock, peer, hearers, purger: Arc::new(purger) })
    }
}

fn open_file(path: PathBuf, clock: Arc<dyn Clock>) -> Result<(Sqlite, Identity)> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)?;
    }
    let mut key = path.clone().into_os_string();
    key.push(".key");
    // The key first: its lock keeps other processes from the file.
    let identity = Identity::open(&PathBuf::from(key))?;
    let inner = Sqlite::open_as(&holdfast_sqlite::Settings::new(path), schema::schema(), clock)?;
    Ok((inner, identity))
}

async fn purge(database: Database, rows: Arc<Rows>, clock: Arc<dyn Clock>) {
    loop {
        let before_ms = clock.now_ms().saturating_sub(HORIZON_MS);
        let (rows, done) = (Arc::clone(&rows), Arc::clone(&rows));
        let purged = database.write_then(
            move |connection| {
                let mut changes = Changes::default();
                let purged = rows.purge(connection, &mut changes, before_ms, PURGED_AT_ONCE)?;
                Ok((purged, changes))
            },
            move |(_, changes)| done.committed(changes),
        );
        match purged.await {
            Ok((purged, _)) if purged == PURGED_AT_ONCE as usize => {}
            _ => tokio::time::sleep(PURGE_EVERY).await,
        }
    }
}

impl Adapter for P2p {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            atomic: true,
            ordered: true,
            presign: false,
            durable: true,
            multi_process: false,
            notifies: true,
        }
    }

    fn commit(&self, batch: Batch) -> Answer<Vec<Outcome>> {
        let (rows, done, clock) = (Arc::clone(&self.rows), Arc::clone(&self.rows), Arc::clone(&self.clock));
        let peer = Arc::clone(&self.peer);
        let committed = self.database.submit_then(
            move |connection| commit::commit(connection, &rows, batch, clock.now_ms()),
            move |(_, changes)| {
                done.committed(changes);
                peer.push(&changes.ids);
            },
        );
        Answer::later(async move { Ok(committed.await?.0) })
    }

    fn follow(&self, hear: Hear) -> Pending<()> {
        *self.hearers.news.lock().unwrap_or_else(PoisonError::into_inner) = Some(hear);
        Box::pin(std::future::ready(Ok(())))
    }

    fn peers(&self) -> Option<&dyn Peers> {
        Some(self)
    }

    fn close(&self) -> Pending<()> {
        let store = self.clone();
        Box::pin(async move {
            store.purger.0.abort();
            store.peer.close().await;
            *store.hearers.news.lock().unwrap_or_else(PoisonError::into_inner) = None;
            *store.hearers.peers.lock().unwrap_or_else(PoisonError::into_inner) = None;
            store.inner.close().await?;
            store.peer.release();
            Ok(())
        })
    }
}

impl Peers for P2p {
    fn id(&self) -> String {
        self.peer.id().to_owned()
    }

    fn addresses(&self) -> Vec<String> {
        self.peer.addresses()
    }

    fn connected(&self) -> Vec<holdfast_p2p::PeerStatus> {
        self.peer.peers()
    }

    fn hear(&self, hear: HearPeers) {
        for status in self.peer.peers() {
            hear(PeerNews::Connected { peer: status.id, address: status.address });
        }
        *self.hearers.peers.lock().unwrap_or_else(PoisonError::into_inner) = Some(hear);
    }
}

//! A peer on the network.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use holdfast_base::{Clock, Error, ErrorKind, Result};
use holdfast_sqlite::{Database, Work};
use quinn::{Connection, Endpoint, Incoming};
use tokio::sync::{Semaphore, watch};
use tokio::task::{AbortHandle, JoinSet};

use super::auth::authenticate;
use super::link::Link;
use super::mdns::Mdns;
use super::news::{HearPeers, PeerNews, PeerStatus};
use super::{Identity, TopicKey, dial, tls};
use crate::{Changes, Ground, Item, ItemId, Mirror, Received, Retention, Rows, forget_gone, merge_items};

/// Strangers that may be proving themselves at the same time.
const MAX_STRANGERS: usize = 16;
/// How long deletes are remembered.
pub(crate) const HORIZON_MS: u64 = 30 * 24 * 3_600_000;

/// Where a node listens and whom it looks for.
#[derive(Debug)]
pub struct NetSettings {
    /// What its peers share.
    pub key: TopicKey,
    /// Where to listen; port 0 for any.
    pub listen: SocketAddr,
    /// Addresses to dial, `host:port`.
    pub peers: Vec<String>,
    /// At most so many peers.
    pub max_peers: usize,
    /// Whether to look on the local network.
    pub mdns: bool,
}

/// The store of a node. Clones share it.
#[derive(Clone)]
pub struct Store {
    /// Its file.
    pub database: Database,
    /// The items in it.
    pub rows: Arc<Rows>,
    /// Shows what was merged.
    pub mirror: Arc<dyn Mirror>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Who hears news.
    pub hearer: Arc<Mutex<Option<HearPeers>>>,
}

impl Store {
    pub(super) fn tell(&self, news: PeerNews) {
        let hearer = lock(&self.hearer).clone();
        if let Some(hearer) = hearer {
            hearer(news);
        }
    }

    pub(super) fn read<T>(&self, work: impl FnOnce(Ground<'_>) -> Work<T>) -> Result<T> {
        self.database.read(|connection| work(Ground { connection, rows: &self.rows }))
    }

    fn retention(&self, known_until_ms: u64) -> Retention {
        let now_ms = self.clock.now_ms();
        Retention { now_ms, forget_before_ms: now_ms.saturating_sub(HORIZON_MS), known_until_ms }
    }

    /// Merges what a peer sent. News of it is told in the order of commits, before this answers.
    pub(super) async fn merge(&self, items: Vec<Item>, known_until_ms: u64) -> Result<Received> {
        let (store, done) = (self.clone(), self.clone());
        let retention = self.retention(known_until_ms);
        let merging = self.database.write_then(
            move |connection| {
                let mut changes = Changes::default();
                let mirror = store.mirror.as_ref();
                let received = merge_items(&store.rows, connection, &mut changes, items, retention, mirror)?;
                Ok((received, changes))
            },
            move |(received, changes)| {
                done.rows.committed(changes);
                done.tell_merged(received);
            },
        );
        Ok(merging.await?.0)
    }

    fn tell_merged(&self, received: &Received) {
        if !received.news.is_empty() {
            self.tell(PeerNews::Committed { changed: received.news.clone() });
        }
        for (key, conflict) in received.conflicts.iter().cloned() {
            let crate::FieldConflict { path, local, remote } = conflict;
            self.tell(PeerNews::Conflict { key, path, local, remote });
        }
    }

    pub(super) async fn forget(&self, ids: Vec<ItemId>) -> Result<()> {
        let (store, done) = (self.clone(), self.clone());
        let forget_before_ms = self.retention(0).forget_before_ms;
        let forgetting = self.database.write_then(
            move |connection| {
                let mut changes = Changes::default();
                let mirror = store.mirror.as_ref();
                let changed = forget_gone(&store.rows, connection, &mut changes, &ids, forget_before_ms, mirror)?;
                Ok((changed, changes))
            },
            move |(changed, changes)| {
                done.rows.committed(changes);
                if !changed.is_empty() {
                    done.tell(PeerNews::Committed { changed: std::mem::take(changed) });
                }
            },
        );
        forgetting.await.map(|_| ())
    }

    pub(super) async fn note_equal(&self, peer: &str) -> Result<()> {
        let (store, peer, now_ms) = (self.clone(), peer.to_owned(), self.clock.now_ms());
        self.database.write(move |connection| store.rows.note_equal(connection, &peer, now_ms)).await
    }

    /// Until when the writes of a peer reached this store: when the two last held the same or, where they never
    /// met, when the peer last held the same as anybody, if that is long ago.
    pub(super) fn known_until_ms(&self, peer: &str, their_equal_ms: u64) -> Result<u64> {
        let met_ms = self.read(|ground| ground.rows.equal_ms(ground.connection, Some(peer)))?;
        let was_away = their_equal_ms < self.retention(0).forget_before_ms;
        Ok(if met_ms == 0 && was_away { their_equal_ms } else { met_ms })
    }
}

/// A node. Ends with [`Node::close`].
pub struct Node {
    pub(super) store: Store,
    pub(super) identity: Identity,
    pub(super) instance: [u8; 8],
    pub(super) key: TopicKey,
    pub(super) endpoint: Endpoint,
    max_peers: usize,
    strangers: Semaphore,
    /// A peer may be connected more than once for a moment: the one with the lower id ends the others.
    links: Mutex<HashMap<String, Vec<Arc<Link>>>>,
    /// Ticks when a link comes or goes.
    pub(super) changed: watch::Sender<u64>,
    tasks: Mutex<JoinSet<()>>,
    dialling: Mutex<HashMap<String, AbortHandle>>,
    mdns: Mutex<Option<Mdns>>,
}

impl Node {
    /// Begins to listen and to look for peers. Needs an ambient tokio runtime.
    ///
    /// # Errors
    /// `Config` with code `CANNOT_LISTEN`.
    pub fn start(store: Store, identity: Identity, settings: NetSettings) -> Result<Arc<Self>> {
        let listen = settings.listen;
        let mut endpoint = Endpoint::server(tls::server(&identity)?, listen).map_err(|error| {
            let message = format!("{listen} can't be listened on: {error}; give listen another address or port");
            Error::new(ErrorKind::Config, "CANNOT_LISTEN", message)
        })?;
        endpoint.set_default_client_config(tls::client(&identity)?);
        let mut instance = [0; 8];
        getrandom::fill(&mut instance).map_err(|error| Error::internal(error.to_string()))?;
        let node = Arc::new(Self {
            store,
            identity,
            instance,
            key: settings.key,
            endpoint,
            max_peers: settings.max_peers,
            strangers: Semaphore::new(MAX_STRANGERS),
            links: Mutex::default(),
            changed: watch::Sender::new(0),
            tasks: Mutex::default(),
            dialling: Mutex::default(),
            mdns: Mutex::default(),
        });
        node.spawn(listen_on(Arc::downgrade(&node), node.endpoint.clone()));
        for address in settings.peers {
            node.look_for(address);
        }
        if settings.mdns {
            let mdns = Mdns::start(&node);
            *lock(&node.mdns) = mdns;
        }
        Ok(node)
    }

    /// Its id.
    pub fn id(&self) -> &str {
        self.identity.id()
    }

    /// Where it listens; one that listens everywhere says where that is on this machine.
    pub fn addresses(&self) -> Vec<String> {
        let Ok(local) = self.endpoint.local_addr() else { return Vec::new() };
        if !local.ip().is_unspecified() {
            return vec![local.to_string()];
        }
        let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
        let is_same_family = |ip: &std::net::IpAddr| ip.is_ipv4() == local.is_ipv4();
        let ips = interfaces.into_iter().map(|interface| interface.ip()).filter(is_same_family);
        ips.map(|ip| SocketAddr::new(ip, local.port()).to_string()).collect()
    }

    /// The peers that are there.
    pub fn peers(&self) -> Vec<PeerStatus> {
        let mut peers =
            self.links().values().filter_map(|links| links.last()).map(|link| link.status()).collect::<Vec<_>>();
        peers.sort_by(|one, other| one.id.cmp(&other.id));
        peers
    }

    /// Sends what this store has just committed to every peer.
    pub fn push(&self, ids: &[ItemId]) {
        for link in self.links().values().flatten() {
            link.push(ids.iter().copied());
        }
    }

    /// Dials an address now and whenever nobody is there.
    pub(super) fn look_for(self: &Arc<Self>, address: String) {
        let mut dialling = lock(&self.dialling);
        if dialling.contains_key(&address) || dialling.len() >= dial::MAX_ADDRESSES {
            return;
        }
        let task = lock(&self.tasks).spawn(dial::keep_dialling(Arc::downgrade(self), address.clone()));
        dialling.insert(address, task);
    }

    /// Whether a peer is connected.
    pub(super) fn is_connected(&self, peer: &str) -> bool {
        self.links().contains_key(peer)
    }

    fn links(&self) -> MutexGuard<'_, HashMap<String, Vec<Arc<Link>>>> {
        lock(&self.links)
    }

    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = lock(&self.tasks);
        while tasks.try_join_next().is_some() {}
        tasks.spawn(task);
    }

    /// Has the peer prove itself, and talks with it in the background. Gives back its id.
    pub(super) async fn welcome(self: &Arc<Self>, connection: Connection, is_dialler: bool) -> Option<String> {
        let found = authenticate(&connection, is_dialler, &self.key, self.id(), self.instance).await;
        let Some(found) = found.filter(|found| found.peer != self.id()) else {
            connection.close(1_u32.into(), b"not of this topic");
            return None;
        };
        let equal_ms = self.store.read(|ground| ground.rows.equal_ms(ground.connection, None)).unwrap_or(0);
        let link = Arc::new(Link::new(found.peer.clone(), found.instance, connection, equal_ms));
        if self.admit(&link) {
            let (node, streams) = (Arc::downgrade(self), found.streams);
            let is_asker = self.id() < link.peer.as_str();
            let store = self.store.clone();
            self.spawn(async move {
                let spread = |received: &Received| {
                    if let Some(node) = node.upgrade() {
                        node.spread(received, &link);
                    }
                };
                let why = link.run(&store, streams, is_asker, &spread).await;
                if let Some(node) = node.upgrade() {
                    node.dismiss(&link, why);
                }
            });
        }
        Some(found.peer)
    }

    /// Passes news on to every peer but the one that it came from.
    fn spread(&self, received: &Received, from: &Arc<Link>) {
        let ids = || received.merged.iter().filter(|merged| merged.is_news).map(|merged| merged.id);
        if ids().next().is_none() {
            return;
        }
        for link in self.links().values().flatten().filter(|link| link.peer != from.peer) {
            link.push(ids());
        }
    }

    fn admit(&self, link: &Arc<Link>) -> bool {
        let mut links = self.links();
        let is_decider = self.id() < link.peer.as_str();
        let others = links.get(&link.peer).map(Vec::as_slice).unwrap_or_default();
        let is_same = |other: &&Arc<Link>| other.instance == link.instance && other.connection.close_reason().is_none();
        if is_decider && others.iter().any(|other| is_same(&other)) {
            link.connection.close(3_u32.into(), b"connected already");
            return false;
        }
        if others.is_empty() && links.len() >= self.max_peers {
            link.connection.close(4_u32.into(), b"too many peers");
            return false;
        }
        for other in others.iter().filter(|other| other.instance != link.instance) {
            other.connection.close(3_u32.into(), b"the peer has begun anew");
        }
        let known = links.entry(link.peer.clone()).or_default();
        known.push(Arc::clone(link));
        let is_first = known.len() == 1;
        drop(links);
        if is_first {
            let (peer, address) = (link.peer.clone(), link.address.to_string());
            self.store.tell(PeerNews::Connected { peer, address });
        }
        self.changed.send_modify(|tick| *tick += 1);
        true
    }

    fn dismiss(&self, link: &Arc<Link>, why: String) {
        link.connection.close(0_u32.into(), b"");
        let mut links = self.links();
        let is_last = links.get_mut(&link.peer).is_some_and(|known| {
            known.retain(|other| !Arc::ptr_eq(other, link));
            known.is_empty()
        });
        if is_last {
            links.remove(&link.peer);
        }
        drop(links);
        if is_last {
            self.store.tell(PeerNews::Disconnected { peer: link.peer.clone(), reason: why });
        }
        self.changed.send_modify(|tick| *tick += 1);
    }

    /// Lets another process be this peer; after [`Node::close`], and after the file was closed.
    pub fn release(&self) {
        self.identity.release();
    }

    /// Says goodbye and lets go of the network.
    pub async fn close(&self) {
        if let Some(mdns) = lock(&self.mdns).take() {
            mdns.stop();
        }
        self.endpoint.close(0_u32.into(), b"the peer has closed its store");
        let mut tasks = std::mem::take(&mut *lock(&self.tasks));
        tasks.shutdown().await;
        // So that the goodbye leaves before the socket goes; a peer that is gone does not hold the close up.
        let _ = tokio::time::timeout(std::time::Duration::from_millis(500), self.endpoint.wait_idle()).await;
        self.links().clear();
    }
}

async fn listen_on(node: Weak<Node>, endpoint: Endpoint) {
    while let Some(incoming) = endpoint.accept().await {
        let Some(node) = node.upgrade() else { return };
        let strange = Arc::clone(&node);
        node.spawn(async move { meet(&strange, incoming).await });
    }
}

async fn meet(node: &Arc<Node>, incoming: Incoming) {
    let Ok(_place) = node.strangers.try_acquire() else {
        incoming.refuse();
        return;
    };
    if let Ok(connection) = incoming.await {
        node.welcome(connection, false).await;
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

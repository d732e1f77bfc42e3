//! A connection to a peer: one task reads, one writes, one asks for comparisons.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use holdfast_base::Error;
use quinn::{Connection, RecvStream, SendStream};
use tokio::sync::Notify;
use tokio_util::codec::{FramedRead, FramedWrite, LengthDelimitedCodec};

use super::news::{PeerNews, PeerStatus};
use super::node::Store;
use crate::{Frame, Heard, MAX_FRAME_BYTES, Received, Session};

/// Peers that hold the same compare so often.
const COMPARE_EVERY: Duration = Duration::from_secs(5);
/// Peers that differ compare again when nothing was said for so long, and ever longer while that changes nothing.
const QUIET: Duration = Duration::from_millis(50);
const MAX_QUIET: Duration = Duration::from_secs(30);

/// An authenticated connection.
pub(super) struct Link {
    pub(super) peer: String,
    pub(super) instance: [u8; 8],
    pub(super) address: SocketAddr,
    pub(super) connection: Connection,
    session: Mutex<Session>,
    /// There is something to say.
    wake: Notify,
    /// Something was said.
    activity: Notify,
    is_equal: AtomicBool,
    has_news: AtomicBool,
    /// Until when this peer's writes reached this store, in milliseconds since the epoch.
    known_until_ms: AtomicU64,
    received: AtomicU64,
    sent: AtomicU64,
}

impl Link {
    pub(super) fn new(peer: String, instance: [u8; 8], connection: Connection, equal_ms: u64) -> Self {
        Self {
            peer,
            instance,
            address: connection.remote_address(),
            connection,
            session: Mutex::new(Session::begin(equal_ms)),
            wake: Notify::new(),
            activity: Notify::new(),
            is_equal: AtomicBool::new(false),
            has_news: AtomicBool::new(false),
            known_until_ms: AtomicU64::new(0),
            received: AtomicU64::new(0),
            sent: AtomicU64::new(0),
        }
    }

    pub(super) fn status(&self) -> PeerStatus {
        PeerStatus {
            id: self.peer.clone(),
            address: self.address.to_string(),
            in_sync: self.is_equal.load(Ordering::Relaxed),
            received: self.received.load(Ordering::Relaxed),
            sent: self.sent.load(Ordering::Relaxed),
        }
    }

    /// Has items sent to the peer.
    pub(super) fn push(&self, ids: impl IntoIterator<Item = crate::ItemId>) {
        self.session().push(ids);
        self.wake.notify_one();
    }

    fn session(&self) -> MutexGuard<'_, Session> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs until the connection ends; says why it did.
    pub(super) async fn run(
        self: &Arc<Self>,
        store: &Store,
        streams: (SendStream, RecvStream),
        is_asker: bool,
        spread: &(dyn Fn(&Received) + Sync),
    ) -> String {
        let (send, receive) = streams;
        store.tell(PeerNews::SyncStart { peer: self.peer.clone() });
        let ended = tokio::select! {
            why = self.read(store, receive, spread) => why,
            why = self.write(store, send) => why,
            () = self.ask(), if is_asker => String::new(),
        };
        // What the peer said of the end tells more than that a stream broke.
        match self.connection.close_reason() {
            Some(quinn::ConnectionError::ApplicationClosed(close)) => {
                String::from_utf8_lossy(&close.reason).into_owned()
            }
            Some(reason) => reason.to_string(),
            None => ended,
        }
    }

    async fn write(&self, store: &Store, send: SendStream) -> String {
        let mut frames = FramedWrite::new(send, codec());
        loop {
            let next = store.read(|ground| self.session().next_frame(ground));
            let frame = match next {
                Ok(Some(frame)) => frame,
                Ok(None) => {
                    if let Err(error) = SinkExt::<Bytes>::flush(&mut frames).await {
                        return error.to_string();
                    }
                    self.wake.notified().await;
                    continue;
                }
                Err(error) => return error.to_string(),
            };
            if let Frame::Put(items) = &frame {
                self.sent.fetch_add(items.len() as u64, Ordering::Relaxed);
            }
            if let Err(error) = frames.feed(Bytes::from(frame.encode())).await {
                return error.to_string();
            }
            self.activity.notify_one();
        }
    }

    async fn read(&self, store: &Store, receive: RecvStream, spread: &(dyn Fn(&Received) + Sync)) -> String {
        let mut frames = FramedRead::new(receive, codec());
        while let Some(bytes) = frames.next().await {
            let bytes = match bytes {
                Ok(bytes) => bytes,
                Err(error) => return error.to_string(),
            };
            let frame = match Frame::decode(&bytes) {
                Ok(frame) => frame,
                Err(defect) => return self.cut_off(store, defect),
            };
            if let Err(error) = self.hear(store, frame, spread).await {
                return error.to_string();
            }
            self.wake.notify_one();
            self.activity.notify_one();
        }
        "the peer has ended the stream".to_owned()
    }

    fn cut_off(&self, store: &Store, defect: &str) -> String {
        let message = format!("the peer sent {defect} and was cut off; is it of another release?");
        self.connection.close(2_u32.into(), message.as_bytes());
        store.tell(PeerNews::SyncError { peer: self.peer.clone(), code: "PROTOCOL_ERROR", message: message.clone() });
        message
    }

    async fn hear(&self, store: &Store, frame: Frame, spread: &(dyn Fn(&Received) + Sync)) -> Result<(), Error> {
        match store.read(|ground| self.session().hear(frame, ground))? {
            Heard::Nothing => {}
            Heard::Hello { equal_ms } => {
                let known_until_ms = store.known_until_ms(&self.peer, equal_ms)?;
                self.known_until_ms.store(known_until_ms, Ordering::Relaxed);
            }
            Heard::Compared { is_equal } => self.compared(store, is_equal).await?,
            Heard::Put(items) => {
                let received = store.merge(items, self.known_until_ms.load(Ordering::Relaxed)).await?;
                self.session().answer(&received);
                self.took(store, &received);
                spread(&received);
            }
            Heard::Refused { ahead_ms } => {
                let message = format!(
                    "the peer does not take writes from {} s in its future; set this machine's clock right",
                    ahead_ms / 1000
                );
                store.tell(PeerNews::SyncError { peer: self.peer.clone(), code: "CLOCK_AHEAD", message });
            }
            Heard::Gone(ids) => store.forget(ids).await?,
        }
        Ok(())
    }

    fn took(&self, store: &Store, received: &Received) {
        let news = received.merged.iter().filter(|merged| merged.is_news).count();
        if news > 0 {
            self.has_news.store(true, Ordering::Relaxed);
            self.received.fetch_add(news as u64, Ordering::Relaxed);
        }
        if !received.refused.is_empty() {
            let message = format!(
                "writes from {} s in the future were not taken from the peer; its clock or this one is wrong",
                received.ahead_ms / 1000
            );
            store.tell(PeerNews::SyncError { peer: self.peer.clone(), code: "CLOCK_SKEW", message });
        }
    }

    async fn compared(&self, store: &Store, is_equal: bool) -> Result<(), Error> {
        let was_equal = self.is_equal.swap(is_equal, Ordering::Relaxed);
        if is_equal {
            store.note_equal(&self.peer).await?;
        }
        let peer = self.peer.clone();
        match (was_equal, is_equal) {
            (false, true) => store.tell(PeerNews::SyncComplete { peer }),
            (true, false) => store.tell(PeerNews::SyncStart { peer }),
            _ => {}
        }
        Ok(())
    }

    /// Of two peers, the one with the lower id asks: both asking would say everything twice.
    async fn ask(&self) {
        let mut quiet = QUIET;
        loop {
            self.session().ask();
            self.wake.notify_one();
            self.has_news.store(false, Ordering::Relaxed);
            self.is_quiet(quiet).await;
            if self.is_equal.load(Ordering::Relaxed) {
                quiet = QUIET;
                tokio::time::sleep(COMPARE_EVERY).await;
            } else if self.has_news.load(Ordering::Relaxed) {
                quiet = QUIET;
            } else {
                quiet = MAX_QUIET.min(quiet * 2);
            }
        }
    }

    /// Resolves when nothing was said for a while, or the two hold the same.
    async fn is_quiet(&self, quiet: Duration) {
        while tokio::time::timeout(quiet, self.activity.notified()).await.is_ok() {
            if self.is_equal.load(Ordering::Relaxed) {
                break;
            }
        }
    }
}

fn codec() -> LengthDelimitedCodec {
    LengthDelimitedCodec::builder().max_frame_length(MAX_FRAME_BYTES).new_codec()
}

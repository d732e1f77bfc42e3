//! The task that stores segments: one put in flight, everything that queued meanwhile is the next.
//!
//! Invariants: a segment's key is created once and never overwritten; an ambiguous put is repeated with
//! the same bytes and read back when refused; what another writer put there ends this one.

use std::sync::Arc;
use std::time::Duration;

use holdfast_base::{Error, ErrorKind, Result};
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use crate::backlog::Backlog;
use crate::event::{Event, EventSink};
use crate::ownership::Ownership;
use crate::segment::{SegmentKind, StoredSegment};
use crate::segment_builder::{Built, SEGMENT_BYTES, SegmentBuilder};
use crate::step::{Step, StepSink};
use crate::store::{Outcome, ReplicaStore};

const FIRST_PAUSE_MS: u64 = 50;
const LONGEST_PAUSE_MS: u64 = 5000;

/// What the shipper is asked beside shipping.
pub(crate) enum Order {
    /// Don't wait for the interval; answers when all that is committed now is stored, or a round failed.
    Flush,
    /// Ends the generation's log and goes on in a new one; answers with the state in between.
    Rollover(Uuid, oneshot::Sender<Result<SegmentBuilder>>),
    /// All frames are in the main file now.
    Checkpointed(oneshot::Sender<()>),
    /// Ends the task.
    Stop,
}

/// Settings of a shipper.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// How long commits gather before they are shipped; 0 ships at once.
    pub(crate) interval_ms: u64,
    /// Attempts of one round.
    pub(crate) max_retries: u32,
}

impl Pace {
    /// Lets commits gather. Not a sleep of no time where there is nothing to wait for: that takes up to a millisecond.
    async fn gather(self) {
        if self.interval_ms > 0 {
            tokio::time::sleep(Duration::from_millis(self.interval_ms)).await;
        }
    }
}

/// See the top of the file.
pub(crate) struct Shipper {
    pub(crate) store: Arc<dyn ReplicaStore>,
    pub(crate) backlog: Arc<Backlog>,
    pub(crate) builder: SegmentBuilder,
    pub(crate) events: EventSink,
    pub(crate) pace: Pace,
    pub(crate) ownership: Arc<Ownership>,
    pub(crate) steps: StepSink,
    /// Told where the stored state stands after each segment.
    pub(crate) position: tokio::sync::watch::Sender<SegmentBuilder>,
}

impl Shipper {
    /// Runs until it is told to stop, or fenced.
    pub(crate) async fn run(mut self, mut orders: mpsc::Receiver<Order>) {
        loop {
            let is_idle = self.backlog.next(0, 1).is_empty();
            let order = tokio::select! {
                biased;
                order = orders.recv() => Some(order.unwrap_or(Order::Stop)),
                () = self.backlog.work.notified(), if is_idle => None,
                () = self.pace.gather(), if !is_idle => None,
            };
            let done = match order {
                Some(Order::Stop) => return,
                Some(Order::Rollover(next, reply)) => {
                    let cut = self.roll_over(next).await;
                    let failed = cut.is_err();
                    drop(reply.send(cut));
                    if failed { Err(()) } else { Ok(()) }
                }
                Some(Order::Checkpointed(reply)) => {
                    self.builder.checkpointed();
                    self.position.send_replace(self.builder.clone());
                    let _ = reply.send(());
                    Ok(())
                }
                Some(Order::Flush) => self.ship_all().await,
                None if is_idle => Ok(()),
                None => self.ship_all().await,
            };
            if done.is_err() && self.backlog.progress().fenced.is_some() {
                return refuse_all(orders, &self.backlog).await;
            }
        }
    }

    async fn ship_all(&mut self) -> Result<(), ()> {
        loop {
            let most = SEGMENT_BYTES / self.builder.view.page_bytes;
            let commits = self.backlog.next(self.builder.frame(), most);
            if commits.is_empty() {
                return Ok(());
            }
            let builder = self.builder.clone();
            let built = tokio::task::spawn_blocking(move || builder.build(&commits)).await;
            let built = built.map_err(|error| Error::internal(error.to_string())).and_then(|built| built);
            match built {
                Ok(built) => self.store_segment(built).await.map_err(drop)?,
                Err(error) => {
                    // The local log changed under us: what is committed can't be read any more.
                    self.fence(error);
                    return Err(());
                }
            }
        }
    }

    async fn roll_over(&mut self, next: Uuid) -> Result<SegmentBuilder> {
        self.ship_all().await.map_err(|()| self.reason())?;
        self.store_segment(self.builder.empty(SegmentKind::Rollover(next))?).await?;
        Ok(self.builder.clone())
    }

    fn reason(&self) -> Error {
        let progress = self.backlog.progress();
        progress.fenced.or(progress.failure).unwrap_or_else(|| Error::internal("shipping failed without an error"))
    }

    /// Stores a segment, round after round, until it is stored or somebody else's.
    async fn store_segment(&mut self, built: Built) -> Result<()> {
        let mut pause_ms = FIRST_PAUSE_MS;
        let mut attempt = 0;
        loop {
            let began = self.ownership.now();
            match self.put_owned(&built).await {
                Ok(Placed::Ours) => {
                    self.ownership.seen(began);
                    break;
                }
                Ok(Placed::Theirs(error)) => {
                    self.fence(error.clone());
                    return Err(error);
                }
                Err(error) => {
                    attempt += 1;
                    let is_round = attempt % self.pace.max_retries.max(1) == 0;
                    (self.events)(Event::SyncError { error: error.clone(), context: "segment", will_retry: true });
                    if is_round {
                        self.backlog.failed(error);
                    }
                }
            }
            if let Some(fenced) = self.backlog.progress().fenced {
                return Err(fenced);
            }
            tokio::time::sleep(Duration::from_millis(pause_ms)).await;
            pause_ms = (pause_ms * 2).min(LONGEST_PAUSE_MS);
        }
        (self.events)(Event::WalUploaded {
            generation: self.builder.end.generation.to_string(),
            index: built.after.end.sequence,
            size: built.bytes.len() as u64,
        });
        self.builder = built.after;
        self.position.send_replace(self.builder.clone());
        self.backlog.answered();
        if let Some(number) = built.commit {
            self.backlog.stored(number);
        }
        Ok(())
    }

    /// Puts a segment; it is ours only while the log is.
    async fn put_owned(&self, built: &Built) -> Result<Placed> {
        self.steps.tell(Step::PutBegins);
        let placed = put_segment(&*self.store, built).await?;
        self.steps.tell(Step::PutDone);
        if matches!(placed, Placed::Theirs(_)) {
            return Ok(placed);
        }
        match self.ownership.confirm().await {
            Ok(()) => Ok(Placed::Ours),
            Err(error) if error.code() == "LOCK_LOST" => Ok(Placed::Theirs(error)),
            Err(error) => Err(error),
        }
    }

    fn fence(&self, error: Error) {
        (self.events)(Event::LockLost { reason: error.message().to_owned() });
        self.backlog.fence(error);
    }
}

/// After a fence: nothing is stored any more, and whoever asks is told why.
async fn refuse_all(mut orders: mpsc::Receiver<Order>, backlog: &Backlog) {
    while let Some(order) = orders.recv().await {
        match order {
            Order::Stop => return,
            Order::Flush | Order::Checkpointed(_) => {}
            Order::Rollover(_, reply) => {
                let fenced = backlog.progress().fenced.unwrap_or_else(|| Error::closed("the replica"));
                drop(reply.send(Err(fenced)));
            }
        }
    }
}

/// Whose segment it is that stands under the key now.
pub(crate) enum Placed {
    Ours,
    Theirs(Error),
}

/// Puts a segment, and tells whose it is when something stands there already.
pub(crate) async fn put_segment(store: &dyn ReplicaStore, built: &Built) -> Result<Placed> {
    if store.create(&built.key, built.bytes.clone()).await? != Outcome::Refused {
        return Ok(Placed::Ours);
    }
    let Some(there) = store.get(&built.key).await? else {
        let message = format!("{} was refused, but nothing stands there; it is tried again", built.key);
        return Err(Error::new(ErrorKind::Connection, "SEGMENT_REFUSED", message));
    };
    if there.bytes == built.bytes {
        return Ok(Placed::Ours);
    }
    let epoch = StoredSegment::decode(&there.bytes, built.sequence).map_or(0, |stored| stored.segment.epoch);
    let message = format!(
        "another process writes this database (epoch {epoch}, ours is {}): {} is not ours. \
         Nothing more is written here; close, and open again to take over",
        built.after.end.epoch, built.key
    );
    Ok(Placed::Theirs(Error::new(ErrorKind::Locked, "FENCED", message).with("epoch", epoch)))
}

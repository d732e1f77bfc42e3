//! What commits changed, told in their order.
//!
//! Work notes its events while it runs in a transaction ([`Events::note`]); they are queued right after the commit, on
//! the thread that commits, so that the order of the queue is that of the commits. The queue is bounded: nobody who
//! writes ever waits for a listener.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::VersionId;

/// How many events wait for the listener at most; the oldest go first.
pub const MAX_WAITING_EVENTS: usize = 10_000;

/// What changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// A bucket was made.
    BucketCreated,
    /// A bucket was removed.
    BucketRemoved,
    /// A key has a new object or version.
    ObjectCreated,
    /// A key's object is gone or hidden, or one of its versions is gone.
    ObjectRemoved,
}

/// What changed it, in the words of S3's event names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EventOperation {
    /// An object was put.
    #[default]
    Put,
    /// An object was uploaded by a form.
    Post,
    /// An object was copied.
    Copy,
    /// An upload in parts was completed.
    CompleteMultipartUpload,
    /// An object or a version was removed for good.
    Delete,
    /// A delete marker hides the object.
    DeleteMarkerCreated,
    /// A lifecycle rule removed an object or a version for good.
    LifecycleExpirationDelete,
    /// A lifecycle rule made a delete marker.
    LifecycleExpirationDeleteMarkerCreated,
    /// A bucket was made.
    CreateBucket,
    /// A bucket was removed.
    DeleteBucket,
}

impl EventOperation {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Put => "Put",
            Self::Post => "Post",
            Self::Copy => "Copy",
            Self::CompleteMultipartUpload => "CompleteMultipartUpload",
            Self::Delete => "Delete",
            Self::DeleteMarkerCreated => "DeleteMarkerCreated",
            Self::LifecycleExpirationDelete => "LifecycleExpiration:Delete",
            Self::LifecycleExpirationDeleteMarkerCreated => "LifecycleExpiration:DeleteMarkerCreated",
            Self::CreateBucket => "CreateBucket",
            Self::DeleteBucket => "DeleteBucket",
        }
    }
}

/// A change that stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// What changed.
    pub kind: EventKind,
    /// By what.
    pub operation: EventOperation,
    /// The bucket.
    pub bucket: String,
    /// The key; `None` for a bucket's.
    pub key: Option<String>,
    /// Of a new object, in bytes.
    pub size: Option<u64>,
    /// Of a new object.
    pub etag: Option<String>,
    /// The version that was made or removed, in a bucket that has versioning.
    pub version: Option<VersionId>,
    /// In milliseconds since the epoch.
    pub at_ms: u64,
}

type Wake = Arc<dyn Fn() + Send + Sync>;

/// Events on their way from the commits to one listener.
#[derive(Default)]
pub struct Events {
    is_listening: AtomicBool,
    /// Of the piece of work that runs; only the thread that commits uses it.
    noted: Mutex<Vec<Event>>,
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Event>,
    missed: u64,
    wake: Option<Wake>,
}

impl Events {
    /// From here on events are queued; `wake` is called, on another thread, when the queue is no longer empty. It
    /// must return at once. Over the listener that there is.
    pub fn listen(&self, wake: impl Fn() + Send + Sync + 'static) {
        lock(&self.queue).wake = Some(Arc::new(wake));
        self.is_listening.store(true, Ordering::Release);
    }

    /// From here on events are dropped, those that wait too.
    pub fn unlisten(&self) {
        self.is_listening.store(false, Ordering::Release);
        *lock(&self.queue) = Queue::default();
    }

    /// Takes the oldest events, at most so many, and how many were dropped before them since there was no room.
    pub fn take(&self, max: usize) -> (Vec<Event>, u64) {
        let mut queue = lock(&self.queue);
        let count = queue.waiting.len().min(max);
        (queue.waiting.drain(..count).collect(), std::mem::take(&mut queue.missed))
    }

    /// Notes what the work that runs will have changed once it is committed.
    pub(super) fn note(&self, event: impl FnOnce() -> Event) {
        if self.is_listening.load(Ordering::Acquire) {
            lock(&self.noted).push(event());
        }
    }

    /// What was noted since the last call.
    pub(super) fn take_noted(&self) -> Vec<Event> {
        std::mem::take(&mut *lock(&self.noted))
    }

    /// Queues what stands.
    pub(super) fn tell(&self, events: Vec<Event>) {
        if events.is_empty() {
            return;
        }
        let mut queue = lock(&self.queue);
        let Some(wake) = queue.wake.clone() else { return };
        queue.waiting.extend(events);
        let excess = queue.waiting.len().saturating_sub(MAX_WAITING_EVENTS);
        queue.waiting.drain(..excess);
        queue.missed += excess as u64;
        drop(queue);
        wake();
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events").field("is_listening", &self.is_listening).finish_non_exhaustive()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(n: usize) -> Event {
        Event {
            kind: EventKind::ObjectCreated,
            operation: EventOperation::Put,
            bucket: "b".into(),
            key: Some(n.to_string()),
            size: None,
            etag: None,
            version: None,
            at_ms: 0,
        }
    }

    #[test]
    fn the_oldest_are_dropped_and_counted_when_nobody_takes_them() {
        let events = Events::default();
        events.listen(|| {});
        events.tell((0..MAX_WAITING_EVENTS + 3).map(event).collect());
        let (first, missed) = events.take(1);
        assert_eq!((first[0].key.as_deref(), missed), (Some("3"), 3));
        let (rest, missed) = events.take(usize::MAX);
        assert_eq!((rest.len(), missed), (MAX_WAITING_EVENTS - 1, 0));
    }

    #[test]
    fn nothing_is_noted_while_nobody_listens() {
        let events = Events::default();
        events.note(|| event(1));
        assert!(events.take_noted().is_empty());
        events.listen(|| {});
        events.note(|| event(1));
        let noted = events.take_noted();
        events.unlisten();
        events.tell(noted);
        assert!(events.take(1).0.is_empty());
    }
}

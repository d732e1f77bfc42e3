//! The log of events in a bucket, and the index by stream.
//!
//! - `log/<number>`: the events of one commit. Numbers are dense from 1; a commit is a put that demands that
//!   the next number is free. The log alone is the truth.
//! - `streams/<stream>`: the stream's version; `by-stream/<hash>/<version>`: an event; `ids/<hash>`: the version
//!   of an event that has its user's id. They are the index, made after the commit from the log alone.
//! - `tail`: a hint of the last number.
//!
//! Invariant: number n + 1 is only put after number n is indexed. So all but the last commit are indexed at any
//! time, also after a crash, and whoever reads the index first makes up for the last one ([`EventLog::catch_up`]).
//! Making the index twice does no harm: its objects have one content only, and a version is only ever raised.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt};
use holdfast_base::{Error, ErrorKind, Key, MAX_KEY_BYTES, Result};
use holdfast_s3_client::{Bucket, GetOptions, ListRequest, PRECONDITION_FAILED, PutOptions, is_outcome_unknown};
use serde::{Serialize, de::DeserializeOwned};

use super::event_object::{Commit, Head, StoredEvent, Tail, event_key, head_key, id_key, log_key, parse, position_of};
use super::{WIDTH, commit, is_absent};
use crate::Event;
use crate::cell::invalid;
use crate::ledger::{Draft, check_stream_version, same_event};

/// How many events one commit may have: what the lower part of a position counts.
const MAX_EVENTS: usize = 1 << 16;
const MAX_ATTEMPTS: u32 = 500;

/// Waits a little longer each time, differently for each caller.
pub(super) async fn pause(attempt: u32) {
    let random = u64::from(uuid::Uuid::new_v4().as_bytes()[0]);
    let most_ms = 2_u64 << attempt.min(6);
    tokio::time::sleep(Duration::from_millis(random * most_ms / 256)).await;
}

/// The log in its bucket.
pub(super) struct EventLog {
    bucket: Bucket,
    /// Commits of this process stand in line here rather than race each other.
    line: tokio::sync::Mutex<()>,
    /// The highest number known to be indexed.
    indexed: AtomicU64,
}

impl EventLog {
    pub(super) fn new(bucket: Bucket) -> Self {
        Self { bucket, line: tokio::sync::Mutex::new(()), indexed: AtomicU64::new(0) }
    }

    /// Refuses streams whose name would be too long behind its prefix.
    pub(super) fn check_stream(&self, stream: &Key) -> Result<()> {
        super::check_key(&self.heads(), stream).map_err(|_| {
            let most = MAX_KEY_BYTES.saturating_sub(self.heads().prefix().len());
            let name = stream.as_str();
            invalid(
                "INVALID_KEY",
                format!("a stream on S3 has at most {most} bytes and no segment of dots; not {name:?}"),
            )
        })
    }

    /// The streams by name, an object each.
    pub(super) fn heads(&self) -> Bucket {
        self.bucket.under("streams/")
    }

    /// Appends events in one commit.
    pub(super) async fn append(&self, drafts: Vec<Draft>, now_ms: u64) -> Result<Vec<Event>> {
        if drafts.len() > MAX_EVENTS {
            return Err(invalid("BATCH_TOO_LARGE", format!("at most {MAX_EVENTS} events can be appended at once")));
        }
        let _turn = self.line.lock().await;
        for attempt in 0..MAX_ATTEMPTS {
            let tail = self.catch_up().await?;
            let plan = self.plan(&drafts, tail + 1, now_ms).await?;
            if plan.commit.events.is_empty() || self.put_commit(tail + 1, &plan.commit).await? {
                if !plan.commit.events.is_empty() {
                    self.index_after_commit(tail + 1, &plan.commit).await;
                }
                return Ok(plan.events);
            }
            pause(attempt).await;
        }
        Err(commit::too_busy("events"))
    }

    /// The last number, after making up for what its commit left of the index.
    pub(super) async fn catch_up(&self) -> Result<u64> {
        let tail = self.tail().await?;
        if tail > self.indexed.load(Ordering::Acquire) {
            let commit: Commit = self.required(&log_key(tail)).await?;
            self.index(tail, &commit).await?;
        }
        Ok(tail)
    }

    /// The last number; 0 for an empty log.
    pub(super) async fn tail(&self) -> Result<u64> {
        let hint = self.get::<Tail>("tail").await?.map_or(0, |tail| tail.number);
        let mut tail = hint.max(self.indexed.load(Ordering::Acquire));
        loop {
            let request =
                ListRequest { prefix: "log/".to_owned(), start_after: Some(log_key(tail)), ..ListRequest::default() };
            let page = self.bucket.list(&request).await?;
            let last = page.objects.last().and_then(|object| object.key.strip_prefix("log/")?.parse().ok());
            tail = last.unwrap_or(tail);
            if page.next.is_none() {
                return Ok(tail);
            }
        }
    }

    /// The events of a commit.
    pub(super) async fn commit(&self, number: u64) -> Result<Vec<Event>> {
        let commit: Commit = self.required(&log_key(number)).await?;
        let events = commit.events.into_iter().enumerate();
        Ok(events.map(|(at, event)| event.into_event(position_of(number, at))).collect())
    }

    /// A stream's version by the index.
    pub(super) async fn version(&self, stream: &str) -> Result<u64> {
        Ok(self.get::<Head>(&head_key(stream)).await?.map_or(0, |head| head.version))
    }

    /// An event by the index.
    pub(super) async fn event(&self, stream: &str, version: u64) -> Result<Event> {
        let stored: StoredEvent = self.required(&event_key(stream, version)).await?;
        let position = stored.position.unwrap_or(0);
        Ok(stored.into_event(position))
    }

    async fn plan(&self, drafts: &[Draft], number: u64, now_ms: u64) -> Result<Plan> {
        let mut versions = std::collections::BTreeMap::new();
        let mut plan =
            Plan { commit: Commit { write: uuid::Uuid::new_v4().to_string(), events: Vec::new() }, events: Vec::new() };
        for draft in drafts {
            if let Some(stored) = self.already_there(draft, &plan.events).await? {
                plan.events.push(same_event(stored, draft)?);
                continue;
            }
            let version = match versions.get(&draft.stream) {
                Some(version) => *version,
                None => self.version(&draft.stream).await?,
            };
            check_stream_version(draft, version)?;
            versions.insert(draft.stream.clone(), version + 1);
            let payload = serde_json::value::RawValue::from_string(draft.payload.clone())
                .map_err(|error| invalid("INVALID_VALUE", format!("a payload is no JSON: {error}")))?;
            let stored = StoredEvent {
                id: draft.id.clone().unwrap_or_else(|| uuid::Uuid::now_v7().to_string()),
                stream: draft.stream.clone(),
                version: version + 1,
                timestamp: draft.timestamp_ms.unwrap_or(now_ms),
                named: draft.id.is_some(),
                position: None,
                payload,
            };
            plan.events.push(stored.clone().into_event(position_of(number, plan.commit.events.len())));
            plan.commit.events.push(stored);
        }
        Ok(plan)
    }

    /// The event that has the draft's own id: in the index, or earlier in the same commit.
    async fn already_there(&self, draft: &Draft, planned: &[Event]) -> Result<Option<Event>> {
        let Some(id) = &draft.id else { return Ok(None) };
        if let Some(event) = planned.iter().find(|event| event.stream == draft.stream && event.id == *id) {
            return Ok(Some(event.clone()));
        }
        match self.get::<Head>(&id_key(&draft.stream, id)).await? {
            Some(head) => self.event(&draft.stream, head.version).await.map(Some),
            None => Ok(None),
        }
    }

    /// Puts a commit under a number. False: the number is taken, begin anew.
    async fn put_commit(&self, number: u64, commit: &Commit) -> Result<bool> {
        let key = log_key(number);
        match self.put(&key, commit, PutOptions::absent()).await {
            Ok(()) => Ok(true),
            Err(error) if error.code() == PRECONDITION_FAILED => Ok(false),
            // A number is taken once and for ever: what stands there now says what became of ours.
            Err(error) if is_outcome_unknown(&error) => match self.get::<Commit>(&key).await? {
                Some(stored) => Ok(stored.write == commit.write),
                None => Ok(false),
            },
            Err(error) => Err(error),
        }
    }

    /// The commit stands whatever becomes of its index: the next one makes up for it.
    async fn index_after_commit(&self, number: u64, commit: &Commit) {
        if let Err(error) = self.index(number, commit).await {
            tracing::warn!(code = error.code(), number, "a commit's index is left to the next reader");
            return;
        }
        // A hint only.
        let _ = self.put("tail", &Tail { number }, PutOptions::default()).await;
    }

    async fn index(&self, number: u64, commit: &Commit) -> Result<()> {
        let puts = commit.events.iter().enumerate().map(|(at, event)| async move {
            let stored = StoredEvent { position: Some(position_of(number, at)), ..event.clone() };
            self.put(&event_key(&event.stream, event.version), &stored, PutOptions::default()).await?;
            if event.named {
                let head = Head { version: event.version };
                self.put(&id_key(&event.stream, &event.id), &head, PutOptions::default()).await?;
            }
            Ok::<_, Error>(())
        });
        let puts: Vec<_> = puts.collect();
        futures_util::stream::iter(puts).buffer_unordered(WIDTH).try_collect::<Vec<()>>().await?;
        let mut versions = std::collections::BTreeMap::new();
        for event in &commit.events {
            versions.insert(event.stream.as_str(), event.version);
        }
        let raises: Vec<_> = versions.into_iter().map(|(stream, version)| self.raise(stream, version)).collect();
        futures_util::stream::iter(raises).buffer_unordered(WIDTH).try_collect::<Vec<()>>().await?;
        self.indexed.fetch_max(number, Ordering::AcqRel);
        Ok(())
    }

    /// Raises a stream's version; never lowers it, also when it comes late.
    async fn raise(&self, stream: &str, version: u64) -> Result<()> {
        let key = head_key(stream);
        for attempt in 0..MAX_ATTEMPTS {
            let condition = match self.bucket.get(&key, &GetOptions::default()).await {
                Ok(object) => {
                    let etag = object.meta.etag.clone();
                    let head: Head = parse(&key, &object.body.bytes().await?)?;
                    if head.version >= version {
                        return Ok(());
                    }
                    PutOptions::replacing(etag)
                }
                Err(error) if is_absent(&error) => PutOptions::absent(),
                Err(error) => return Err(error),
            };
            match self.put(&key, &Head { version }, condition).await {
                Ok(()) => return Ok(()),
                // Refused, or nobody knows: look again.
                Err(error) if error.code() == PRECONDITION_FAILED || is_outcome_unknown(&error) => pause(attempt).await,
                Err(error) => return Err(error),
            }
        }
        Err(commit::too_busy(stream))
    }

    async fn get<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>> {
        let bytes = self.bucket.find_bytes(key).await?;
        bytes.map(|bytes| parse(key, &bytes)).transpose()
    }

    async fn required<T: DeserializeOwned>(&self, key: &str) -> Result<T> {
        self.get(key).await?.ok_or_else(|| {
            let message = format!("the event log has no {key:?}, though it must; was it deleted by hand?");
            Error::new(ErrorKind::Integrity, "EVENT_MISSING", message)
        })
    }

    async fn put<T: Serialize>(&self, key: &str, value: &T, condition: PutOptions) -> Result<()> {
        let bytes = serde_json::to_vec(value).map_err(|error| Error::internal(error.to_string()))?;
        let options = PutOptions { content_type: Some("application/json".to_owned()), ..condition };
        self.bucket.put(key, Bytes::from(bytes), &options).await.map(|_| ())
    }
}

/// What a commit is to be, and what its caller gets.
struct Plan {
    commit: Commit,
    events: Vec<Event>,
}

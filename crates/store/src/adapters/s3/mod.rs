//! The S3 adapter: all four classes in a bucket.
//!
//! | what | where | how it changes |
//! |---|---|---|
//! | a blob | exactly its key | one put, or parts that are completed together |
//! | a record, a kv entry | its prefix and key; JSON with version and value | a put that demands the ETag read before |
//! | an event | a log of numbered objects, one a commit | a put that demands that the number is free |
//!
//! Invariants: a stored cell never has the same bytes twice (its version, and an id of the write, are in it), so
//! an ETag stands for exactly one state; see `events.rs` for those of the log.

mod blobs;
mod cell_object;
mod commit;
mod entries;
mod event_log;
mod event_object;
mod events;
mod owner;
mod scan;
mod sweep;

use owner::Owner;
use std::future::Future;
use std::sync::Arc;

use holdfast_base::{Clock, Error, ErrorKind, Key, MAX_KEY_BYTES, Result};
use holdfast_s3_client::{Bucket, Client};

use crate::adapters::gate::Gate;
use crate::cell::invalid;
use crate::{Adapter, Answer, Batch, Capabilities, Outcome, Pending, S3Settings, Space};

/// How many objects are read or written at the same time for one call.
const WIDTH: usize = 16;
/// Everything below it is ours, whatever the prefixes are.
const RESERVED: &str = ".persist/";
/// Where uploads in parts are noted while they are under way; see `sweep.rs`.
const UPLOADS: &str = ".persist/uploads/";
/// Where the checkpoints of subscriptions lie.
const CHECKPOINTS: &str = ".persist/checkpoints/";

/// A store in a bucket. Clones share it.
#[derive(Clone)]
pub struct S3(Arc<Inner>);

struct Inner {
    blobs: Bucket,
    records: Bucket,
    kv: Bucket,
    checkpoints: Bucket,
    /// Notes of the uploads of this process.
    uploads: Bucket,
    log: event_log::EventLog,
    clock: Arc<dyn Clock>,
    /// Prefixes that no blob may have.
    reserved: Vec<String>,
    part_bytes: usize,
    concurrency: usize,
    gate: Gate,
}

impl S3 {
    /// Opens a bucket, which must exist, and frees the parts of uploads that killed processes left there.
    ///
    /// # Errors
    /// `Config` for settings that can't be, `NotFound` with code `NO_SUCH_BUCKET`, `Connection`, `Timeout`.
    pub async fn open(settings: &S3Settings, clock: Arc<dyn Clock>) -> Result<Self> {
        let part_bytes = within(settings.multipart.part_size, "multipart.partSize", 8 << 20, 5 << 20, 5 << 30)?;
        let concurrency = within(settings.multipart.concurrency, "multipart.concurrency", 4, 1, 64)?;
        let client = Client::new(settings.client())?;
        let blobs = client.bucket(&settings.bucket, &settings.prefix)?;
        if !client.bucket_exists(&settings.bucket).await? {
            let message = format!("there is no bucket {:?}; make it first, or check its name", settings.bucket);
            return Err(Error::new(ErrorKind::NotFound, "NO_SUCH_BUCKET", message).with("bucket", &*settings.bucket));
        }
        let given = &settings.prefixes;
        let [records, kv, events] = [(&given.records, "records"), (&given.kv, "kv"), (&given.events, "events")]
            .map(|(prefix, name)| prefix.clone().unwrap_or_else(|| format!("{RESERVED}{name}/")));
        check_prefixes(&[&records, &kv, &events, CHECKPOINTS, UPLOADS])?;
        sweep::sweep(&blobs, &Owner::this_process(), clock.now_ms()).await;
        Ok(Self(Arc::new(Inner {
            records: blobs.under(&records),
            kv: blobs.under(&kv),
            checkpoints: blobs.under(CHECKPOINTS),
            uploads: blobs.under(UPLOADS).under(&Owner::this_process().folder()),
            log: event_log::EventLog::new(blobs.under(&events)),
            reserved: vec![RESERVED.to_owned(), records, kv, events],
            blobs,
            clock,
            part_bytes,
            concurrency,
            gate: Gate::default(),
        })))
    }

    /// Begins work that a close waits for, or refuses it after a close.
    fn later<T, F>(&self, work: impl FnOnce(Self) -> F) -> Answer<T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T>> + Send + 'static,
    {
        self.0.gate.later(|| work(self.clone()))
    }

    fn space(&self, space: Space) -> &Bucket {
        match space {
            Space::Records => &self.0.records,
            Space::Kv => &self.0.kv,
            Space::Checkpoints => &self.0.checkpoints,
        }
    }

    fn now_ms(&self) -> u64 {
        self.0.clock.now_ms()
    }
}

impl Adapter for S3 {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            atomic: false,
            ordered: false,
            presign: true,
            durable: true,
            multi_process: true,
            notifies: false,
        }
    }

    fn commit(&self, batch: Batch) -> Answer<Vec<Outcome>> {
        self.later(|store| async move { commit::commit(&store, batch).await })
    }

    fn close(&self) -> Pending<()> {
        self.0.gate.close()
    }
}

fn within(given: Option<usize>, name: &str, default: usize, least: usize, most: usize) -> Result<usize> {
    let value = given.unwrap_or(default);
    if (least..=most).contains(&value) {
        return Ok(value);
    }
    let message = format!("{name} is {value}; give {least} to {most}");
    Err(Error::new(ErrorKind::Config, "INVALID_SETTINGS", message))
}

/// Prefixes that lie in each other would mix the classes.
fn check_prefixes(prefixes: &[&str]) -> Result<()> {
    let overlap = |one: &str, other: &str| one.starts_with(other) || other.starts_with(one);
    let clash = prefixes.iter().enumerate().any(|(at, one)| prefixes.iter().skip(at + 1).any(|it| overlap(one, it)));
    if !clash {
        return Ok(());
    }
    let message = format!("the prefixes {prefixes:?} lie in each other; give each class one of its own");
    Err(Error::new(ErrorKind::Config, "INVALID_SETTINGS", message))
}

/// Refuses keys that would be too long behind their prefix, or that a server between could fold (`a/../b`).
fn check_key(bucket: &Bucket, key: &Key) -> Result<()> {
    let key = key.as_str();
    let bytes = bucket.prefix().len() + key.len();
    if bytes > MAX_KEY_BYTES {
        let message = format!("a key has {bytes} bytes behind its prefix; S3 keeps at most {MAX_KEY_BYTES}");
        return Err(invalid("INVALID_KEY", message));
    }
    if key.split('/').any(|segment| segment == "." || segment == "..") {
        return Err(invalid(
            "INVALID_KEY",
            format!("{key:?} has a segment of dots only, which S3 does not keep apart"),
        ));
    }
    Ok(())
}

/// Whether an error says that there is no such object.
fn is_absent(error: &Error) -> bool {
    error.code() == "NO_SUCH_KEY"
}

/// An ETag without the quotes that S3 puts around it.
fn bare(etag: &str) -> String {
    etag.trim_matches('"').to_owned()
}

//! Batches: each entry by itself, in order where a batch changes one twice; events together.

use std::collections::BTreeMap;

use futures_util::{StreamExt, TryStreamExt};
use holdfast_base::{Error, ErrorKind, Result};

use super::cell_object::{self, Verdict};
use super::{S3, WIDTH, check_key};
use crate::adapters::cannot;
use crate::cell::Cell;
use crate::ledger::{self, Draft, Ledger};
use crate::{Batch, Event, Outcome, Space, Step};

/// A conditional write that loses so many races gives up.
const MAX_ATTEMPTS: u32 = 500;

/// Steps by what they change, each with its place in the batch.
type Groups = BTreeMap<(Space, String), Vec<(usize, Step)>>;

pub(super) async fn commit(store: &S3, batch: Batch) -> Result<Vec<Outcome>> {
    let appends_only = batch.steps.iter().all(|step| matches!(step, Step::Append { .. }));
    if batch.atomic && batch.steps.len() > 1 && !appends_only {
        return Err(cannot("s3", "commit several changes together"));
    }
    let (groups, drafts) = sorted(store, batch.steps)?;
    let changed = futures_util::stream::iter(groups.into_iter().map(|((space, key), steps)| {
        let store = store.clone();
        async move { run_group(&store, space, &key, steps).await }
    }));
    let mut outcomes: Vec<(usize, Outcome)> =
        changed.buffer_unordered(WIDTH).try_collect::<Vec<_>>().await?.into_iter().flatten().collect();
    if !drafts.is_empty() {
        let (places, drafts): (Vec<_>, Vec<_>) = drafts.into_iter().unzip();
        let events = store.0.log.append(drafts, store.now_ms()).await?;
        outcomes.extend(places.into_iter().zip(events.into_iter().map(Outcome::Appended)));
    }
    outcomes.sort_unstable_by_key(|(place, _)| *place);
    Ok(outcomes.into_iter().map(|(_, outcome)| outcome).collect())
}

/// Checks every step before the first of them runs.
fn sorted(store: &S3, steps: Vec<Step>) -> Result<(Groups, Vec<(usize, Draft)>)> {
    let mut groups = Groups::new();
    let mut drafts = Vec::new();
    for (place, step) in steps.into_iter().enumerate() {
        match step {
            Step::Append { stream, payload, expected_version, id, timestamp_ms } => {
                store.0.log.check_stream(&stream)?;
                crate::cell::check_value(stream.as_str(), &payload)?;
                let stream = stream.into_string();
                drafts.push((place, Draft { stream, payload, expected_version, id, timestamp_ms }));
            }
            Step::Check { space, ref key, .. }
            | Step::Put { space, ref key, .. }
            | Step::Delete { space, ref key, .. }
            | Step::Add { space, ref key, .. }
            | Step::Restore { space, ref key, .. } => {
                check_key(store.space(space), key)?;
                if let Step::Put { value, .. } | Step::Restore { value, .. } = &step {
                    crate::cell::check_value(key.as_str(), value)?;
                }
                groups.entry((space, key.as_str().to_owned())).or_default().push((place, step));
            }
        }
    }
    Ok((groups, drafts))
}

async fn run_group(store: &S3, space: Space, key: &str, steps: Vec<(usize, Step)>) -> Result<Vec<(usize, Outcome)>> {
    let mut outcomes = Vec::with_capacity(steps.len());
    for (place, step) in steps {
        outcomes.push((place, run_step(store, space, key, step).await?));
    }
    Ok(outcomes)
}

/// Reads, decides, writes on the condition that nobody wrote in between; begins anew when somebody did.
async fn run_step(store: &S3, space: Space, key: &str, step: Step) -> Result<Outcome> {
    let bucket = store.space(space);
    for attempt in 0..MAX_ATTEMPTS {
        let before = cell_object::read(bucket, key).await?;
        let mut one = OneCell { current: before.as_ref().map(|read| read.cell.clone()), next: None };
        let batch = Batch::one(step.clone());
        let outcome = ledger::run(&mut one, batch, store.now_ms())?.pop();
        let outcome = outcome.ok_or_else(|| Error::internal("a step gave no outcome"))?;
        let Some(next) = one.next else { return Ok(outcome) };
        match cell_object::write(bucket, key, before.as_ref(), &next).await? {
            Verdict::Stored => return Ok(outcome),
            Verdict::Again => super::event_log::pause(attempt).await,
        }
    }
    Err(too_busy(key))
}

/// The error of a write that lost every race.
pub(super) fn too_busy(key: &str) -> Error {
    let message = format!("{key:?} is written by too many at once; try again later");
    Error::new(ErrorKind::Timeout, "TOO_BUSY", message).with("key", key)
}

/// The one cell that a step is about.
struct OneCell {
    current: Option<Cell>,
    next: Option<Cell>,
}

impl Ledger for OneCell {
    type Error = Error;

    fn load(&mut self, _space: Space, _key: &str) -> Result<Option<Cell>> {
        Ok(self.current.clone())
    }

    fn store(&mut self, _space: Space, _key: &str, cell: Cell, _is_new: bool) -> Result<()> {
        self.next = Some(cell);
        Ok(())
    }

    fn stream_version(&mut self, _stream: &str) -> Result<u64> {
        Err(Error::internal("events have a log of their own"))
    }

    fn event_by_id(&mut self, _stream: &str, _id: &str) -> Result<Option<Event>> {
        Err(Error::internal("events have a log of their own"))
    }

    fn append(&mut self, _event: &Event) -> Result<u64> {
        Err(Error::internal("events have a log of their own"))
    }
}

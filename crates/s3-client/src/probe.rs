//! A trial of a bucket: what the doors of holdfast need of it, done once with an object that goes again.

use bytes::Bytes;
use holdfast_base::{Error, ErrorKind, Result};

use crate::{Bucket, ListRequest, PRECONDITION_FAILED, PutOptions};

/// What was tried, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProbeStep {
    /// Reads a page of the list.
    List,
    /// Stores an object that was not there.
    Put,
    /// Is refused to store it again where it must not exist.
    ConditionalPut,
    /// Reads it back.
    Get,
    /// Removes it.
    Delete,
}

/// How a step went.
#[derive(Clone, Debug)]
pub struct ProbeOutcome {
    /// Which step.
    pub step: ProbeStep,
    /// What went wrong, when it did.
    pub failure: Option<Error>,
}

impl Bucket {
    /// Tries what is needed of a bucket with the object `key`, which nobody else may use. It is removed at the end;
    /// steps that need one which failed are left out.
    pub async fn probe(&self, key: &str) -> Vec<ProbeOutcome> {
        let mut outcomes = Vec::new();
        let mut note = |step, outcome: Result<()>| {
            let worked = outcome.is_ok();
            outcomes.push(ProbeOutcome { step, failure: outcome.err() });
            worked
        };
        let page = ListRequest { max_keys: Some(1), ..ListRequest::default() };
        if !note(ProbeStep::List, self.list(&page).await.map(drop)) {
            return outcomes;
        }
        let body = Bytes::from_static(b"holdfast doctor");
        if !note(ProbeStep::Put, self.put(key, body.clone(), &PutOptions::absent()).await.map(drop)) {
            return outcomes;
        }
        note(ProbeStep::ConditionalPut, refused(self.put(key, body.clone(), &PutOptions::absent()).await.map(drop)));
        note(ProbeStep::Get, self.get_bytes(key).await.and_then(|read| same(&read, &body)));
        note(ProbeStep::Delete, self.delete(key, None).await);
        outcomes
    }
}

fn refused(outcome: Result<()>) -> Result<()> {
    match outcome {
        Err(error) if error.code() == PRECONDITION_FAILED => Ok(()),
        Err(error) => Err(error),
        Ok(()) => {
            let message =
                "the endpoint ignores If-None-Match: two writers could both win; use another endpoint or release";
            Err(Error::new(ErrorKind::Capability, "CONDITIONAL_WRITES_IGNORED", message))
        }
    }
}

fn same(read: &Bytes, written: &Bytes) -> Result<()> {
    if read == written {
        return Ok(());
    }
    let message = "what was read is not what was written; look at what stands between here and the bucket";
    Err(Error::new(ErrorKind::Integrity, "READ_DIFFERS", message))
}

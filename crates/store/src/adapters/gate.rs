//! Lets work in until the close, and lets the close wait for what is in.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use holdfast_base::{Error, Result};
use tokio::sync::{OwnedRwLockReadGuard, RwLock};

use crate::{Answer, Pending};

/// The way into an adapter. Clones share it.
#[derive(Clone, Default)]
pub(super) struct Gate {
    is_closed: Arc<AtomicBool>,
    /// Held for reading by work in flight, for writing by the close that waits for it.
    inside: Arc<RwLock<()>>,
}

impl Gate {
    /// Holds the close up until it is dropped; refused after a close.
    pub(super) fn enter(&self) -> Result<OwnedRwLockReadGuard<()>> {
        let closed = || Error::closed("the store");
        if self.is_closed.load(Ordering::Acquire) {
            return Err(closed());
        }
        Arc::clone(&self.inside).try_read_owned().map_err(|_| closed())
    }

    /// Begins work that a close waits for, or refuses it after a close.
    pub(super) fn later<T, F>(&self, work: impl FnOnce() -> F) -> Answer<T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T>> + Send + 'static,
    {
        match self.enter() {
            Err(error) => Answer::Now(Err(error)),
            Ok(pass) => {
                let working = work();
                Answer::later(async move {
                    let _pass = pass;
                    working.await
                })
            }
        }
    }

    /// Refuses what comes from now on, and waits for what is inside.
    pub(super) fn close(&self) -> Pending<()> {
        self.is_closed.store(true, Ordering::Release);
        let inside = Arc::clone(&self.inside);
        Box::pin(async move {
            let _all_done = inside.write().await;
            Ok(())
        })
    }
}

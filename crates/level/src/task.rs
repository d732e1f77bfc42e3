//! Work that goes on beside its owner, and stops with it.

use holdfast_base::{Error, Result};
use tokio::task::JoinHandle;

/// A spawned future that is cancelled when this is dropped.
pub(crate) struct Task<T>(JoinHandle<T>);

impl<T: Send + 'static> Task<T> {
    pub(crate) fn spawn(work: impl Future<Output = T> + Send + 'static) -> Self {
        Self(tokio::spawn(work))
    }

    /// Whether it has an answer.
    pub(crate) fn is_finished(&self) -> bool {
        self.0.is_finished()
    }

    /// Its answer. Safe to cancel and to call again.
    pub(crate) async fn answer(&mut self) -> Result<T> {
        (&mut self.0).await.map_err(|error| Error::internal(format!("a task failed: {error}")))
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

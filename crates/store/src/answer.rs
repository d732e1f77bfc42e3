//! What a port answers: at once, or later.

use std::future::{Future, IntoFuture};

use futures_util::future::BoxFuture;
use holdfast_base::Result;

/// A result that comes later.
pub type Pending<T> = BoxFuture<'static, Result<T>>;

/// A result that is there already, or one that comes later. Local adapters answer reads at once, so that
/// a read never pays for a change of threads.
pub enum Answer<T> {
    /// Already there.
    Now(Result<T>),
    /// Comes later. The work was ordered before the answer was given back: the order of calls is the
    /// order of orders.
    Later(Pending<T>),
}

impl<T: Send + 'static> Answer<T> {
    /// Runs `work` now.
    pub fn now(work: impl FnOnce() -> Result<T>) -> Self {
        Self::Now(work())
    }

    /// Answers with what `work` gives.
    pub fn later(work: impl Future<Output = Result<T>> + Send + 'static) -> Self {
        Self::Later(Box::pin(work))
    }

    /// The same answer, with its value turned into another.
    pub fn map<U: Send + 'static>(self, turn: impl FnOnce(T) -> U + Send + 'static) -> Answer<U> {
        match self {
            Self::Now(result) => Answer::Now(result.map(turn)),
            Self::Later(pending) => Answer::later(async move { pending.await.map(turn) }),
        }
    }
}

impl<T: Send + 'static> IntoFuture for Answer<T> {
    type Output = Result<T>;
    type IntoFuture = Pending<T>;

    fn into_future(self) -> Pending<T> {
        match self {
            Self::Now(result) => Box::pin(std::future::ready(result)),
            Self::Later(pending) => pending,
        }
    }
}

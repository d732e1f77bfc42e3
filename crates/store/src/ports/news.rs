//! What others commit.

use std::sync::Arc;

use crate::Space;

/// News from other processes, and from other stores of this one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// A commit.
    Committed {
        /// Which entries it changed; read them for what they are now.
        changed: Vec<(Space, String)>,
        /// Whether it appended events.
        appended: bool,
    },
    /// Something may have been missed.
    Gap,
}

/// Hears news, in the order of commits. It must not block.
pub type Hear = Arc<dyn Fn(News) + Send + Sync>;

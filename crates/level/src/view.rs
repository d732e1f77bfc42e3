//! What reads see.

use bytes::Bytes;
use holdfast_base::Result;

use crate::batch_log::BatchLog;
use crate::failure::level_error;
use crate::iterator::Cursor;
use crate::lsm::{LsmIterator, LsmView};
use crate::objects::Objects;
use crate::objects_iterator::ObjectsIterator;
use crate::{IteratorOptions, LevelIterator};

/// What reads see: in the lsm layout the state at one moment, in the objects layout what is there when they come.
/// Clones see the same.
#[derive(Clone)]
pub struct View(pub(crate) State);

#[derive(Clone)]
pub(crate) enum State {
    Objects { objects: Objects, batches: BatchLog },
    Lsm(LsmView),
}

impl View {
    /// A value, or `None`.
    ///
    /// # Errors
    /// `Validation` (code `LEVEL_INVALID_KEY`), `Connection`, `Timeout`; so for all that follow.
    pub async fn get(&self, key: &[u8]) -> Result<Option<Bytes>> {
        match &self.0 {
            State::Objects { objects, batches } => settled(objects, batches).await?.get(key).await,
            State::Lsm(view) => view.get(key).await,
        }
    }

    /// The values of many keys, in their order.
    ///
    /// # Errors
    /// As [`View::get`].
    pub async fn get_many(&self, keys: &[Vec<u8>]) -> Result<Vec<Option<Bytes>>> {
        match &self.0 {
            State::Objects { objects, batches } => settled(objects, batches).await?.get_many(keys).await,
            State::Lsm(view) => view.get_many(keys).await,
        }
    }

    /// Whether each of many keys is there, in their order.
    ///
    /// # Errors
    /// As [`View::get`].
    pub async fn has_many(&self, keys: &[Vec<u8>]) -> Result<Vec<bool>> {
        match &self.0 {
            State::Objects { objects, batches } => settled(objects, batches).await?.has_many(keys).await,
            State::Lsm(view) => Ok(view.get_many(keys).await?.iter().map(Option::is_some).collect()),
        }
    }

    /// A cursor over a range. Sends nothing until it is read.
    pub fn iterator(&self, options: IteratorOptions) -> LevelIterator {
        LevelIterator(match &self.0 {
            State::Objects { objects, batches } => {
                Cursor::Objects(Box::new(ObjectsIterator::new(objects.clone(), batches.clone(), options)))
            }
            State::Lsm(view) => Cursor::Lsm(Box::new(LsmIterator::new(view.clone(), options))),
        })
    }
}

/// The objects, once no batch of this database is half done.
pub(crate) async fn settled<'a>(objects: &'a Objects, batches: &BatchLog) -> Result<&'a Objects> {
    batches.settle(objects).await.map_err(level_error)?;
    Ok(objects)
}

//! Copying a database into another layout, a piece at a time; a copy that was interrupted goes on where it was.

use std::ops::Bound;

use bytes::Bytes;
use holdfast_base::{Error, ErrorKind, Result};
use holdfast_s3_client::{Bucket, Client};
use serde::{Deserialize, Serialize};

use crate::failure::level_error;
use crate::opening::{find_marker, has_data};
use crate::{Entry, FormatMarker, IteratorOptions, Layout, Level, LevelIterator, LevelSettings, Location, Operation};

/// Entries and bytes of one piece.
const PIECE_ENTRIES: usize = 1000;
const PIECE_BYTES: usize = 8 << 20;

/// How far a copy is; stands in the target's marker until it is whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MigrationState {
    /// Where it comes from.
    source: String,
    /// The last key that is copied.
    after: Option<Vec<u8>>,
    /// Entries copied so far.
    pub entries: u64,
    /// Bytes of keys and values copied so far.
    pub bytes: u64,
}

/// A copy that is under way.
pub struct Migration {
    root: Bucket,
    target: Level,
    location: Location,
    source: Level,
    entries: LevelIterator,
    marker: FormatMarker,
    state: MigrationState,
    piece_entries: usize,
}

impl Migration {
    /// Begins to copy the database at `source` into a new one, or goes on with a copy that was interrupted. Of the
    /// target's settings location, layout and key format count; a layout has to be given.
    ///
    /// # Errors
    /// `NotFound` with code `LEVEL_DATABASE_NOT_FOUND` for the source, `Conflict` with code `LEVEL_DATABASE_EXISTS` for
    /// a target that holds anything else, `Config` with code `LEVEL_INVALID_OPTION`, and as [`Level::open`].
    pub async fn begin(client: &Client, source: &Location, target: &LevelSettings) -> Result<Self> {
        let location = target.location.clone();
        let Some(layout) = target.layout else { return Err(invalid("layout is missing: give the one to copy into")) };
        if *source == location {
            return Err(invalid("source and target are one location; give another folder as target"));
        }
        let reading = LevelSettings { create_if_missing: false, ..LevelSettings::new(source.clone()) };
        let source = Level::open_to_read(client, &reading).await?;
        let root = client.bucket(location.bucket(), "").map_err(level_error)?;
        let marker = match find_marker(client, target).await.map_err(level_error)? {
            Some(marker) => marker,
            None if has_data(&root, &location).await.map_err(level_error)? => return Err(taken(&location)),
            None => {
                let state = MigrationState { source: reading.location.to_string(), ..MigrationState::default() };
                let marker = FormatMarker::new(layout, target.key_format.unwrap_or_default()).migrating(state);
                marker.store(&root, &location).await.map_err(level_error)?
            }
        };
        marker.check(target.layout, target.key_format)?;
        let state = marker.migration().filter(|state| state.source == reading.location.to_string());
        let Some(state) = state.cloned() else { return Err(taken(&location)) };
        let target = Level::open_as(client, target, &marker).await?;
        let mut options = IteratorOptions::default();
        if let Some(after) = &state.after {
            options.range.start = Bound::Excluded(after.clone());
        }
        let entries = source.iterator(options)?;
        Ok(Self { root, target, location, source, entries, marker, state, piece_entries: PIECE_ENTRIES })
    }

    /// Copies pieces of another size: most entries in one. Default 1,000.
    #[must_use]
    pub fn in_pieces_of(self, piece_entries: usize) -> Self {
        Self { piece_entries, ..self }
    }

    /// Copies a piece; gives back how far the copy is, or `None` when it was whole before.
    ///
    /// # Errors
    /// `Validation` with code `LEVEL_INVALID_KEY` for a key that the target's format can't write, `Connection`,
    /// `Timeout`. Begun again, the copy goes on.
    pub async fn step(&mut self) -> Result<Option<MigrationState>> {
        let piece = self.next_piece().await?;
        let Some(last) = piece.last() else {
            self.finish().await.map_err(level_error)?;
            return Ok(None);
        };
        self.state.after = Some(last.key.clone());
        self.state.entries += piece.len() as u64;
        self.state.bytes += piece.iter().map(bytes_of).sum::<u64>();
        let puts = piece.into_iter().map(|entry| Operation::Put { key: entry.key, value: entry.value });
        self.target.load(puts.collect()).await?;
        let marker = self.marker.clone().migrating(self.state.clone());
        marker.replace(&self.root, &self.location).await.map_err(level_error)?;
        Ok(Some(self.state.clone()))
    }

    /// Says of the copy that it is whole.
    async fn finish(&self) -> Result<()> {
        let marker = self.marker.clone().whole();
        let says_itself = marker.is_plain() && self.location.is_whole_bucket() && self.state.entries > 0;
        match says_itself {
            true => FormatMarker::remove(&self.root, &self.location).await,
            false => marker.replace(&self.root, &self.location).await,
        }
    }

    /// The entries of a piece; fewer, or none, at the end.
    async fn next_piece(&mut self) -> Result<Vec<Entry>> {
        let (mut piece, mut bytes) = (Vec::new(), 0);
        while piece.len() < self.piece_entries && bytes < PIECE_BYTES {
            let page = self.entries.next_page(self.piece_entries - piece.len(), PIECE_BYTES).await?;
            if page.entries.is_empty() {
                break;
            }
            bytes += page.entries.iter().map(|entry| entry.key.len() + entry.value.len()).sum::<usize>();
            // Copied, so that a value keeps nothing else alive.
            let own = |entry: Entry| Entry { value: Bytes::copy_from_slice(&entry.value), ..entry };
            piece.extend(page.entries.into_iter().map(own));
        }
        Ok(piece)
    }

    /// Closes both databases, whether the copy is whole or not.
    ///
    /// # Errors
    /// As [`Level::close`].
    pub async fn close(&self) -> Result<()> {
        let closed = self.target.close().await;
        self.source.close().await.and(closed)
    }
}

fn bytes_of(entry: &Entry) -> u64 {
    (entry.key.len() + entry.value.len()) as u64
}

fn invalid(message: &str) -> Error {
    Error::new(ErrorKind::Config, "LEVEL_INVALID_OPTION", message)
}

fn taken(location: &Location) -> Error {
    let message = format!("{location} holds something else already; give an empty folder as target");
    Error::new(ErrorKind::Conflict, "LEVEL_DATABASE_EXISTS", message)
}

/// The error of a database that is not whole yet.
pub(crate) fn unfinished(location: &Location, layout: Layout) -> Error {
    let message = format!(
        "{location} is an unfinished copy into layout {}; call migrate() again to finish it, or destroy() it",
        layout.name()
    );
    Error::new(ErrorKind::Conflict, "LEVEL_MIGRATION_UNFINISHED", message)
}

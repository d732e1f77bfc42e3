//! What there is of one generation's log: segments, and packs of them.

use std::sync::Arc;

use bytes::Bytes;
use holdfast_base::{Error, ErrorKind, Result};
use uuid::Uuid;

use crate::store::{KeyQuery, ReplicaStore};
use crate::{layout, pack};

/// One listed object: the segments in it, and its size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) first: u64,
    pub(crate) last: u64,
    pub(crate) bytes: u64,
}

/// A listing, in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct LogListing {
    pub(crate) segments: Vec<Listed>,
    pub(crate) packs: Vec<Listed>,
}

/// One object that a restore reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) first: u64,
    pub(crate) last: u64,
    is_pack: bool,
}

impl LogListing {
    /// Lists what there is behind a segment, and all packs.
    pub(crate) async fn read(store: &dyn ReplicaStore, generation: Uuid, behind: u64) -> Result<Self> {
        let after = Some(layout::segment(generation, behind));
        let mut query = KeyQuery { prefix: layout::log(generation), after, ..KeyQuery::default() };
        let mut listing = Self::default();
        loop {
            let page = store.list(&query).await?;
            for object in page.keys {
                let bytes = object.bytes;
                if let Some(sequence) = layout::sequence_of(&object.key) {
                    listing.segments.push(Listed { first: sequence, last: sequence, bytes });
                } else if let Some((first, last)) = layout::pack_of(&object.key) {
                    listing.packs.push(Listed { first, last, bytes });
                }
            }
            match page.next {
                Some(next) => query.continuation = Some(next),
                None => return Ok(listing),
            }
        }
    }

    /// The objects to read for a range, as few as there can be. It ends at the first segment that is
    /// nowhere: reading that fails, and names it.
    pub(crate) fn pieces(&self, from: u64, to: u64) -> Arc<[Piece]> {
        let mut pieces = Vec::new();
        let mut packs = self.packs.iter().peekable();
        let mut segments = self.segments.iter().peekable();
        let mut furthest = Listed { first: 0, last: 0, bytes: 0 };
        let mut next = from;
        while next <= to {
            while let Some(pack) = packs.next_if(|pack| pack.first <= next) {
                if pack.last > furthest.last {
                    furthest = *pack;
                }
            }
            if furthest.last >= next {
                pieces.push(Piece { first: furthest.first, last: furthest.last, is_pack: true });
                next = furthest.last + 1;
                continue;
            }
            while segments.next_if(|segment| segment.first < next).is_some() {}
            pieces.push(Piece { first: next, last: next, is_pack: false });
            if segments.peek().is_none_or(|segment| segment.first != next) {
                break;
            }
            next += 1;
        }
        pieces.into()
    }

    /// Whether a segment is in a pack.
    pub(crate) fn is_packed(&self, sequence: u64) -> bool {
        self.packs.iter().any(|pack| (pack.first..=pack.last).contains(&sequence))
    }

    /// Bytes of the log in a range, each segment counted once; a pack counts by its share.
    pub(crate) fn bytes_of(&self, pieces: &[Piece]) -> u64 {
        let of = |piece: &Piece| {
            let all = if piece.is_pack { &self.packs } else { &self.segments };
            all.iter().find(|one| (one.first, one.last) == (piece.first, piece.last)).map_or(0, |one| one.bytes)
        };
        pieces.iter().map(of).sum()
    }
}

impl Piece {
    pub(crate) fn segment(listed: Listed) -> Self {
        Self { first: listed.first, last: listed.last, is_pack: false }
    }

    pub(crate) fn pack(listed: Listed) -> Self {
        Self { is_pack: true, ..Self::segment(listed) }
    }

    pub(crate) fn key(self, generation: Uuid) -> String {
        if self.is_pack {
            layout::pack(generation, self.first, self.last)
        } else {
            layout::segment(generation, self.first)
        }
    }

    /// Reads its segments, each with its sequence.
    pub(crate) async fn read(self, store: &dyn ReplicaStore, generation: Uuid) -> Result<Vec<(u64, Bytes)>> {
        let key = self.key(generation);
        let bytes = read_bytes(store, &key).await?;
        if !self.is_pack {
            return Ok(vec![(self.first, bytes)]);
        }
        let segments = pack::decode(&bytes, self.last - self.first + 1).map_err(|error| error.with("key", key))?;
        Ok((self.first..).zip(segments).collect())
    }
}

/// Reads one object of the log.
pub(crate) async fn read_bytes(store: &dyn ReplicaStore, key: &str) -> Result<Bytes> {
    let object = store.get(key).await?;
    object.map(|object| object.bytes).ok_or_else(|| {
        let message = format!("{key} is missing: the log has a hole there. Restore to an earlier point");
        Error::new(ErrorKind::Integrity, "LOG_HOLE", message).with("key", key)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing(segments: &[u64], packs: &[(u64, u64)]) -> LogListing {
        let one = |&sequence: &u64| Listed { first: sequence, last: sequence, bytes: 1 };
        let many = |&(first, last): &(u64, u64)| Listed { first, last, bytes: 10 };
        LogListing { segments: segments.iter().map(one).collect(), packs: packs.iter().map(many).collect() }
    }

    fn ranges(pieces: &[Piece]) -> Vec<(u64, u64)> {
        pieces.iter().map(|piece| (piece.first, piece.last)).collect()
    }

    #[test]
    fn packs_are_taken_where_they_reach_furthest_and_segments_between() {
        let listing = listing(&[1, 2, 5, 9, 10], &[(1, 4), (1, 8), (5, 6)]);
        assert_eq!(ranges(&listing.pieces(1, 10)), [(1, 8), (9, 9), (10, 10)]);
        assert_eq!(ranges(&listing.pieces(6, 9)), [(1, 8), (9, 9)]);
        assert_eq!(listing.bytes_of(&listing.pieces(1, 10)), 12);
    }

    #[test]
    fn pieces_end_at_the_first_segment_that_is_nowhere() {
        assert_eq!(ranges(&listing(&[1, 2, 4], &[]).pieces(1, 4)), [(1, 1), (2, 2), (3, 3)]);
        assert_eq!(ranges(&listing(&[1, u64::MAX], &[]).pieces(1, u64::MAX)), [(1, 1), (2, 2)]);
    }
}

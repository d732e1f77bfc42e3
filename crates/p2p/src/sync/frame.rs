//! What peers say to each other.

use serde::{Deserialize, Serialize};

use crate::{Item, ItemId, Node, Place};

/// The largest frame, in bytes: a value of the largest size in a record of many fields fits.
pub const MAX_FRAME_BYTES: usize = 24 << 20;

/// A message. Its encoding is postcard's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Frame {
    /// When the sender and any peer last held the same, in milliseconds since the epoch; the first frame of both.
    Hello {
        /// 0 when never.
        equal_ms: u64,
    },
    /// What the sender holds in all; asks for a comparison.
    Root(Node),
    /// The receiver of a `Root` holds the same.
    Same,
    /// What the sender holds below nodes where the two may differ.
    Nodes(Vec<(Place, Node)>),
    /// All that the sender holds below a node, in the order of ids, each with half of its fingerprint.
    List {
        /// The node.
        place: Place,
        /// Ids and fingerprints.
        items: Vec<(ItemId, [u8; 8])>,
    },
    /// Asks for all items below a node.
    WantNode(Place),
    /// Asks for items.
    Want(Vec<ItemId>),
    /// Items.
    Put(Vec<Item>),
    /// Items that were not taken, because the clock that stamped them is so far ahead.
    Refused {
        /// Which.
        ids: Vec<ItemId>,
        /// By how much, in milliseconds.
        ahead_ms: u64,
    },
    /// Items that were deleted so long ago that the sender has forgotten it.
    Gone(Vec<ItemId>),
}

impl Frame {
    /// Its bytes.
    pub fn encode(&self) -> Vec<u8> {
        // Everything in a frame serialises.
        postcard::to_stdvec(self).unwrap_or_default()
    }

    /// The frame of these bytes; an error says what is wrong with them.
    ///
    /// # Errors
    /// For bytes that are no frame, or hold what an honest peer doesn't send.
    pub fn decode(bytes: &[u8]) -> Result<Self, &'static str> {
        let (frame, rest) = postcard::take_from_bytes::<Self>(bytes).map_err(|_| "bytes that are no message")?;
        if !rest.is_empty() {
            return Err("a message with something behind it");
        }
        match frame.defect() {
            Some(defect) => Err(defect),
            None => Ok(frame),
        }
    }

    fn defect(&self) -> Option<&'static str> {
        match self {
            Self::Nodes(nodes) if nodes.iter().any(|(place, _)| !place.is_valid()) => Some("a node that is none"),
            Self::WantNode(place) if !place.is_valid() => Some("a node that is none"),
            Self::List { place, .. } if !place.is_valid() => Some("a node that is none"),
            Self::List { place, items } => {
                let (first, last) = place.ids();
                let is_inside = items.iter().all(|(id, _)| (first..=last).contains(id));
                let is_sorted = items.is_sorted_by(|(one, _), (next, _)| one < next);
                (!(is_inside && is_sorted)).then_some("a list in disorder")
            }
            Self::Put(items) => items.iter().find_map(Item::defect),
            _ => None,
        }
    }
}

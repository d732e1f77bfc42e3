//! An item: what is replicated, under its name.

use holdfast_base::Key;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::State;

/// The class of an item. Its number is on disk and on the wire, and never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[repr(u8)]
pub enum Kind {
    /// A record.
    Record = 0,
    /// A value of kv.
    Kv = 1,
    /// An event; its key is that of its stream, a NUL, and its id.
    Event = 2,
    /// What is known of a blob.
    Blob = 3,
}

impl Kind {
    /// The kind with this number.
    pub fn of(number: u8) -> Option<Self> {
        [Self::Record, Self::Kv, Self::Event, Self::Blob].into_iter().find(|kind| *kind as u8 == number)
    }
}

/// A hash of kind and key; its first two bytes are the leaf of the tree that the item belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ItemId(pub [u8; 16]);

impl ItemId {
    /// The id of an item.
    pub fn of(kind: Kind, key: &str) -> Self {
        let digest = Sha256::new().chain_update([kind as u8]).chain_update(key).finalize();
        Self(first(&digest))
    }

    /// Its leaf.
    pub fn leaf(self) -> u16 {
        u16::from_be_bytes([self.0[0], self.0[1]])
    }
}

/// A hash of an item's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Fingerprint(pub [u8; 16]);

impl Fingerprint {
    /// Of the state's bytes, under the item's id.
    pub fn of(id: ItemId, state: &[u8]) -> Self {
        Self(first(&Sha256::new().chain_update(id.0).chain_update(state).finalize()))
    }
}

fn first(digest: &[u8]) -> [u8; 16] {
    let mut first = [0; 16];
    first.iter_mut().zip(digest).for_each(|(to, from)| *to = *from);
    first
}

/// An item as it travels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// Its class.
    pub kind: Kind,
    /// Its name.
    pub key: String,
    /// What it holds.
    pub state: State,
}

impl Item {
    /// Its id.
    pub fn id(&self) -> ItemId {
        ItemId::of(self.kind, &self.key)
    }

    /// Why a peer that is honest can't have sent it.
    pub fn defect(&self) -> Option<&'static str> {
        if !self.state.fits(self.kind) {
            return Some("a state of another class");
        }
        let is_key = |name: &str| Key::new(name.to_owned()).is_ok();
        let is_named = match (self.kind, self.key.split_once('\0')) {
            (Kind::Event, Some((stream, id))) => is_key(stream) && !id.is_empty() && id.len() <= 4096,
            (Kind::Event, None) => false,
            _ => is_key(&self.key),
        };
        if !is_named {
            return Some("a key that no store takes");
        }
        if self.state.is_sound() { None } else { Some("a value that is no JSON") }
    }
}

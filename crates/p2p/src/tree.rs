//! The fingerprint tree: 16 children a node, 65,536 leaves, whatever is in it. Two trees that are equal at a node
//! hold the same items below it, so comparing costs by the difference and not by the size.
//!
//! Invariant: a node's sum and count are those of its children, and a leaf's those of its items' fingerprints.

use serde::{Deserialize, Serialize};

use crate::{Fingerprint, ItemId};

/// The level of the leaves; the root is on level 0.
pub const LEAF_LEVEL: u8 = 4;

/// What lies below a node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// The sum of the fingerprints.
    pub sum: u128,
    /// How many items.
    pub count: u32,
}

/// Where a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    /// From 0 to [`LEAF_LEVEL`].
    pub level: u8,
    /// Below `16^level`.
    pub index: u32,
}

impl Place {
    /// The node above all.
    pub const ROOT: Self = Self { level: 0, index: 0 };

    /// Whether there is such a node.
    pub fn is_valid(self) -> bool {
        self.level <= LEAF_LEVEL && self.index < 1 << (4 * u32::from(self.level))
    }

    /// The nodes right below it.
    pub fn children(self) -> impl Iterator<Item = Self> {
        (0..16).map(move |at| Self { level: self.level + 1, index: (self.index << 4) | at })
    }

    /// The first and the last id below it.
    pub fn ids(self) -> (ItemId, ItemId) {
        let shift = 16 - 4 * u32::from(self.level.min(LEAF_LEVEL));
        let first = self.index << shift;
        let last = first + (1 << shift) - 1;
        let id = |leaf: u32, rest: u8| {
            let mut bytes = [rest; 16];
            bytes.iter_mut().zip(leaf.to_be_bytes().into_iter().skip(2)).for_each(|(to, from)| *to = from);
            ItemId(bytes)
        };
        (id(first, 0), id(last, u8::MAX))
    }
}

/// How an item changed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Delta {
    pub(crate) leaf: u16,
    pub(crate) was: Option<Fingerprint>,
    pub(crate) is: Option<Fingerprint>,
}

/// The tree.
#[derive(Clone, Debug)]
pub struct Tree(Vec<Vec<Node>>);

impl Default for Tree {
    fn default() -> Self {
        Self((0..=u32::from(LEAF_LEVEL)).map(|level| vec![Node::default(); 1 << (4 * level)]).collect())
    }
}

impl Tree {
    /// What lies below a node.
    pub fn node(&self, place: Place) -> Node {
        let level = self.0.get(usize::from(place.level));
        level.and_then(|level| level.get(place.index as usize)).copied().unwrap_or_default()
    }

    pub(crate) fn apply(&mut self, delta: Delta) {
        let number = |fingerprint: Option<Fingerprint>| fingerprint.map_or(0, |print| u128::from_be_bytes(print.0));
        let added = number(delta.is).wrapping_sub(number(delta.was));
        let counted = u32::from(delta.is.is_some()).wrapping_sub(u32::from(delta.was.is_some()));
        for (level, nodes) in self.0.iter_mut().enumerate() {
            let at = usize::from(delta.leaf) >> (16 - 4 * level);
            if let Some(node) = nodes.get_mut(at) {
                node.sum = node.sum.wrapping_add(added);
                node.count = node.count.wrapping_add(counted);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ids_of_a_node_are_those_of_its_leaves() {
        let (first, last) = Place { level: 1, index: 15 }.ids();
        assert_eq!((first.leaf(), last.leaf()), (0xf000, 0xffff));
        let (first, last) = Place::ROOT.ids();
        assert_eq!((first.leaf(), last.leaf()), (0, 0xffff));
        let (first, last) = Place { level: 4, index: 0x1234 }.ids();
        assert_eq!((first.leaf(), last.leaf(), first.0[2], last.0[15]), (0x1234, 0x1234, 0, 255));
    }

    #[test]
    fn what_is_added_and_taken_away_leaves_the_tree_as_it_was() {
        let mut tree = Tree::default();
        let print = |byte| Some(Fingerprint([byte; 16]));
        tree.apply(Delta { leaf: 7, was: None, is: print(9) });
        tree.apply(Delta { leaf: 0xffff, was: None, is: print(255) });
        tree.apply(Delta { leaf: 7, was: print(9), is: print(8) });
        assert_eq!(tree.node(Place::ROOT).count, 2);
        assert_eq!(tree.node(Place { level: 4, index: 7 }).sum, u128::from_be_bytes([8; 16]));
        tree.apply(Delta { leaf: 7, was: print(8), is: None });
        tree.apply(Delta { leaf: 0xffff, was: print(255), is: None });
        assert_eq!(tree.node(Place::ROOT), Node::default());
    }
}

//! A value of kv: the last writer wins, and what is added to it adds up.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::state::is_json;
use crate::Stamp;

/// What a key of kv holds. A set or a delete begins anew: what others add to an older value, without having seen
/// it, goes with that value.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Kv {
    /// When it was last set or deleted; the least stamp when it never was.
    base: Stamp,
    /// JSON text; `None` when it was deleted or never set.
    value: Option<String>,
    expires_at_ms: Option<u64>,
    created_ms: u64,
    /// What each peer added since, and when it last did.
    adds: BTreeMap<u64, Added>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Added {
    stamp: Stamp,
    sum: f64,
}

/// A value as a reader sees it.
#[derive(Clone, Debug, PartialEq)]
pub enum KvValue {
    /// JSON text.
    Text(String),
    /// A sum.
    Sum(f64),
}

impl Kv {
    /// Sets it.
    pub fn set(&mut self, value: String, expires_at_ms: Option<u64>, created_ms: u64, stamp: Stamp) {
        *self = Self { base: stamp, value: Some(value), expires_at_ms, created_ms, adds: BTreeMap::new() };
    }

    /// Deletes it.
    pub fn delete(&mut self, stamp: Stamp) {
        *self = Self { base: stamp, ..Self::default() };
    }

    /// Adds to its number, or to 0 when there is none.
    pub fn add(&mut self, by: f64, stamp: Stamp) {
        if self.value.is_none() && self.adds.is_empty() {
            self.created_ms = stamp.ms;
        }
        let added = self.adds.entry(stamp.author).or_insert(Added { stamp, sum: 0.0 });
        *added = Added { stamp, sum: added.sum + by };
    }

    /// Takes in what another peer has.
    pub fn merge(&mut self, other: Self) {
        let order = |kv: &Self| (kv.base, kv.value.clone(), kv.expires_at_ms);
        match order(self).cmp(&order(&other)) {
            std::cmp::Ordering::Less => *self = other,
            std::cmp::Ordering::Greater => {}
            std::cmp::Ordering::Equal => self.merge_adds(other),
        }
    }

    fn merge_adds(&mut self, other: Self) {
        let begun = |kv: &Self| if kv.value.is_none() && kv.adds.is_empty() { u64::MAX } else { kv.created_ms };
        let created_ms = begun(self).min(begun(&other));
        self.created_ms = if created_ms == u64::MAX { 0 } else { created_ms };
        for (author, theirs) in other.adds {
            let mine = self.adds.entry(author).or_insert(theirs);
            if (theirs.stamp, theirs.sum.to_bits()) > (mine.stamp, mine.sum.to_bits()) {
                *mine = theirs;
            }
        }
    }

    /// What a reader sees; `None` when it is deleted.
    pub fn value(&self) -> Option<KvValue> {
        let Some(text) = &self.value else {
            return (!self.adds.is_empty()).then(|| KvValue::Sum(self.sum(0.0)));
        };
        let number = if self.adds.is_empty() { None } else { serde_json::from_str::<f64>(text).ok() };
        Some(number.map_or_else(|| KvValue::Text(text.clone()), |number| KvValue::Sum(self.sum(number))))
    }

    fn sum(&self, from: f64) -> f64 {
        self.adds.values().fold(from, |sum, added| sum + added.sum)
    }

    /// When it goes, in milliseconds since the epoch.
    pub fn expires_at_ms(&self) -> Option<u64> {
        self.expires_at_ms
    }

    /// When it began to exist.
    pub fn created_ms(&self) -> u64 {
        self.created_ms
    }

    /// The greatest stamp in it.
    pub fn newest(&self) -> Stamp {
        self.adds.values().map(|added| added.stamp).max().unwrap_or_default().max(self.base)
    }

    /// Whether a store could have written it.
    pub(super) fn is_sound(&self) -> bool {
        self.value.as_deref().is_none_or(is_json) && self.adds.values().all(|added| added.sum.is_finite())
    }

    /// Whether nothing is left of it but that it was deleted.
    pub fn is_tombstone(&self) -> bool {
        self.value.is_none() && self.adds.is_empty()
    }
}

//! A record: a JSON document whose fields merge one by one.
//!
//! A put confirms every field that its author saw and changes those that differ. A delete raises the floor:
//! whatever was confirmed no later than the delete is gone. So of a delete and a concurrent edit the later one
//! wins, and the edit brings back the whole document that its author saw, never half of it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::fields::{Path, compose, flatten};
use super::register::{Field, Register, Value};
use super::state::is_json;
use crate::Stamp;

/// Which part of a record a path lies in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum Part {
    Document,
    Expiry,
    Creation,
}

type Place = (Part, Path);

/// The state of a record.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Packed", into = "Packed")]
pub struct Record {
    floor: Stamp,
    fields: BTreeMap<Place, Field>,
}

/// A record as a reader sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordView {
    /// JSON text.
    pub value: String,
    /// When it goes, in milliseconds since the epoch.
    pub expires_at_ms: Option<u64>,
    /// When it began to exist.
    pub created_ms: u64,
}

/// A field that two peers wrote without having seen each other's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldConflict {
    /// The names of properties from the root.
    pub path: Vec<String>,
    /// What stood here, as JSON text; `None` when it was removed.
    pub local: Option<String>,
    /// What the other peer wrote.
    pub remote: Option<String>,
}

impl Record {
    /// Sets the document: what differs is written by `stamp`, the rest is confirmed by it.
    pub fn put(&mut self, text: &str, expires_at_ms: Option<u64>, created_ms: u64, stamp: Stamp) {
        let mut wanted: BTreeMap<Place, Value> =
            flatten(text).into_iter().map(|(path, value)| ((Part::Document, path), value)).collect();
        wanted.insert((Part::Creation, Path::new()), Value::Leaf(created_ms.to_string()));
        if let Some(expires_at_ms) = expires_at_ms {
            wanted.insert((Part::Expiry, Path::new()), Value::Leaf(expires_at_ms.to_string()));
        }
        let places: BTreeSet<Place> = self.fields.keys().chain(wanted.keys()).cloned().collect();
        for place in places {
            let value = wanted.remove(&place).unwrap_or(Value::Removed);
            let field = self.fields.entry(place).or_default();
            let register = match field.winner() {
                Some(current) if current.value == Value::Removed && value == Value::Removed => continue,
                Some(current) if current.value == value => Register { confirmed: stamp, ..current.clone() },
                Some(current) => {
                    let is_own = current.changed.author == stamp.author;
                    let base = if is_own { current.base } else { current.changed };
                    Register { changed: stamp, value, base, confirmed: stamp }
                }
                None => Register { changed: stamp, value, base: Stamp::default(), confirmed: stamp },
            };
            field.add(register, self.floor);
        }
    }

    /// Deletes it.
    pub fn delete(&mut self, stamp: Stamp) {
        self.floor = self.floor.max(stamp);
        let floor = self.floor;
        self.fields.retain(|_, field| {
            field.raise(floor);
            !field.is_empty()
        });
    }

    /// Forgets that fields were removed, where that was before `before_ms`.
    pub fn forget_removed(&mut self, before_ms: u64) {
        let is_old = |register: &Register| register.value == Value::Removed && register.confirmed.ms < before_ms;
        if self.fields.values().any(|field| field.winner().is_some_and(is_old)) {
            self.delete(Stamp { ms: before_ms, ..Stamp::default() });
        }
    }

    /// Takes in what another peer has.
    pub fn merge(&mut self, other: Self) {
        self.delete(other.floor);
        for (place, theirs) in other.fields {
            let field = self.fields.entry(place).or_default();
            theirs.into_registers().into_iter().for_each(|register| field.add(register, self.floor));
        }
        self.fields.retain(|_, field| !field.is_empty());
    }

    /// What a reader sees; `None` when it is deleted.
    pub fn view(&self) -> Option<RecordView> {
        let entries = self
            .fields
            .iter()
            .filter(|((part, _), _)| *part == Part::Document)
            .filter_map(|((_, path), field)| field.winner().map(|winner| (path, winner.changed, &winner.value)))
            .collect::<Vec<_>>();
        let value = compose(&entries)?;
        let expires_at_ms = self.number(Part::Expiry);
        Some(RecordView { value, expires_at_ms, created_ms: self.number(Part::Creation).unwrap_or(0) })
    }

    fn number(&self, part: Part) -> Option<u64> {
        match &self.fields.get(&(part, Path::new()))?.winner()?.value {
            Value::Leaf(text) => text.parse().ok(),
            _ => None,
        }
    }

    /// The fields that `remote` and this record were both given without the one having seen the other.
    pub fn conflicts(&self, remote: &Self) -> Vec<FieldConflict> {
        let floor = self.floor.max(remote.floor);
        let shared = remote.fields.iter().filter(|((part, _), _)| *part == Part::Document);
        shared.filter_map(|(place, theirs)| conflict(place, self.fields.get(place)?, theirs, floor)).collect()
    }

    /// The greatest stamp in it.
    pub fn newest(&self) -> Stamp {
        let confirmed = self.fields.values().flat_map(Field::registers).map(|register| register.confirmed);
        confirmed.max().unwrap_or_default().max(self.floor)
    }

    /// Whether a store could have written it.
    pub(super) fn is_sound(&self) -> bool {
        self.fields.values().flat_map(Field::registers).all(|register| match &register.value {
            Value::Leaf(text) => is_json(text),
            Value::Object | Value::Removed => true,
        })
    }

    /// Whether nothing is left of it but that it was deleted.
    pub fn is_tombstone(&self) -> bool {
        self.fields.is_empty()
    }
}

fn conflict(place: &Place, ours: &Field, theirs: &Field, floor: Stamp) -> Option<FieldConflict> {
    let (local, remote) = (ours.winner()?, theirs.winner()?);
    let (earlier, later) = if local.changed < remote.changed { (local, remote) } else { (remote, local) };
    let is_known = later.base >= earlier.changed || later.changed.author == earlier.changed.author;
    if is_known || local.value == remote.value || earlier.confirmed <= floor || later.confirmed <= floor {
        return None;
    }
    let text = |value: &Value| match value {
        Value::Removed => None,
        Value::Object => Some("{}".to_owned()),
        Value::Leaf(text) => Some(text.clone()),
    };
    Some(FieldConflict { path: place.1.clone(), local: text(&local.value), remote: text(&remote.value) })
}

/// A record on disk and on the wire: each stamp once.
#[derive(Serialize, Deserialize)]
struct Packed {
    floor: Stamp,
    stamps: Vec<Stamp>,
    fields: Vec<(Place, Vec<PackedRegister>)>,
}

#[derive(Serialize, Deserialize)]
struct PackedRegister {
    value: Value,
    changed: u32,
    base: u32,
    confirmed: u32,
}

impl From<Record> for Packed {
    fn from(record: Record) -> Self {
        let mut stamps = BTreeSet::new();
        for register in record.fields.values().flat_map(Field::registers) {
            stamps.extend([register.changed, register.base, register.confirmed]);
        }
        let stamps = stamps.into_iter().collect::<Vec<_>>();
        // Every stamp is in the list, and a record has far fewer than 2^32.
        let index = |stamp: Stamp| u32::try_from(stamps.partition_point(|other| *other < stamp)).unwrap_or(u32::MAX);
        let pack = |register: Register| PackedRegister {
            changed: index(register.changed),
            base: index(register.base),
            confirmed: index(register.confirmed),
            value: register.value,
        };
        let fields = record
            .fields
            .into_iter()
            .map(|(place, field)| (place, field.into_registers().into_iter().map(pack).collect()))
            .collect();
        Self { floor: record.floor, stamps, fields }
    }
}

impl TryFrom<Packed> for Record {
    type Error = &'static str;

    fn try_from(packed: Packed) -> Result<Self, Self::Error> {
        let stamp = |index: u32| packed.stamps.get(index as usize).copied().ok_or("a stamp is missing");
        let mut record = Self { floor: packed.floor, fields: BTreeMap::new() };
        for (place, registers) in packed.fields {
            let mut unpacked = Vec::with_capacity(registers.len());
            for PackedRegister { value, changed, base, confirmed } in registers {
                let register =
                    Register { changed: stamp(changed)?, value, base: stamp(base)?, confirmed: stamp(confirmed)? };
                if register.confirmed < register.changed || register.changed <= register.base {
                    return Err("a field was confirmed before it was written");
                }
                unpacked.push(register);
            }
            let field = Field::of(unpacked, record.floor);
            if !field.is_empty() {
                record.fields.insert(place, field);
            }
        }
        Ok(record)
    }
}

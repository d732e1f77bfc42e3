//! One field of a record: what was written there, and by which write it still stands.

use serde::{Deserialize, Serialize};

use crate::Stamp;

/// What stands in a field.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Value {
    /// Nothing: it was removed.
    Removed,
    /// An object, whose properties are fields of their own.
    Object,
    /// JSON text of anything else, arrays as a whole.
    Leaf(String),
}

/// A value that was written to a field. Ordered by when it was written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Register {
    /// The write that gave the field this value.
    pub(super) changed: Stamp,
    pub(super) value: Value,
    /// The last write of another author that the writer had seen here.
    pub(super) base: Stamp,
    /// The last write whose author saw the value and left it: a delete before it does not take the value away.
    pub(super) confirmed: Stamp,
}

impl Register {
    fn is_dominated_by(&self, other: &Self) -> bool {
        let order = |register: &Self| (register.changed, register.value.clone(), register.base);
        order(self) <= order(other) && self.confirmed <= other.confirmed
    }
}

/// What stands in a field: one register, and for a while more than one after concurrent writes. A later value
/// that a delete reaches makes way for an earlier one that was confirmed after the delete.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Field(Vec<Register>);

impl Field {
    pub(super) fn of(registers: Vec<Register>, floor: Stamp) -> Self {
        let mut field = Self::default();
        registers.into_iter().for_each(|register| field.add(register, floor));
        field
    }

    /// Adds a register, unless a delete at `floor` reaches it or another says as much; keeps the order.
    pub(super) fn add(&mut self, register: Register, floor: Stamp) {
        if register.confirmed <= floor || self.0.iter().any(|other| register.is_dominated_by(other)) {
            return;
        }
        self.0.retain(|other| !other.is_dominated_by(&register));
        let at = self.0.partition_point(|other| *other < register);
        self.0.insert(at, register);
    }

    /// Drops what a delete at `floor` reaches.
    pub(super) fn raise(&mut self, floor: Stamp) {
        self.0.retain(|register| register.confirmed > floor);
    }

    /// What a reader sees.
    pub(super) fn winner(&self) -> Option<&Register> {
        self.0.last()
    }

    pub(super) fn registers(&self) -> &[Register] {
        &self.0
    }

    pub(super) fn into_registers(self) -> Vec<Register> {
        self.0
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

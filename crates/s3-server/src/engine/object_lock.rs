//! Object lock: what keeps a version from being removed, and which changes of it are possible.

use serde::{Deserialize, Serialize};

use super::{EngineError, Result};

/// A day of retention, in milliseconds; a year has 365 of them.
const DAY_MS: u64 = 86_400_000;
/// Days of a year, as S3 counts them.
const DAYS_OF_A_YEAR: u64 = 365;

/// Who may lift a retention.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RetentionMode {
    /// Whoever has the right to bypass it.
    #[serde(rename = "GOVERNANCE")]
    Governance,
    /// Nobody.
    #[serde(rename = "COMPLIANCE")]
    Compliance,
}

impl RetentionMode {
    /// As S3 writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Governance => "GOVERNANCE",
            Self::Compliance => "COMPLIANCE",
        }
    }

    /// The mode of that very name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Governance, Self::Compliance].into_iter().find(|mode| mode.name() == name)
    }
}

/// Until when a version stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retention {
    /// Who may lift it.
    #[serde(rename = "m")]
    pub mode: RetentionMode,
    /// In milliseconds since the epoch.
    #[serde(rename = "u")]
    pub until_ms: u64,
}

/// What keeps a version from being removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectLock {
    /// A time to stay; it means nothing once it has passed.
    #[serde(rename = "r", default, skip_serializing_if = "Option::is_none")]
    pub retention: Option<Retention>,
    /// Whether a legal hold is on; `None` where none was ever set.
    #[serde(rename = "h", default, skip_serializing_if = "Option::is_none")]
    pub legal_hold: Option<bool>,
}

impl ObjectLock {
    /// The same, or `None` when it says nothing.
    pub fn or_none(self) -> Option<Self> {
        (self != Self::default()).then_some(self)
    }

    /// Whether the version has to stay, whoever asks.
    pub fn holds(&self, now_ms: u64) -> bool {
        self.check_removal(now_ms, false).is_err()
    }

    /// Refuses the removal of the version. A retention of mode `GOVERNANCE` can be bypassed, a legal hold can't.
    pub(super) fn check_removal(&self, now_ms: u64, bypasses_governance: bool) -> Result<()> {
        let is_retained = self.retention.is_some_and(|retention| retention.holds(now_ms, bypasses_governance));
        if is_retained || self.legal_hold == Some(true) { Err(EngineError::Locked) } else { Ok(()) }
    }

    /// Refuses another retention when it would weaken the one that is there: it may be later in the same mode.
    pub(super) fn check_retention(
        &self,
        wanted: Option<Retention>,
        now_ms: u64,
        bypasses_governance: bool,
    ) -> Result<()> {
        let Some(present) = self.retention.filter(|present| present.holds(now_ms, bypasses_governance)) else {
            return Ok(());
        };
        let extends = wanted.is_some_and(|wanted| wanted.mode == present.mode && wanted.until_ms >= present.until_ms);
        if extends { Ok(()) } else { Err(EngineError::Locked) }
    }
}

impl Retention {
    fn holds(&self, now_ms: u64, bypasses_governance: bool) -> bool {
        self.until_ms > now_ms && !(bypasses_governance && self.mode == RetentionMode::Governance)
    }
}

/// What a bucket gives to new versions that bring no retention of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DefaultRetention {
    /// Who may lift it.
    pub mode: RetentionMode,
    /// From the writing of the version on.
    pub period: RetentionPeriod,
}

/// How long a default retention lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RetentionPeriod {
    /// Days of 24 hours.
    Days(u32),
    /// Years of 365 days.
    Years(u32),
}

impl DefaultRetention {
    /// The retention of a version written at a time.
    pub(super) fn from(self, written_ms: u64) -> Retention {
        let days = match self.period {
            RetentionPeriod::Days(days) => u64::from(days),
            RetentionPeriod::Years(years) => u64::from(years) * DAYS_OF_A_YEAR,
        };
        Retention { mode: self.mode, until_ms: written_ms.saturating_add(days * DAY_MS) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1000;

    fn until(mode: RetentionMode, until_ms: u64) -> Option<Retention> {
        Some(Retention { mode, until_ms })
    }

    fn lock(retention: Option<Retention>) -> ObjectLock {
        ObjectLock { retention, legal_hold: None }
    }

    #[test]
    fn a_version_is_kept_until_its_time_and_while_a_hold_is_on() {
        use RetentionMode::{Compliance, Governance};
        for (lock, plainly, with_bypass) in [
            (lock(None), true, true),
            (lock(until(Governance, NOW)), true, true),
            (lock(until(Governance, NOW + 1)), false, true),
            (lock(until(Compliance, NOW + 1)), false, false),
            (ObjectLock { retention: None, legal_hold: Some(true) }, false, false),
            (ObjectLock { retention: until(Compliance, NOW - 1), legal_hold: Some(false) }, true, true),
        ] {
            let may_go = |bypass| lock.check_removal(NOW, bypass).is_ok();
            assert_eq!((may_go(false), may_go(true)), (plainly, with_bypass), "{lock:?}");
        }
    }

    #[test]
    fn a_retention_may_only_grow_in_its_mode_unless_it_is_bypassed() {
        use RetentionMode::{Compliance, Governance};
        for (present, wanted, plainly, with_bypass) in [
            (None, until(Compliance, 1), true, true),
            (until(Governance, 2000), until(Governance, 2000), true, true),
            (until(Governance, 2000), until(Governance, 3000), true, true),
            (until(Governance, 2000), until(Governance, 1999), false, true),
            (until(Governance, 2000), until(Compliance, 3000), false, true),
            (until(Governance, 2000), None, false, true),
            (until(Compliance, 2000), until(Compliance, 2001), true, true),
            (until(Compliance, 2000), until(Compliance, 1999), false, false),
            (until(Compliance, 2000), until(Governance, 3000), false, false),
            (until(Compliance, NOW), None, true, true),
        ] {
            let may_change = |bypass| lock(present).check_retention(wanted, NOW, bypass).is_ok();
            assert_eq!((may_change(false), may_change(true)), (plainly, with_bypass), "{present:?} to {wanted:?}");
        }
    }
}

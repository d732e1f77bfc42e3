use super::filter::Subject;
use super::rule::{Expiration, Lifecycle, Rule};

/// A day of the calendar, in milliseconds.
pub(crate) const DAY_MS: u64 = 86_400_000;

/// How long the days of the rules are, in milliseconds. Real ones end at midnight UTC, as at S3; shorter ones, for
/// tests, have no midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DayLength(pub(crate) u64);

impl DayLength {
    /// The time that many days after another: with real days the next midnight, so that things end together.
    pub(crate) fn after(self, start_ms: u64, days: u32) -> u64 {
        let at = start_ms.saturating_add(u64::from(days).saturating_mul(self.0));
        match self.0 {
            DAY_MS => at.div_ceil(DAY_MS).saturating_mul(DAY_MS),
            _ => at,
        }
    }
}

impl Lifecycle {
    /// When the current version of a key ends that was written at a time, and by which rule: the earliest wins.
    pub(crate) fn expiry(&self, subject: Subject<'_>, written_ms: u64, day: DayLength) -> Option<(u64, &Rule)> {
        let expiry = |rule: &'_ Rule| match rule.expiration? {
            Expiration::Days(days) => Some(day.after(written_ms, days)),
            Expiration::Date(at_ms) => Some(at_ms),
            Expiration::LoneMarkers(_) => None,
        };
        self.rules_about(subject).filter_map(|rule| Some((expiry(rule)?, rule))).min_by_key(|(at_ms, _)| *at_ms)
    }

    /// When an upload is aborted that was begun at a time, and by which rule.
    pub(crate) fn abortion(&self, key: &str, begun_ms: u64, day: DayLength) -> Option<(u64, &Rule)> {
        let of_key = Subject { key, object: None };
        let due = |rule: &'_ Rule| Some(day.after(begun_ms, rule.abort_after_days?));
        self.rules_about(of_key).filter_map(|rule| Some((due(rule)?, rule))).min_by_key(|(at_ms, _)| *at_ms)
    }

    /// Whether a version has ended that stopped being the newest of its key at a time, with that many noncurrent ones
    /// between.
    pub(super) fn ends_noncurrent(
        &self,
        subject: Subject<'_>,
        (since_ms, newer): (u64, u32),
        day: DayLength,
        now_ms: u64,
    ) -> bool {
        self.rules_about(subject).filter_map(|rule| rule.noncurrent_expiration).any(|expiration| {
            day.after(since_ms, expiration.days) <= now_ms && newer >= expiration.newer_versions.unwrap_or(0)
        })
    }

    /// Whether a delete marker with nothing behind it goes that was written at a time.
    pub(super) fn ends_lone_marker(&self, key: &str, written_ms: u64, day: DayLength, now_ms: u64) -> bool {
        self.rules_about(Subject { key, object: None }).any(|rule| match rule.expiration {
            Some(Expiration::LoneMarkers(do_go)) => do_go,
            Some(Expiration::Days(days)) => day.after(written_ms, days) <= now_ms,
            Some(Expiration::Date(_)) | None => false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn real_days_end_at_the_next_midnight() {
        let day = DayLength(DAY_MS);
        let half_past_ten = 10 * DAY_MS + 37_800_000;
        assert_eq!(day.after(half_past_ten, 3), 14 * DAY_MS);
        assert_eq!(day.after(10 * DAY_MS, 3), 13 * DAY_MS);
    }

    #[test]
    fn short_days_end_to_the_millisecond() {
        assert_eq!(DayLength(1000).after(12_345, 3), 15_345);
        assert_eq!(DayLength(u64::MAX).after(1, 3), u64::MAX);
    }
}

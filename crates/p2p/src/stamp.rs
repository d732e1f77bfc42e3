//! When a write happened, by a hybrid logical clock.

use serde::{Deserialize, Serialize};

/// A stamp further ahead of the clock than this is refused: a clock that is wrong must not win for ever.
pub const MAX_AHEAD_MS: u64 = 60_000;

/// The moment of a write. Of two writes the one with the greater stamp is later; a tie goes to the higher author.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Stamp {
    /// Milliseconds since the epoch, at least those of every write that its author had seen.
    pub ms: u64,
    /// Orders the writes of a millisecond.
    pub count: u32,
    /// The peer that wrote.
    pub author: u64,
}

impl Stamp {
    /// Whether it lies so far ahead of `now_ms` that a clock must be wrong.
    pub fn is_ahead(&self, now_ms: u64) -> bool {
        self.ms > now_ms.saturating_add(MAX_AHEAD_MS)
    }
}

/// A hybrid logical clock: never behind the wall clock, never behind what it has seen.
#[derive(Clone, Debug)]
pub struct Hlc {
    author: u64,
    ms: u64,
    count: u32,
}

impl Hlc {
    /// A clock that goes on behind `last`.
    pub fn new(author: u64, last: Stamp) -> Self {
        Self { author, ms: last.ms, count: last.count }
    }

    /// A stamp that is greater than every one before it.
    pub fn next(&mut self, now_ms: u64) -> Stamp {
        if now_ms > self.ms {
            (self.ms, self.count) = (now_ms, 0);
        } else if let Some(count) = self.count.checked_add(1) {
            self.count = count;
        } else {
            (self.ms, self.count) = (self.ms.saturating_add(1), 0);
        }
        self.last()
    }

    /// What comes from now on is later than `seen`.
    pub fn see(&mut self, seen: Stamp) {
        if (seen.ms, seen.count) > (self.ms, self.count) {
            (self.ms, self.count) = (seen.ms, seen.count);
        }
    }

    /// Where the clock stands.
    pub fn last(&self) -> Stamp {
        Stamp { ms: self.ms, count: self.count, author: self.author }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_grow_though_the_wall_clock_goes_back() {
        let mut clock = Hlc::new(1, Stamp::default());
        let stamps = [50, 50, 20, 60].map(|now_ms| clock.next(now_ms));
        assert!(stamps.is_sorted_by(|a, b| a < b));
        assert_eq!((stamps[2].ms, stamps[3]), (50, Stamp { ms: 60, count: 0, author: 1 }));
    }

    #[test]
    fn a_stamp_is_later_than_what_was_seen() {
        let mut clock = Hlc::new(1, Stamp::default());
        let seen = Stamp { ms: 500, count: u32::MAX, author: 9 };
        clock.see(seen);
        assert!(clock.next(10) > seen);
    }

    #[test]
    fn only_what_is_far_ahead_is_refused() {
        let at = |ms| Stamp { ms, count: 0, author: 1 };
        assert!(!at(MAX_AHEAD_MS + 5).is_ahead(5));
        assert!(at(MAX_AHEAD_MS + 6).is_ahead(5));
    }
}

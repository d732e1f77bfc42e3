use super::due::DayLength;
use super::filter::Subject;
use super::rule::Lifecycle;
use crate::engine::{Ending, Role, WalkedVersion};

/// Looks at the versions of a bucket in the order of a walk, and finds those whose time has come. It remembers of a key
/// only what the next of its versions has to know, so that a key may have any number of them.
pub(super) struct Scan<'a> {
    lifecycle: &'a Lifecycle,
    day: DayLength,
    now_ms: u64,
    of_key: Option<OfKey>,
}

/// What is known of the key that the walk is in.
struct OfKey {
    key: String,
    /// When the version before the next one was written: since then the next one is noncurrent.
    newer_ms: u64,
    /// How many noncurrent versions came.
    noncurrent: u32,
    /// A delete marker that came first, while nothing is known to be behind it.
    marker: Option<WalkedVersion>,
}

impl<'a> Scan<'a> {
    pub(super) fn new(lifecycle: &'a Lifecycle, day: DayLength, now_ms: u64) -> Self {
        Self { lifecycle, day, now_ms, of_key: None }
    }

    /// Takes the next version; notes what has ended.
    pub(super) fn take(&mut self, version: WalkedVersion, endings: &mut Vec<Ending>) {
        match self.of_key.as_mut().filter(|of_key| of_key.key == version.at.key) {
            Some(of_key) => {
                of_key.marker = None;
                let (since_ms, newer) = (of_key.newer_ms, of_key.noncurrent);
                of_key.newer_ms = version.modified_ms;
                of_key.noncurrent = newer.saturating_add(1);
                if self.ends_noncurrent(&version, since_ms, newer) {
                    endings.push(ending(version, Role::Noncurrent));
                }
            }
            None => {
                self.finish(endings);
                self.take_newest(version, endings);
            }
        }
    }

    /// Says that nothing more comes.
    pub(super) fn finish(&mut self, endings: &mut Vec<Ending>) {
        let Some(marker) = self.of_key.take().and_then(|of_key| of_key.marker) else { return };
        if self.lifecycle.ends_lone_marker(&marker.at.key, marker.modified_ms, self.day, self.now_ms) {
            endings.push(ending(marker, Role::LoneMarker));
        }
    }

    fn take_newest(&mut self, version: WalkedVersion, endings: &mut Vec<Ending>) {
        let of_key = OfKey { key: version.at.key.clone(), newer_ms: version.modified_ms, noncurrent: 0, marker: None };
        if version.object.is_none() {
            self.of_key = Some(OfKey { marker: Some(version), ..of_key });
            return;
        }
        self.of_key = Some(of_key);
        let expiry = self.lifecycle.expiry(subject(&version), version.modified_ms, self.day);
        if expiry.is_some_and(|(at_ms, _)| at_ms <= self.now_ms) {
            endings.push(ending(version, Role::Current));
        }
    }

    fn ends_noncurrent(&self, version: &WalkedVersion, since_ms: u64, newer: u32) -> bool {
        let is_locked = version.lock.is_some_and(|lock| lock.holds(self.now_ms));
        !is_locked && self.lifecycle.ends_noncurrent(subject(version), (since_ms, newer), self.day, self.now_ms)
    }
}

fn subject(version: &WalkedVersion) -> Subject<'_> {
    let object = version.object.as_ref().map(|(size, tags)| (*size, tags.as_slice()));
    Subject { key: &version.at.key, object }
}

fn ending(version: WalkedVersion, role: Role) -> Ending {
    Ending { at: version.at, version: version.version, role }
}

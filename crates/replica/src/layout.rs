//! Where things are in the bucket.

use uuid::Uuid;

/// The lease.
pub(crate) const LOCK: &str = "lock.json";
/// All generations.
pub(crate) const GENERATIONS: &str = "generations/";
/// Where the first log begins. It has no snapshot; two first starts meet here, and one of them is refused.
pub(crate) const ROOT: Uuid = Uuid::nil();

/// All that belongs to a generation.
pub(crate) fn generation(id: &str) -> String {
    format!("{GENERATIONS}{id}/")
}

pub(crate) fn snapshot(generation: &str) -> String {
    format!("{GENERATIONS}{generation}/snapshot.db")
}

pub(crate) fn snapshot_meta(generation: &str) -> String {
    format!("{GENERATIONS}{generation}/snapshot.meta.json")
}

pub(crate) fn log(generation: Uuid) -> String {
    format!("{GENERATIONS}{generation}/log/")
}

pub(crate) fn segment(generation: Uuid, sequence: u64) -> String {
    format!("{GENERATIONS}{generation}/log/{sequence:016x}.seg")
}

/// Many segments in one object.
pub(crate) fn pack(generation: Uuid, first: u64, last: u64) -> String {
    format!("{GENERATIONS}{generation}/log/packs/{first:016x}-{last:016x}.pack")
}

/// The first and the last sequence that a pack's key names.
pub(crate) fn pack_of(key: &str) -> Option<(u64, u64)> {
    let (first, last) = key.rsplit('/').next()?.strip_suffix(".pack")?.split_once('-')?;
    let (first, last) = (number(first)?, number(last)?);
    (1 <= first && first <= last).then_some((first, last))
}

/// The sequence that a segment's key names.
pub(crate) fn sequence_of(key: &str) -> Option<u64> {
    let name = key.rsplit('/').next()?.strip_suffix(".seg")?;
    number(name).filter(|&sequence| sequence >= 1)
}

fn number(name: &str) -> Option<u64> {
    let is_ours = name.len() == 16 && name.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    is_ours.then(|| u64::from_str_radix(name, 16).ok()).flatten()
}

/// The generation that a folder's key names.
pub(crate) fn generation_of(folder: &str) -> Option<&str> {
    folder.strip_prefix(GENERATIONS)?.strip_suffix('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segments_key_sorts_by_its_sequence_and_names_it() {
        let keys: Vec<_> = [1, 15, 16, 255, u64::MAX].map(|sequence| segment(ROOT, sequence)).into();
        assert!(keys.is_sorted());
        assert_eq!(sequence_of(&keys[3]), Some(255));
        assert_eq!(sequence_of("generations/x/log/l1/foreign.seg"), None);
        let pack = pack(ROOT, 1, 300);
        assert!(pack > keys[4], "packs are listed behind all segments");
        assert_eq!((sequence_of(&pack), pack_of(&pack)), (None, Some((1, 300))));
        assert_eq!(pack_of(&keys[0]), None);
    }
}

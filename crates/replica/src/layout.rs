//! Where things are in the bucket.

use uuid::Uuid;

/// The lease.
pub(crate) const LOCK: &str = "lock.json";
/// All generations.
pub(crate) const GENERATIONS: &str = "generations/";
/// Where the first log begins. It has no snapshot; two first starts meet here, and one of them is refused.
pub(crate) const ROOT: Uuid = Uuid::nil();

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

/// The sequence that a segment's key names.
pub(crate) fn sequence_of(key: &str) -> Option<u64> {
    let name = key.rsplit('/').next()?.strip_suffix(".seg")?;
    (name.len() == 16).then(|| u64::from_str_radix(name, 16).ok()).flatten()
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
    }
}

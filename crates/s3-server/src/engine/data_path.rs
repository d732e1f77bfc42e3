//! Where an object's bytes lie: a path below the engine's directory.

use std::fmt::Write as _;
use std::path::{Component, Path};

use holdfast_base::{Error, ErrorKind};

/// Longer names are cut: with `~` and the id they fit every file system, encrypted ones included.
const MAX_NAME_BYTES: usize = 120;
/// Folders stop here; what is deeper in the key only shows in the file's name.
const MAX_FOLDERS_BYTES: usize = 600;
const MAX_FOLDERS: usize = 32;

/// `bucket/readable/name~id`, always relative, never with `.`, `..` or an empty segment.
///
/// Different keys may share folders and readable names (long ones are cut); the id keeps files apart.
/// No folder's name holds a `~`, so a file never stands where a folder must.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DataPath(String);

impl DataPath {
    /// The place for a new file of `key` in a bucket (a valid bucket name).
    pub(super) fn new(bucket: &str, key: &str, id: &str) -> Self {
        let mut path = bucket.to_owned();
        let (folders, name) = key.rsplit_once('/').map_or((None, key), |(folders, name)| (Some(folders), name));
        for folder in folders.into_iter().flat_map(|folders| folders.split('/')).take(MAX_FOLDERS) {
            let folder = readable(folder);
            if path.len() + folder.len() > MAX_FOLDERS_BYTES {
                break;
            }
            path.push('/');
            path.push_str(if folder.is_empty() { "%" } else { &folder });
        }
        path.push('/');
        path.push_str(&readable(name));
        path.push('~');
        path.push_str(id);
        Self(path)
    }

    /// A path as the index holds it.
    ///
    /// # Errors
    /// `Integrity` when somebody changed the index so that it could leave the directory.
    pub(super) fn from_index(path: String) -> Result<Self, Error> {
        let stays = Path::new(&path).components().all(|part| matches!(part, Component::Normal(_)));
        let has_id = path.rsplit_once('~').is_some_and(|(front, id)| number_of(id).is_some() && front.contains('/'));
        if stays && has_id && !path.starts_with('.') {
            return Ok(Self(path));
        }
        Err(Error::new(
            ErrorKind::Integrity,
            "INDEX_CORRUPT",
            format!("the index names {path:?}, which no object can have; restore the index from a backup"),
        ))
    }

    /// The text that goes into the index.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// The id of its file, which is also its name in the staging folder.
    pub(super) fn id(&self) -> &str {
        self.0.rsplit_once('~').map_or("", |(_, id)| id)
    }

    /// The number of its file.
    pub(super) fn number(&self) -> i64 {
        number_of(self.id()).unwrap_or_default()
    }
}

/// The number of a file from its id; `None` when `id` can't be one.
pub(super) fn number_of(id: &str) -> Option<i64> {
    i64::from_str_radix(id, 32).ok().filter(|&number| id_of(number) == id)
}

/// A file's id from its number; ids of the same length sort like their numbers.
pub(super) fn id_of(number: i64) -> String {
    const DIGITS: &[u8; 32] = b"0123456789abcdefghijklmnopqrstuv";
    let mut rest = number.unsigned_abs(); // numbers are never negative
    let mut reversed = Vec::with_capacity(13);
    loop {
        reversed.push(char::from(DIGITS[(rest % 32) as usize]));
        rest /= 32;
        if rest == 0 {
            return reversed.into_iter().rev().collect();
        }
    }
}

/// A segment of a key as a person would know it again, safe as a file's or folder's name.
fn readable(segment: &str) -> String {
    let mut name = String::with_capacity(segment.len());
    for character in segment.chars() {
        let before = name.len();
        if character.is_control() || r#"%~/\:*?"<>|"#.contains(character) {
            let mut bytes = [0; 4];
            for byte in character.encode_utf8(&mut bytes).bytes() {
                // Writing to a String can't fail.
                let _ = write!(name, "%{byte:02X}");
            }
        } else {
            name.push(character);
        }
        if name.len() > MAX_NAME_BYTES {
            name.truncate(before);
            break;
        }
    }
    if name == "." || name == ".." { name.replace('.', "%2E") } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(key: &str) -> String {
        DataPath::new("bucket", key, "1v").as_str().to_owned()
    }

    #[test]
    fn is_found_by_a_person() {
        assert_eq!(path("photos/cat.jpg"), "bucket/photos/cat.jpg~1v");
        assert_eq!(path("größe/日本.txt"), "bucket/größe/日本.txt~1v");
    }

    #[test]
    fn escapes_what_cannot_be_a_name() {
        assert_eq!(path("../../etc/passwd"), "bucket/%2E%2E/%2E%2E/etc/passwd~1v");
        assert_eq!(path("/a//b/"), "bucket/%/a/%/b/~1v");
        assert_eq!(path("."), "bucket/%2E~1v");
        assert_eq!(path("a~1v/b\0\\"), "bucket/a%7E1v/b%00%5C~1v");
    }

    #[test]
    fn stays_short_enough_for_any_file_system() {
        for key in ["x".repeat(1024), "/".repeat(1024), "🦀/".repeat(200), "\n".repeat(1024), "a/".repeat(512)] {
            let path = path(&key);
            assert!(path.len() < 900, "{} bytes", path.len());
            assert!(path.split('/').all(|segment| (1..=134).contains(&segment.len())), "{path}");
        }
    }

    #[test]
    fn is_taken_back_from_the_index_only_when_it_stays_inside() {
        for key in ["a", "..", "a/../b", "/", "~", "é"] {
            let path = DataPath::new("bucket", key, "1v");
            assert_eq!(DataPath::from_index(path.as_str().to_owned()).unwrap(), path);
            assert_eq!(path.id(), "1v");
        }
        for bad in ["../x~1", "/etc/passwd~1", "bucket/../../x~1", "bucket/x", "bucket/x~", "x~1", ".holdfast/index~1"]
        {
            assert_eq!(DataPath::from_index(bad.to_owned()).unwrap_err().code(), "INDEX_CORRUPT", "{bad}");
        }
    }

    #[test]
    fn ids_count_up() {
        assert_eq!([id_of(0), id_of(31), id_of(32), id_of(i64::MAX)], ["0", "v", "10", "7vvvvvvvvvvvv"]);
        assert_eq!(
            ["10", "", "../x", "V", "+1", "-1", "01"].map(number_of),
            [Some(32), None, None, None, None, None, None]
        );
    }
}

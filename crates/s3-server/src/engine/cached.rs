//! Reading what the system holds in memory already.
//!
//! Handing a read to a file thread and its answer back costs more than the read when the file was read before: seven
//! futex calls of a get of 1 KiB, against one `openat2` and one `preadv2`. Invariant: nothing here waits for a disk,
//! so that all of it may run on the runtime's own threads. `None` means that it would have to wait, or that the system
//! can't tell; the caller takes the long way then, which also finds out what is wrong.

use std::fs::File;
use std::path::Path;

use bytes::Bytes;

#[cfg(target_os = "linux")]
pub(super) fn open(path: &Path) -> Option<File> {
    use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat2};
    let opened = openat2(CWD, path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty(), ResolveFlags::CACHED);
    opened.ok().map(File::from)
}

/// Exactly so many bytes from a place on.
#[cfg(target_os = "linux")]
pub(super) fn read(file: &File, at: u64, bytes: usize) -> Option<Bytes> {
    use rustix::io::{ReadWriteFlags, preadv2};
    if bytes == 0 {
        return Some(Bytes::new());
    }
    let mut chunk = vec![0; bytes];
    let read = preadv2(file, &mut [std::io::IoSliceMut::new(&mut chunk)], at, ReadWriteFlags::NOWAIT);
    (read == Ok(bytes)).then(|| chunk.into())
}

#[cfg(not(target_os = "linux"))]
pub(super) fn open(_path: &Path) -> Option<File> {
    None
}

/// Exactly so many bytes from a place on.
#[cfg(not(target_os = "linux"))]
pub(super) fn read(_file: &File, _at: u64, _bytes: usize) -> Option<Bytes> {
    None
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_was_just_written_is_read_without_waiting() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, b"0123456789").unwrap();
        let file = open(&path).unwrap();
        assert_eq!(read(&file, 3, 4).unwrap(), "3456");
        assert_eq!(read(&file, 10, 0).unwrap(), "");
    }

    #[test]
    fn what_is_missing_or_too_short_is_left_to_the_long_way() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        assert!(open(&path).is_none());
        std::fs::write(&path, b"0123456789").unwrap();
        assert!(read(&open(&path).unwrap(), 8, 4).is_none());
    }
}

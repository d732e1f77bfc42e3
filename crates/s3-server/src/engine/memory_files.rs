//! Data files in memory.
//!
//! Invariant: every byte that a file or a snapshot holds is counted once, however many of them share it, and the
//! count never exceeds the bound; it falls when the last of them goes.

use std::collections::HashMap;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

/// Files by their numbers.
#[derive(Debug)]
pub(super) struct MemoryFiles {
    files: Mutex<Files>,
    room: Arc<Room>,
}

#[derive(Debug, Default)]
struct Files {
    present: HashMap<i64, MemoryData>,
    kept: HashMap<i64, HashMap<i64, MemoryData>>,
}

/// How much memory data may take.
#[derive(Debug)]
struct Room {
    max_bytes: u64,
    taken_bytes: AtomicU64,
}

/// The bytes of a file, in pieces that copies of it share.
#[derive(Clone, Debug)]
pub(super) struct MemoryData {
    pieces: Vec<Arc<Piece>>,
    room: Arc<Room>,
}

/// Bytes that are counted while anything holds them.
#[derive(Debug)]
struct Piece {
    bytes: Bytes,
    room: Arc<Room>,
}

impl MemoryFiles {
    /// Of at most so many bytes together.
    pub(super) fn new(max_bytes: u64) -> Self {
        let room = Arc::new(Room { max_bytes, taken_bytes: AtomicU64::new(0) });
        Self { files: Mutex::default(), room }
    }

    /// An empty file that nobody finds yet.
    pub(super) fn create(&self) -> MemoryData {
        MemoryData { pieces: Vec::new(), room: Arc::clone(&self.room) }
    }

    /// From here on it is found.
    pub(super) fn insert(&self, number: i64, data: MemoryData) {
        self.lock().present.insert(number, data);
    }

    fn open(&self, number: i64) -> io::Result<MemoryData> {
        self.lock().present.get(&number).cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// Opens a file from its beginning.
    pub(super) fn read(&self, number: i64) -> io::Result<MemoryReader> {
        Ok(MemoryReader { data: self.open(number)?, piece: 0, offset: 0 })
    }

    /// One that is gone is fine.
    pub(super) fn remove(&self, number: i64) {
        // Large data is freed after the lock.
        let _gone = self.lock().present.remove(&number);
    }

    pub(super) fn keep(&self, snapshot: i64, number: i64) -> io::Result<()> {
        let data = self.open(number)?;
        self.lock().kept.entry(snapshot).or_default().insert(number, data);
        Ok(())
    }

    pub(super) fn bring_back(&self, snapshot: i64, number: i64) -> io::Result<()> {
        let mut files = self.lock();
        let kept = files.kept.get(&snapshot).and_then(|kept| kept.get(&number)).cloned();
        files.present.insert(number, kept.ok_or(io::ErrorKind::NotFound)?);
        Ok(())
    }

    pub(super) fn remove_snapshot(&self, snapshot: i64) {
        let _gone = self.lock().kept.remove(&snapshot);
    }

    pub(super) fn clear_snapshots(&self) {
        let _gone = std::mem::take(&mut self.lock().kept);
    }

    fn lock(&self) -> MutexGuard<'_, Files> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl MemoryData {
    pub(super) fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        Room::take(&self.room, bytes.len() as u64)?;
        self.pieces.push(Arc::new(Piece { bytes: Bytes::copy_from_slice(bytes), room: Arc::clone(&self.room) }));
        Ok(())
    }

    /// Appends another file, whose bytes both have from then on; how many that are.
    pub(super) fn share(&mut self, other: &Self) -> u64 {
        self.pieces.extend(other.pieces.iter().cloned());
        other.len()
    }

    fn len(&self) -> u64 {
        self.pieces.iter().map(|piece| piece.bytes.len() as u64).sum()
    }
}

/// A file that is being read.
#[derive(Debug)]
pub(super) struct MemoryReader {
    data: MemoryData,
    /// The piece to read on in, and where in it.
    piece: usize,
    offset: usize,
}

impl MemoryReader {
    pub(super) fn data(&self) -> &MemoryData {
        &self.data
    }

    fn position(&self) -> u64 {
        let before = self.data.pieces.iter().take(self.piece).map(|piece| piece.bytes.len() as u64);
        before.sum::<u64>() + self.offset as u64
    }
}

impl Read for MemoryReader {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let Some(piece) = self.data.pieces.get(self.piece) else { return Ok(0) };
        let rest = &piece.bytes[self.offset..];
        let read = rest.len().min(bytes.len());
        bytes[..read].copy_from_slice(&rest[..read]);
        (self.piece, self.offset) =
            if read == rest.len() { (self.piece + 1, 0) } else { (self.piece, self.offset + read) };
        Ok(read)
    }
}

impl Seek for MemoryReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let wanted = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::End(offset) => self.data.len().checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position().checked_add_signed(offset),
        };
        let wanted = wanted.ok_or(io::ErrorKind::InvalidInput)?;
        (self.piece, self.offset) = (0, 0);
        let mut left = wanted;
        while let Some(piece) = self.data.pieces.get(self.piece) {
            let bytes = piece.bytes.len() as u64;
            if left < bytes {
                // It lies within the piece, so that it fits.
                self.offset = left as usize;
                break;
            }
            left -= bytes;
            self.piece += 1;
        }
        Ok(wanted)
    }
}

impl Room {
    fn take(room: &Arc<Self>, bytes: u64) -> io::Result<()> {
        let more = |taken: u64| taken.checked_add(bytes).filter(|taken| *taken <= room.max_bytes);
        let took = room.taken_bytes.fetch_update(Ordering::AcqRel, Ordering::Acquire, more);
        took.map(|_| ()).map_err(|_| {
            let message = format!("the storage in memory is full ({} bytes); raise limits.maxMemory", room.max_bytes);
            io::Error::new(io::ErrorKind::StorageFull, message)
        })
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        self.room.taken_bytes.fetch_sub(self.bytes.len() as u64, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(files: &MemoryFiles, number: i64) -> Vec<u8> {
        let mut bytes = Vec::new();
        files.read(number).unwrap().read_to_end(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn shared_bytes_are_counted_once_and_until_the_last_holder_goes() {
        let files = MemoryFiles::new(10);
        let mut part = files.create();
        part.append(b"12345").unwrap();
        let mut whole = files.create();
        assert_eq!(whole.share(&part), 5);
        files.insert(1, part);
        files.insert(2, whole);
        files.keep(7, 2).unwrap();
        assert_eq!(files.create().append(b"123456").unwrap_err().kind(), io::ErrorKind::StorageFull);
        files.remove(1);
        files.remove(2);
        assert!(files.create().append(b"123456").is_err(), "the snapshot holds it");
        files.bring_back(7, 2).unwrap();
        assert_eq!(read(&files, 2), b"12345");
        files.remove(2);
        files.clear_snapshots();
        files.create().append(b"1234567890").unwrap();
    }

    #[test]
    fn it_is_read_from_anywhere() {
        let files = MemoryFiles::new(100);
        let mut data = files.create();
        for piece in ["abc", "def", "ghi"] {
            data.append(piece.as_bytes()).unwrap();
        }
        files.insert(1, data);
        assert_eq!(read(&files, 1), b"abcdefghi");
        let mut reader = files.read(1).unwrap();
        let mut from = |to| {
            let position = reader.seek(to).unwrap();
            let mut text = String::new();
            reader.by_ref().take(4).read_to_string(&mut text).unwrap();
            (position, text)
        };
        assert_eq!(from(SeekFrom::Start(1)), (1, "bcde".into()));
        assert_eq!(from(SeekFrom::Current(1)), (6, "ghi".into()));
        assert_eq!(from(SeekFrom::End(-3)), (6, "ghi".into()));
        assert_eq!(from(SeekFrom::Start(9)), (9, String::new()));
    }
}

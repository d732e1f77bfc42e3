//! Where data files lie: in a directory, or in memory.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;

use bytes::Bytes;

use super::Durability;
use super::cached;
use super::data_path::{DataPath, number_of};
use super::folder::{Folder, Touched};
use super::memory_files::{MemoryData, MemoryFiles, MemoryReader};

/// Data files of an engine. What a call does to them, the one in a directory says.
#[derive(Debug)]
pub(super) enum DataFiles {
    /// They survive the process.
    Folder(Folder),
    /// They go with the engine.
    Memory(MemoryFiles),
}

/// A data file that is being written.
#[derive(Debug)]
pub(super) enum WrittenFile {
    Folder(File),
    Memory(MemoryData),
}

/// A data file that is being read.
#[derive(Debug)]
pub(super) enum OpenedFile {
    Folder(File),
    Memory(MemoryReader),
}

impl DataFiles {
    /// The directory, when there is one.
    pub(super) fn folder(&self) -> Option<&Folder> {
        match self {
            Self::Folder(folder) => Some(folder),
            Self::Memory(_) => None,
        }
    }

    /// Whether nothing that is done to them waits for a disk.
    pub(super) fn are_in_memory(&self) -> bool {
        matches!(self, Self::Memory(_))
    }

    /// What an acknowledged write survives.
    pub(super) fn durability(&self) -> Durability {
        match self {
            Self::Folder(folder) => folder.durability(),
            Self::Memory(_) => Durability::Process,
        }
    }

    /// Lets another process open the directory.
    pub(super) fn unlock(&self) {
        if let Self::Folder(folder) = self {
            folder.unlock();
        }
    }

    /// The path of the database that keeps the snapshots' rows.
    pub(super) fn kept_index_path(&self) -> String {
        match self {
            Self::Folder(folder) => folder.kept_index_path().to_string_lossy().into_owned(),
            Self::Memory(_) => ":memory:".to_owned(),
        }
    }

    /// The file of the key that other keys are sealed with; in memory there is none.
    pub(super) fn master_key_path(&self) -> Option<PathBuf> {
        match self {
            Self::Folder(folder) => Some(folder.master_key_path()),
            Self::Memory(_) => None,
        }
    }

    pub(super) fn create_staged(&self, number: i64) -> io::Result<WrittenFile> {
        match self {
            Self::Folder(folder) => folder.create_staged(number).map(WrittenFile::Folder),
            Self::Memory(memory) => Ok(WrittenFile::Memory(memory.create())),
        }
    }

    pub(super) fn open_staged(&self, number: i64) -> io::Result<OpenedFile> {
        match self {
            Self::Folder(folder) => folder.open_staged(number).map(OpenedFile::Folder),
            Self::Memory(memory) => memory.read(number).map(OpenedFile::Memory),
        }
    }

    /// Ends the writing of a whole file; makes it survive a power cut, when that is asked for.
    pub(super) fn close_staged(&self, number: i64, file: WrittenFile) -> io::Result<()> {
        match (self, file) {
            (Self::Folder(folder), WrittenFile::Folder(file)) => folder.sync_staged(&file),
            (Self::Memory(memory), WrittenFile::Memory(data)) => {
                memory.insert(number, data);
                Ok(())
            }
            _ => Err(io::Error::other("a file of another engine was closed")),
        }
    }

    pub(super) fn remove_staged(&self, number: i64) -> io::Result<()> {
        match self {
            Self::Folder(folder) => folder.remove_staged(number),
            Self::Memory(memory) => {
                memory.remove(number);
                Ok(())
            }
        }
    }

    /// The numbers of the files in the staging folder that an earlier opening may have left.
    pub(super) fn left_in_staging(&self) -> io::Result<Box<dyn Iterator<Item = io::Result<i64>>>> {
        let Self::Folder(folder) = self else { return Ok(Box::new(std::iter::empty())) };
        // What isn't named like a file of ours is somebody else's.
        let number = |entry: io::Result<std::fs::DirEntry>| {
            entry.map(|entry| entry.file_name().to_str().and_then(number_of)).transpose()
        };
        Ok(Box::new(folder.staged_entries()?.filter_map(number)))
    }

    pub(super) fn create_bucket(&self, name: &str) -> io::Result<()> {
        match self {
            Self::Folder(folder) => folder.create_bucket(name),
            Self::Memory(_) => Ok(()),
        }
    }

    pub(super) fn remove_bucket(&self, name: &str) -> io::Result<()> {
        match self {
            Self::Folder(folder) => folder.remove_bucket(name),
            Self::Memory(_) => Ok(()),
        }
    }

    /// As [`DataFiles::open_object`]; `None` also when a disk would have to be waited for.
    pub(super) fn open_cached(&self, path: &DataPath) -> Option<OpenedFile> {
        match self {
            Self::Folder(folder) => folder.open_cached(path).map(OpenedFile::Folder),
            Self::Memory(memory) => memory.read(path.number()).ok().map(OpenedFile::Memory),
        }
    }

    pub(super) fn open_object(&self, path: &DataPath) -> io::Result<Option<OpenedFile>> {
        match self {
            Self::Folder(folder) => Ok(folder.open_object(path)?.map(OpenedFile::Folder)),
            Self::Memory(memory) => Ok(memory.read(path.number()).ok().map(OpenedFile::Memory)),
        }
    }

    /// In memory a file has no place to be moved to.
    pub(super) fn place(&self, path: &DataPath, touched: &mut Touched) -> io::Result<()> {
        match self {
            Self::Folder(folder) => folder.place(path, touched),
            Self::Memory(_) => Ok(()),
        }
    }

    pub(super) fn remove(&self, path: &DataPath, touched: &mut Touched) -> io::Result<()> {
        match self {
            Self::Folder(folder) => folder.remove(path, touched),
            Self::Memory(_) => self.remove_staged(path.number()),
        }
    }

    pub(super) fn sync_touched(&self, touched: &Touched) -> io::Result<()> {
        match self {
            Self::Folder(folder) => folder.sync_touched(touched),
            Self::Memory(_) => Ok(()),
        }
    }

    /// Drops what snapshots kept.
    pub(super) fn clear_snapshots(&self) -> io::Result<()> {
        match self {
            Self::Folder(folder) => folder.clear_snapshots(),
            Self::Memory(memory) => {
                memory.clear_snapshots();
                Ok(())
            }
        }
    }

    pub(super) fn create_snapshot(&self, snapshot: i64) -> io::Result<()> {
        match self {
            Self::Folder(folder) => folder.create_snapshot(snapshot),
            Self::Memory(_) => Ok(()),
        }
    }

    pub(super) fn remove_snapshot(&self, snapshot: i64) -> io::Result<()> {
        match self {
            Self::Folder(folder) => folder.remove_snapshot(snapshot),
            Self::Memory(memory) => {
                memory.remove_snapshot(snapshot);
                Ok(())
            }
        }
    }

    pub(super) fn keep_staged(&self, snapshot: i64, number: i64) -> io::Result<()> {
        match self {
            Self::Folder(folder) => folder.keep_staged(snapshot, number),
            Self::Memory(memory) => memory.keep(snapshot, number),
        }
    }

    pub(super) fn keep_object(&self, snapshot: i64, path: &DataPath) -> io::Result<()> {
        match self {
            Self::Folder(folder) => folder.keep_object(snapshot, path),
            Self::Memory(memory) => memory.keep(snapshot, path.number()),
        }
    }

    pub(super) fn bring_back(&self, snapshot: i64, number: i64) -> io::Result<()> {
        match self {
            Self::Folder(folder) => folder.bring_back(snapshot, number),
            Self::Memory(memory) => memory.bring_back(snapshot, number),
        }
    }

    /// In memory it is one file with the part's, which stays.
    pub(super) fn remove_placed(&self, path: &DataPath) -> io::Result<()> {
        match self {
            Self::Folder(folder) => folder.remove_placed(path),
            Self::Memory(_) => Ok(()),
        }
    }
}

impl WrittenFile {
    /// Appends a whole file, in the kernel where the system can do that.
    pub(super) fn append_file(&mut self, mut source: OpenedFile) -> io::Result<u64> {
        match (self, &mut source) {
            (Self::Folder(file), OpenedFile::Folder(source)) => io::copy(source, file),
            (Self::Memory(data), OpenedFile::Memory(source)) => Ok(data.share(source.data())),
            _ => Err(io::Error::other("a file of another engine was appended")),
        }
    }
}

impl Write for WrittenFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Folder(file) => file.write(bytes),
            Self::Memory(data) => data.append(bytes).map(|()| bytes.len()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl OpenedFile {
    /// Exactly so many bytes from a place on; `None` when a disk would have to be waited for, or they are not there.
    pub(super) fn read_cached(&mut self, at: u64, bytes: usize) -> Option<Bytes> {
        match self {
            Self::Folder(file) => cached::read(file, at, bytes),
            Self::Memory(reader) => {
                let mut chunk = vec![0; bytes];
                reader.seek(SeekFrom::Start(at)).and_then(|_| reader.read_exact(&mut chunk)).ok()?;
                Some(chunk.into())
            }
        }
    }
}

impl Read for OpenedFile {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Folder(file) => file.read(bytes),
            Self::Memory(reader) => reader.read(bytes),
        }
    }
}

impl Seek for OpenedFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match self {
            Self::Folder(file) => file.seek(to),
            Self::Memory(reader) => reader.seek(to),
        }
    }
}

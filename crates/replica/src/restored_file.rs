//! A database file in the making: a snapshot's pages, then segment after segment.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use holdfast_base::{Error, ErrorKind, Result};
use holdfast_sqlite::rusqlite::{Connection, OpenFlags};

use crate::page_checksum::{JOURNAL_MODE_BYTES, lock_page, page_checksum};
use crate::point::Point;
use crate::segment::{Digest, Segment, SegmentKind, StoredSegment, corrupt, link};

/// A place in the log.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LogPlace {
    pub(crate) sequence: u64,
    pub(crate) digest: Digest,
    pub(crate) time_ms: u64,
}

/// Invariant: after every whole segment, file, size and checksum are those of one committed state.
#[derive(Debug)]
pub(crate) struct RestoredFile {
    path: PathBuf,
    file: File,
    page_bytes: u32,
    page_count: u32,
    pub(crate) checksum: u64,
    pub(crate) at: LogPlace,
    /// Parts of a transaction whose last part has not come by.
    parts: Vec<(u64, PathBuf)>,
    pub(crate) applied: u64,
}

impl RestoredFile {
    /// Takes a file that holds a snapshot's (or a local state's) pages, and where that stands in the log.
    pub(crate) fn open(path: &Path, page_bytes: u32, at: LogPlace) -> Result<Self> {
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        let page_count = u32::try_from(file.metadata()?.len() / u64::from(page_bytes)).unwrap_or(u32::MAX);
        // The live file is in write-ahead mode, and that is what segments are differences from.
        file.write_all_at(&[2; JOURNAL_MODE_BYTES.end - JOURNAL_MODE_BYTES.start], JOURNAL_MODE_BYTES.start as u64)?;
        let mut restored = Self {
            path: path.to_owned(),
            file,
            page_bytes,
            page_count,
            checksum: 0,
            at,
            parts: Vec::new(),
            applied: 0,
        };
        for number in 1..=page_count {
            restored.checksum ^= restored.weight(number, &restored.read(number)?);
        }
        Ok(restored)
    }

    /// Takes the next segment; false, and nothing taken, when it is behind the point.
    pub(crate) fn take(&mut self, sequence: u64, bytes: &Bytes, until: Point) -> Result<bool> {
        let stored = StoredSegment::decode(bytes, sequence)?;
        let segment = &stored.segment;
        if sequence != self.at.sequence + 1 || segment.previous != link(&self.at.digest) {
            return Err(corrupt("does not follow from the one before it").with("sequence", segment.sequence));
        }
        if !until.allows(segment.time_ms) {
            return Ok(false);
        }
        match segment.kind {
            SegmentKind::Part => self.put_aside(segment.sequence, bytes)?,
            SegmentKind::Commit => {
                for (number, part) in std::mem::take(&mut self.parts) {
                    let bytes = Bytes::from(std::fs::read(&part)?);
                    self.apply(&StoredSegment::decode(&bytes, number)?.segment)?;
                    std::fs::remove_file(part)?;
                }
                self.apply(segment)?;
            }
            SegmentKind::Seal | SegmentKind::Rollover(_) => {
                self.forget_parts()?;
                self.apply(segment)?;
            }
        }
        self.at = LogPlace { sequence, digest: stored.digest, time_ms: segment.time_ms };
        self.applied += 1;
        Ok(true)
    }

    /// Ends: the file is cut to its size, synced, and SQLite looks through it.
    pub(crate) fn finish(mut self) -> Result<u32> {
        self.forget_parts()?;
        self.file.set_len(u64::from(self.page_count) * u64::from(self.page_bytes))?;
        self.file.sync_all()?;
        quick_check(&self.path)?;
        Ok(self.page_count)
    }

    /// Cuts the file to its size, on the disk; more segments may follow.
    pub(crate) fn settle(&mut self) -> Result<()> {
        self.file.set_len(u64::from(self.page_count) * u64::from(self.page_bytes))?;
        Ok(self.file.sync_all()?)
    }

    /// Whether a transaction waits for its last part.
    pub(crate) fn has_parts(&self) -> bool {
        !self.parts.is_empty()
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    fn put_aside(&mut self, sequence: u64, bytes: &Bytes) -> Result<()> {
        let path = crate::local_history::beside(&self.path, &format!(".part-{sequence}"));
        std::fs::write(&path, bytes)?;
        self.parts.push((sequence, path));
        Ok(())
    }

    fn forget_parts(&mut self) -> Result<()> {
        for (_, part) in std::mem::take(&mut self.parts) {
            std::fs::remove_file(part)?;
        }
        Ok(())
    }

    fn apply(&mut self, segment: &Segment) -> Result<()> {
        let page_count = segment.page_count.unwrap_or(self.page_count);
        let is_outside = segment.pages.last() > page_count;
        if segment.page_bytes != self.page_bytes || is_outside {
            return Err(corrupt("belongs to another state of the database").with("sequence", segment.sequence));
        }
        let page_bytes = self.page_bytes as usize;
        let old = |number| if number <= self.page_count { self.read(number) } else { Ok(vec![0; page_bytes]) };
        let pages: BTreeMap<u32, Bytes> = segment.pages.decode(old)?.into_iter().collect();
        let page_count = if segment.is_whole() { page_count } else { self.page_count };
        if segment.after != self.checksum_with(&pages, page_count)? {
            return Err(corrupt("gives another state than it says").with("sequence", segment.sequence));
        }
        for (&number, new) in &pages {
            self.file.write_all_at(new, self.offset(number))?;
        }
        self.checksum = segment.after;
        self.page_count = page_count;
        Ok(())
    }

    /// The checksum as it will be with these pages and this size.
    fn checksum_with(&self, pages: &BTreeMap<u32, Bytes>, page_count: u32) -> Result<u64> {
        let mut checksum = self.checksum;
        for (&number, new) in pages.range(..=self.page_count) {
            checksum ^= self.weight(number, &self.read(number)?) ^ self.weight(number, new);
        }
        let (from, to) = (self.page_count.min(page_count), self.page_count.max(page_count));
        for number in from + 1..=to {
            checksum ^= match pages.get(&number) {
                Some(new) => self.weight(number, new),
                None => self.weight(number, &self.read(number)?),
            };
        }
        Ok(checksum)
    }

    fn read(&self, number: u32) -> Result<Vec<u8>> {
        let mut page = vec![0; self.page_bytes as usize];
        let mut done = 0;
        while done < page.len() {
            match self.file.read_at(&mut page[done..], self.offset(number) + done as u64)? {
                0 => break,
                read => done += read,
            }
        }
        Ok(page)
    }

    fn weight(&self, number: u32, page: &[u8]) -> u64 {
        if number == lock_page(self.page_bytes) { 0 } else { page_checksum(number, page) }
    }

    fn offset(&self, number: u32) -> u64 {
        u64::from(number - 1) * u64::from(self.page_bytes)
    }
}

/// SQLite's own look at a file that nobody else has open; nothing is written beside it.
pub(crate) fn quick_check(path: &Path) -> Result<()> {
    let connection = open_unchanging(path)?;
    let check = connection.query_row("pragma quick_check(1)", [], |row| row.get(0));
    let found: String = check.map_err(|error| broken(&error.to_string()))?;
    if found == "ok" { Ok(()) } else { Err(broken(&found)) }
}

/// Opens a file to read that nobody changes while it is open: no locks, and nothing beside it.
pub(crate) fn open_unchanging(path: &Path) -> Result<Connection> {
    let uri = format!("file:{}?immutable=1", uri_path(path));
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    Connection::open_with_flags(uri, flags).map_err(|error| broken(&error.to_string()))
}

fn uri_path(path: &Path) -> String {
    let escaped = |byte: &u8| match byte {
        b'%' | b'?' | b'#' => format!("%{byte:02x}"),
        _ => char::from(*byte).to_string(),
    };
    let text = path.to_string_lossy();
    if text.bytes().any(|byte| matches!(byte, b'%' | b'?' | b'#')) && text.is_ascii() {
        text.as_bytes().iter().map(escaped).collect()
    } else {
        text.into_owned()
    }
}

fn broken(why: &str) -> Error {
    let message = format!("the restored database does not pass SQLite's check: {why}. Restore to an earlier point");
    Error::new(ErrorKind::Integrity, "RESTORE_CHECK_FAILED", message)
}

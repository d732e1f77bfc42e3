//! SQLite's write-ahead log, read from outside.
//!
//! Invariants: a frame counts only when its salts are the header's and its checksum follows from the frame
//! before it; what lies behind the last such frame (stale frames of an older cycle, frames of a transaction
//! that spilled its cache and has not committed) is never looked at. Callers bound reads by the frame
//! count that SQLite's own hook gave them, or by the last commit frame.

use std::fs::File;
use std::os::unix::fs::FileExt;

use holdfast_base::{Error, ErrorKind, Result};

const HEADER_BYTES: usize = 32;
const FRAME_HEADER_BYTES: usize = 24;
/// Magic of a log whose checksums read little-endian words; one more means big-endian.
const MAGIC: u32 = 0x377f_0682;
const VERSION: u32 = 3_007_000;

type Sum = (u32, u32);

/// The head of a log: which cycle it is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WalHeader {
    /// Bytes of a page.
    pub page_bytes: u32,
    /// Changes each time the log starts again at its first frame.
    pub salts: (u32, u32),
    big_endian: bool,
    sum: Sum,
}

impl WalHeader {
    /// Reads a header; `None` when it is not one (an empty log, a torn write).
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let head = bytes.get(..HEADER_BYTES)?;
        let magic = word(head, 0);
        let big_endian = magic == MAGIC + 1;
        if (magic != MAGIC && !big_endian) || word(head, 4) != VERSION {
            return None;
        }
        let page_bytes = word(head, 8);
        if !(512..=65_536).contains(&page_bytes) || !page_bytes.is_power_of_two() {
            return None;
        }
        let sum = checksum(big_endian, (0, 0), &head[..24]);
        let expected = (word(head, 24), word(head, 28));
        (sum == expected).then(|| Self { page_bytes, salts: (word(head, 16), word(head, 20)), big_endian, sum })
    }
}

/// One frame: a page as a transaction left it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Counted from 1.
    pub number: u32,
    /// The page's number, counted from 1.
    pub page: u32,
    /// The database's size in pages when this frame commits a transaction, otherwise 0.
    pub commit_pages: u32,
}

/// Where reading stands: after frame `frame`, with the checksum up to there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The last frame read; 0 at the start.
    pub frame: u32,
    sum: Sum,
}

/// The log's file, read by position.
#[derive(Debug)]
pub struct WalFile {
    file: File,
}

impl WalFile {
    /// Takes an open file.
    pub fn new(file: File) -> Self {
        Self { file }
    }

    /// The header as it is now; `None` when the log is empty or its header is torn.
    ///
    /// # Errors
    /// `Io` when the file can't be read.
    pub fn header(&self) -> Result<Option<WalHeader>> {
        let mut head = [0; HEADER_BYTES];
        Ok(if read_fully(&self.file, &mut head, 0)? { WalHeader::parse(&head) } else { None })
    }

    /// The start of a cycle.
    pub fn start(header: &WalHeader) -> Cursor {
        Cursor { frame: 0, sum: header.sum }
    }

    /// Reads the frame after the cursor into `page` (one page long) and moves the cursor; `None` when
    /// there is no valid one.
    ///
    /// # Errors
    /// `Io` when the file can't be read.
    pub fn next(&self, header: &WalHeader, cursor: &mut Cursor, page: &mut [u8]) -> Result<Option<Frame>> {
        let mut head = [0; FRAME_HEADER_BYTES];
        let at = frame_offset(header.page_bytes, cursor.frame + 1);
        if !read_fully(&self.file, &mut head, at)? || !read_fully(&self.file, page, at + FRAME_HEADER_BYTES as u64)? {
            return Ok(None);
        }
        let sum = checksum(header.big_endian, cursor.sum, &head[..8]);
        let sum = checksum(header.big_endian, sum, page);
        let frame = Frame { number: cursor.frame + 1, page: word(&head, 0), commit_pages: word(&head, 4) };
        if (word(&head, 8), word(&head, 12)) != header.salts
            || (word(&head, 16), word(&head, 20)) != sum
            || frame.page == 0
        {
            return Ok(None);
        }
        *cursor = Cursor { frame: frame.number, sum };
        Ok(Some(frame))
    }

    /// Reads the page of a frame that was verified before.
    ///
    /// # Errors
    /// `Integrity` when the log is shorter than that, `Io` when it can't be read.
    pub fn page(&self, header: &WalHeader, frame: u32, page: &mut [u8]) -> Result<()> {
        let at = frame_offset(header.page_bytes, frame) + FRAME_HEADER_BYTES as u64;
        if read_fully(&self.file, page, at)? { Ok(()) } else { Err(vanished(frame)) }
    }
}

/// The error for a frame that was there and is not any more.
pub(crate) fn vanished(frame: u32) -> Error {
    let message = format!(
        "frame {frame} is gone from the write-ahead log: another program checkpointed or replaced the file; \
         stop it, then open the database again"
    );
    Error::new(ErrorKind::Integrity, "WAL_CHANGED", message)
}

fn frame_offset(page_bytes: u32, frame: u32) -> u64 {
    HEADER_BYTES as u64 + u64::from(frame - 1) * (FRAME_HEADER_BYTES as u64 + u64::from(page_bytes))
}

/// Fills `buffer` from `at`; false when the file ends before.
pub(crate) fn read_fully(file: &File, buffer: &mut [u8], at: u64) -> Result<bool> {
    match file.read_exact_at(buffer, at) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn word(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|four| four.try_into().ok()).map_or(0, u32::from_be_bytes)
}

fn checksum(big_endian: bool, (mut first, mut second): Sum, bytes: &[u8]) -> Sum {
    let read = |four: &[u8]| {
        let four = four.try_into().unwrap_or_default();
        if big_endian { u32::from_be_bytes(four) } else { u32::from_le_bytes(four) }
    };
    for eight in bytes.chunks_exact(8) {
        first = first.wrapping_add(read(&eight[..4])).wrapping_add(second);
        second = second.wrapping_add(read(&eight[4..])).wrapping_add(first);
    }
    (first, second)
}

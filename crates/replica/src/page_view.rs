//! The database as it was after a given frame of the log, read from outside of SQLite.
//!
//! Invariants: the main file is opened once and closed after SQLite's connections (closing a file drops
//! the process's POSIX locks on it); nobody checkpoints past what the view has read while it is in use,
//! so main file and frames stay as they are.

use std::collections::HashMap;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use holdfast_base::{Error, Result};

use crate::page_checksum::{lock_page, page_checksum};
use crate::wal::{WalFile, WalHeader};

/// The two files of a database.
#[derive(Clone, Debug)]
pub(crate) struct DatabaseFiles {
    pub(crate) main: Arc<File>,
    pub(crate) wal: Arc<WalFile>,
}

/// A consistent view, with the database's checksum. Clones are cheap until one of them moves on.
#[derive(Clone, Debug)]
pub(crate) struct PageView {
    files: DatabaseFiles,
    header: Option<WalHeader>,
    /// The last frame of each page that has one.
    frames: Arc<HashMap<u32, u32>>,
    pub(crate) page_bytes: u32,
    pub(crate) page_count: u32,
    pub(crate) checksum: u64,
}

impl PageView {
    /// The main file alone, read through once for its checksum.
    pub(crate) fn of_main(files: DatabaseFiles, page_bytes: u32) -> Result<Self> {
        let pages = files.main.metadata()?.len() / u64::from(page_bytes);
        let page_count = u32::try_from(pages).map_err(|_| Error::internal("the database has too many pages"))?;
        let mut view = Self { files, header: None, frames: Arc::default(), page_bytes, page_count, checksum: 0 };
        let mut page = view.blank();
        for number in 1..=page_count {
            view.read(number, &mut page)?;
            view.checksum ^= view.weight(number, &page);
        }
        Ok(view)
    }

    /// A page's worth of zeros.
    pub(crate) fn blank(&self) -> Vec<u8> {
        vec![0; self.page_bytes as usize]
    }

    /// Begins with a new cycle of the log: all older frames are in the main file.
    pub(crate) fn begin_cycle(&mut self, header: WalHeader) {
        self.header = Some(header);
        self.frames = Arc::default();
    }

    /// All frames are in the main file now.
    pub(crate) fn forget_frames(&mut self) {
        self.frames = Arc::default();
    }

    pub(crate) fn header(&self) -> Option<&WalHeader> {
        self.header.as_ref()
    }

    pub(crate) fn wal(&self) -> &WalFile {
        &self.files.wal
    }

    /// Reads a page; what was never written is zeros.
    pub(crate) fn read(&self, number: u32, page: &mut [u8]) -> Result<()> {
        if let (Some(header), Some(&frame)) = (&self.header, self.frames.get(&number)) {
            return self.files.wal.page(header, frame, page);
        }
        let at = u64::from(number - 1) * u64::from(self.page_bytes);
        let mut done = 0;
        while done < page.len() {
            match self.files.main.read_at(&mut page[done..], at + done as u64)? {
                0 => break,
                read => done += read,
            }
        }
        page[done..].fill(0);
        Ok(())
    }

    /// What a page adds to the checksum: nothing when SQLite never uses it.
    pub(crate) fn weight(&self, number: u32, page: &[u8]) -> u64 {
        if number == lock_page(self.page_bytes) { 0 } else { page_checksum(number, page) }
    }

    /// Takes new frames of pages; the size stays.
    pub(crate) fn change(&mut self, number: u32, frame: u32, new: &[u8]) -> Result<()> {
        if number <= self.page_count {
            let mut old = self.blank();
            self.read(number, &mut old)?;
            self.checksum ^= self.weight(number, &old) ^ self.weight(number, new);
        }
        Arc::make_mut(&mut self.frames).insert(number, frame);
        Ok(())
    }

    /// Takes the new size, after all changes of the transaction.
    pub(crate) fn resize(&mut self, page_count: u32) -> Result<()> {
        let (from, to) = (self.page_count.min(page_count), self.page_count.max(page_count));
        let mut page = self.blank();
        for number in from + 1..=to {
            self.read(number, &mut page)?;
            self.checksum ^= self.weight(number, &page);
        }
        self.page_count = page_count;
        Ok(())
    }
}

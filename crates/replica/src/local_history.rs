//! What the local files hold: the states that the main file and the log's transactions stand for.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use holdfast_base::{Error, ErrorKind, Result};

use crate::page_view::{DatabaseFiles, PageView};
use crate::wal::{Cursor, WalFile, WalHeader, read_fully, vanished};

/// One committed state.
#[derive(Clone, Debug)]
pub(crate) struct LocalState {
    pub(crate) view: PageView,
    /// Where the log stands; `None` when the log has no frame.
    pub(crate) cursor: Option<Cursor>,
}

/// Walks the local files from the main file's state to the last commit in the log.
#[derive(Debug)]
pub(crate) struct LocalHistory {
    /// The state that was asked for, when it came by; the last one that matched.
    pub(crate) matching: Option<LocalState>,
    /// The newest state.
    pub(crate) newest: LocalState,
}

/// The file of the log that belongs to a database.
pub(crate) fn wal_path(path: &Path) -> PathBuf {
    beside(path, "-wal")
}

/// A path beside another, its name made longer.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Opens the two files; both must exist.
pub(crate) fn open_files(path: &Path) -> Result<DatabaseFiles> {
    let main = Arc::new(File::open(path)?);
    let wal = Arc::new(WalFile::new(File::open(wal_path(path))?));
    Ok(DatabaseFiles { main, wal })
}

/// The page size that the database's header names.
pub(crate) fn page_bytes_of(main: &File, path: &Path) -> Result<u32> {
    let mut head = [0; 18];
    let is_whole = read_fully(main, &mut head, 0)?;
    let page_bytes = match u16::from_be_bytes([head[16], head[17]]) {
        1 => 65_536,
        bytes => u32::from(bytes),
    };
    if !is_whole || !head.starts_with(b"SQLite format 3\0") || !page_bytes.is_power_of_two() || page_bytes < 512 {
        let message = format!("{} is not a SQLite database; it was left as it is. Give another path", path.display());
        return Err(Error::new(ErrorKind::Integrity, "NOT_A_DATABASE", message));
    }
    Ok(page_bytes)
}

impl LocalHistory {
    /// Reads everything. `wanted` is the checksum of the state to look for.
    pub(crate) fn read(path: &Path, files: &DatabaseFiles, wanted: Option<u64>) -> Result<Self> {
        let page_bytes = page_bytes_of(&files.main, path)?;
        let mut working = PageView::of_main(files.clone(), page_bytes)?;
        let mut matching = None;
        let mut note = |view: &PageView, cursor: Option<Cursor>| {
            if wanted == Some(view.checksum) {
                matching = Some(LocalState { view: view.clone(), cursor });
            }
        };
        note(&working, None);
        let header = files.wal.header()?.filter(|header| header.page_bytes == page_bytes);
        let last = header.map(|header| last_commit(&files.wal, &header)).transpose()?.unwrap_or(0);
        let (Some(header), true) = (header, last > 0) else {
            return Ok(Self { matching, newest: LocalState { view: working, cursor: None } });
        };
        let mut cursor = WalFile::start(&header);
        working.begin_cycle(header);
        let mut page = working.blank();
        while cursor.frame < last {
            let frame = files.wal.next(&header, &mut cursor, &mut page)?.ok_or_else(|| vanished(cursor.frame + 1))?;
            working.change(frame.page, frame.number, &page)?;
            if frame.commit_pages > 0 {
                working.resize(frame.commit_pages)?;
                note(&working, Some(cursor));
            }
        }
        Ok(Self { matching, newest: LocalState { view: working, cursor: Some(cursor) } })
    }
}

/// The last frame that commits a transaction; 0 when there is none.
fn last_commit(wal: &WalFile, header: &WalHeader) -> Result<u32> {
    let mut cursor = WalFile::start(header);
    let mut page = vec![0; header.page_bytes as usize];
    let mut last = 0;
    while let Some(frame) = wal.next(header, &mut cursor, &mut page)? {
        if frame.commit_pages > 0 {
            last = frame.number;
        }
    }
    Ok(last)
}

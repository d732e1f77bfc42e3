//! The log as SQLite itself writes it.
#![allow(clippy::unwrap_used, missing_docs)]

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use holdfast_replica::{Frame, WalFile};
use holdfast_sqlite::rusqlite::Connection;
use tempfile::TempDir;

struct Log {
    folder: TempDir,
    connection: Connection,
}

impl Log {
    fn new(page_bytes: u32) -> Self {
        let folder = TempDir::new().unwrap();
        let connection = Connection::open(folder.path().join("a.db")).unwrap();
        connection
            .execute_batch(&format!(
                "pragma page_size = {page_bytes}; pragma journal_mode = wal; pragma wal_autocheckpoint = 0"
            ))
            .unwrap();
        connection.execute_batch("create table t (id integer primary key, text)").unwrap();
        Self { folder, connection }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("a.db-wal")
    }

    fn frames(&self) -> Vec<Frame> {
        let wal = WalFile::new(File::open(self.path()).unwrap());
        let Some(header) = wal.header().unwrap() else { return Vec::new() };
        let mut cursor = WalFile::start(&header);
        let mut page = vec![0; header.page_bytes as usize];
        std::iter::from_fn(|| wal.next(&header, &mut cursor, &mut page).unwrap()).collect()
    }
}

#[test]
fn every_commit_ends_with_a_frame_that_tells_the_size() {
    for page_bytes in [512, 4096, 65_536] {
        let log = Log::new(page_bytes);
        let before = log.frames().len();
        log.connection.execute("insert into t (text) values (?)", ["x".repeat(3000)]).unwrap();
        let frames = log.frames();
        let pages: u32 = log.connection.query_row("pragma page_count", [], |row| row.get(0)).unwrap();
        assert!(frames.len() > before);
        assert_eq!(frames.last().unwrap().commit_pages, pages);
        assert_eq!(frames.iter().filter(|frame| frame.commit_pages > 0).count(), 2);
    }
}

#[test]
fn frames_of_an_older_cycle_are_not_read() {
    let log = Log::new(4096);
    for _ in 0..20 {
        log.connection.execute("insert into t (text) values (?)", ["x".repeat(3000)]).unwrap();
    }
    log.connection.query_row("pragma wal_checkpoint(passive)", [], |_| Ok(())).unwrap();
    log.connection.execute("insert into t (text) values ('small')", []).unwrap();
    assert!(log.frames().len() < 5, "{:?}", log.frames());
}

#[test]
fn reading_stops_at_a_changed_byte() {
    let log = Log::new(4096);
    log.connection.execute("insert into t (text) values ('a')", []).unwrap();
    let frames = log.frames().len();
    let last = 32 + (frames as u64 - 1) * (24 + 4096);
    for at in [last, last + 5, last + 9, last + 17, last + 24 + 1000] {
        let file = OpenOptions::new().read(true).write(true).open(log.path()).unwrap();
        let mut byte = [0];
        file.read_exact_at(&mut byte, at).unwrap();
        file.write_all_at(&[byte[0] ^ 1], at).unwrap();
        assert_eq!(log.frames().len(), frames - 1, "byte {at}");
        file.write_all_at(&byte, at).unwrap();
    }
    assert_eq!(log.frames().len(), frames);
}

#[test]
fn a_torn_header_is_no_header() {
    let log = Log::new(4096);
    let bytes = std::fs::read(log.path()).unwrap();
    for at in 0..32 {
        let mut torn = bytes[..32].to_vec();
        torn[at] ^= 1;
        assert_eq!(holdfast_replica::WalHeader::parse(&torn), None, "byte {at}");
    }
    assert_eq!(holdfast_replica::WalHeader::parse(&bytes[..31]), None);
}

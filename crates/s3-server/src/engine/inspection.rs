//! A look at an engine's directory that changes nothing in it, also beside a server that has it open.

use std::fs::{self, File};
use std::path::Path;

use holdfast_base::{Error, ErrorKind};
use holdfast_sqlite::rusqlite::{Connection, OptionalExtension, Row};
use holdfast_sqlite::{Inspection, Work, inspect, open_unchanged};

use super::data_path::DataPath;

/// As many problems as are described; the others are counted.
const MAX_PROBLEMS: usize = 20;

/// What stands in a directory, and what is wrong with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FolderInspection {
    /// Whether a process has it open now.
    pub in_use: bool,
    /// Buckets.
    pub buckets: u64,
    /// Objects, older versions included.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// How many things are wrong.
    pub problem_count: u64,
    /// The first of them, each a sentence.
    pub problems: Vec<String>,
}

impl FolderInspection {
    fn note(&mut self, problem: String) {
        self.problem_count += 1;
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(problem);
        }
    }
}

/// Checks the index, and that the file of every object is there in its length. Reads the whole index, and no object.
///
/// # Errors
/// `NotFound` (`NOT_A_STORAGE_FOLDER`), `Io` (`CANNOT_OPEN`), `Integrity` (`NOT_A_DATABASE`, `FOREIGN_FILE`).
pub fn inspect_folder(root: &Path) -> Result<FolderInspection, Error> {
    let house = root.join(".holdfast");
    let path = house.join("index.db");
    if !path.exists() {
        let message = format!("{} holds no buckets of holdfast: .holdfast/index.db is missing", root.display());
        return Err(Error::new(ErrorKind::NotFound, "NOT_A_STORAGE_FOLDER", message));
    }
    let mut found = FolderInspection { in_use: is_locked(&house.join("lock")), ..FolderInspection::default() };
    let connection = open_unchanged(&path)?;
    let Inspection { application_id, problems, .. } = inspect(&connection)?;
    if application_id != super::index::SCHEMA.application_id {
        let message = format!("{} belongs to another program", path.display());
        return Err(Error::new(ErrorKind::Integrity, "FOREIGN_FILE", message));
    }
    problems.into_iter().for_each(|problem| found.note(format!("the index: {problem}")));
    // The rows of a damaged index say nothing about files.
    if found.problem_count == 0 {
        check_files(&connection, root, &mut found)?;
    }
    Ok(found)
}

fn is_locked(lock: &Path) -> bool {
    File::open(lock).is_ok_and(|file| file.try_lock_shared().is_err())
}

/// A row that has a file.
struct Kept {
    bucket: i64,
    key: String,
    sequence: i64,
    path: String,
    size: u64,
    is_plain: bool,
}

impl Kept {
    fn from_row(row: &Row<'_>) -> holdfast_sqlite::rusqlite::Result<Self> {
        Ok(Self {
            bucket: row.get(0)?,
            key: row.get(1)?,
            sequence: row.get(2)?,
            path: row.get(3)?,
            size: row.get::<_, i64>(4)?.unsigned_abs(),
            is_plain: row.get(5)?,
        })
    }
}

fn check_files(connection: &Connection, root: &Path, found: &mut FolderInspection) -> Result<(), Error> {
    let mut work = || -> Work<()> {
        found.buckets =
            connection.query_row("select count(*) from bucket", [], |row| row.get::<_, i64>(0))?.unsigned_abs();
        for table in ["object", "version"] {
            let select = format!(
                "select bucket, key, sequence, path, size, attributes is null from {table} where path is not null"
            );
            let mut statement = connection.prepare(&select)?;
            for kept in statement.query_map([], Kept::from_row)? {
                let kept = kept?;
                found.objects += 1;
                found.bytes += kept.size;
                if let Some(problem) = problem_of(&kept, root)
                    && still_stands(connection, &kept)?
                {
                    found.note(problem);
                }
            }
        }
        Ok(())
    };
    work().map_err(Error::from)
}

/// What is wrong with a row's file: its bytes are in its place, or in `staging` until a chore has moved them.
fn problem_of(kept: &Kept, root: &Path) -> Option<String> {
    let path = match DataPath::from_index(kept.path.clone()) {
        Ok(path) => path,
        Err(error) => return Some(error.message().to_owned()),
    };
    let staged = root.join(".holdfast").join("staging").join(path.id());
    let length = fs::metadata(root.join(path.as_str())).or_else(|_| fs::metadata(staged)).map(|file| file.len());
    let what = format!("{:?}, the file of key {:?}", kept.path, kept.key);
    match length {
        Err(error) => Some(format!("{what}, can't be read: {error}")),
        // Encrypted bytes are more than those that they hide.
        Ok(length) if length < kept.size || (kept.is_plain && length != kept.size) => {
            Some(format!("{what}, has {length} bytes and not {}", kept.size))
        }
        Ok(_) => None,
    }
}

/// Whether the row is there still: a server may have replaced the object between the look at its row and at its file.
fn still_stands(connection: &Connection, kept: &Kept) -> Work<bool> {
    let select = "select 1 from object where bucket = ?1 and key = ?2 and sequence = ?3 and path = ?4
        union all select 1 from version where bucket = ?1 and key = ?2 and sequence = ?3 and path = ?4";
    let row = (kept.bucket, &kept.key, kept.sequence, &kept.path);
    Ok(connection.query_row(select, row, |_| Ok(())).optional()?.is_some())
}

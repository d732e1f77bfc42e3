//! The engine's directory: opens, places and removes data files. Everything here blocks.

use std::collections::BTreeSet;
use std::fs::{self, DirEntry, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use holdfast_base::{Error, ErrorKind};

use super::Durability;
use super::cached;
use super::data_path::{DataPath, id_of};

/// How often a placement tries again when another write removed a folder that had just become empty.
const MAX_PLACE_ATTEMPTS: usize = 16;

/// The directory, held by a lock until [`Folder::unlock`] or the end of the process.
#[derive(Debug)]
pub(super) struct Folder {
    root: PathBuf,
    staging: PathBuf,
    durability: Durability,
    lock: File,
}

/// Folders whose entries changed and are not synced yet.
#[derive(Debug, Default)]
pub(super) struct Touched(BTreeSet<PathBuf>);

impl Folder {
    /// Makes what is missing and takes the lock.
    pub(super) fn open(root: &Path, durability: Durability) -> Result<Self, Error> {
        let house = root.join(".holdfast");
        let staging = house.join("staging");
        let make = || -> io::Result<File> {
            fs::create_dir_all(&staging)?;
            File::options().create(true).truncate(false).write(true).open(house.join("lock"))
        };
        let lock = make().map_err(|error| cannot_open(root, error))?;
        match lock.try_lock() {
            Ok(()) => {
                let folder = Self { root: root.to_owned(), staging, durability, lock };
                let made = [root.parent().unwrap_or(root), root, &house];
                made.iter().try_for_each(|made| folder.sync(made)).map_err(|error| cannot_open(root, error))?;
                Ok(folder)
            }
            Err(TryLockError::WouldBlock) => Err(in_use(root)),
            Err(TryLockError::Error(error)) => Err(cannot_open(root, error)),
        }
    }

    /// What an acknowledged write survives.
    pub(super) fn durability(&self) -> Durability {
        self.durability
    }

    /// Lets another process open the directory.
    pub(super) fn unlock(&self) {
        // Nothing to be done when it fails: the end of the process unlocks too.
        let _ = self.lock.unlock();
    }

    /// The index's file.
    pub(super) fn index_path(&self) -> PathBuf {
        self.root.join(".holdfast").join("index.db")
    }

    /// The directory itself.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Notes that another layout's files are being taken over, until [`Folder::end_take_over`].
    pub(super) fn begin_take_over(&self) -> io::Result<()> {
        File::create(self.take_over_path())?.sync_all()
    }

    /// Whether that is not done yet.
    pub(super) fn is_taking_over(&self) -> bool {
        self.take_over_path().exists()
    }

    pub(super) fn end_take_over(&self) -> io::Result<()> {
        gone_is_fine(fs::remove_file(self.take_over_path()))
    }

    /// Gives somebody's file a second name in the staging folder.
    pub(super) fn take_over(&self, from: &Path, number: i64) -> io::Result<()> {
        link(from, &self.staged_path(number))
    }

    fn take_over_path(&self) -> PathBuf {
        self.root.join(".holdfast").join("taking-over")
    }

    /// The index's copies in snapshots.
    pub(super) fn kept_index_path(&self) -> PathBuf {
        self.snapshots().join("index.db")
    }

    /// The file of the key that other keys are sealed with.
    pub(super) fn master_key_path(&self) -> PathBuf {
        self.root.join(".holdfast").join("master.key")
    }

    /// Makes a new file in the staging folder.
    pub(super) fn create_staged(&self, number: i64) -> io::Result<File> {
        File::options().create_new(true).read(true).write(true).open(self.staged_path(number))
    }

    /// Opens a part, which stays in the staging folder.
    pub(super) fn open_staged(&self, number: i64) -> io::Result<File> {
        File::open(self.staged_path(number))
    }

    /// Makes a whole staged file survive a power cut, when that is asked for.
    pub(super) fn sync_staged(&self, file: &File) -> io::Result<()> {
        if self.durability == Durability::Disk {
            file.sync_all()?;
            File::open(&self.staging)?.sync_all()?;
        }
        Ok(())
    }

    /// Unlinks a staged file; one that is gone is fine.
    pub(super) fn remove_staged(&self, number: i64) -> io::Result<()> {
        gone_is_fine(fs::remove_file(self.staged_path(number)))
    }

    /// The entries of the staging folder.
    pub(super) fn staged_entries(&self) -> io::Result<impl Iterator<Item = io::Result<DirEntry>> + use<>> {
        fs::read_dir(&self.staging)
    }

    /// Makes a bucket's folder.
    pub(super) fn create_bucket(&self, name: &str) -> io::Result<()> {
        fs::create_dir_all(self.root.join(name))?;
        self.sync(&self.root)
    }

    /// Removes a bucket's folder unless something of somebody else's lies in it.
    pub(super) fn remove_bucket(&self, name: &str) -> io::Result<()> {
        gone_is_fine(fs::remove_dir(self.root.join(name)))
    }

    /// Opens an object's file, wherever it is on its way. `None`: it is gone.
    pub(super) fn open_object(&self, path: &DataPath) -> io::Result<Option<File>> {
        let placed = self.root.join(path.as_str());
        // It may be moved between the first look and the second; it never moves back.
        for candidate in [&placed, &self.staged_path(path.number()), &placed] {
            match File::open(candidate) {
                Err(error) if is_gone(&error) => {}
                opened => return opened.map(Some),
            }
        }
        Ok(None)
    }

    /// The same, when the system knows where it is without looking at the disk.
    pub(super) fn open_cached(&self, path: &DataPath) -> Option<File> {
        cached::open(&self.root.join(path.as_str())).or_else(|| cached::open(&self.staged_path(path.number())))
    }

    /// Moves a staged file to its place. One that is there already, or was removed since, is fine.
    pub(super) fn place(&self, path: &DataPath, touched: &mut Touched) -> io::Result<()> {
        let from = self.staged_path(path.number());
        let to = self.root.join(path.as_str());
        let Some(folder) = to.parent() else { return Ok(()) };
        for _ in 0..MAX_PLACE_ATTEMPTS {
            match fs::rename(&from, &to) {
                Ok(()) => {
                    touched.0.insert(folder.to_owned());
                    return Ok(());
                }
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                Err(_) if !from.try_exists()? => {
                    self.remove_empty_folders(folder);
                    return Ok(());
                }
                Err(_) => {
                    fs::create_dir_all(folder)?;
                    let above = folder.ancestors().skip(1).take_while(|above| above.starts_with(&self.root));
                    touched.0.extend(above.map(Path::to_owned));
                }
            }
        }
        Err(io::Error::other(format!("the folder of {} is removed again and again", to.display())))
    }

    /// Unlinks an object's file wherever it is, and the folders that this left empty.
    pub(super) fn remove(&self, path: &DataPath, touched: &mut Touched) -> io::Result<()> {
        // The staging folder first: a move that comes in between puts it where the second look finds it.
        self.remove_staged(path.number())?;
        let placed = self.root.join(path.as_str());
        gone_is_fine(fs::remove_file(&placed))?;
        if let Some(folder) = placed.parent() {
            touched.0.insert(self.remove_empty_folders(folder).to_owned());
        }
        Ok(())
    }

    /// Drops what the snapshots of the last opening kept, and makes room for new ones.
    pub(super) fn clear_snapshots(&self) -> io::Result<()> {
        gone_is_fine(fs::remove_dir_all(self.snapshots()))?;
        fs::create_dir(self.snapshots())
    }

    /// Makes room for the files of a snapshot.
    pub(super) fn create_snapshot(&self, snapshot: i64) -> io::Result<()> {
        fs::create_dir(self.snapshot(snapshot))
    }

    /// Unlinks a snapshot's files.
    pub(super) fn remove_snapshot(&self, snapshot: i64) -> io::Result<()> {
        gone_is_fine(fs::remove_dir_all(self.snapshot(snapshot)))
    }

    /// Gives a snapshot a name of its own for a part's file.
    pub(super) fn keep_staged(&self, snapshot: i64, number: i64) -> io::Result<()> {
        link(&self.staged_path(number), &self.snapshot(snapshot).join(id_of(number)))
    }

    /// The same for an object's file, wherever it is on its way.
    pub(super) fn keep_object(&self, snapshot: i64, path: &DataPath) -> io::Result<()> {
        let kept = self.snapshot(snapshot).join(path.id());
        match link(&self.root.join(path.as_str()), &kept) {
            Err(error) if is_gone(&error) => link(&self.staged_path(path.number()), &kept),
            linked => linked,
        }
    }

    /// Puts a file that a snapshot kept into the staging folder; one that is there already is the same.
    pub(super) fn bring_back(&self, snapshot: i64, number: i64) -> io::Result<()> {
        match link(&self.snapshot(snapshot).join(id_of(number)), &self.staged_path(number)) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            linked => linked,
        }
    }

    /// Unlinks an object's file in its place alone; its staged one stays.
    pub(super) fn remove_placed(&self, path: &DataPath) -> io::Result<()> {
        let placed = self.root.join(path.as_str());
        gone_is_fine(fs::remove_file(&placed))?;
        if let Some(folder) = placed.parent() {
            self.remove_empty_folders(folder);
        }
        Ok(())
    }

    /// Makes moves and unlinks survive a power cut, when that is asked for.
    pub(super) fn sync_touched(&self, touched: &Touched) -> io::Result<()> {
        touched.0.iter().try_for_each(|folder| self.sync(folder))
    }

    /// Removes empty folders from `folder` upwards; the bucket's own stays. Gives the one that stays.
    fn remove_empty_folders<'a>(&self, folder: &'a Path) -> &'a Path {
        let mut folder = folder;
        while let Some(above) = folder.parent().filter(|above| *above != self.root) {
            // A folder that isn't empty ends it; one that is gone went with another file.
            match gone_is_fine(fs::remove_dir(folder)) {
                Ok(()) => folder = above,
                Err(_) => break,
            }
        }
        folder
    }

    fn sync(&self, folder: &Path) -> io::Result<()> {
        match self.durability {
            Durability::Process => Ok(()),
            // A folder that another write removed in the meantime has nothing left to lose.
            Durability::Disk => gone_is_fine(File::open(folder).and_then(|folder| folder.sync_all())),
        }
    }

    fn snapshots(&self) -> PathBuf {
        self.root.join(".holdfast").join("snapshots")
    }

    fn snapshot(&self, snapshot: i64) -> PathBuf {
        self.snapshots().join(id_of(snapshot))
    }

    fn staged_path(&self, number: i64) -> PathBuf {
        self.staging.join(id_of(number))
    }
}

/// A second name for a file that nobody changes; a copy where the file system has no second names.
fn link(from: &Path, to: &Path) -> io::Result<()> {
    match fs::hard_link(from, to) {
        Err(error) if !is_gone(&error) && error.kind() != io::ErrorKind::AlreadyExists => {
            fs::copy(from, to).map(|_| ())
        }
        linked => linked,
    }
}

fn gone_is_fine(done: io::Result<()>) -> io::Result<()> {
    match done {
        Err(error) if is_gone(&error) => Ok(()),
        done => done,
    }
}

/// Whether nothing is there; somebody's file where a folder should be is nothing of ours either.
fn is_gone(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn cannot_open(root: &Path, error: io::Error) -> Error {
    let path = root.display().to_string();
    let error = Error::from(error);
    Error::new(error.kind(), error.code(), format!("can't use {path} for storage: {error}")).with("path", path)
}

fn in_use(root: &Path) -> Error {
    let path = root.display().to_string();
    let message = format!("{path} is in use by another storage server; stop it, or give another directory");
    Error::new(ErrorKind::Locked, "DIRECTORY_IN_USE", message).with("path", path)
}

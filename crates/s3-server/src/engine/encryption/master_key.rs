//! The key in the file beside the data.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use holdfast_base::{Error, ErrorKind};
use tokio::sync::OnceCell;
use zeroize::Zeroizing;

use super::key::Secret;
use super::segment_cipher::derive;

const FIRST_LINE: &str = "holdfast master key 1";

/// What data keys are sealed with that no client brings a key for.
pub(in super::super) struct MasterKey(Secret);

impl MasterKey {
    pub(super) fn secret(&self) -> &Secret {
        &self.0
    }

    /// The ring's key of that name. A name is its key's only input beside this one: keys are there when they are
    /// first named, and none is ever lost alone. An ARN means the key that its end names.
    pub(super) fn of_ring(&self, id: &str) -> Result<Secret, Error> {
        let name = id.strip_prefix("arn:").map_or(id, |arn| arn.rsplit(':').next().unwrap_or(arn));
        let name = name.strip_prefix("key/").unwrap_or(name);
        let derived = derive(self.0.bytes(), b"holdfast ring key", name.as_bytes());
        let secret = derived.and_then(|derived| Secret::of(derived.as_slice()));
        secret.ok_or_else(|| Error::internal("a key of the ring can't be derived"))
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey")
    }
}

/// The file; read, or made, when the key is first needed. Only the process that holds the directory's lock uses it.
#[derive(Debug)]
pub(in super::super) struct MasterKeyFile {
    path: Option<PathBuf>,
    key: OnceCell<MasterKey>,
}

impl MasterKeyFile {
    /// Without a path the key is made when it is first needed, and goes with the engine, as all that it opens does.
    pub(in super::super) fn new(path: Option<PathBuf>) -> Self {
        Self { path, key: OnceCell::new() }
    }

    /// The key; made when there is none, unless `is_needed` says that something is encrypted with one already.
    ///
    /// # Errors
    /// `MASTER_KEY_MISSING`, `MASTER_KEY_DAMAGED`, and those of the file system.
    pub(in super::super) async fn key(
        &self,
        is_needed: impl FnOnce() -> Result<bool, Error> + Send + 'static,
    ) -> Result<&MasterKey, Error> {
        let read_or_make = || async {
            let Some(path) = self.path.clone() else { return Secret::random().map(MasterKey) };
            let task = tokio::task::spawn_blocking(move || match read(&path)? {
                Some(key) => Ok(key),
                None if is_needed()? => Err(missing(&path)),
                None => make(&path),
            });
            task.await.map_err(|error| Error::internal(format!("reading the master key ended early: {error}")))?
        };
        self.key.get_or_try_init(read_or_make).await
    }
}

fn read(path: &Path) -> Result<Option<MasterKey>, Error> {
    let text = match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        text => Zeroizing::new(text?),
    };
    let secret = match text.lines().collect::<Vec<_>>().as_slice() {
        [FIRST_LINE, key] => Secret::of_base64(key),
        _ => None,
    };
    secret.map(|secret| Some(MasterKey(secret))).ok_or_else(|| {
        let message = format!("{} is no master key; restore it from a backup", path.display());
        Error::new(ErrorKind::Integrity, "MASTER_KEY_DAMAGED", message)
    })
}

/// Written aside and synced before it has its name: without it, what is encrypted with it is lost.
fn make(path: &Path) -> Result<MasterKey, Error> {
    let secret = Secret::random()?;
    let encoded = Zeroizing::new(STANDARD.encode(secret.bytes()));
    let text = Zeroizing::new(format!("{FIRST_LINE}\n{}\n", *encoded));
    let aside = path.with_extension("new");
    match fs::remove_file(&aside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    let mut file = create_private(&aside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&aside, path)?;
    if let Some(folder) = path.parent() {
        File::open(folder)?.sync_all()?;
    }
    Ok(MasterKey(secret))
}

/// A new file that its owner alone may read.
fn create_private(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.create_new(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn missing(path: &Path) -> Error {
    let message = format!(
        "{} is missing, and there are objects that only the key in it opens; restore it from a backup",
        path.display()
    );
    Error::new(ErrorKind::Integrity, "MASTER_KEY_MISSING", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn open(path: &Path, is_needed: bool) -> Result<[u8; 32], Error> {
        let file = MasterKeyFile::new(Some(path.to_owned()));
        file.key(move || Ok(is_needed)).await.map(|key| *key.secret().bytes())
    }

    #[tokio::test]
    async fn a_key_is_made_once_whatever_a_crash_left_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        fs::write(path.with_extension("new"), FIRST_LINE).unwrap();
        let made = open(&path, false).await.unwrap();
        assert_eq!(open(&path, true).await.unwrap(), made);
        let entries: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(entries, ["master.key"]);
    }

    #[tokio::test]
    async fn a_key_that_is_needed_is_never_replaced_by_another() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        assert_eq!(open(&path, true).await.unwrap_err().code(), "MASTER_KEY_MISSING");
        for damaged in ["", FIRST_LINE, "holdfast master key 1\nAAAA\n", "holdfast master key 2\nx\n"] {
            fs::write(&path, damaged).unwrap();
            assert_eq!(open(&path, false).await.unwrap_err().code(), "MASTER_KEY_DAMAGED", "{damaged}");
            assert_eq!(fs::read_to_string(&path).unwrap(), damaged);
        }
    }

    #[test]
    fn ring_keys_differ_by_their_names_and_an_arn_means_the_key_at_its_end() {
        let master = MasterKey(Secret::random().unwrap());
        let of = |id: &str| *master.of_ring(id).unwrap().bytes();
        let id = "01234567-89ab-cdef-0123-456789abcdef";
        assert_eq!(of(&format!("arn:aws:kms:us-east-1:123456789012:key/{id}")), of(id));
        assert_eq!(of("arn:aws:kms:us-east-1:123456789012:alias/mine"), of("alias/mine"));
        assert_ne!(of("alias/mine"), of("mine"));
        assert_ne!(of(id), *master.secret().bytes());
    }
}

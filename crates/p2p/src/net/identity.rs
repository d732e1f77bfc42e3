//! Who a peer is: a key in a file beside the database.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use holdfast_base::{Error, ErrorKind, Result};
use ring::rand::SystemRandom;
use ring::signature::Ed25519KeyPair;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::CertifiedKey;
use sha2::{Digest, Sha256};

/// A key, and what it says who a peer is. While it is open, no other process has it.
#[derive(Debug)]
pub struct Identity {
    pub(super) key: Arc<CertifiedKey>,
    id: String,
    author: u64,
    /// Locked until it is released.
    file: Mutex<Option<File>>,
}

impl Identity {
    /// Reads the key in `path`, or makes one that only this user may read.
    ///
    /// # Errors
    /// `Locked` with code `STORE_IN_USE`; `Integrity` with code `INVALID_PEER_KEY`; `Io`.
    pub fn open(path: &Path) -> Result<Self> {
        let mut file = open(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let message =
                    "another store has the file of this peer-to-peer store open; close it, or give another path";
                return Err(Error::new(ErrorKind::Locked, "STORE_IN_USE", message).retryable(true));
            }
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        let mut document = Vec::new();
        file.read_to_end(&mut document)?;
        if document.is_empty() {
            let made = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new());
            document = made.map_err(|_| Error::internal("no key could be made"))?.as_ref().to_vec();
            file.seek(SeekFrom::Start(0))?;
            file.write_all(&document)?;
            file.sync_all()?;
        }
        let key = certified(&document)?;
        let public = key.cert.first().map(CertificateDer::as_ref).unwrap_or_default();
        let (id, author) = (id_of(public), author_of(public));
        Ok(Self { key: Arc::new(key), id, author, file: Mutex::new(Some(file)) })
    }

    /// Lets another process have it.
    pub fn release(&self) {
        self.file.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// The peer's id: 32 hexadecimal digits, a hash of its public key.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What stands in the stamps of its writes.
    pub fn author(&self) -> u64 {
        self.author
    }
}

#[cfg(unix)]
fn open(path: &Path) -> Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    Ok(OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?)
}

#[cfg(not(unix))]
fn open(path: &Path) -> Result<File> {
    Ok(OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?)
}

fn certified(document: &[u8]) -> Result<CertifiedKey> {
    let invalid = || {
        let message = "the key beside the store is none; restore the file, or remove it and be another peer";
        Error::new(ErrorKind::Integrity, "INVALID_PEER_KEY", message)
    };
    let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(document.to_vec()));
    let signing = provider().key_provider.load_private_key(private).map_err(|_| invalid())?;
    let public = signing.public_key().ok_or_else(invalid)?;
    Ok(CertifiedKey::new(vec![CertificateDer::from(public.to_vec())], signing))
}

/// The library that all TLS of the house rests on.
pub(super) fn provider() -> CryptoProvider {
    rustls::crypto::ring::default_provider()
}

/// The id of the peer with this public key.
pub(super) fn id_of(public: &[u8]) -> String {
    Sha256::digest(public).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

fn author_of(public: &[u8]) -> u64 {
    Sha256::digest(public).iter().take(8).fold(0, |author, byte| (author << 8) | u64::from(*byte))
}

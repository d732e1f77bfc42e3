//! Keys, in memory that is cleared when they go.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use holdfast_base::{Error, ErrorKind};
use zeroize::{Zeroize, Zeroizing};

/// Bytes of every key here: AES-256.
pub(super) const KEY_BYTES: usize = 32;

/// 256 secret bits.
#[derive(Clone)]
pub(super) struct Secret(Zeroizing<[u8; KEY_BYTES]>);

impl Secret {
    /// One that nobody guesses.
    ///
    /// # Errors
    /// `NO_RANDOMNESS`.
    pub(super) fn random() -> Result<Self, Error> {
        let mut bytes = Zeroizing::new([0; KEY_BYTES]);
        fill(bytes.as_mut())?;
        Ok(Self(bytes))
    }

    /// `None` when that are not 256 bits.
    pub(super) fn of(bytes: &[u8]) -> Option<Self> {
        Some(Self(Zeroizing::new(bytes.try_into().ok()?)))
    }

    /// Reads base64.
    pub(super) fn of_base64(text: &str) -> Option<Self> {
        let mut bytes = STANDARD.decode(text).ok()?;
        let secret = Self::of(&bytes);
        bytes.zeroize();
        secret
    }

    pub(super) fn bytes(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }
}

/// Fills with random bytes of the system.
pub(super) fn fill(bytes: &mut [u8]) -> Result<(), Error> {
    getrandom::fill(bytes).map_err(|error| {
        Error::new(ErrorKind::Io, "NO_RANDOMNESS", format!("the system gives no random bytes: {error}"))
    })
}

/// What the bytes of one object or upload are sealed with.
#[derive(Clone)]
pub struct DataKey(pub(super) Secret);

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DataKey")
    }
}

/// A key that a request brings along, to seal an object's data key with. It is not kept.
#[derive(Clone)]
pub struct CustomerKey(pub(super) Secret);

impl CustomerKey {
    /// Reads base64; `None` unless that are 256 bits.
    pub fn of_base64(text: &str) -> Option<Self> {
        Secret::of_base64(text).map(Self)
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        self.0.bytes()
    }
}

impl fmt::Debug for CustomerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CustomerKey")
    }
}

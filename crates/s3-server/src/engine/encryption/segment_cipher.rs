//! Seals and opens the segments of one stream.

use std::fmt;

use holdfast_base::Error;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::hkdf;
use zeroize::Zeroizing;

use super::key::{KEY_BYTES, Secret, fill};
use super::layout::{HEADER_BYTES, PREFIX_BYTES, SALT_BYTES, TAG_BYTES};

/// The header of a stream: one byte that is its length, the salt, the beginning of the nonces.
pub(super) type Header = [u8; HEADER_BYTES];

/// The key of one stream, and the beginning of its nonces.
pub(super) struct SegmentCipher {
    key: LessSafeKey,
    prefix: [u8; PREFIX_BYTES],
}

impl SegmentCipher {
    /// For a stream that is yet to be written; its header stands at its beginning. `context` is what the stream is
    /// of: it opens with the same context only.
    ///
    /// # Errors
    /// `NO_RANDOMNESS`.
    pub(super) fn begin(secret: &Secret, context: &[u8]) -> Result<(Self, Header), Error> {
        let mut header: Header = [0; HEADER_BYTES];
        fill(&mut header)?;
        header[0] = HEADER_BYTES as u8;
        let cipher = Self::resume(secret, context, &header);
        Ok((cipher.ok_or_else(|| Error::internal("a stream's key can't be derived"))?, header))
    }

    /// For a stream that has that header. Whether the secret is the right one, its segments tell.
    pub(super) fn resume(secret: &Secret, context: &[u8], header: &Header) -> Option<Self> {
        let (length, rest) = header.split_first()?;
        let (salt, prefix) = rest.split_at(SALT_BYTES);
        if usize::from(*length) != HEADER_BYTES {
            return None;
        }
        let derived = derive(secret.bytes(), salt, context)?;
        let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, derived.as_slice()).ok()?);
        Some(Self { key, prefix: prefix.try_into().ok()? })
    }

    /// Encrypts a segment where it stands; the tag goes behind it.
    pub(super) fn seal(&self, number: u32, is_last: bool, plain: &mut [u8]) -> Result<[u8; TAG_BYTES], Error> {
        let sealed = self.key.seal_in_place_separate_tag(self.nonce(number, is_last), Aad::empty(), plain);
        let tag = sealed.ok().and_then(|tag| tag.as_ref().try_into().ok());
        tag.ok_or_else(|| Error::internal("a segment can't be sealed"))
    }

    /// Decrypts the segment, tag included, that stands in `buffer` from `start` on to its end; its plain bytes stand
    /// at the beginning of `buffer` then. How many they are; `None` when it is not that segment of that stream.
    pub(super) fn open(&self, number: u32, is_last: bool, buffer: &mut [u8], start: usize) -> Option<usize> {
        let opened = self.key.open_within(self.nonce(number, is_last), Aad::empty(), buffer, start..);
        opened.ok().map(|plain| plain.len())
    }

    fn nonce(&self, number: u32, is_last: bool) -> Nonce {
        let mut nonce = [0; 12];
        nonce[..PREFIX_BYTES].copy_from_slice(&self.prefix);
        nonce[PREFIX_BYTES..11].copy_from_slice(&number.to_be_bytes());
        nonce[11] = u8::from(is_last);
        Nonce::assume_unique_for_key(nonce)
    }
}

impl fmt::Debug for SegmentCipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SegmentCipher")
    }
}

/// HKDF with SHA-256.
pub(super) fn derive(secret: &[u8], salt: &[u8], info: &[u8]) -> Option<Zeroizing<[u8; KEY_BYTES]>> {
    let mut derived = Zeroizing::new([0; KEY_BYTES]);
    let extracted = hkdf::Salt::new(hkdf::HKDF_SHA256, salt).extract(secret);
    extracted.expand(&[info], hkdf::HKDF_SHA256).ok()?.fill(derived.as_mut()).ok()?;
    Some(derived)
}

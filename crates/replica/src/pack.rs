//! A pack: many segments in one object, each as it was, so that a restore needs few requests.
//!
//! Packing loses nothing: each segment keeps its digest, and the chain is checked as if they stood alone.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use holdfast_base::{Error, ErrorKind, Result};
use sha2::{Digest as _, Sha256};

const MAGIC: &[u8; 4] = b"hfpk";
const FORMAT: u8 = 1;
const HEAD_BYTES: usize = MAGIC.len() + 1 + size_of::<u32>();
const DIGEST_BYTES: usize = 32;

/// Puts consecutive segments into one object.
pub(crate) fn encode(segments: &[Bytes]) -> Bytes {
    let size: usize = segments.iter().map(|segment| segment.len() + size_of::<u32>()).sum();
    let mut out = BytesMut::with_capacity(HEAD_BYTES + size + DIGEST_BYTES);
    out.put_slice(MAGIC);
    out.put_u8(FORMAT);
    out.put_u32_le(segments.len() as u32);
    for segment in segments {
        out.put_u32_le(segment.len() as u32);
        out.put_slice(segment);
    }
    let digest = Sha256::digest(&out);
    out.put_slice(&digest);
    out.freeze()
}

/// Takes a pack of `count` segments apart.
///
/// # Errors
/// `Integrity` with code `SEGMENT_CORRUPT` when it is torn, changed, foreign or of a newer format.
pub(crate) fn decode(bytes: &Bytes, count: u64) -> Result<Vec<Bytes>> {
    let body = bytes.len().checked_sub(DIGEST_BYTES).filter(|&body| body >= HEAD_BYTES);
    let body = body.ok_or_else(|| corrupt("is cut short"))?;
    if Sha256::digest(&bytes[..body])[..] != bytes[body..] {
        return Err(corrupt("does not match its digest"));
    }
    let mut rest = bytes.slice(..body);
    if !rest.starts_with(MAGIC) {
        return Err(corrupt("is not holdfast's"));
    }
    rest.advance(MAGIC.len());
    if rest.get_u8() != FORMAT {
        return Err(corrupt("was written by a newer release (update holdfast)"));
    }
    if u64::from(rest.get_u32_le()) != count {
        return Err(corrupt("does not hold what its name says"));
    }
    let mut segments = Vec::new();
    while rest.has_remaining() {
        if rest.remaining() < size_of::<u32>() {
            return Err(corrupt("is cut short"));
        }
        let length = rest.get_u32_le() as usize;
        if length > rest.remaining() {
            return Err(corrupt("is cut short"));
        }
        segments.push(rest.split_to(length));
    }
    if segments.len() as u64 == count { Ok(segments) } else { Err(corrupt("does not hold what its name says")) }
}

fn corrupt(why: &str) -> Error {
    let message = format!(
        "a pack of segments of the log {why}; nothing was applied. Restore to an earlier point, or from a copy"
    );
    Error::new(ErrorKind::Integrity, "SEGMENT_CORRUPT", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segments() -> Vec<Bytes> {
        ["one", "", "three"].map(|text| Bytes::from_static(text.as_bytes())).into()
    }

    #[test]
    fn what_was_packed_comes_out_again() {
        assert_eq!(decode(&encode(&segments()), 3).unwrap(), segments());
    }

    #[test]
    fn every_flipped_bit_and_every_truncation_is_refused() {
        let bytes = encode(&segments());
        for at in 0..bytes.len() {
            let mut flipped = bytes.to_vec();
            flipped[at] ^= 4;
            assert_eq!(decode(&flipped.into(), 3).unwrap_err().code(), "SEGMENT_CORRUPT");
            assert!(decode(&bytes.slice(..at), 3).is_err(), "length {at}");
        }
    }

    #[test]
    fn a_pack_under_another_name_is_refused() {
        assert!(decode(&encode(&segments()), 4).is_err());
    }
}

//! A page as a segment carries it: whole, or as the difference from its previous image.

use bytes::Bytes;
use holdfast_base::{Error, ErrorKind, Result};

/// A difference this small is taken without trying the whole page as well.
const SMALL_DIFFERENCE_BYTES: usize = 256;
const ZSTD_LEVEL: i32 = 2;

/// One page's new content, encoded the smallest way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PageImage {
    /// The bytes themselves.
    Plain(Bytes),
    /// The page, compressed.
    Compressed(Bytes),
    /// The exclusive or with the previous image, compressed.
    Difference(Bytes),
}

impl PageImage {
    /// Encodes `page`; `previous` is what the reader will have, or `None` when it has nothing.
    ///
    /// # Errors
    /// `Internal` when the compressor fails.
    pub fn encode(page: &[u8], previous: Option<&[u8]>) -> Result<Self> {
        let difference = previous.map(|previous| compress(&exclusive_or(page, previous))).transpose()?;
        if let Some(small) = difference.as_ref().filter(|bytes| bytes.len() <= SMALL_DIFFERENCE_BYTES) {
            return Ok(Self::Difference(small.clone()));
        }
        let compressed = compress(page)?;
        let smallest = compressed.len().min(difference.as_ref().map_or(usize::MAX, Bytes::len));
        Ok(match difference {
            _ if smallest >= page.len() => Self::Plain(Bytes::copy_from_slice(page)),
            Some(difference) if difference.len() == smallest => Self::Difference(difference),
            _ => Self::Compressed(compressed),
        })
    }

    /// The page's new content, given its previous one.
    ///
    /// # Errors
    /// `Integrity` when it does not give exactly one page.
    pub fn decode(&self, previous: &[u8]) -> Result<Bytes> {
        let page = match self {
            Self::Plain(bytes) => bytes.clone(),
            Self::Compressed(bytes) => decompress(bytes, previous.len())?,
            Self::Difference(bytes) => exclusive_or(&decompress(bytes, previous.len())?, previous).into(),
        };
        if page.len() == previous.len() { Ok(page) } else { Err(corrupt()) }
    }

    /// The encoded bytes.
    pub fn bytes(&self) -> &Bytes {
        match self {
            Self::Plain(bytes) | Self::Compressed(bytes) | Self::Difference(bytes) => bytes,
        }
    }
}

fn compress(bytes: &[u8]) -> Result<Bytes> {
    let compressed = zstd::bulk::compress(bytes, ZSTD_LEVEL);
    compressed.map(Bytes::from).map_err(|error| Error::internal(format!("can't compress a page: {error}")))
}

fn decompress(bytes: &[u8], page_bytes: usize) -> Result<Bytes> {
    zstd::bulk::decompress(bytes, page_bytes).map(Bytes::from).map_err(|_| corrupt())
}

fn exclusive_or(one: &[u8], other: &[u8]) -> Vec<u8> {
    one.iter().zip(other).map(|(one, other)| one ^ other).collect()
}

fn corrupt() -> Error {
    Error::new(ErrorKind::Integrity, "SEGMENT_CORRUPT", "a page in the log is corrupt; nothing was applied")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(seed: u64) -> Vec<u8> {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as u8
        };
        (0..4096).map(|_| next()).collect()
    }

    #[test]
    fn a_small_change_becomes_a_small_difference() {
        let before = noise(1);
        let mut after = before.clone();
        after[100] ^= 1;
        let image = PageImage::encode(&after, Some(&before)).unwrap();
        assert!(matches!(&image, PageImage::Difference(bytes) if bytes.len() < 40), "{image:?}");
        assert_eq!(image.decode(&before).unwrap(), after);
    }

    #[test]
    fn what_does_not_compress_travels_plain() {
        let image = PageImage::encode(&noise(1), Some(&noise(2))).unwrap();
        assert!(matches!(image, PageImage::Plain(_)));
        assert_eq!(image.decode(&[0; 4096]).unwrap(), noise(1));
    }

    #[test]
    fn an_image_of_another_size_is_refused() {
        let image = PageImage::encode(&[5; 4096], None).unwrap();
        assert_eq!(image.decode(&[0; 512]).unwrap_err().code(), "SEGMENT_CORRUPT");
        assert_eq!(image.decode(&[0; 8192]).unwrap_err().code(), "SEGMENT_CORRUPT");
    }
}

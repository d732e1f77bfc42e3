//! A page as a segment carries it: whole, or as what differs from its previous image.

use bytes::Bytes;
use holdfast_base::{Error, ErrorKind, Result};

use crate::varint::{Reader, put_number};

/// A difference this small is taken without weighing it against the whole page.
const SMALL_DIFFERENCE_BYTES: usize = 256;
/// Two changed runs this close are one: a run of its own costs about as much.
const CLOSE_BYTES: usize = 3;
/// Only to weigh one form against the other; what is stored is compressed with its neighbours.
const TRIAL_LEVEL: i32 = 1;

/// One page's new content, encoded the smallest way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PageImage {
    /// The bytes themselves.
    Plain(Bytes),
    /// The runs that changed: how many bytes stay, how many change, and those exclusive-or-ed with the
    /// previous ones; again and again. A page that was not there before was zeros.
    Difference(Bytes),
}

impl PageImage {
    /// Encodes `page`; `previous` is what the reader will have, zeros when it has nothing.
    ///
    /// # Errors
    /// `Internal` when the compressor fails.
    pub fn encode(page: &[u8], previous: &[u8]) -> Result<Self> {
        let difference = runs(page, previous);
        if difference.len() <= SMALL_DIFFERENCE_BYTES {
            return Ok(Self::Difference(difference.into()));
        }
        let is_smaller = compressed_len(&difference)? < compressed_len(page)?;
        Ok(if is_smaller { Self::Difference(difference.into()) } else { Self::Plain(Bytes::copy_from_slice(page)) })
    }

    /// The page's new content, given its previous one.
    ///
    /// # Errors
    /// `Integrity` when it does not give exactly one page.
    pub fn decode(&self, previous: &[u8]) -> Result<Bytes> {
        match self {
            Self::Plain(bytes) if bytes.len() == previous.len() => Ok(bytes.clone()),
            Self::Plain(_) => Err(corrupt()),
            Self::Difference(runs) => apply(runs, previous),
        }
    }

    /// The encoded bytes.
    pub fn bytes(&self) -> &Bytes {
        match self {
            Self::Plain(bytes) | Self::Difference(bytes) => bytes,
        }
    }
}

fn runs(page: &[u8], previous: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let differs = |at: usize| page[at] != previous[at];
    let mut at = 0;
    let mut end_before = 0;
    while let Some(start) = (at..page.len()).find(|&at| differs(at)) {
        let mut end = start + 1;
        while let Some(next) = (end..page.len().min(end + CLOSE_BYTES)).find(|&at| differs(at)) {
            end = next + 1;
        }
        put_number(&mut out, (start - end_before) as u64);
        put_number(&mut out, (end - start) as u64);
        out.extend(page[start..end].iter().zip(&previous[start..end]).map(|(new, old)| new ^ old));
        (at, end_before) = (end, end);
    }
    out
}

fn apply(runs: &Bytes, previous: &[u8]) -> Result<Bytes> {
    let mut page = previous.to_vec();
    let mut reader = Reader::new(runs.clone());
    let mut at = 0_usize;
    while !reader.is_empty() {
        let (stays, changes) = (reader.small()? as usize, reader.small()? as usize);
        let start = at.saturating_add(stays);
        at = start.saturating_add(changes);
        let changed = page.get_mut(start..at).ok_or_else(corrupt)?;
        for (byte, difference) in changed.iter_mut().zip(reader.take(changes)?) {
            *byte ^= difference;
        }
    }
    Ok(page.into())
}

fn compressed_len(bytes: &[u8]) -> Result<usize> {
    let compressed = zstd::bulk::compress(bytes, TRIAL_LEVEL);
    compressed.map(|bytes| bytes.len()).map_err(|error| Error::internal(format!("can't compress a page: {error}")))
}

fn corrupt() -> Error {
    Error::new(ErrorKind::Integrity, "SEGMENT_CORRUPT", "a page in the log is corrupt; nothing was applied")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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
        after[1000] ^= 1;
        let image = PageImage::encode(&after, &before).unwrap();
        assert_eq!(image.bytes().len(), 4);
        assert_eq!(image.decode(&before).unwrap(), after);
    }

    #[test]
    fn a_page_that_has_not_changed_or_holds_nothing_costs_nothing() {
        assert!(PageImage::encode(&noise(1), &noise(1)).unwrap().bytes().is_empty());
        assert!(PageImage::encode(&[0; 4096], &[0; 4096]).unwrap().bytes().is_empty());
    }

    #[test]
    fn what_has_nothing_in_common_travels_plain() {
        let image = PageImage::encode(&noise(1), &noise(2)).unwrap();
        assert!(matches!(image, PageImage::Plain(_)));
        assert_eq!(image.decode(&[0; 4096]).unwrap(), noise(1));
    }

    #[test]
    fn an_image_of_another_size_is_refused() {
        let image = PageImage::Plain(Bytes::from_static(&[5; 4096]));
        assert_eq!(image.decode(&[0; 512]).unwrap_err().code(), "SEGMENT_CORRUPT");
        let behind_the_end = PageImage::encode(&[[0; 256], [1; 256]].concat(), &[0; 512]).unwrap();
        assert_eq!(behind_the_end.decode(&[0; 300]).unwrap_err().code(), "SEGMENT_CORRUPT");
    }

    proptest! {
        #[test]
        fn every_page_comes_back(
            before in proptest::collection::vec(0_u8..3, 600), after in proptest::collection::vec(0_u8..3, 600),
        ) {
            prop_assert_eq!(PageImage::encode(&after, &before).unwrap().decode(&before).unwrap(), after);
        }

        #[test]
        fn foreign_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            drop(PageImage::Difference(bytes.into()).decode(&[0; 512]));
        }
    }
}

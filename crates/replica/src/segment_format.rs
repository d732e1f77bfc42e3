//! How a segment is written. Every commit pays for its fixed part, so that has 38 bytes:
//!
//! ```text
//! 1  format            1  flags (kind, page size, what follows)
//! 1+ epoch             6  time of the last transaction     1+ transactions
//! 8  previous          8  database's checksum after it
//!    [16 writer, in an owner's first segment] [16 next generation, in a rollover] [1+ pages in the database,
//!    when their number changed] [1 form of the pages, when it is not the plain one] pages
//! 12 digest
//! ```
//!
//! What the key says is not written again: the digest covers the sequence. The database's checksum before it is
//! its predecessor's after; `previous` pins that one, by 8 bytes of its digest.

use bytes::Bytes;
use holdfast_base::Result;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::page_changes::{BodyForm, PageChanges};
use crate::segment::{Digest, Segment, SegmentKind, StoredSegment, Transaction, corrupt};
use crate::varint::{Reader, put_number};

const FORMAT: u8 = 0xb2;
const DIGEST_BYTES: usize = 12;

const KIND: u8 = 0b11;
const HAS_WRITER: u8 = 1 << 2;
const PAGE_SHIFT: u8 = 3;
const HAS_PAGE_COUNT: u8 = 1 << 6;
const HAS_FORM: u8 = 1 << 7;
const SMALLEST_PAGE_SHIFT: u32 = 9;

impl Segment {
    /// The segment's object, and its digest.
    ///
    /// # Errors
    /// `Internal` when the compressor fails.
    pub fn encode(&self) -> Result<(Bytes, Digest)> {
        let (body, form) = self.pages.body()?;
        let (kind, next) = match self.kind {
            SegmentKind::Commit => (0, None),
            SegmentKind::Part => (1, None),
            SegmentKind::Seal => (2, None),
            SegmentKind::Rollover(next) => (3, Some(next)),
        };
        let page_shift = (self.page_bytes.trailing_zeros() - SMALLEST_PAGE_SHIFT) as u8;
        let flag = |is_set: bool, flag: u8| if is_set { flag } else { 0 };
        let mut out = Vec::with_capacity(96 + body.len());
        out.push(FORMAT);
        out.push(
            kind | page_shift << PAGE_SHIFT
                | flag(self.writer.is_some(), HAS_WRITER)
                | flag(self.page_count.is_some(), HAS_PAGE_COUNT)
                | flag(form != BodyForm::Plain, HAS_FORM),
        );
        put_number(&mut out, self.epoch);
        put_number(&mut out, self.time_ms);
        self.put_transactions(&mut out);
        out.extend_from_slice(&self.previous);
        out.extend_from_slice(&self.after.to_le_bytes());
        out.extend(self.writer.iter().flat_map(Uuid::as_bytes));
        out.extend(next.iter().flat_map(Uuid::as_bytes));
        if let Some(page_count) = self.page_count {
            put_number(&mut out, page_count.into());
        }
        if form != BodyForm::Plain {
            out.push(form as u8);
        }
        out.extend_from_slice(&body);
        let digest = digest(self.sequence, &out);
        out.extend_from_slice(&digest[..DIGEST_BYTES]);
        Ok((out.into(), digest))
    }

    /// How many, and when all but the last were committed: so long before it.
    fn put_transactions(&self, out: &mut Vec<u8>) {
        put_number(out, self.transactions.len() as u64);
        let earlier = self.transactions.split_last().map_or(&[][..], |(_, earlier)| earlier);
        for transaction in earlier {
            put_number(out, self.time_ms.wrapping_sub(transaction.committed_ms));
        }
    }
}

fn digest(sequence: u64, bytes: &[u8]) -> Digest {
    Sha256::new().chain_update(sequence.to_le_bytes()).chain_update(bytes).finalize().into()
}

pub(crate) fn decode(bytes: &Bytes, sequence: u64) -> Result<StoredSegment> {
    let end = bytes.len().checked_sub(DIGEST_BYTES).ok_or_else(|| corrupt("is cut short"))?;
    let digest = digest(sequence, &bytes[..end]);
    if digest[..DIGEST_BYTES] != bytes[end..] {
        return Err(corrupt("does not match its digest, or is not holdfast's"));
    }
    let mut reader = Reader::new(bytes.slice(..end));
    if reader.byte()? != FORMAT {
        return Err(corrupt("was written by a newer release (update holdfast)"));
    }
    Ok(StoredSegment { segment: read_segment(&mut reader, sequence)?, digest })
}

fn read_segment(reader: &mut Reader, sequence: u64) -> Result<Segment> {
    let flags = reader.byte()?;
    let (epoch, time_ms) = (reader.number()?, reader.number()?);
    let transactions = read_transactions(reader, time_ms)?;
    let previous = reader.array()?;
    let after = u64::from_le_bytes(reader.array()?);
    let writer = if flags & HAS_WRITER == 0 { None } else { Some(Uuid::from_bytes(reader.array()?)) };
    let kind = match flags & KIND {
        0 => SegmentKind::Commit,
        1 => SegmentKind::Part,
        2 => SegmentKind::Seal,
        _ => SegmentKind::Rollover(Uuid::from_bytes(reader.array()?)),
    };
    let page_count = if flags & HAS_PAGE_COUNT == 0 { None } else { Some(reader.small()?) };
    let page_bytes = 1_u32 << (SMALLEST_PAGE_SHIFT + u32::from(flags >> PAGE_SHIFT & 0b111));
    let form = match if flags & HAS_FORM == 0 { 0 } else { reader.byte()? } {
        0 => BodyForm::Plain,
        1 => BodyForm::Compressed,
        2 => BodyForm::Together,
        _ => return Err(corrupt("is of an unknown form")),
    };
    let pages = PageChanges::read(reader.rest(), form, page_bytes)?;
    if page_count.is_some_and(|count| pages.last() > count) {
        return Err(corrupt("has impossible pages"));
    }
    Ok(Segment { kind, epoch, writer, sequence, previous, after, page_bytes, page_count, time_ms, transactions, pages })
}

fn read_transactions(reader: &mut Reader, time_ms: u64) -> Result<Vec<Transaction>> {
    let mut transactions = Vec::new();
    for left in (0..reader.number()?).rev() {
        let before_ms = if left == 0 { 0 } else { reader.number()? };
        transactions.push(Transaction { committed_ms: time_ms.wrapping_sub(before_ms) });
    }
    Ok(transactions)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::page_changes::PageChange;
    use crate::page_image::PageImage;

    fn kinds() -> impl Strategy<Value = SegmentKind> {
        prop_oneof![
            Just(SegmentKind::Commit),
            Just(SegmentKind::Part),
            Just(SegmentKind::Seal),
            any::<[u8; 16]>().prop_map(|id| SegmentKind::Rollover(Uuid::from_bytes(id))),
        ]
    }

    prop_compose! {
        fn segments()(
            kind in kinds(), epoch: u64, writer: Option<[u8; 16]>, sequence: u64, previous: [u8; 8], after: u64,
            shift in 9_u32..=16, times in proptest::collection::vec(any::<u64>(), 0..5), empty_ms: u64,
            has_count: bool,
            images in proptest::collection::btree_map(
                1_u32..5000, (any::<bool>(), proptest::collection::vec(any::<u8>(), 0..200)), 0..4,
            ),
        ) -> Segment {
            let image = |(is_plain, mut bytes): (bool, Vec<u8>)| {
                if is_plain {
                    bytes.resize(1 << shift, 7);
                    PageImage::Plain(bytes.into())
                } else {
                    PageImage::Difference(bytes.into())
                }
            };
            Segment {
                kind, epoch, writer: writer.map(Uuid::from_bytes), sequence, previous, after,
                page_bytes: 1 << shift, page_count: has_count.then_some(5000),
                time_ms: times.last().copied().unwrap_or(empty_ms),
                transactions: times.into_iter().map(|committed_ms| Transaction { committed_ms }).collect(),
                pages: PageChanges::Each(
                    images.into_iter().map(|(number, one)| PageChange { number, image: image(one) }).collect(),
                ),
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn decoding_gives_back_what_was_encoded(segment in segments()) {
            let (bytes, digest) = segment.encode().unwrap();
            let stored = StoredSegment::decode(&bytes, segment.sequence).unwrap();
            prop_assert_eq!(stored.segment, segment);
            prop_assert_eq!(stored.digest, digest);
        }

        #[test]
        fn every_flipped_byte_is_refused(segment in segments(), flip in 1_u8..) {
            let (bytes, _) = segment.encode().unwrap();
            for at in 0..bytes.len().min(2000) {
                let mut torn = bytes.to_vec();
                torn[at] ^= flip;
                prop_assert!(StoredSegment::decode(&torn.into(), segment.sequence).is_err(), "byte {at}");
            }
        }

        #[test]
        fn every_truncation_is_refused(segment in segments()) {
            let (bytes, _) = segment.encode().unwrap();
            for length in 0..bytes.len().min(2000) {
                prop_assert!(StoredSegment::decode(&bytes.slice(..length), segment.sequence).is_err(), "length {length}");
            }
        }

        #[test]
        fn a_segment_under_another_number_is_refused(segment in segments(), other: u64) {
            prop_assume!(other != segment.sequence);
            let (bytes, _) = segment.encode().unwrap();
            prop_assert!(StoredSegment::decode(&bytes, other).is_err());
        }
    }

    #[test]
    fn a_small_commit_has_38_bytes_beside_its_pages() {
        let segment = Segment {
            kind: SegmentKind::Commit,
            epoch: 3,
            writer: None,
            sequence: 100_000,
            previous: [1; 8],
            after: 2,
            page_bytes: 4096,
            page_count: None,
            time_ms: 1_800_000_000_000,
            transactions: vec![Transaction { committed_ms: 1_800_000_000_000 }],
            pages: PageChanges::Each(Vec::new()),
        };
        assert_eq!(segment.encode().unwrap().0.len(), 38);
    }
}

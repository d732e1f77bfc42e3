//! How a segment is written: a fixed head, variable-length numbers, the pages, SHA-256 of all before it.

use bytes::Bytes;
use holdfast_base::Result;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::page_image::PageImage;
use crate::segment::{Digest, PageChange, Segment, SegmentKind, StoredSegment, Transaction, corrupt};

const MAGIC: &[u8; 4] = b"hfsg";
const FORMAT: u8 = 1;
const DIGEST_BYTES: usize = 32;

impl Segment {
    /// The segment's object, and its digest.
    pub fn encode(&self) -> (Bytes, Digest) {
        let mut out =
            Vec::with_capacity(192 + self.pages.iter().map(|page| page.image.bytes().len() + 8).sum::<usize>());
        out.extend_from_slice(MAGIC);
        out.push(FORMAT);
        let (kind, next) = match self.kind {
            SegmentKind::Commit => (0, None),
            SegmentKind::Part => (1, None),
            SegmentKind::Seal => (2, None),
            SegmentKind::Rollover(next) => (3, Some(next)),
        };
        out.push(kind);
        out.extend(next.iter().flat_map(Uuid::as_bytes));
        out.extend_from_slice(self.writer.as_bytes());
        out.extend_from_slice(&self.previous);
        out.extend_from_slice(&self.before.to_le_bytes());
        out.extend_from_slice(&self.after.to_le_bytes());
        for number in [self.epoch, self.sequence, self.page_bytes.into(), self.page_count.into(), self.time_ms] {
            put_number(&mut out, number);
        }
        put_number(&mut out, self.transactions.len() as u64);
        for transaction in &self.transactions {
            put_number(&mut out, transaction.committed_ms);
        }
        put_number(&mut out, self.pages.len() as u64);
        for page in &self.pages {
            put_page(&mut out, page);
        }
        let digest: Digest = Sha256::digest(&out).into();
        out.extend_from_slice(&digest);
        (out.into(), digest)
    }
}

fn put_page(out: &mut Vec<u8>, page: &PageChange) {
    let kind = match page.image {
        PageImage::Plain(_) => 0,
        PageImage::Compressed(_) => 1,
        PageImage::Difference(_) => 2,
    };
    put_number(out, page.number.into());
    out.push(kind);
    put_number(out, page.image.bytes().len() as u64);
    out.extend_from_slice(page.image.bytes());
}

/// Seven bits a byte, low ones first; the top bit says that more follows.
fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

pub(crate) fn decode(bytes: &Bytes) -> Result<StoredSegment> {
    let body = bytes.len().checked_sub(DIGEST_BYTES).ok_or_else(|| corrupt("is cut short"))?;
    if !bytes.starts_with(MAGIC) {
        return Err(corrupt("is not holdfast's"));
    }
    let digest: Digest = Sha256::digest(&bytes[..body]).into();
    if digest != bytes[body..] {
        return Err(corrupt("does not match its digest"));
    }
    let mut reader = Reader(bytes.slice(MAGIC.len()..body));
    if reader.byte()? != FORMAT {
        return Err(corrupt("was written by a newer release (update holdfast)"));
    }
    let segment = read_segment(&mut reader)?;
    if !reader.0.is_empty() {
        return Err(corrupt("has bytes behind its end"));
    }
    Ok(StoredSegment { segment, digest })
}

fn read_segment(reader: &mut Reader) -> Result<Segment> {
    let kind = match reader.byte()? {
        0 => SegmentKind::Commit,
        1 => SegmentKind::Part,
        2 => SegmentKind::Seal,
        3 => SegmentKind::Rollover(Uuid::from_bytes(reader.array()?)),
        _ => return Err(corrupt("is of an unknown kind")),
    };
    let writer = Uuid::from_bytes(reader.array()?);
    let previous = reader.array()?;
    let before = u64::from_le_bytes(reader.array()?);
    let after = u64::from_le_bytes(reader.array()?);
    let (epoch, sequence) = (reader.number()?, reader.number()?);
    let (page_bytes, page_count, time_ms) = (reader.small()?, reader.small()?, reader.number()?);
    let transactions = (0..reader.number()?)
        .map(|_| Ok(Transaction { committed_ms: reader.number()? }))
        .collect::<Result<Vec<_>>>()?;
    let pages = (0..reader.number()?).map(|_| read_page(reader)).collect::<Result<Vec<_>>>()?;
    let ascending = pages.windows(2).all(|two| two[0].number < two[1].number);
    let inside = pages.iter().all(|page| (1..=page_count).contains(&page.number));
    if !ascending || !inside || !(512..=65_536).contains(&page_bytes) || !page_bytes.is_power_of_two() {
        return Err(corrupt("has impossible pages"));
    }
    Ok(Segment {
        kind,
        epoch,
        writer,
        sequence,
        previous,
        before,
        after,
        page_bytes,
        page_count,
        time_ms,
        transactions,
        pages,
    })
}

fn read_page(reader: &mut Reader) -> Result<PageChange> {
    let number = reader.small()?;
    let kind = reader.byte()?;
    let length = reader.small()?;
    let bytes = reader.take(length as usize)?;
    let image = match kind {
        0 => PageImage::Plain(bytes),
        1 => PageImage::Compressed(bytes),
        2 => PageImage::Difference(bytes),
        _ => return Err(corrupt("has a page of an unknown kind")),
    };
    Ok(PageChange { number, image })
}

struct Reader(Bytes);

impl Reader {
    fn take(&mut self, length: usize) -> Result<Bytes> {
        if length > self.0.len() { Err(corrupt("is cut short")) } else { Ok(self.0.split_to(length)) }
    }

    fn byte(&mut self) -> Result<u8> {
        Ok(self.array::<1>()?[0])
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let bytes = self.take(N)?;
        bytes.as_ref().try_into().map_err(|_| corrupt("is cut short"))
    }

    fn number(&mut self) -> Result<u64> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(corrupt("has an impossible number"))
    }

    fn small(&mut self) -> Result<u32> {
        u32::try_from(self.number()?).map_err(|_| corrupt("has an impossible number"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn images() -> impl Strategy<Value = PageImage> {
        let bytes = proptest::collection::vec(any::<u8>(), 0..600).prop_map(Bytes::from);
        (bytes, 0..3).prop_map(|(bytes, kind)| match kind {
            0 => PageImage::Plain(bytes),
            1 => PageImage::Compressed(bytes),
            _ => PageImage::Difference(bytes),
        })
    }

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
            kind in kinds(), epoch: u64, writer: [u8; 16], sequence: u64, previous: [u8; 32], before: u64, after: u64,
            shift in 9_u32..=16, times in proptest::collection::vec(any::<u64>(), 0..5),
            images in proptest::collection::btree_map(1_u32..5000, images(), 0..6),
        ) -> Segment {
            Segment {
                kind, epoch, writer: Uuid::from_bytes(writer), sequence, previous, before, after,
                page_bytes: 1 << shift, page_count: 5000, time_ms: after,
                transactions: times.into_iter().map(|committed_ms| Transaction { committed_ms }).collect(),
                pages: images.into_iter().map(|(number, image)| PageChange { number, image }).collect(),
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn decoding_gives_back_what_was_encoded(segment in segments()) {
            let (bytes, digest) = segment.encode();
            let stored = StoredSegment::decode(&bytes).unwrap();
            prop_assert_eq!(stored.segment, segment);
            prop_assert_eq!(stored.digest, digest);
        }

        #[test]
        fn every_flipped_byte_is_refused(segment in segments(), flip in 1_u8..) {
            let (bytes, _) = segment.encode();
            for at in 0..bytes.len() {
                let mut torn = bytes.to_vec();
                torn[at] ^= flip;
                prop_assert!(StoredSegment::decode(&torn.into()).is_err(), "byte {at}");
            }
        }

        #[test]
        fn every_truncation_is_refused(segment in segments()) {
            let (bytes, _) = segment.encode();
            for length in 0..bytes.len() {
                prop_assert!(StoredSegment::decode(&bytes.slice(..length)).is_err(), "length {length}");
            }
        }
    }

    #[test]
    fn a_small_commit_costs_few_bytes() {
        let image = PageImage::Difference(Bytes::from_static(&[0; 24]));
        let segment = Segment {
            kind: SegmentKind::Commit,
            epoch: 3,
            writer: Uuid::nil(),
            sequence: 100_000,
            previous: [1; 32],
            before: 1,
            after: 2,
            page_bytes: 4096,
            page_count: 3000,
            time_ms: 1_800_000_000_000,
            transactions: vec![Transaction { committed_ms: 1_800_000_000_000 }],
            pages: vec![PageChange { number: 2000, image }],
        };
        assert!(segment.encode().0.len() < 180);
    }
}

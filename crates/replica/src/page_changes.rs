//! The pages that a segment changes, encoded the smallest way.

use bytes::Bytes;
use holdfast_base::{Error, Result};

use crate::page_image::PageImage;
use crate::segment::corrupt;
use crate::varint::{Reader, put_number};

/// Bodies above this are compressed fast, and each page by itself.
const SMALL_BYTES: usize = 256 << 10;
/// Smaller bodies don't compress.
const TINY_BYTES: usize = 48;
/// More is not in a segment.
const MOST_BYTES: usize = 256 << 20;
const FAST_LEVEL: i32 = 3;
const SMALL_LEVEL: i32 = 15;

/// One changed page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageChange {
    /// Counted from 1, ascending in a segment.
    pub number: u32,
    /// Its new content.
    pub image: PageImage,
}

/// See the top of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PageChanges {
    /// Each page by itself.
    Each(Vec<PageChange>),
    /// All pages, compressed with what they were before as the dictionary: content that moved inside a page,
    /// or to another page, is not sent again.
    Together {
        /// Counted from 1, ascending.
        numbers: Vec<u32>,
        /// The new pages, one after the other, compressed.
        patch: Bytes,
    },
}

/// A page before and after.
#[derive(Clone, Debug)]
pub(crate) struct PagePair {
    pub(crate) number: u32,
    /// Zeros where there was none.
    pub(crate) before: Vec<u8>,
    pub(crate) after: Vec<u8>,
}

/// How the bytes of a body are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyForm {
    Plain = 0,
    Compressed = 1,
    Together = 2,
}

impl PageChanges {
    /// Encodes few pages, in the smaller of two ways.
    ///
    /// # Errors
    /// `Internal` when the compressor fails.
    pub(crate) fn of_few(pairs: &[PagePair]) -> Result<Self> {
        let each = Self::each(pairs)?;
        let together = Self::Together {
            numbers: pairs.iter().map(|pair| pair.number).collect(),
            patch: patch(&joined(pairs, |pair| &pair.before), &joined(pairs, |pair| &pair.after))?,
        };
        Ok(if together.body()?.0.len() < each.body()?.0.len() { together } else { each })
    }

    /// Encodes each page by itself.
    ///
    /// # Errors
    /// `Internal` when the compressor fails.
    pub(crate) fn each(pairs: &[PagePair]) -> Result<Self> {
        let one = |pair: &PagePair| {
            Ok(PageChange { number: pair.number, image: PageImage::encode(&pair.after, &pair.before)? })
        };
        Ok(Self::Each(pairs.iter().map(one).collect::<Result<_>>()?))
    }

    /// Whether so many pages are few.
    pub(crate) fn is_few(pages: usize, page_bytes: u32) -> bool {
        pages > 0 && pages * page_bytes as usize <= SMALL_BYTES
    }

    /// The largest page; 0 when there is none.
    pub fn last(&self) -> u32 {
        match self {
            Self::Each(pages) => pages.last().map_or(0, |page| page.number),
            Self::Together { numbers, .. } => numbers.last().copied().unwrap_or(0),
        }
    }

    /// The pages' numbers.
    pub fn numbers(&self) -> Vec<u32> {
        match self {
            Self::Each(pages) => pages.iter().map(|page| page.number).collect(),
            Self::Together { numbers, .. } => numbers.clone(),
        }
    }

    /// The new pages; `before` gives what a page was, zeros where there was none.
    ///
    /// # Errors
    /// `Integrity` when they are not exactly pages; what `before` says.
    pub(crate) fn decode(&self, before: impl Fn(u32) -> Result<Vec<u8>>) -> Result<Vec<(u32, Bytes)>> {
        match self {
            Self::Each(pages) => {
                pages.iter().map(|page| Ok((page.number, page.image.decode(&before(page.number)?)?))).collect()
            }
            Self::Together { numbers, patch } => {
                let old: Vec<Vec<u8>> = numbers.iter().map(|&number| before(number)).collect::<Result<_>>()?;
                let page_bytes = old.first().map_or(0, Vec::len);
                let mut new = unpatch(&dictionary(&old.concat()), patch, page_bytes * numbers.len())?;
                Ok(numbers.iter().map(|&number| (number, new.split_to(page_bytes))).collect())
            }
        }
    }

    /// The bytes, and how to read them.
    pub(crate) fn body(&self) -> Result<(Vec<u8>, BodyForm)> {
        match self {
            Self::Each(pages) => compressed(body_of_each(pages)),
            Self::Together { numbers, patch } => {
                let mut out = Vec::with_capacity(numbers.len() * 2 + patch.len() + 2);
                put_number(&mut out, numbers.len() as u64);
                let mut last = 0;
                for &number in numbers {
                    put_number(&mut out, u64::from(number - last));
                    last = number;
                }
                out.extend_from_slice(patch);
                Ok((out, BodyForm::Together))
            }
        }
    }

    /// Reads a body.
    ///
    /// # Errors
    /// `Integrity` with code `SEGMENT_CORRUPT`.
    pub(crate) fn read(body: Bytes, form: BodyForm, page_bytes: u32) -> Result<Self> {
        match form {
            BodyForm::Plain => read_each(body, page_bytes),
            BodyForm::Compressed => read_each(decompressed(body)?, page_bytes),
            BodyForm::Together => read_together(body),
        }
    }
}

fn body_of_each(pages: &[PageChange]) -> Vec<u8> {
    let mut out = Vec::with_capacity(pages.iter().map(|page| page.image.bytes().len() + 8).sum());
    let mut last = 0;
    for page in pages {
        put_number(&mut out, u64::from(page.number - last));
        last = page.number;
        match &page.image {
            PageImage::Plain(bytes) => {
                put_number(&mut out, 0);
                out.extend_from_slice(bytes);
            }
            PageImage::Difference(runs) => {
                put_number(&mut out, runs.len() as u64 + 1);
                out.extend_from_slice(runs);
            }
        }
    }
    out
}

/// The body compressed, behind its length, when that is worth it.
fn compressed(body: Vec<u8>) -> Result<(Vec<u8>, BodyForm)> {
    if body.len() < TINY_BYTES {
        return Ok((body, BodyForm::Plain));
    }
    let level = if body.len() <= SMALL_BYTES { SMALL_LEVEL } else { FAST_LEVEL };
    let mut out = Vec::new();
    put_number(&mut out, body.len() as u64);
    out.extend_from_slice(&zstd::bulk::compress(&body, level).map_err(|error| failed(&error))?);
    Ok(if out.len() < body.len() { (out, BodyForm::Compressed) } else { (body, BodyForm::Plain) })
}

fn decompressed(body: Bytes) -> Result<Bytes> {
    let mut reader = Reader::new(body);
    let length = reader.small()? as usize;
    if length > MOST_BYTES {
        return Err(corrupt("has an impossible length"));
    }
    let body = zstd::bulk::decompress(&reader.rest(), length).map_err(|_| corrupt("can't be decompressed"))?;
    if body.len() == length { Ok(body.into()) } else { Err(corrupt("has an impossible length")) }
}

fn read_each(body: Bytes, page_bytes: u32) -> Result<PageChanges> {
    let mut reader = Reader::new(body);
    let mut pages = Vec::new();
    let mut last = 0;
    while !reader.is_empty() {
        last = next_number(&mut reader, last)?;
        let image = match reader.small()? {
            0 => PageImage::Plain(reader.take(page_bytes as usize)?),
            length => PageImage::Difference(reader.take(length as usize - 1)?),
        };
        pages.push(PageChange { number: last, image });
    }
    Ok(PageChanges::Each(pages))
}

fn read_together(body: Bytes) -> Result<PageChanges> {
    let mut reader = Reader::new(body);
    let mut numbers = Vec::new();
    let mut last = 0;
    for _ in 0..reader.small()? {
        last = next_number(&mut reader, last)?;
        numbers.push(last);
    }
    if numbers.len() > SMALL_BYTES / 512 {
        return Err(corrupt("has impossible pages"));
    }
    Ok(PageChanges::Together { numbers, patch: reader.rest() })
}

fn next_number(reader: &mut Reader, last: u32) -> Result<u32> {
    let step = reader.small()?;
    last.checked_add(step).filter(|_| step > 0).ok_or_else(|| corrupt("has impossible pages"))
}

fn joined(pairs: &[PagePair], one: fn(&PagePair) -> &Vec<u8>) -> Vec<u8> {
    pairs.iter().flat_map(|pair| one(pair).iter().copied()).collect()
}

/// Behind a byte that no dictionary of zstd's own begins with: raw content.
fn dictionary(before: &[u8]) -> Vec<u8> {
    [&[0], before].concat()
}

fn patch(before: &[u8], after: &[u8]) -> Result<Bytes> {
    let compressor = zstd::bulk::Compressor::with_dictionary(SMALL_LEVEL, &dictionary(before));
    let patch = compressor.and_then(|mut compressor| {
        // The length is that of the pages, and the dictionary theirs.
        compressor.include_contentsize(false)?;
        compressor.include_dictid(false)?;
        compressor.compress(after)
    });
    patch.map(Bytes::from).map_err(|error| failed(&error))
}

fn unpatch(dictionary: &[u8], patch: &[u8], length: usize) -> Result<Bytes> {
    let decompressor = zstd::bulk::Decompressor::with_dictionary(dictionary);
    let new = decompressor.and_then(|mut decompressor| decompressor.decompress(patch, length));
    let new = new.map_err(|_| corrupt("can't be decompressed"))?;
    if new.len() == length { Ok(new.into()) } else { Err(corrupt("has an impossible length")) }
}

fn failed(error: &std::io::Error) -> Error {
    Error::internal(format!("can't compress a segment: {error}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pairs() -> impl Strategy<Value = Vec<PagePair>> {
        let page = || proptest::collection::vec(0_u8..4, 512);
        proptest::collection::btree_map(1_u32..9000, (page(), page()), 1..6).prop_map(|pages| {
            pages.into_iter().map(|(number, (before, after))| PagePair { number, before, after }).collect()
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn pages_come_back_from_either_form(pairs in pairs()) {
            let (before, after) = (joined(&pairs, |pair| &pair.before), joined(&pairs, |pair| &pair.after));
            let numbers: Vec<u32> = pairs.iter().map(|pair| pair.number).collect();
            let together = PageChanges::Together { numbers: numbers.clone(), patch: patch(&before, &after).unwrap() };
            for changes in [together, PageChanges::each(&pairs).unwrap()] {
                let (body, form) = changes.body().unwrap();
                let read = PageChanges::read(body.into(), form, 512).unwrap();
                prop_assert_eq!(&read, &changes);
                let old = |number| Ok(pairs.iter().find(|pair| pair.number == number).unwrap().before.clone());
                for ((number, new), pair) in read.decode(old).unwrap().into_iter().zip(&pairs) {
                    prop_assert_eq!((number, &new[..]), (pair.number, &pair.after[..]));
                }
            }
        }

        #[test]
        fn foreign_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            for form in [BodyForm::Plain, BodyForm::Compressed, BodyForm::Together] {
                if let Ok(changes) = PageChanges::read(bytes.clone().into(), form, 512) {
                    drop(changes.decode(|_| Ok(vec![0; 512])));
                }
            }
        }
    }

    #[test]
    fn what_moved_inside_a_page_is_not_sent_again() {
        let before: Vec<u8> = (0..4096_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        let mut after = before.clone();
        after.splice(100..100, [7, 7]);
        after.truncate(4096);
        let pairs = [PagePair { number: 5, before, after }];
        let changes = PageChanges::of_few(&pairs).unwrap();
        assert!(changes.body().unwrap().0.len() < 40, "{}", changes.body().unwrap().0.len());
    }
}

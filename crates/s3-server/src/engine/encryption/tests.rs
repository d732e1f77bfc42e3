use std::io::Cursor;
use std::ops::Range;

use holdfast_testkit::Dice;
use sha2::{Digest, Sha256};

use super::key::Secret;
use super::layout::{HEADER_BYTES, SEGMENT_BYTES};
use super::sealer::context;
use super::segment_cipher::SegmentCipher;
use super::*;
use crate::encoding::hex;

/// The key of the vectors, which Google's Tink (Python, 1.11) made: bytes 0 to 31, 64 KiB segments, SHA-256.
fn vector_key() -> DataKey {
    let bytes: Vec<u8> = (0..32).collect();
    DataKey(Secret::of(&bytes).unwrap())
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn seal(key: &DataKey, part: Option<u16>, plain: &[u8], step: usize) -> Vec<u8> {
    let mut file = Vec::new();
    let mut sealer = Sealer::new(key, part).unwrap();
    plain.chunks(step).for_each(|piece| sealer.write(piece, &mut file).unwrap());
    sealer.finish(&mut file).unwrap();
    file
}

fn reader(file: &[u8], key: &DataKey, spans: &[(Option<u16>, usize)]) -> SealedReader<Cursor<Vec<u8>>> {
    let span = |(part, bytes): &(Option<u16>, usize)| Span { part: *part, plain_bytes: *bytes as u64 };
    SealedReader::new(Cursor::new(file.to_vec()), key.clone(), spans.iter().map(span).collect())
}

fn read(reader: &mut SealedReader<Cursor<Vec<u8>>>, range: Range<usize>) -> std::io::Result<Vec<u8>> {
    let (mut found, mut at) = (Vec::new(), range.start as u64);
    loop {
        let piece = reader.read(&(at..range.end as u64))?;
        if piece.is_empty() {
            return Ok(found);
        }
        at += piece.len() as u64;
        found.extend_from_slice(&piece);
    }
}

#[test]
fn a_stream_that_tink_wrote_opens() {
    let file = unhex(
        "281bcfa9132a967f306b111c4c833732bc48d0a9daebea3e3b47d49edf4d71ca0d8e86004b6799c9a2b82b05937e4c30010fc29d3b7fe7\
         658545ddddc0e505a8680eb64c46c1",
    );
    let mut part = reader(&file, &vector_key(), &[(Some(7), 14)]);
    assert_eq!(read(&mut part, 0..14).unwrap(), b"hello, streams");
    let mut another = reader(&file, &vector_key(), &[(Some(8), 14)]);
    assert!(read(&mut another, 0..14).is_err());
}

#[test]
fn what_is_sealed_is_byte_for_byte_what_tink_writes() {
    let plain: Vec<u8> = (0..200_000_u32).map(|at| (at * 7 + at / 251) as u8).collect();
    let header = unhex("28cf533d73c01a36393886591f05ad68440b5dd960d37b5fd4ca2ebe7627dfd3577d8a943cf622ad");
    let header = <[u8; HEADER_BYTES]>::try_from(header).unwrap();
    let cipher = SegmentCipher::resume(&vector_key().0, &context(None), &header).unwrap();
    let (mut sealer, mut file) = (Sealer::of(cipher, header), Vec::new());
    plain.chunks(1000).for_each(|piece| sealer.write(piece, &mut file).unwrap());
    sealer.finish(&mut file).unwrap();
    let of_tink = "1f91dd14b638bf3f89fcdf6829a4e225cb298befc0ecab422e4e9a8df756eef9";
    assert_eq!((file.len(), hex(&Sha256::digest(&file)).as_str()), (200_104, of_tink));
}

#[test]
fn a_range_opens_the_segments_that_it_touches_and_no_others() {
    let key = DataKey(Secret::random().unwrap());
    let plain: Vec<u8> = (0..300_000_u32).map(|at| (at % 251) as u8).collect();
    let mut file = seal(&key, None, &plain, 4096);
    // The third segment is spoilt.
    file[2 * SEGMENT_BYTES + 5] ^= 1;
    let mut reader = reader(&file, &key, &[(None, plain.len())]);
    let first_three = 2 * SEGMENT_BYTES - 40 - 32;
    assert_eq!(read(&mut reader, 0..first_three).unwrap(), plain[..first_three]);
    assert_eq!(read(&mut reader, 200_000..300_000).unwrap(), plain[200_000..]);
    assert!(read(&mut reader, first_three..first_three + 1).is_err());
}

#[test]
fn a_data_key_opens_with_its_own_key_and_for_its_own_object() {
    let master = CustomerKey(Secret::random().unwrap());
    let (kept, key) = Encryption::begin(Scheme::Customer, &Sealing::Customer(&master), ("b", "k")).unwrap();
    let again = Encryption::read(&kept.text().unwrap()).unwrap();
    let opened = again.open(&Sealing::Customer(&master), ("b", "k")).unwrap().unwrap();
    assert_eq!(opened.0.bytes(), key.0.bytes());
    let other = CustomerKey(Secret::random().unwrap());
    assert!(again.open(&Sealing::Customer(&other), ("b", "k")).unwrap().is_none());
    for object in [("b", "l"), ("c", "k"), ("bk", ""), ("", "bk")] {
        assert!(again.open(&Sealing::Customer(&master), object).unwrap().is_none(), "{object:?}");
    }
    assert!(!format!("{master:?}{key:?}{kept:?}").contains(&hex(key.0.bytes())));
}

/// Sizes near the edges of segments more often than others.
fn size(dice: &mut Dice) -> usize {
    let edge = below(dice, 4) * (SEGMENT_BYTES - 16);
    match dice.below(3) {
        0 => below(dice, 100),
        1 => (edge + below(dice, 5)).saturating_sub(42),
        _ => below(dice, 4 * SEGMENT_BYTES),
    }
}

fn below(dice: &mut Dice, end: usize) -> usize {
    dice.below(end as u64) as usize
}

/// Something that a disk or somebody with access to it may do to a file.
fn spoil(dice: &mut Dice, file: &mut Vec<u8>) {
    let at = below(dice, file.len());
    match below(dice, 5) {
        0 => file[at] ^= 1 << dice.below(8),
        1 => file.truncate(at),
        2 => {
            file.remove(at);
        }
        3 => file.insert(at, 0),
        _ => {
            let segments: Vec<Vec<u8>> = file.chunks(SEGMENT_BYTES).map(<[u8]>::to_vec).collect();
            let (one, two) = (below(dice, segments.len()), below(dice, segments.len()));
            let mut swapped = segments;
            swapped.swap(one, two);
            *file = swapped.concat();
        }
    }
}

#[test]
fn whatever_is_done_to_a_file_no_wrong_byte_is_ever_read() {
    let mut dice = Dice::new(20_261_120);
    let (mut refused, mut read_well) = (0, 0);
    for round in 0..300 {
        let key = DataKey(Secret::random().unwrap());
        let spans: Vec<(Option<u16>, usize)> = match below(&mut dice, 2) {
            0 => vec![(None, size(&mut dice))],
            _ => (1..=1 + below(&mut dice, 3) as u16).map(|number| (Some(number), size(&mut dice))).collect(),
        };
        let total: usize = spans.iter().map(|(_, bytes)| bytes).sum();
        let plain: Vec<u8> = (0..total).map(|_| below(&mut dice, 256) as u8).collect();
        let (mut file, mut at) = (Vec::new(), 0);
        for (part, bytes) in &spans {
            file.extend(seal(&key, *part, &plain[at..at + bytes], 1 + below(&mut dice, 100_000)));
            at += bytes;
        }
        let whole = file.clone();
        for spoilt in [false, true] {
            if spoilt {
                spoil(&mut dice, &mut file);
            }
            let mut reader = reader(&file, &key, &spans);
            for _ in 0..5 {
                let start = below(&mut dice, total + 1);
                let range = start..start + below(&mut dice, total + 2);
                match read(&mut reader, range.clone()) {
                    Ok(bytes) => {
                        assert_eq!(bytes, plain[start..range.end.min(total)], "round {round}, {range:?}");
                        read_well += 1;
                    }
                    Err(_) => {
                        assert!(spoilt, "round {round}: {range:?} of {spans:?} does not open");
                        refused += 1;
                    }
                }
            }
            let all = reader.read_all();
            assert_eq!(all.as_deref().ok() == Some(&plain[..]), file.starts_with(&whole), "round {round}");
        }
    }
    assert!(refused > 100 && read_well > 1000, "{refused} refused, {read_well} read");
}

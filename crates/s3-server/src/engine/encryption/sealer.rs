//! A stream on its way into its file.

use std::io::{self, Write};

use super::DataKey;
use super::layout::{SEGMENT_BYTES, room};
use super::segment_cipher::{Header, SegmentCipher};

/// Seals plain bytes, segment by segment. Holds one segment in memory.
#[derive(Debug)]
pub(in super::super) struct Sealer {
    cipher: SegmentCipher,
    /// What is not written yet: the header, while it is not, and plain bytes.
    pending: Vec<u8>,
    header_bytes: usize,
    number: u32,
}

impl Sealer {
    /// Of an object put in one piece, or of the part of that number.
    pub(in super::super) fn new(key: &DataKey, part: Option<u16>) -> Result<Self, holdfast_base::Error> {
        let (cipher, header) = SegmentCipher::begin(&key.0, &context(part))?;
        Ok(Self::of(cipher, header))
    }

    /// Of a stream that begins with that header.
    pub(super) fn of(cipher: SegmentCipher, header: Header) -> Self {
        Self { cipher, pending: header.to_vec(), header_bytes: header.len(), number: 0 }
    }

    /// Takes plain bytes; writes the segments that they complete.
    pub(in super::super) fn write(&mut self, mut plain: &[u8], file: &mut impl Write) -> io::Result<()> {
        while !plain.is_empty() {
            let room = room(self.number) + self.header_bytes - self.pending.len();
            if room == 0 {
                self.write_segment(false, file)?;
                continue;
            }
            let (now, later) = plain.split_at(plain.len().min(room));
            if self.pending.len() + now.len() > SEGMENT_BYTES / 4 {
                self.pending.reserve_exact(SEGMENT_BYTES - self.pending.len());
            }
            self.pending.extend_from_slice(now);
            plain = later;
        }
        Ok(())
    }

    /// Writes the last segment.
    pub(in super::super) fn finish(mut self, file: &mut impl Write) -> io::Result<()> {
        self.write_segment(true, file)
    }

    fn write_segment(&mut self, is_last: bool, file: &mut impl Write) -> io::Result<()> {
        let sealed = self.cipher.seal(self.number, is_last, &mut self.pending[self.header_bytes..]);
        let tag = sealed.map_err(io::Error::other)?;
        self.pending.extend_from_slice(&tag);
        file.write_all(&self.pending)?;
        self.pending.clear();
        self.header_bytes = 0;
        self.number = self.number.checked_add(1).ok_or_else(|| io::Error::other("an object has too many segments"))?;
        Ok(())
    }
}

/// What a stream is of, for its key: part 3 does not open as part 4.
pub(super) fn context(part: Option<u16>) -> Vec<u8> {
    part.map_or_else(|| b"object".to_vec(), |part| format!("part {part}").into_bytes())
}

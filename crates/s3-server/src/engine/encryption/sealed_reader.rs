//! Reads the plain bytes of an object whose file is encrypted.

use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;

use bytes::Bytes;

use super::DataKey;
use super::layout::{HEADER_BYTES, TAG_BYTES, last_segment, plain_start, sealed_bytes, sealed_start, segment_of};
use super::sealer::context;
use super::segment_cipher::SegmentCipher;

/// What is read and opened in one go at most.
const MAX_SEGMENTS: u32 = 4;

/// One stream of a file: the bytes of a part, or those of an object put in one piece.
#[derive(Clone, Debug)]
pub(in super::super) struct Span {
    /// The part's number; `None` for an object put in one piece.
    pub(in super::super) part: Option<u16>,
    /// How many plain bytes it holds.
    pub(in super::super) plain_bytes: u64,
}

/// Where a span's bytes begin.
#[derive(Debug)]
struct Placed {
    span: Span,
    plain_start: u64,
    sealed_start: u64,
}

/// Opens the segments that a range touches, and no others.
#[derive(Debug)]
pub(in super::super) struct SealedReader<S> {
    source: S,
    key: DataKey,
    spans: Vec<Placed>,
    plain_bytes: u64,
    /// The stream that was read last.
    current: Option<(usize, SegmentCipher)>,
}

impl<S: Read + Seek> SealedReader<S> {
    /// A file of those streams, one behind the other.
    pub(in super::super) fn new(source: S, key: DataKey, spans: Vec<Span>) -> Self {
        let (mut plain, mut sealed) = (0, 0);
        let place = |span: Span| {
            let placed = Placed { plain_start: plain, sealed_start: sealed, span };
            plain += placed.span.plain_bytes;
            sealed += sealed_bytes(placed.span.plain_bytes);
            placed
        };
        let spans = spans.into_iter().map(place).collect();
        Self { source, key, spans, plain_bytes: plain, current: None }
    }

    /// Plain bytes from the beginning of a range on, as many as one go gives; none only when the range is empty.
    ///
    /// # Errors
    /// `InvalidData` when a segment does not open, `UnexpectedEof` when it is not there.
    pub(in super::super) fn read(&mut self, range: &Range<u64>) -> io::Result<Bytes> {
        let end = range.end.min(self.plain_bytes);
        if range.start >= end {
            return Ok(Bytes::new());
        }
        // Spans without bytes are none that a byte stands in.
        let index = self.spans.partition_point(|placed| placed.plain_start + placed.span.plain_bytes <= range.start);
        let Placed { span, plain_start: start, .. } = &self.spans[index];
        let wanted = range.start - start..end.min(start + span.plain_bytes) - start;
        self.read_span(index, wanted)
    }

    /// Opens every segment, those of streams without bytes too.
    ///
    /// # Errors
    /// As [`SealedReader::read`].
    pub(in super::super) fn read_all(&mut self) -> io::Result<Bytes> {
        let mut plain = Vec::new();
        for index in 0..self.spans.len() {
            let bytes = self.spans[index].span.plain_bytes;
            let mut from = 0;
            loop {
                let piece = self.read_span(index, from..bytes)?;
                from += piece.len() as u64;
                if from == bytes && plain.is_empty() && index + 1 == self.spans.len() {
                    return Ok(piece);
                }
                plain.extend_from_slice(&piece);
                if from == bytes {
                    break;
                }
            }
        }
        Ok(plain.into())
    }

    /// Bytes of one span, from `wanted.start` on.
    fn read_span(&mut self, index: usize, wanted: Range<u64>) -> io::Result<Bytes> {
        self.resume(index)?;
        let Some((_, cipher)) = &self.current else { return Err(damaged()) };
        let Placed { span, sealed_start: stream, .. } = &self.spans[index];
        let last = last_segment(span.plain_bytes);
        let first = segment_of(wanted.start);
        let until = segment_of(wanted.end.saturating_sub(1)).min(first.saturating_add(MAX_SEGMENTS - 1));
        let end = if until == last { sealed_bytes(span.plain_bytes) } else { sealed_start(until + 1) };
        // At most MAX_SEGMENTS segments.
        let bytes = end - sealed_start(first);
        let mut buffer = Vec::with_capacity(bytes as usize);
        self.source.seek(SeekFrom::Start(stream + sealed_start(first)))?;
        if self.source.by_ref().take(bytes).read_to_end(&mut buffer)? as u64 != bytes {
            return Err(damaged());
        }
        // Opened segments are moved together: each one's tag is gone then.
        let mut opened = 0;
        for number in first..=until {
            let start = (sealed_start(number) - sealed_start(first)) as usize;
            let end = if number == until { buffer.len() } else { start + length_of(number) };
            let plain = cipher.open(number, number == last, &mut buffer[opened..end], start - opened);
            opened += plain.ok_or_else(damaged)?;
        }
        buffer.truncate(opened);
        let skipped = wanted.start - plain_start(first);
        let wanted = skipped as usize..(skipped + wanted.end - wanted.start).min(opened as u64) as usize;
        Ok(Bytes::from(buffer).slice(wanted))
    }

    /// Makes a span the one that is read.
    fn resume(&mut self, index: usize) -> io::Result<()> {
        if self.current.as_ref().is_some_and(|(current, _)| *current == index) {
            return Ok(());
        }
        let placed = &self.spans[index];
        let mut header = [0; HEADER_BYTES];
        self.source.seek(SeekFrom::Start(placed.sealed_start))?;
        self.source.read_exact(&mut header).map_err(too_short)?;
        let cipher = SegmentCipher::resume(&self.key.0, &context(placed.span.part), &header).ok_or_else(damaged)?;
        self.current = Some((index, cipher));
        Ok(())
    }
}

/// The bytes of a segment that is not the last one, tag included.
fn length_of(number: u32) -> usize {
    super::layout::room(number) + TAG_BYTES
}

fn too_short(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => damaged(),
        _ => error,
    }
}

/// A file that is not what was written.
fn damaged() -> io::Error {
    let message = "an encrypted data file does not open: it was changed, cut or exchanged";
    io::Error::new(io::ErrorKind::InvalidData, message)
}

//! Where the bytes of a stream lie in its file.

/// A header: its own length, a salt, the beginning of the nonces.
pub(super) const HEADER_BYTES: usize = 1 + SALT_BYTES + PREFIX_BYTES;
pub(super) const SALT_BYTES: usize = 32;
pub(super) const PREFIX_BYTES: usize = 7;
/// What authenticates a segment.
pub(super) const TAG_BYTES: usize = 16;
/// A segment as it lies in the file, tag included; the first one shares its room with the header.
pub(super) const SEGMENT_BYTES: usize = 64 << 10;

/// How many plain bytes a segment has room for.
pub(super) fn room(segment: u32) -> usize {
    if segment == 0 { SEGMENT_BYTES - HEADER_BYTES - TAG_BYTES } else { SEGMENT_BYTES - TAG_BYTES }
}

/// How many bytes a stream of some plain bytes takes.
pub(in super::super) fn sealed_bytes(plain_bytes: u64) -> u64 {
    plain_bytes + HEADER_BYTES as u64 + TAG_BYTES as u64 * (u64::from(last_segment(plain_bytes)) + 1)
}

/// The last segment of a stream of some plain bytes; there is always one.
pub(super) fn last_segment(plain_bytes: u64) -> u32 {
    segment_of(plain_bytes.saturating_sub(1))
}

/// The segment that holds a plain byte. Objects are far below the 256 TiB that segments are numbered for.
pub(super) fn segment_of(plain: u64) -> u32 {
    u32::try_from((plain + HEADER_BYTES as u64) / room(1) as u64).unwrap_or(u32::MAX)
}

/// The first plain byte of a segment.
pub(super) fn plain_start(segment: u32) -> u64 {
    (u64::from(segment) * room(1) as u64).saturating_sub(HEADER_BYTES as u64)
}

/// Where a segment begins in the stream.
pub(super) fn sealed_start(segment: u32) -> u64 {
    if segment == 0 { HEADER_BYTES as u64 } else { u64::from(segment) * SEGMENT_BYTES as u64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_follow_each_other_without_gaps() {
        for segment in 0..5 {
            let (start, end) = (plain_start(segment), plain_start(segment + 1));
            assert_eq!(end - start, room(segment) as u64);
            assert_eq!((segment_of(start), segment_of(end - 1)), (segment, segment));
            assert_eq!(sealed_start(segment + 1) - sealed_start(segment), (room(segment) + TAG_BYTES) as u64);
        }
    }

    #[test]
    fn a_stream_has_a_header_and_a_tag_for_each_segment_that_is_begun() {
        let first = room(0) as u64;
        for (plain, segments) in [(0, 1), (1, 1), (first, 1), (first + 1, 2), (first + room(1) as u64 + 1, 3)] {
            assert_eq!(sealed_bytes(plain), plain + 40 + 16 * segments, "{plain}");
        }
    }
}

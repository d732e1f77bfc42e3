use std::ops::Range;

use crate::error::{Code, S3Error, S3Result};

/// The bytes that a `Range` header asks for, out of `size`; `None` for all, also where S3 overlooks the header.
///
/// # Errors
/// `InvalidRange` when none of them exist.
pub(crate) fn requested(header: Option<&str>, size: u64) -> S3Result<Option<Range<u64>>> {
    let Some((first, last)) = header.and_then(read) else { return Ok(None) };
    let range = match (first, last) {
        (Some(first), last) => first..last.map_or(size, |last| last.saturating_add(1).min(size)),
        (None, Some(suffix)) => size.saturating_sub(suffix)..size,
        (None, None) => return Ok(None),
    };
    if range.start < range.end {
        return Ok(Some(range));
    }
    let error = S3Error::from(Code::InvalidRange).with("RangeRequested", header.unwrap_or_default());
    Err(error.with("ActualObjectSize", size.to_string()).with_header("content-range", format!("bytes */{size}")))
}

/// The bytes of `x-amz-copy-source-range`, out of `size`: both ends must be given and exist.
///
/// # Errors
/// `InvalidArgument` for another form or a last byte beyond the end, `InvalidRequest` for a first byte beyond it.
pub(crate) fn of_copy(header: &str, size: u64) -> S3Result<Range<u64>> {
    match read(header) {
        Some((Some(first), Some(last))) if last < size => Ok(first..last + 1),
        Some((Some(first), Some(_))) if first >= size => {
            let message = "The specified copy range is invalid for the source object size";
            Err(S3Error::new(Code::InvalidRequest, message))
        }
        Some((Some(_), Some(_))) => {
            let message = format!("Range specified is not valid for source object of size: {size}");
            Err(S3Error::argument("x-amz-copy-source-range", header, message))
        }
        _ => {
            let message = "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are \
                the zero-based offsets of the first and last bytes to copy";
            Err(S3Error::argument("x-amz-copy-source-range", header, message))
        }
    }
}

/// First and last of `bytes=first-last`; `None` for another form, more than one range, or an end before the start.
fn read(header: &str) -> Option<(Option<u64>, Option<u64>)> {
    let (first, last) = header.trim().strip_prefix("bytes=")?.split_once('-')?;
    let number = |text: &str| match text.trim() {
        "" => Some(None),
        digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => Some(Some(digits.parse().unwrap_or(u64::MAX))),
        _ => None,
    };
    match (number(first)?, number(last)?) {
        (None, None) => None,
        (Some(first), Some(last)) if last < first => None,
        both => Some(both),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_that_exist() {
        for (header, expected) in [
            ("bytes=0-0", 0..1),
            ("bytes=2-", 2..10),
            ("bytes=2-99", 2..10),
            ("bytes=-3", 7..10),
            ("bytes=-99", 0..10),
            ("bytes=9-99999999999999999999999", 9..10),
        ] {
            assert_eq!(requested(Some(header), 10).unwrap(), Some(expected), "{header}");
        }
    }

    #[test]
    fn what_is_no_single_range_is_overlooked() {
        for header in ["bytes=5-2", "bytes=0-1,3-4", "bytes=", "bytes=-", "items=0-1", "bytes=a-b"] {
            assert_eq!(requested(Some(header), 10).unwrap(), None, "{header}");
        }
        assert_eq!(requested(None, 10).unwrap(), None);
    }

    #[test]
    fn ranges_beyond_the_end_are_refused() {
        for (header, size) in [("bytes=10-", 10), ("bytes=-0", 10), ("bytes=0-", 0), ("bytes=-5", 0)] {
            assert_eq!(requested(Some(header), size).unwrap_err().code(), Code::InvalidRange, "{header}");
        }
    }

    #[test]
    fn a_copied_range_must_be_written_out_and_exist() {
        assert_eq!(of_copy("bytes=2-5", 10).unwrap(), 2..6);
        for header in ["bytes=2-", "bytes=-2", "2-5", "bytes=2-10"] {
            assert_eq!(of_copy(header, 10).unwrap_err().code(), Code::InvalidArgument, "{header}");
        }
        assert_eq!(of_copy("bytes=10-12", 10).unwrap_err().code(), Code::InvalidRequest);
    }
}

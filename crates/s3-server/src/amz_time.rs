//! The three ways in which S3 writes a time. All times are milliseconds since 1970-01-01 UTC.

use std::time::{Duration, UNIX_EPOCH};

use time::format_description::BorrowedFormatItem;
use time::format_description::well_known::{Iso8601, Rfc2822};
use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime};

const ISO: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
const BASIC: &[BorrowedFormatItem<'_>] = format_description!("[year][month][day]T[hour][minute][second]Z");

/// `2026-11-20T14:35:34.000Z`, as in XML.
pub(crate) fn iso(time_ms: u64) -> String {
    moment(time_ms).format(ISO).unwrap_or_default()
}

/// `Fri, 20 Nov 2026 14:35:34 GMT`, as in headers.
pub(crate) fn http(time_ms: u64) -> String {
    httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(time_ms / 1000))
}

/// Reads a time from a header, to the second; its zone may also be written as an offset, such as `+0000`.
pub(crate) fn from_http(text: &str) -> Option<u64> {
    let Ok(moment) = httpdate::parse_http_date(text) else {
        let moment = OffsetDateTime::parse(text, &Rfc2822).ok()?;
        return u64::try_from(moment.unix_timestamp()).ok()?.checked_mul(1000);
    };
    u64::try_from(moment.duration_since(UNIX_EPOCH).ok()?.as_millis()).ok()
}

/// Reads `20261120T143534Z`, as signatures write it.
pub(crate) fn from_basic(text: &str) -> Option<u64> {
    let moment = PrimitiveDateTime::parse(text, BASIC).ok()?.assume_utc();
    u64::try_from(moment.unix_timestamp()).ok()?.checked_mul(1000)
}

/// Reads an ISO 8601 time such as `2026-11-20T14:35:34.5Z`, or a day alone; it may be before 1970.
pub(crate) fn from_iso(text: &str) -> Option<i64> {
    let whole = if text.contains('T') { text.to_owned() } else { format!("{text}T00:00:00Z") };
    let moment = OffsetDateTime::parse(&whole, &Iso8601::PARSING).ok()?;
    i64::try_from(moment.unix_timestamp_nanos() / 1_000_000).ok()
}

/// Reads a time in either of the forms in which S3 gives them: that of headers or that of XML.
pub(crate) fn from_any(text: &str) -> Option<u64> {
    from_http(text).or_else(|| u64::try_from(from_iso(text)?).ok())
}

/// Writes `20261120T143534Z`.
pub(crate) fn basic(time_ms: u64) -> String {
    moment(time_ms).format(BASIC).unwrap_or_default()
}

fn moment(time_ms: u64) -> OffsetDateTime {
    let nanos = i128::from(time_ms) * 1_000_000;
    OffsetDateTime::from_unix_timestamp_nanos(nanos).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_moment_in_each_form() {
        let at = 1_369_353_600_123;
        assert_eq!(iso(at), "2013-05-24T00:00:00.123Z");
        assert_eq!(http(at), "Fri, 24 May 2013 00:00:00 GMT");
        assert_eq!(basic(at), "20130524T000000Z");
        assert_eq!(from_basic("20130524T000000Z"), Some(1_369_353_600_000));
        assert_eq!(from_http("Fri, 24 May 2013 00:00:00 GMT"), Some(1_369_353_600_000));
        assert_eq!(from_http("Fri, 24 May 2013 02:00:00 +0200"), Some(1_369_353_600_000));
        assert_eq!(from_basic("20130524T0000Z"), None);
        assert_eq!(from_iso("2013-05-24T00:00:00.123Z"), Some(1_369_353_600_123));
        assert_eq!(from_iso("2013-05-24T02:00:00+02:00"), Some(1_369_353_600_000));
        assert_eq!(from_iso("2013-05-24"), Some(1_369_353_600_000));
        assert_eq!(from_iso("yesterday"), None);
    }
}

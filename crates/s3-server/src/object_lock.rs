//! Object lock as clients say it: in headers of a write, and in documents.

use crate::amz_time;
use crate::answer::{self, Answer};
use crate::body::has_checksum;
use crate::engine::{DefaultRetention, ObjectLock, Retention, RetentionMode, RetentionPeriod};
use crate::error::{Code, S3Error, S3Result};
use crate::request::Request;
use crate::xml::{Element, XmlWriter};

const MODE: &str = "x-amz-object-lock-mode";
const RETAIN_UNTIL: &str = "x-amz-object-lock-retain-until-date";
const LEGAL_HOLD: &str = "x-amz-object-lock-legal-hold";
const BYPASS: &str = "x-amz-bypass-governance-retention";
/// The longest default retention.
const MAX_DAYS: u32 = 36_500;
const MAX_YEARS: u32 = 100;
const IN_THE_PAST: &str = "The retain until date must be in the future!";

/// The lock that a write brings in its headers, if it brings one.
///
/// # Errors
/// `InvalidArgument` for values that can't be, and for a date that has passed.
pub(crate) fn of_headers(request: &Request, now_ms: u64) -> S3Result<Option<ObjectLock>> {
    let legal_hold = request
        .header(LEGAL_HOLD)
        .map(|text| {
            let wrong = || S3Error::argument(LEGAL_HOLD, text, "Legal Hold must be either of 'ON' or 'OFF'");
            hold_named(text).ok_or_else(wrong)
        })
        .transpose()?;
    let message = "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied";
    let retention = match (request.header(MODE), request.header(RETAIN_UNTIL)) {
        (None, None) => None,
        (Some(_), None) => return Err(S3Error::argument(RETAIN_UNTIL, "", message)),
        (None, Some(_)) => return Err(S3Error::argument(MODE, "", message)),
        (Some(mode), Some(until)) => {
            let wrong = || S3Error::argument(MODE, mode, "Unknown wormMode directive.");
            let named = RetentionMode::named(mode).ok_or_else(wrong)?;
            let message = "The retain until date must be provided in ISO 8601 format";
            let wrong = || S3Error::argument(RETAIN_UNTIL, until, message);
            let until_ms = amz_time::from_iso(until).ok_or_else(wrong)?;
            let until_ms =
                in_future(until_ms, now_ms).ok_or_else(|| S3Error::argument(RETAIN_UNTIL, until, IN_THE_PAST))?;
            Some(Retention { mode: named, until_ms })
        }
    };
    Ok(ObjectLock { retention, legal_hold }.or_none())
}

/// Refuses a write of a version that will be locked when nothing vouches for its bytes.
///
/// # Errors
/// `InvalidRequest`.
pub(crate) fn require_checksum(request: &Request, of: &str) -> S3Result<()> {
    if has_checksum(request) {
        return Ok(());
    }
    let message =
        format!("Content-MD5 OR x-amz-checksum- HTTP header is required for {of} requests with Object Lock parameters");
    Err(S3Error::new(Code::InvalidRequest, message))
}

/// Whether a request wants to lift a retention of mode `GOVERNANCE`; `None` when it says nothing of it.
///
/// # Errors
/// `InvalidArgument` for what is neither true nor false.
pub(crate) fn bypass(request: &Request) -> S3Result<Option<bool>> {
    let Some(text) = request.header(BYPASS) else { return Ok(None) };
    match text.trim() {
        text if text.eq_ignore_ascii_case("true") => Ok(Some(true)),
        text if text.eq_ignore_ascii_case("false") => Ok(Some(false)),
        text => Err(S3Error::argument(BYPASS, text, "The value must be true or false")),
    }
}

/// The refusal of that header where there is nothing to bypass.
pub(crate) fn nothing_to_bypass(request: &Request) -> S3Error {
    let message = "x-amz-bypass-governance-retention is only applicable to Object Lock enabled buckets.";
    S3Error::argument(BYPASS, request.header(BYPASS).unwrap_or_default(), message)
}

/// Reads a `Retention` document; an empty one wants none.
///
/// # Errors
/// `MalformedXML`, and `InvalidArgument` for a date that has passed.
pub(crate) fn read_retention(document: &[u8], now_ms: u64) -> S3Result<Option<Retention>> {
    let retention = Element::read(document, "Retention")?;
    refuse_event_hold(&retention)?;
    match (retention.text_of("Mode"), retention.text_of("RetainUntilDate")) {
        (None, None) => Ok(None),
        (Some(mode), Some(until)) => {
            let mode = RetentionMode::named(mode).ok_or(Code::MalformedXML)?;
            let until_ms = amz_time::from_iso(until).ok_or(Code::MalformedXML)?;
            let past = || S3Error::argument("RetainUntilDate", until, IN_THE_PAST);
            Ok(Some(Retention { mode, until_ms: in_future(until_ms, now_ms).ok_or_else(past)? }))
        }
        _ => Err(Code::MalformedXML.into()),
    }
}

/// Writes the elements of the same.
pub(crate) fn write_retention(xml: &mut XmlWriter, retention: Retention) {
    xml.text("Mode", retention.mode.name());
    xml.text("RetainUntilDate", &amz_time::iso(retention.until_ms));
}

/// Reads a `LegalHold` document: whether it is on.
///
/// # Errors
/// `MalformedXML`.
pub(crate) fn read_legal_hold(document: &[u8]) -> S3Result<bool> {
    let hold = Element::read(document, "LegalHold")?;
    hold.text_of("Status").and_then(hold_named).ok_or_else(|| Code::MalformedXML.into())
}

/// How S3 writes a hold.
pub(crate) fn hold_name(is_on: bool) -> &'static str {
    if is_on { "ON" } else { "OFF" }
}

/// Reads an `ObjectLockConfiguration`: the retention of new versions, if it sets one.
///
/// # Errors
/// `MalformedXML`, and `InvalidArgument` for a period that can't be.
pub(crate) fn read_configuration(document: &[u8]) -> S3Result<Option<DefaultRetention>> {
    let configuration = Element::read(document, "ObjectLockConfiguration")?;
    if configuration.text_of("ObjectLockEnabled") != Some("Enabled") {
        return Err(Code::MalformedXML.into());
    }
    let Some(rule) = configuration.child("Rule") else { return Ok(None) };
    let retention = rule.child("DefaultRetention").ok_or(Code::MalformedXML)?;
    refuse_event_hold(retention)?;
    let mode = retention.text_of("Mode").and_then(RetentionMode::named).ok_or(Code::MalformedXML)?;
    let period = match (retention.text_of("Days"), retention.text_of("Years")) {
        (Some(days), None) => RetentionPeriod::Days(period("Days", days, MAX_DAYS)?),
        (None, Some(years)) => RetentionPeriod::Years(period("Years", years, MAX_YEARS)?),
        _ => return Err(Code::MalformedXML.into()),
    };
    Ok(Some(DefaultRetention { mode, period }))
}

/// Writes the elements of the same.
pub(crate) fn write_configuration(xml: &mut XmlWriter, default: Option<DefaultRetention>) {
    xml.text("ObjectLockEnabled", "Enabled");
    let Some(default) = default else { return };
    xml.element("Rule", |xml| {
        xml.element("DefaultRetention", |xml| {
            xml.text("Mode", default.mode.name());
            match default.period {
                RetentionPeriod::Days(days) => xml.value("Days", days),
                RetentionPeriod::Years(years) => xml.value("Years", years),
            }
        });
    });
}

/// Tells a version's retention to whoever reads it.
pub(crate) fn give_retention(answer: &mut Answer, retention: Retention) {
    answer::set(answer, MODE, retention.mode.name());
    answer::set(answer, RETAIN_UNTIL, amz_time::iso(retention.until_ms));
}

/// The same of its legal hold.
pub(crate) fn give_legal_hold(answer: &mut Answer, is_on: bool) {
    answer::set(answer, LEGAL_HOLD, hold_name(is_on));
}

fn hold_named(text: &str) -> Option<bool> {
    [true, false].into_iter().find(|is_on| hold_name(*is_on) == text)
}

fn in_future(until_ms: i64, now_ms: u64) -> Option<u64> {
    u64::try_from(until_ms).ok().filter(|until_ms| *until_ms > now_ms)
}

fn period(name: &str, text: &str, max: u32) -> S3Result<u32> {
    let number: i64 = text.parse().map_err(|_| S3Error::from(Code::MalformedXML))?;
    if number <= 0 {
        return Err(S3Error::argument(name, text, "Default retention period must be a positive integer value."));
    }
    let fits = u32::try_from(number).ok().filter(|number| *number <= max);
    fits.ok_or_else(|| S3Error::argument(name, text, "Default retention period too large."))
}

/// Holds that end with an event are not done here: one that is kept and not followed would be a trap.
fn refuse_event_hold(of: &Element) -> S3Result<()> {
    let names = ["EventHold", "EventHoldDuration", "DefaultEventHold"];
    match names.into_iter().find(|name| of.child(name).is_some()) {
        None => Ok(()),
        Some(name) => {
            let message = "This server does not implement event holds.";
            Err(S3Error::new(Code::NotImplemented, message).with("Header", name))
        }
    }
}

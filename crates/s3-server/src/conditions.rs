//! Conditions of a request, on what is read and on what is written.

use crate::amz_time;
use crate::engine::{Condition, Likeness, ObjectInfo};
use crate::error::{Code, S3Error, S3Result};
use crate::etag::{EtagList, quoted};
use crate::request::Request;

/// The names of the four conditions on something that is read.
pub(crate) struct ReadConditions {
    if_match: &'static str,
    if_none_match: &'static str,
    if_modified_since: &'static str,
    if_unmodified_since: &'static str,
    /// Whether an unchanged object is `NotModified`; a copy answers `PreconditionFailed` instead.
    not_modified: bool,
}

/// Conditions of GetObject and HeadObject.
pub(crate) const OF_READ: ReadConditions = ReadConditions {
    if_match: "if-match",
    if_none_match: "if-none-match",
    if_modified_since: "if-modified-since",
    if_unmodified_since: "if-unmodified-since",
    not_modified: true,
};

/// Conditions on the source of a copy.
pub(crate) const OF_COPY_SOURCE: ReadConditions = ReadConditions {
    if_match: "x-amz-copy-source-if-match",
    if_none_match: "x-amz-copy-source-if-none-match",
    if_modified_since: "x-amz-copy-source-if-modified-since",
    if_unmodified_since: "x-amz-copy-source-if-unmodified-since",
    not_modified: false,
};

impl ReadConditions {
    /// Checks them in the order of RFC 9110; a time that can't be read counts as not given.
    ///
    /// # Errors
    /// `PreconditionFailed` or `NotModified`.
    pub(crate) fn check(&self, request: &Request, object: &ObjectInfo) -> S3Result<()> {
        let etags = |name| request.header(name).map(EtagList::read);
        let since = |name| request.header(name).and_then(amz_time::from_http);
        let modified_ms = object.last_modified_ms / 1000 * 1000;
        let etag = &object.attributes.etag;

        let matches = etags(self.if_match).map(|list| list.matches(etag));
        if matches == Some(false) {
            return Err(failed("If-Match"));
        }
        let unmodified = since(self.if_unmodified_since).map(|limit_ms| modified_ms <= limit_ms);
        if matches.is_none() && unmodified == Some(false) {
            return Err(failed("If-Unmodified-Since"));
        }
        let differs = etags(self.if_none_match).map(|list| !list.matches(etag));
        if differs == Some(false) {
            return Err(self.unchanged(object, "If-None-Match"));
        }
        let modified = since(self.if_modified_since).map(|limit_ms| modified_ms > limit_ms);
        if differs.is_none() && modified == Some(false) {
            return Err(self.unchanged(object, "If-Modified-Since"));
        }
        Ok(())
    }

    fn unchanged(&self, object: &ObjectInfo, which: &'static str) -> S3Error {
        if !self.not_modified {
            return failed(which);
        }
        let error = S3Error::from(Code::NotModified).with_header("etag", quoted(&object.attributes.etag));
        error.with_header("last-modified", amz_time::http(object.last_modified_ms))
    }
}

fn failed(which: &'static str) -> S3Error {
    S3Error::from(Code::PreconditionFailed).with("Condition", which)
}

/// The condition of a write: `If-None-Match: *`, or `If-Match`.
///
/// # Errors
/// `NotImplemented` for what S3 does not take on a write: both, or an ETag that must not match.
pub(crate) fn of_write(request: &Request) -> S3Result<Condition> {
    let absent = request.header("if-none-match").map(EtagList::read);
    match (absent, request.header("if-match").map(EtagList::read)) {
        (None, None) => Ok(Condition::Always),
        (Some(EtagList::Any), None) => Ok(Condition::Absent),
        (None, Some(EtagList::Any)) => Ok(Condition::Present),
        (None, Some(EtagList::Of(etags))) => Ok(Condition::EtagIn(etags)),
        (Some(_), _) => {
            let message = "A header you provided implies functionality that is not implemented";
            Err(S3Error::new(Code::NotImplemented, message).with("Header", "If-None-Match"))
        }
    }
}

/// What a delete wants of the object beside its ETag: `x-amz-if-match-size`, `x-amz-if-match-last-modified-time`.
///
/// # Errors
/// `InvalidArgument` for what is no size or time.
pub(crate) fn of_delete(request: &Request) -> S3Result<Likeness> {
    let name = "x-amz-if-match-last-modified-time";
    let wrong = |text: &str| S3Error::argument(name, text, format!("{name} must be a time"));
    let time = request.header(name).map(|text| amz_time::from_any(text).ok_or_else(|| wrong(text)));
    Ok(Likeness { size: request.number_header("x-amz-if-match-size")?, last_modified_ms: time.transpose()? })
}

//! The storage console: a page for browsers at `/_console/`, which no bucket can be called like, and what it can't
//! learn by S3: the request log and the faults.
//!
//! Invariants:
//!
//! - Without `serves_console` nothing here is reached.
//! - The page holds nothing that is not public; all it shows and does goes through the S3 API, signed by whoever sits
//!   before it. The log and the faults are for the server's own account alone, or for everybody while nobody is asked
//!   who they are, and never for a page of another site.

mod api;
mod asset;

use std::time::Duration;

use http::{HeaderMap, Method, StatusCode};
use hyper::body::Incoming;

use crate::answer::{self, Answer};
use crate::body::Payload;
use crate::error::{Code, S3Error, S3Result};
use crate::service::Service;
use crate::target::is_bucket_host;

/// Where the console is.
const ROOT: &str = "/_console/";
/// Where its own questions go.
const API: &str = "/_console/api/";

/// Everything comes from here, nothing may be written into the page, and no other page may hold it. Pictures and
/// documents are shown from memory (`blob:`), with types that the page has chosen.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
    img-src 'self' blob:; media-src 'self' blob:; frame-src blob:; object-src 'none'; base-uri 'none'; \
    form-action 'none'; frame-ancestors 'none'; \
    require-trusted-types-for 'script'; trusted-types s3-xml";

/// Whether a request is about the console.
pub(crate) fn is_asked(request: &http::Request<Incoming>) -> bool {
    let host = request.headers().get(http::header::HOST).and_then(|host| host.to_str().ok());
    let path = request.uri().path();
    !host.is_some_and(is_bucket_host) && (path.starts_with(ROOT) || path == ROOT.trim_end_matches('/'))
}

impl Service {
    /// Answers a request to the console.
    pub(crate) async fn console(&self, request: http::Request<Incoming>, request_id: &str) -> Answer {
        let (is_head, path) = (request.method() == Method::HEAD, request.uri().path().to_owned());
        let limit = Duration::from_millis(self.settings.request_timeout_ms);
        let answered = tokio::time::timeout(limit, self.console_answer(request));
        let answered = answered.await.unwrap_or_else(|_| Err(Code::RequestTimeout.into()));
        let mut answer = answered.unwrap_or_else(|error| answer::error(&error, is_head, &path, request_id));
        guard(&mut answer);
        answer
    }

    async fn console_answer(&self, request: http::Request<Incoming>) -> S3Result<Answer> {
        let (parts, incoming) = request.into_parts();
        let path = parts.uri.path().to_owned();
        if let Some(what) = path.strip_prefix(API) {
            refuse_other_sites(&parts.headers)?;
            let idle = Duration::from_millis(self.settings.idle_timeout_ms);
            return self.console_api(what, parts, Payload::new(incoming, idle)).await;
        }
        if !matches!(parts.method, Method::GET | Method::HEAD) {
            return Err(Code::MethodNotAllowed.into());
        }
        match path.strip_prefix(ROOT) {
            Some(name) => asset::answer(name, &parts.headers).ok_or_else(not_there),
            None => {
                let mut answer = answer::empty(StatusCode::TEMPORARY_REDIRECT);
                answer::set(&mut answer, "location", ROOT);
                Ok(answer)
            }
        }
    }
}

fn not_there() -> S3Error {
    S3Error::new(Code::NoSuchKey, "The console has no such page.")
}

/// A page of another site could send some requests in the name of whoever looks at it; browsers say so.
fn refuse_other_sites(headers: &HeaderMap) -> S3Result<()> {
    match headers.get("sec-fetch-site") {
        Some(site) if site != "same-origin" => {
            Err(S3Error::new(Code::AccessDenied, "Access Denied: only the console itself may ask this"))
        }
        _ => Ok(()),
    }
}

fn guard(answer: &mut Answer) {
    for (name, value) in [
        ("content-security-policy", CONTENT_SECURITY_POLICY),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("server", "holdfast"),
    ] {
        answer::set(answer, name, value);
    }
}

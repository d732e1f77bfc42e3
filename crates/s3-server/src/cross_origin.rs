//! Answers to browsers of other origins: by the rules of the bucket that they ask, or by those of the whole server.

use http::{HeaderMap, HeaderValue, Method, StatusCode, header, request::Parts};

use crate::answer::{self, Answer};
use crate::auth::Accounts;
use crate::bucket_cors::CorsRule;
use crate::bucket_rules::BucketRules;
use crate::cors::CorsRules;
use crate::engine::Engine;
use crate::error::{Code, S3Error, S3Result};
use crate::request::Request;

/// What answers depend on, beside the bucket's own rules.
const VARY: &str = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method";

/// Decides which browsers may ask what.
pub(crate) struct CrossOrigin<'a> {
    pub(crate) server: Option<&'a CorsRules>,
    pub(crate) rules: &'a BucketRules,
    pub(crate) engine: &'a Engine,
    pub(crate) accounts: &'a Accounts,
}

/// A request that says from which origin it comes.
pub(crate) struct Asked {
    origin: HeaderValue,
    method: String,
}

impl Asked {
    /// What a request says; `None` for one that is no browser's, and for the question before one, whose answer says
    /// already what may be read.
    pub(crate) fn of(parts: &Parts) -> Option<Self> {
        if parts.method == Method::OPTIONS {
            return None;
        }
        let origin = parts.headers.get(header::ORIGIN)?.clone();
        // A request that names a method stands for one with it.
        let named = text(&parts.headers, header::ACCESS_CONTROL_REQUEST_METHOD.as_str());
        Some(Self { origin, method: named.unwrap_or(parts.method.as_str()).to_owned() })
    }
}

impl CrossOrigin<'_> {
    /// The answer to `OPTIONS`: may a browser send a request?
    ///
    /// # Errors
    /// `BadRequest` when it does not say what, `AccessForbidden` when not.
    pub(crate) async fn preflight(&self, request: &Request) -> S3Result<Answer> {
        let headers = request.headers();
        let incomplete = |message: &'static str| S3Error::new(Code::BadRequest, message);
        let origin = headers.get(header::ORIGIN);
        let origin = origin.ok_or_else(|| incomplete("Insufficient information. Origin request header needed."))?;
        let method = text(headers, header::ACCESS_CONTROL_REQUEST_METHOD.as_str());
        let method = method.ok_or_else(|| incomplete("Invalid Access-Control-Request-Method: null"))?;
        let wanted = wanted_headers(headers);
        let bucket = request.target().bucket.as_deref();
        let rules = match bucket {
            Some(bucket) => Some(self.rules.of(self.engine, self.accounts, bucket).await),
            None => None,
        };
        let of_bucket = rules.as_ref().and_then(|rules| rules.as_ref().ok()?.cors.as_ref());
        if let Some((rule, any)) = of_bucket.and_then(|cors| cors.fitting(origin.to_str().ok()?, method, &wanted)) {
            let mut answer = answer::empty(StatusCode::OK);
            open_by(rule, any, origin, &mut answer);
            if !wanted.is_empty() {
                answer::set(&mut answer, "access-control-allow-headers", wanted.join(", "));
            }
            return Ok(answer);
        }
        if let Some(answer) = self.server.and_then(|server| server.preflight(&Method::OPTIONS, headers)) {
            return Ok(answer);
        }
        Err(match (&rules, of_bucket) {
            (Some(Err(error)), _) if error.code() != Code::NoSuchBucket => error.clone(),
            (Some(Err(_)), _) => forbidden("CORSResponse: Bucket not found"),
            (_, None) => forbidden("CORSResponse: CORS is not enabled for this bucket."),
            (_, Some(_)) => {
                let kind = if request.target().key.is_some() { "OBJECT" } else { "BUCKET" };
                let message = "CORSResponse: This CORS request is not allowed. This is usually because the evalution of \
                    Origin, request method / Access-Control-Request-Method or Access-Control-Request-Headers are not \
                    whitelisted by the resource's CORS spec.";
                forbidden(message).with("Method", method).with("ResourceType", kind)
            }
        })
    }

    /// Lets the page that sent a request read its answer, if its origin may.
    pub(crate) async fn open(&self, answer: &mut Answer, asked: &Asked, bucket: Option<&str>) {
        if answer.headers().contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN) {
            return;
        }
        if let Some(bucket) = bucket
            && let Ok(rules) = self.rules.of(self.engine, self.accounts, bucket).await
            && let (Some(cors), Ok(origin)) = (&rules.cors, asked.origin.to_str())
            && let Some((rule, any)) = cors.fitting(origin, &asked.method, &[])
        {
            open_by(rule, any, &asked.origin, answer);
        } else if let Some(server) = self.server {
            server.open(answer, &asked.origin);
        }
    }
}

/// A rule for any origin names none, so that no credentials are sent.
fn open_by(rule: &CorsRule, any: bool, origin: &HeaderValue, answer: &mut Answer) {
    let headers = answer.headers_mut();
    if any {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    } else {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    }
    headers.append(header::VARY, HeaderValue::from_static(VARY));
    answer::set(answer, "access-control-allow-methods", rule.methods.join(", "));
    if !rule.exposed.is_empty() {
        answer::set(answer, "access-control-expose-headers", rule.exposed.join(", "));
    }
    if let Some(max_age_s) = rule.max_age_s {
        answer::set(answer, "access-control-max-age", max_age_s.to_string());
    }
}

/// The headers that a browser wants to send, in lower case.
fn wanted_headers(headers: &HeaderMap) -> Vec<String> {
    let names = text(headers, header::ACCESS_CONTROL_REQUEST_HEADERS.as_str()).unwrap_or_default();
    names.split(',').map(|name| name.trim().to_ascii_lowercase()).filter(|name| !name.is_empty()).collect()
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn forbidden(message: &'static str) -> S3Error {
    S3Error::new(Code::AccessForbidden, message)
}

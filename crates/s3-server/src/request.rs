use http::header::{HOST, REFERER, USER_AGENT};
use http::{HeaderMap, Method, request::Parts};

use crate::error::{Code, S3Error, S3Result};
use crate::query::Query;
use crate::target::{Target, is_bucket_host};

/// The head of a request, read and decoded; its body is apart.
pub(crate) struct Request {
    method: Method,
    raw_path: String,
    query: Query,
    headers: HeaderMap,
    target: Target,
    is_bucket_in_host: bool,
}

impl Request {
    /// Reads the head.
    ///
    /// # Errors
    /// `InvalidURI` and `InvalidBucketName` for a path or query that names nothing.
    pub(crate) fn read(parts: Parts) -> S3Result<Self> {
        let host = parts.headers.get(http::header::HOST).and_then(|host| host.to_str().ok());
        let host = host.or_else(|| parts.uri.authority().map(http::uri::Authority::as_str));
        let target = Target::read(host, parts.uri.path())?;
        let query = Query::read(parts.uri.query().unwrap_or_default())?;
        let raw_path = parts.uri.path().to_owned();
        let is_bucket_in_host = host.is_some_and(is_bucket_host);
        Ok(Self { method: parts.method, raw_path, query, headers: parts.headers, target, is_bucket_in_host })
    }

    /// The put that a form stands for: of a key, with headers that its fields say. Of the form's own headers it has
    /// those that tell who sends it.
    pub(crate) fn of_form(&self, key: &str, mut headers: HeaderMap) -> Self {
        for name in [HOST, REFERER, USER_AGENT] {
            if let Some(value) = self.headers.get(&name) {
                headers.insert(name, value.clone());
            }
        }
        let target = Target { bucket: self.target.bucket.clone(), key: Some(key.to_owned()) };
        let (method, query) = (self.method.clone(), self.query.clone());
        Self { method, raw_path: self.raw_path.clone(), query, headers, target, ..*self }
    }

    pub(crate) fn method(&self) -> &Method {
        &self.method
    }

    /// The path as it was sent.
    pub(crate) fn raw_path(&self) -> &str {
        &self.raw_path
    }

    pub(crate) fn query(&self) -> &Query {
        &self.query
    }

    pub(crate) fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    pub(crate) fn headers_mut(&mut self) -> &mut HeaderMap {
        &mut self.headers
    }

    pub(crate) fn target(&self) -> &Target {
        &self.target
    }

    /// Whether the bucket is named by the host and not by the path.
    pub(crate) fn is_bucket_in_host(&self) -> bool {
        self.is_bucket_in_host
    }

    /// The first value of a header, when it is ASCII text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The bucket.
    ///
    /// # Errors
    /// `InvalidBucketName` when the request names none; routing asks only where one is there.
    pub(crate) fn bucket(&self) -> S3Result<&str> {
        self.target.bucket.as_deref().ok_or_else(|| Code::InvalidBucketName.into())
    }

    /// The key.
    ///
    /// # Errors
    /// `InvalidURI` when the request names none; routing asks only where one is there.
    pub(crate) fn key(&self) -> S3Result<&str> {
        self.target.key.as_deref().ok_or_else(|| Code::InvalidURI.into())
    }

    /// A header that must be a whole number.
    ///
    /// # Errors
    /// `InvalidArgument` when it is none.
    pub(crate) fn number_header(&self, name: &str) -> S3Result<Option<u64>> {
        let wrong = |text: &str| S3Error::argument(name, text, format!("{name} must be a whole number"));
        self.header(name).map(|text| text.trim().parse().map_err(|_| wrong(text))).transpose()
    }
}

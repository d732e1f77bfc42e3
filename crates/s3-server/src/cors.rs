use http::{HeaderMap, HeaderValue, Method, StatusCode};

use crate::answer::{self, Answer};

/// Which browsers of other origins may read answers, for all buckets alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CorsRules {
    /// Origins such as `http://localhost:5173`; `*` is any.
    pub allowed_origins: Vec<String>,
    /// Methods that may be asked for.
    pub allowed_methods: Vec<String>,
    /// Request headers that may be sent; `*` is any.
    pub allowed_headers: Vec<String>,
    /// Response headers that scripts may read.
    pub exposed_headers: Vec<String>,
    /// For how long a browser may remember an answer, in seconds.
    pub max_age_s: u64,
    /// Whether cookies and the like may be sent. Then the origin is answered by name, never as `*`.
    pub allow_credentials: bool,
}

impl CorsRules {
    /// The answer to a browser's question before the request; `None` when the request is none.
    pub(crate) fn preflight(&self, method: &Method, headers: &HeaderMap) -> Option<Answer> {
        let asked = headers.get("access-control-request-method")?.to_str().ok()?;
        if method != Method::OPTIONS || !headers.contains_key("origin") {
            return None;
        }
        let wanted: Vec<&str> = headers
            .get("access-control-request-headers")
            .and_then(|value| value.to_str().ok())
            .map_or_else(Vec::new, |names| names.split(',').map(str::trim).filter(|name| !name.is_empty()).collect());
        let allowed = self.allows_method(asked) && wanted.iter().all(|name| self.allows_header(name));
        let origin = headers.get("origin").filter(|origin| allowed && self.answered_origin(origin).is_some());
        let Some(origin) = origin else {
            return Some(answer::empty(StatusCode::FORBIDDEN));
        };
        let mut answer = answer::empty(StatusCode::NO_CONTENT);
        self.open(&mut answer, origin);
        answer::set(&mut answer, "access-control-allow-methods", self.allowed_methods.join(", "));
        if !wanted.is_empty() {
            answer::set(&mut answer, "access-control-allow-headers", wanted.join(", "));
        }
        answer::set(&mut answer, "access-control-max-age", self.max_age_s.to_string());
        Some(answer)
    }

    /// Lets the page that sent a request read its answer, if its origin may.
    pub(crate) fn open(&self, answer: &mut Answer, origin: &HeaderValue) {
        let Some(origin) = self.answered_origin(origin) else { return };
        let any = origin == "*";
        answer.headers_mut().insert("access-control-allow-origin", origin);
        if !any {
            answer.headers_mut().append("vary", HeaderValue::from_static("Origin"));
        }
        if self.allow_credentials {
            answer::set(answer, "access-control-allow-credentials", "true");
        }
        if !self.exposed_headers.is_empty() {
            answer::set(answer, "access-control-expose-headers", self.exposed_headers.join(", "));
        }
    }

    fn answered_origin(&self, origin: &HeaderValue) -> Option<HeaderValue> {
        let any = self.allowed_origins.iter().any(|allowed| allowed == "*");
        if any && !self.allow_credentials {
            return Some(HeaderValue::from_static("*"));
        }
        let named = self.allowed_origins.iter().any(|allowed| allowed.as_bytes() == origin.as_bytes());
        (any || named).then(|| origin.clone())
    }

    fn allows_method(&self, method: &str) -> bool {
        self.allowed_methods.iter().any(|allowed| allowed == "*" || allowed.eq_ignore_ascii_case(method))
    }

    fn allows_header(&self, name: &str) -> bool {
        self.allowed_headers.iter().any(|allowed| allowed == "*" || allowed.eq_ignore_ascii_case(name))
    }
}

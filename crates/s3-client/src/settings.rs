//! How to reach an S3 endpoint.

use std::fmt;

/// The keys that sign requests. `Debug` hides the secrets.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The access key's id.
    pub access_key_id: String,
    /// The access key's secret.
    pub secret_access_key: String,
    /// The token of temporary credentials.
    pub session_token: Option<String>,
}

impl Credentials {
    /// Long-lived credentials.
    pub fn new(access_key_id: impl Into<String>, secret_access_key: impl Into<String>) -> Self {
        Self { access_key_id: access_key_id.into(), secret_access_key: secret_access_key.into(), session_token: None }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("access_key_id", &self.access_key_id).finish_non_exhaustive()
    }
}

/// How long a request may take. Milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// To connect, TLS included. Default 5,000.
    pub connect_ms: u64,
    /// For one attempt, up to the head of the answer. Default 60,000.
    pub attempt_ms: u64,
    /// For all attempts together. Default 180,000.
    pub operation_ms: u64,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect_ms: 5_000, attempt_ms: 60_000, operation_ms: 180_000 }
    }
}

/// When uploads carry a checksum that the server verifies, and downloads are verified against one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ChecksumMode {
    /// Whenever the operation knows one (CRC-32, in a header, never in a trailer). The default.
    #[default]
    WhenSupported,
    /// Only where S3 demands one; for endpoints that refuse the newer checksum headers.
    WhenRequired,
}

/// How to reach an endpoint, and how hard to try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientSettings {
    /// The region that signatures name. Default `us-east-1`.
    pub region: String,
    /// `http://` or `https://` URL, with a base path if need be. Default: AWS in the region.
    pub endpoint: Option<String>,
    /// `endpoint/bucket/key` instead of `bucket.endpoint/key`. Default: true when an endpoint is given.
    pub force_path_style: Option<bool>,
    /// What signs requests; `None` sends them unsigned, or finds it.
    pub credentials: Option<Credentials>,
    /// Without `credentials`: find them as the AWS SDKs do (environment, profile, web identity, container, instance),
    /// when the first request is signed, and again before they expire. Default false.
    pub find_credentials: bool,
    /// How often a request is tried in all, conditional writes excepted (once). Default 3, at least 1.
    pub max_attempts: u32,
    /// Deadlines.
    pub timeouts: Timeouts,
    /// Most requests in flight for one upload or one bulk delete. Default 4, at least 1.
    pub concurrency: usize,
    /// When to send checksums. Default [`ChecksumMode::WhenSupported`].
    pub checksums: ChecksumMode,
}

impl Default for ClientSettings {
    fn default() -> Self {
        Self {
            region: "us-east-1".to_owned(),
            endpoint: None,
            force_path_style: None,
            credentials: None,
            find_credentials: false,
            max_attempts: 3,
            timeouts: Timeouts::default(),
            concurrency: 4,
            checksums: ChecksumMode::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_has_no_secret() {
        let mut credentials = Credentials::new("AKID", "hush");
        credentials.session_token = Some("whisper".to_owned());
        let shown = format!("{:?}", ClientSettings { credentials: Some(credentials), ..Default::default() });
        assert!(shown.contains("AKID") && !shown.contains("hush") && !shown.contains("whisper"), "{shown}");
    }
}

//! How to reach an S3 endpoint, as JavaScript says it.

use holdfast_s3_client::{ChecksumMode, ClientSettings, Credentials, Timeouts};
use napi_derive::napi;

/// How to reach an S3 endpoint. What is absent takes the client's default.
#[napi(object)]
pub struct S3SettingsData {
    /// The region.
    pub region: Option<String>,
    /// The endpoint's URL.
    pub endpoint: Option<String>,
    /// Whether the bucket is in the path.
    pub force_path_style: Option<bool>,
    /// The access key's id; unsigned requests without it.
    pub access_key_id: Option<String>,
    /// The access key's secret.
    pub secret_access_key: Option<String>,
    /// The token of temporary credentials.
    pub session_token: Option<String>,
    /// Without an access key: find credentials as the AWS SDKs do.
    pub find_credentials: Option<bool>,
    /// How often a request is tried in all.
    pub max_attempts: Option<u32>,
    /// Milliseconds to connect.
    pub connect_timeout_ms: Option<u32>,
    /// Milliseconds for one attempt.
    pub attempt_timeout_ms: Option<u32>,
    /// Milliseconds for all attempts together.
    pub operation_timeout_ms: Option<u32>,
    /// Checksums only where S3 demands them.
    pub checksums_when_required: Option<bool>,
}

impl From<S3SettingsData> for ClientSettings {
    fn from(data: S3SettingsData) -> Self {
        let plain = ClientSettings::default();
        let credentials = data.access_key_id.map(|id| {
            let keys = Credentials::new(id, data.secret_access_key.unwrap_or_default());
            Credentials { session_token: data.session_token, ..keys }
        });
        let or = |given: Option<u32>, default: u64| given.map_or(default, u64::from);
        let timeouts = Timeouts {
            connect_ms: or(data.connect_timeout_ms, plain.timeouts.connect_ms),
            attempt_ms: or(data.attempt_timeout_ms, plain.timeouts.attempt_ms),
            operation_ms: or(data.operation_timeout_ms, plain.timeouts.operation_ms),
        };
        let checksums = match data.checksums_when_required {
            Some(true) => ChecksumMode::WhenRequired,
            _ => plain.checksums,
        };
        Self {
            region: data.region.unwrap_or(plain.region),
            endpoint: data.endpoint,
            force_path_style: data.force_path_style,
            credentials,
            find_credentials: data.find_credentials.unwrap_or(false),
            max_attempts: data.max_attempts.unwrap_or(plain.max_attempts),
            timeouts,
            checksums,
            concurrency: plain.concurrency,
        }
    }
}

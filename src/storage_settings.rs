//! What the S3 server is started with. `lib/storage` has checked every setting before.

use holdfast_base::{Error, ErrorKind, Result};
use holdfast_s3_server::{CorsRules, Credential, Durability, ServerSettings, TlsSettings};
use napi_derive::napi;

use crate::log_sink::log_to_stderr;

/// A pair of keys.
#[napi(object, object_to_js = false)]
pub struct StorageCredential {
    /// The public half.
    pub access_key_id: String,
    /// The secret half.
    pub secret_access_key: String,
    /// The id that ACLs and policies name its holder by.
    pub canonical_id: Option<String>,
    /// The name that answers show.
    pub display_name: Option<String>,
    /// The address by which grants may name its holder.
    pub email: Option<String>,
}

/// Answers to browsers of other origins.
#[napi(object, object_to_js = false)]
pub struct StorageCors {
    /// Origins, `*` for any.
    pub allowed_origins: Vec<String>,
    /// Methods.
    pub allowed_methods: Vec<String>,
    /// Request headers, `*` for any.
    pub allowed_headers: Vec<String>,
    /// Response headers that scripts may read.
    pub exposed_headers: Vec<String>,
    /// In seconds.
    pub max_age_s: i64,
    /// Whether cookies may be sent.
    pub allow_credentials: bool,
}

/// Every setting of a server.
#[napi(object, object_to_js = false)]
pub struct StorageSettings {
    /// The folder of the buckets, absolute.
    pub directory: String,
    /// Keeps everything in memory instead, at most so many bytes.
    pub max_memory_bytes: Option<i64>,
    /// Whether to empty it first.
    pub clean_slate: bool,
    /// Whether each write is synced.
    pub is_durable_on_disk: bool,
    /// An IP address.
    pub address: String,
    /// 0 takes a free one.
    pub port: u16,
    /// The region of signatures.
    pub region: String,
    /// Whether requests must be signed.
    pub auth_enabled: bool,
    /// Who may sign.
    pub credentials: Vec<StorageCredential>,
    /// `undefined` answers no other origin.
    pub cors: Option<StorageCors>,
    /// In bytes.
    pub max_object_bytes: i64,
    /// In bytes.
    pub max_metadata_bytes: u32,
    /// In milliseconds.
    pub request_timeout_ms: i64,
    /// In milliseconds.
    pub upload_expiration_ms: i64,
    /// In milliseconds.
    pub upload_cleanup_interval_ms: i64,
    /// How long a day of lifecycle rules is, in milliseconds.
    pub lifecycle_day_ms: i64,
    /// In milliseconds.
    pub idle_timeout_ms: i64,
    /// At once.
    pub max_connections: u32,
    /// In bytes.
    pub max_head_bytes: u32,
    /// Speaks TLS with a self-made certificate.
    pub has_self_made_tls: bool,
    /// Speaks TLS with this one, PEM.
    pub tls_certificate: Option<String>,
    /// Its key, PEM.
    pub tls_key: Option<String>,
    /// Whether `/_health` is answered.
    pub answers_health: bool,
    /// Whether `/_metrics` is answered.
    pub answers_metrics: bool,
    /// Whether `/_console/` is served.
    pub serves_console: bool,
    /// Made at start.
    pub buckets: Vec<String>,
    /// `error`, `warn`, `info` or `debug`; `undefined` logs nothing.
    pub log_level: Option<String>,
    /// Whether lines are JSON.
    pub log_is_json: bool,
}

/// The same, as the server takes it.
pub(crate) fn server_settings(settings: StorageSettings) -> Result<ServerSettings> {
    let address = settings.address.parse().map_err(|_| {
        let message = format!("server.address {:?} is not an IP address", settings.address);
        Error::new(ErrorKind::Config, "INVALID_SETTING", message).with("setting", "server.address")
    })?;
    let tls = match (settings.tls_certificate, settings.tls_key) {
        (Some(certificate), Some(key)) => Some(TlsSettings::Given { certificate, key }),
        _ => settings.has_self_made_tls.then_some(TlsSettings::SelfMade),
    };
    let durability = if settings.is_durable_on_disk { Durability::Disk } else { Durability::Process };
    Ok(ServerSettings {
        max_memory_bytes: settings.max_memory_bytes.map(i64::unsigned_abs),
        clean_slate: settings.clean_slate,
        durability,
        address,
        port: settings.port,
        region: settings.region,
        auth_enabled: settings.auth_enabled,
        credentials: settings.credentials.into_iter().map(Credential::from).collect(),
        cors: settings.cors.map(CorsRules::from),
        max_object_bytes: settings.max_object_bytes.unsigned_abs(),
        max_metadata_bytes: settings.max_metadata_bytes as usize,
        request_timeout_ms: settings.request_timeout_ms.unsigned_abs(),
        upload_expiration_ms: settings.upload_expiration_ms.unsigned_abs(),
        upload_cleanup_interval_ms: settings.upload_cleanup_interval_ms.unsigned_abs(),
        lifecycle_day_ms: settings.lifecycle_day_ms.unsigned_abs(),
        idle_timeout_ms: settings.idle_timeout_ms.unsigned_abs(),
        max_connections: settings.max_connections as usize,
        max_head_bytes: settings.max_head_bytes as usize,
        tls,
        answers_health: settings.answers_health,
        answers_metrics: settings.answers_metrics,
        serves_console: settings.serves_console,
        buckets: settings.buckets,
        log: Some(log_to_stderr(settings.log_level.as_deref(), settings.log_is_json)),
        ..ServerSettings::new(settings.directory)
    })
}

impl From<StorageCredential> for Credential {
    fn from(pair: StorageCredential) -> Self {
        let StorageCredential { access_key_id, secret_access_key, canonical_id, display_name, email } = pair;
        Self { access_key_id, secret_access_key, canonical_id, display_name, email }
    }
}

impl From<StorageCors> for CorsRules {
    fn from(cors: StorageCors) -> Self {
        Self {
            allowed_origins: cors.allowed_origins,
            allowed_methods: cors.allowed_methods,
            allowed_headers: cors.allowed_headers,
            exposed_headers: cors.exposed_headers,
            max_age_s: cors.max_age_s.unsigned_abs(),
            allow_credentials: cors.allow_credentials,
        }
    }
}

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::sync::Arc;

use holdfast_base::{Clock, SystemClock};
use tracing::Dispatch;

use crate::cors::CorsRules;
use crate::engine::Durability;
use crate::lifecycle::DAY_MS;
use crate::tls::TlsSettings;

/// A pair of keys that may sign requests. Its secret is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
    /// The public half.
    pub access_key_id: String,
    /// The secret half.
    pub secret_access_key: String,
    /// The id of the account that its holder belongs to. Without one that is the first credential's, the server's own.
    pub canonical_id: Option<String>,
    /// The name of that account in answers. Without one it is the access key.
    pub display_name: Option<String>,
    /// The address by which grants may name that account.
    pub email: Option<String>,
}

impl Credential {
    /// A pair of keys, and nothing more known of its holder.
    pub fn new(access_key_id: impl Into<String>, secret_access_key: impl Into<String>) -> Self {
        Self {
            access_key_id: access_key_id.into(),
            secret_access_key: secret_access_key.into(),
            canonical_id: None,
            display_name: None,
            email: None,
        }
    }
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credential").field("access_key_id", &self.access_key_id).finish_non_exhaustive()
    }
}

/// What a server is started with.
#[derive(Clone)]
pub struct ServerSettings {
    /// The folder that holds the buckets; made when missing.
    pub directory: PathBuf,
    /// Keeps everything in memory, at most so many bytes of objects and parts, and nothing in `directory`.
    /// Default `None`.
    pub max_memory_bytes: Option<u64>,
    /// Empties the folder's data before the start. Default false.
    pub clean_slate: bool,
    /// What an acknowledged write survives. Default: the process being killed.
    pub durability: Durability,
    /// Where to listen. Default `127.0.0.1`.
    pub address: IpAddr,
    /// Which port; 0, the default, takes a free one.
    pub port: u16,
    /// The region that signatures must name. Default `us-east-1`.
    pub region: String,
    /// Whether requests must be signed. Default false: signatures are neither needed nor checked.
    pub auth_enabled: bool,
    /// Who may sign. Default one pair, `STORAGE` / `STORAGE`.
    pub credentials: Vec<Credential>,
    /// Answers to browsers of other origins; `None`, the default, answers none.
    pub cors: Option<CorsRules>,
    /// The largest object put in one request, in bytes. Default 5 GiB.
    pub max_object_bytes: u64,
    /// The most user metadata of an object: names and values together, in bytes. Default 2,048.
    pub max_metadata_bytes: usize,
    /// The time that a request may take until its answer begins, in milliseconds. Default 300,000.
    pub request_timeout_ms: u64,
    /// How long a client may send or take nothing, in milliseconds: in a request's head and body, in an answer, and
    /// between two requests. Default 60,000.
    pub idle_timeout_ms: u64,
    /// The most connections at once; more wait to be accepted. Default 10,000.
    pub max_connections: usize,
    /// The largest head of a request, in bytes; at least 8,192. Default 65,536.
    pub max_head_bytes: usize,
    /// Speaks TLS. Default `None`: plain HTTP.
    pub tls: Option<TlsSettings>,
    /// Whether `GET /_health` is answered to everybody. Default false.
    pub answers_health: bool,
    /// Whether `GET /_metrics` is answered to everybody. Default false.
    pub answers_metrics: bool,
    /// Whether the console is served at `/_console/`. Default false.
    pub serves_console: bool,
    /// The least size of a part that isn't the last, in bytes. Default 5 MiB.
    pub min_part_bytes: u64,
    /// Buckets that are made at start unless they exist. Default none.
    pub buckets: Vec<String>,
    /// Uploads in parts that were begun longer ago are aborted, in milliseconds. Default 7 days.
    pub upload_expiration_ms: u64,
    /// How often such uploads are looked for, in milliseconds. Default one hour.
    pub upload_cleanup_interval_ms: u64,
    /// How long a day of lifecycle rules is, in milliseconds; shorter ones are for tests. Default a real day, which
    /// ends at midnight UTC.
    pub lifecycle_day_ms: u64,
    /// Where this server's log goes. Default: to the subscriber of whoever starts it.
    pub log: Option<Dispatch>,
    /// Where the time comes from. Default the machine's clock.
    pub clock: Arc<dyn Clock>,
}

impl ServerSettings {
    /// What its URLs begin with.
    pub(crate) fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }

    /// The defaults for a folder.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: directory.into(),
            max_memory_bytes: None,
            clean_slate: false,
            durability: Durability::default(),
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 0,
            region: "us-east-1".into(),
            auth_enabled: false,
            credentials: vec![Credential::new("STORAGE", "STORAGE")],
            cors: None,
            max_object_bytes: 5 << 30,
            max_metadata_bytes: 2048,
            request_timeout_ms: 300_000,
            idle_timeout_ms: 60_000,
            max_connections: 10_000,
            max_head_bytes: 64 << 10,
            tls: None,
            answers_health: false,
            answers_metrics: false,
            serves_console: false,
            min_part_bytes: 5 << 20,
            buckets: Vec::new(),
            upload_expiration_ms: 7 * 24 * 60 * 60 * 1000,
            upload_cleanup_interval_ms: 60 * 60 * 1000,
            lifecycle_day_ms: DAY_MS,
            log: None,
            clock: Arc::new(SystemClock),
        }
    }
}

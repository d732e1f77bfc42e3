//! Which adapter, and how it is set.

use std::path::PathBuf;
use std::sync::Arc;

use holdfast_base::{Clock, Error, ErrorKind, Result};
use holdfast_s3_client::{ClientSettings, Credentials};
use holdfast_sqlite::Synchronous;
use serde::Deserialize;

use crate::Adapter;
use crate::adapters::memory::Memory;
use crate::adapters::p2p::{P2p, P2pSettings};
use crate::adapters::postgres::Postgres;
use crate::adapters::s3::S3;
use crate::adapters::sqlite::Sqlite;

/// One adapter with its settings.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "adapter", rename_all = "lowercase")]
pub enum Settings {
    /// In memory.
    Memory,
    /// In a SQLite file.
    Sqlite(SqliteSettings),
    /// In a bucket.
    S3(S3Settings),
    /// In a SQLite file, among peers.
    P2p(P2pSettings),
    /// In a PostgreSQL database.
    Postgres(PostgresSettings),
}

/// Settings of the S3 adapter; what is left out has the default of [`ClientSettings`].
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct S3Settings {
    /// The bucket.
    pub bucket: String,
    /// The region.
    pub region: Option<String>,
    /// The endpoint's URL.
    pub endpoint: Option<String>,
    /// Whether the bucket is in the path.
    pub force_path_style: Option<bool>,
    /// What signs requests.
    pub credentials: Option<S3Credentials>,
    /// What every key in the bucket begins with.
    #[serde(default)]
    pub prefix: String,
    /// Where records, kv and events lie, behind the prefix.
    #[serde(default)]
    pub prefixes: S3Prefixes,
    /// How large uploads are cut.
    #[serde(default)]
    pub multipart: S3Multipart,
}

impl std::fmt::Debug for S3Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("S3Settings").field("bucket", &self.bucket).field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

/// Keys of an account. Not `Debug`: it holds secrets.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct S3Credentials {
    /// The public half.
    pub access_key_id: String,
    /// The secret half.
    pub secret_access_key: String,
    /// Of temporary credentials.
    pub session_token: Option<String>,
}

/// Where records, kv and events lie.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct S3Prefixes {
    /// Default `.persist/records/`.
    pub records: Option<String>,
    /// Default `.persist/kv/`.
    pub kv: Option<String>,
    /// Default `.persist/events/`.
    pub events: Option<String>,
}

/// How large uploads are cut.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct S3Multipart {
    /// A part's size in bytes: 5 MiB to 5 GiB. Default 8 MiB.
    pub part_size: Option<usize>,
    /// Parts in flight: 1 to 64. Default 4.
    pub concurrency: Option<usize>,
}

/// Settings of the PostgreSQL adapter. What `connection` and `connectionString` both say must be the same.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PostgresSettings {
    /// Where the server is.
    pub connection: Option<PostgresConnection>,
    /// The same as a URL; `sslmode` and `sslrootcert` are understood.
    pub connection_string: Option<String>,
    /// How many connections.
    #[serde(default)]
    pub pool: PostgresPool,
    /// The schema, made when missing. Default `persist`.
    pub schema: Option<String>,
}

impl std::fmt::Debug for PostgresSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostgresSettings").field("schema", &self.schema).finish_non_exhaustive()
    }
}

/// Where a PostgreSQL server is. Not `Debug`: it holds a password.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PostgresConnection {
    /// A name, an address, or the folder of a socket. Default `localhost`.
    pub host: Option<String>,
    /// Default 5432.
    pub port: Option<u16>,
    /// Default: the user's name.
    pub database: Option<String>,
    /// Default: the name of the process's user.
    pub user: Option<String>,
    /// Its password.
    pub password: Option<String>,
    /// Default: encrypted where the server can, without a look at its certificate.
    pub ssl: Option<PostgresSsl>,
}

/// How connections are encrypted. Texts are in PEM.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PostgresSsl {
    /// Whether at all.
    pub enabled: bool,
    /// Whether the server's certificate and name are checked.
    pub verify: bool,
    /// Authorities that are believed. Default: those of the machine.
    pub ca: Option<String>,
    /// The client's own certificate, and those above it.
    pub cert: Option<String>,
    /// Its key.
    pub key: Option<String>,
}

impl PostgresSsl {
    /// Encrypted, with a certificate that an authority of the machine vouches for.
    pub fn verified() -> Self {
        Self { enabled: true, verify: true, ca: None, cert: None, key: None }
    }

    /// Encrypted, with whatever certificate.
    pub fn unverified() -> Self {
        Self { verify: false, ..Self::verified() }
    }
}

/// How many connections.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PostgresPool {
    /// 1 to 1,000. Default 10.
    pub max: Option<usize>,
}

impl S3Settings {
    /// How to reach the endpoint.
    pub(crate) fn client(&self) -> ClientSettings {
        let plain = ClientSettings::default();
        let credentials = self.credentials.as_ref().map(|given| Credentials {
            session_token: given.session_token.clone(),
            ..Credentials::new(&given.access_key_id, &given.secret_access_key)
        });
        ClientSettings {
            region: self.region.clone().unwrap_or(plain.region),
            endpoint: self.endpoint.clone(),
            force_path_style: self.force_path_style,
            credentials,
            concurrency: self.multipart.concurrency.unwrap_or(plain.concurrency),
            ..plain
        }
    }
}

/// Settings of the SQLite adapter; what is left out has the default of [`holdfast_sqlite::Settings`].
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SqliteSettings {
    /// The file.
    pub path: PathBuf,
    /// Write-ahead log.
    pub wal_mode: Option<bool>,
    /// In milliseconds.
    pub busy_timeout: Option<u32>,
    /// `off`, `normal` or `full`.
    pub synchronous: Option<String>,
    /// In bytes.
    pub journal_size_limit: Option<u64>,
    /// In KiB.
    pub cache_size: Option<u32>,
    /// In bytes.
    pub mmap_size: Option<u64>,
}

impl Settings {
    /// A SQLite file with every setting at its default.
    pub fn sqlite(path: impl Into<PathBuf>) -> Self {
        Self::Sqlite(SqliteSettings { path: path.into(), ..SqliteSettings::default() })
    }

    /// From JSON: `adapter` and its settings beside it.
    ///
    /// # Errors
    /// `Config` with code `INVALID_SETTINGS`.
    pub fn from_json(json: serde_json::Value) -> Result<Self> {
        serde_json::from_value(json).map_err(|error| {
            // Where it went wrong, not what stood there: settings hold secrets.
            let place = error.to_string();
            let place = place.split([':', ',']).next().unwrap_or("invalid").to_owned();
            Error::new(ErrorKind::Config, "INVALID_SETTINGS", format!("the adapter's settings can't be used: {place}"))
        })
    }
}

impl TryFrom<SqliteSettings> for holdfast_sqlite::Settings {
    type Error = Error;

    fn try_from(given: SqliteSettings) -> Result<Self> {
        let mut settings = Self::new(given.path);
        settings.wal = given.wal_mode.unwrap_or(settings.wal);
        settings.busy_timeout_ms = given.busy_timeout.unwrap_or(settings.busy_timeout_ms);
        settings.journal_size_limit_bytes = given.journal_size_limit.unwrap_or(settings.journal_size_limit_bytes);
        settings.cache_kib = given.cache_size.unwrap_or(settings.cache_kib);
        settings.mmap_bytes = given.mmap_size.unwrap_or(settings.mmap_bytes);
        settings.synchronous = match given.synchronous.as_deref() {
            None | Some("normal") => Synchronous::Normal,
            Some("off") => Synchronous::Off,
            Some("full") => Synchronous::Full,
            Some(other) => {
                let message = format!("synchronous is {other:?}; give \"off\", \"normal\" or \"full\"");
                return Err(Error::new(ErrorKind::Config, "INVALID_SETTINGS", message));
            }
        };
        Ok(settings)
    }
}

/// Opens the adapter. Needs an ambient tokio runtime.
///
/// # Errors
/// As the adapter's own `open`.
pub async fn open(settings: Settings, clock: Arc<dyn Clock>) -> Result<Arc<dyn Adapter>> {
    Ok(match settings {
        Settings::Memory => Arc::new(Memory::new(clock)),
        Settings::Sqlite(settings) => {
            let settings = settings.try_into()?;
            // Opening may wait for another process's lock: not on a thread that others need.
            let opened = tokio::task::spawn_blocking(move || Sqlite::open(&settings, clock)).await;
            Arc::new(opened.map_err(|error| Error::internal(error.to_string()))??)
        }
        Settings::S3(settings) => Arc::new(S3::open(&settings, clock).await?),
        Settings::P2p(settings) => Arc::new(P2p::open(settings, clock).await?),
        Settings::Postgres(settings) => Arc::new(Postgres::open(&settings, clock).await?),
    })
}

//! A client to one endpoint; cheap to clone.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{
    BehaviorVersion, Region, RequestChecksumCalculation, ResponseChecksumValidation, SharedHttpClient,
};
use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};
use aws_smithy_http_client::{Builder as HttpBuilder, tls};
use holdfast_base::{Error, ErrorKind, Result};

use crate::failure::{Failing, s3_code};
use crate::found_credentials::FoundCredentials;
use crate::{Bucket, ChecksumMode, ClientSettings, RequestStats, Timeouts};

/// A client to one endpoint with one set of credentials. Clones share its connections and its counts.
#[derive(Clone, Debug)]
pub struct Client {
    pub(crate) sdk: aws_sdk_s3::Client,
    pub(crate) settings: Arc<ClientSettings>,
    stats: RequestStats,
}

impl Client {
    /// Makes a client; sends nothing.
    ///
    /// # Errors
    /// `Config` with code `INVALID_ENDPOINT` or `INVALID_REGION`.
    pub fn new(settings: ClientSettings) -> Result<Self> {
        let stats = RequestStats::default();
        let config = sdk_config(&settings)?.interceptor(stats.clone()).build();
        Ok(Self { sdk: aws_sdk_s3::Client::from_conf(config), settings: Arc::new(settings), stats })
    }

    /// A bucket, of which only keys that start with `prefix` are seen; `""` for all. Sends nothing.
    ///
    /// # Errors
    /// `Config` with code `INVALID_BUCKET_NAME` when the name is empty or holds a slash.
    pub fn bucket(&self, name: &str, prefix: &str) -> Result<Bucket> {
        if name.is_empty() || name.contains(['/', ' ']) {
            let message = format!("{name:?} can't name a bucket; give 3 to 63 small letters, digits, dots or hyphens");
            return Err(Error::new(ErrorKind::Config, "INVALID_BUCKET_NAME", message));
        }
        Ok(Bucket::new(self.clone(), name, prefix))
    }

    /// Whether a bucket is there.
    ///
    /// # Errors
    /// `Connection` (code `ACCESS_DENIED` when the credentials are refused), `Timeout`.
    pub async fn bucket_exists(&self, name: &str) -> Result<bool> {
        match self.sdk.head_bucket().bucket(name).send().await {
            Ok(_) => Ok(true),
            Err(error) => match Failing::new("HeadBucket", name, None).error(&error) {
                error if error.kind() == ErrorKind::NotFound => Ok(false),
                error => Err(error),
            },
        }
    }

    /// Makes a bucket in the client's region; true when it is new, false when it was already ours.
    ///
    /// # Errors
    /// `Conflict` with code `BUCKET_EXISTS` when it belongs to somebody else, `Validation` with code
    /// `INVALID_BUCKET_NAME`, `Connection`, `Timeout`.
    pub async fn create_bucket(&self, name: &str) -> Result<bool> {
        let region = self.settings.region.as_str();
        let elsewhere = !matches!(region, "us-east-1" | "auto");
        let place = elsewhere.then(|| {
            let constraint = BucketLocationConstraint::from(region);
            CreateBucketConfiguration::builder().location_constraint(constraint).build()
        });
        match self.sdk.create_bucket().bucket(name).set_create_bucket_configuration(place).send().await {
            Ok(_) => Ok(true),
            Err(error) if s3_code(&error) == Some("BucketAlreadyOwnedByYou") => Ok(false),
            Err(error) => Err(Failing::new("CreateBucket", name, None).error(&error)),
        }
    }

    /// How long requests may take.
    pub fn timeouts(&self) -> Timeouts {
        self.settings.timeouts
    }

    /// The requests that this client and its clones sent.
    pub fn stats(&self) -> &RequestStats {
        &self.stats
    }
}

fn sdk_config(settings: &ClientSettings) -> Result<aws_sdk_s3::config::Builder> {
    if settings.region.is_empty() {
        let message = "the region is empty; give one such as us-east-1, or auto for R2";
        return Err(Error::new(ErrorKind::Config, "INVALID_REGION", message));
    }
    let mut config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(settings.region.clone()))
        .force_path_style(settings.force_path_style.unwrap_or(settings.endpoint.is_some()))
        .retry_config(retry_config(settings))
        .timeout_config(timeout_config(settings))
        .http_client(http_client())
        // Bodies are chunks in memory, so they carry their checksum in a header and never need a trailer.
        .request_checksum_calculation(match settings.checksums {
            ChecksumMode::WhenSupported => RequestChecksumCalculation::WhenSupported,
            ChecksumMode::WhenRequired => RequestChecksumCalculation::WhenRequired,
        })
        .response_checksum_validation(match settings.checksums {
            ChecksumMode::WhenSupported => ResponseChecksumValidation::WhenSupported,
            ChecksumMode::WhenRequired => ResponseChecksumValidation::WhenRequired,
        });
    if let Some(endpoint) = &settings.endpoint {
        config = config.endpoint_url(checked_endpoint(endpoint)?);
    }
    Ok(match &settings.credentials {
        Some(keys) => config.credentials_provider(aws_credential_types::Credentials::new(
            &keys.access_key_id,
            &keys.secret_access_key,
            keys.session_token.clone(),
            None,
            "holdfast",
        )),
        None if settings.find_credentials => {
            config.credentials_provider(FoundCredentials::new(&settings.region, http_client()))
        }
        None => config.allow_no_auth(),
    })
}

fn checked_endpoint(endpoint: &str) -> Result<String> {
    let uri = endpoint.parse::<http::Uri>().ok();
    let usable = uri.is_some_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some() && uri.query().is_none()
    });
    if usable {
        // The SDK appends the bucket to a base path as it stands, so the path has to end in a slash.
        return Ok(format!("{}/", endpoint.trim_end_matches('/')));
    }
    let message = format!("endpoint {endpoint:?} is not a URL such as https://s3.example.com or http://127.0.0.1:9000");
    Err(Error::new(ErrorKind::Config, "INVALID_ENDPOINT", message))
}

fn retry_config(settings: &ClientSettings) -> RetryConfig {
    RetryConfig::standard()
        .with_max_attempts(settings.max_attempts.max(1))
        .with_initial_backoff(Duration::from_millis(100))
        .with_max_backoff(Duration::from_secs(5))
}

fn timeout_config(settings: &ClientSettings) -> TimeoutConfig {
    let Timeouts { connect_ms, attempt_ms, operation_ms } = settings.timeouts;
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_millis(connect_ms))
        .read_timeout(Duration::from_millis(attempt_ms))
        .operation_attempt_timeout(Duration::from_millis(attempt_ms))
        .operation_timeout(Duration::from_millis(operation_ms))
        .build()
}

/// TLS by rustls on ring: neither cmake nor a C library is needed to build it.
fn http_client() -> SharedHttpClient {
    HttpBuilder::new().tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring)).build_https()
}

//! Presigned URLs.

use std::time::Duration;

use aws_sdk_s3::presigning::PresigningConfig;
use holdfast_base::{Error, ErrorKind, Result};

use crate::Bucket;

/// What a presigned URL may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PresignMethod {
    /// Read the object.
    Get,
    /// Write the object.
    Put,
}

impl Bucket {
    /// A URL with which anybody may do one thing to one object until it expires: 1 second to 7 days.
    ///
    /// # Errors
    /// `Validation` with code `INVALID_EXPIRY`, `Config` with code `CREDENTIALS_MISSING`.
    pub async fn presign(&self, key: &str, method: PresignMethod, expires_s: u64) -> Result<String> {
        if self.client.settings.credentials.is_none() {
            let message = "a presigned URL needs credentials to sign with; give the client some";
            return Err(Error::new(ErrorKind::Config, "CREDENTIALS_MISSING", message));
        }
        let config = PresigningConfig::expires_in(Duration::from_secs(expires_s)).ok().filter(|_| expires_s > 0);
        let Some(config) = config else {
            let message = format!("a presigned URL can't last {expires_s} seconds; give 1 to 604,800");
            return Err(Error::new(ErrorKind::Validation, "INVALID_EXPIRY", message));
        };
        let sdk = &self.client.sdk;
        let (name, full) = (self.name(), self.full_key(key));
        let signed = match method {
            PresignMethod::Get => sdk
                .get_object()
                .bucket(name)
                .key(full)
                .presigned(config)
                .await
                .map_err(|error| self.failing("GetObject", key).error(&error))?,
            PresignMethod::Put => sdk
                .put_object()
                .bucket(name)
                .key(full)
                .presigned(config)
                .await
                .map_err(|error| self.failing("PutObject", key).error(&error))?,
        };
        Ok(signed.uri().to_owned())
    }
}

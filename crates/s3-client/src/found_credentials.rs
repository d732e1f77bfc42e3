//! Credentials that nobody gave, found where the AWS SDKs look for them.

use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::provider::{ProvideCredentials, future};
use aws_sdk_s3::config::{Region, SharedHttpClient};
use tokio::sync::OnceCell;

/// The AWS SDKs' chain: environment, profile files, web identity, the container's endpoint, the instance's. It is
/// made when the first request is signed, since making a client sends and reads nothing; the SDK keeps what it
/// finds until shortly before it expires.
#[derive(Debug)]
pub(crate) struct FoundCredentials {
    region: Region,
    http_client: SharedHttpClient,
    chain: OnceCell<DefaultCredentialsChain>,
}

impl FoundCredentials {
    /// `http_client` is what asks the endpoints of web identity, containers and instances.
    pub(crate) fn new(region: &str, http_client: SharedHttpClient) -> Self {
        Self { region: Region::new(region.to_owned()), http_client, chain: OnceCell::new() }
    }

    async fn chain(&self) -> &DefaultCredentialsChain {
        let make = || {
            let config = ProviderConfig::default()
                .with_region(Some(self.region.clone()))
                .with_http_client(self.http_client.clone());
            DefaultCredentialsChain::builder().configure(config).build()
        };
        self.chain.get_or_init(make).await
    }
}

impl ProvideCredentials for FoundCredentials {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async { self.chain().await.provide_credentials().await })
    }
}

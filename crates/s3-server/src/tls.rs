//! TLS: with a certificate that was given, or a self-made one.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use holdfast_base::{Error, ErrorKind, Result};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use time::OffsetDateTime;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;

/// How long a self-made certificate is valid before and after it is made.
const VALID_BEFORE: Duration = Duration::from_secs(24 * 60 * 60);
const VALID_AFTER: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Whose certificate a server shows.
#[derive(Clone)]
pub enum TlsSettings {
    /// One that is made at the start, for `localhost`, every name below it, the loopback addresses and the address
    /// that the server listens on. It is issued by an authority of its own, which signs nothing else.
    SelfMade,
    /// One that is given.
    Given {
        /// The certificate and those between it and its authority, PEM.
        certificate: String,
        /// Its private key, PEM. Never shown.
        key: String,
    },
}

impl std::fmt::Debug for TlsSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::SelfMade => "SelfMade",
            Self::Given { .. } => "Given",
        })
    }
}

/// What a server speaks TLS with.
pub(crate) struct Tls {
    pub(crate) acceptor: TlsAcceptor,
    /// What a client has to trust, PEM.
    pub(crate) authority: String,
}

impl Tls {
    /// # Errors
    /// `INVALID_CERTIFICATE`, when what was given is none, or does not belong together.
    pub(crate) fn new(settings: &TlsSettings, address: IpAddr) -> Result<Self> {
        match settings {
            TlsSettings::SelfMade => {
                let made = self_made(address).map_err(|error| Error::internal(format!("no certificate: {error}")))?;
                Self::of(&made.chain, &made.key, made.authority)
            }
            TlsSettings::Given { certificate, key } => Self::of(certificate, key, certificate.clone()),
        }
    }

    fn of(chain: &str, key: &str, authority: String) -> Result<Self> {
        let chain: Vec<_> = CertificateDer::pem_slice_iter(chain.as_bytes())
            .collect::<std::result::Result<_, _>>()
            .map_err(|error| invalid("certificate", &error.to_string()))?;
        if chain.is_empty() {
            return Err(invalid("certificate", "there is no BEGIN CERTIFICATE in it"));
        }
        // The error is not shown: it must not tell anything of the key.
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes())
            .map_err(|_| invalid("key", "it is no private key in PEM (PKCS #8, PKCS #1 or SEC 1)"))?;
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| invalid("certificate", &error.to_string()))?
            .with_no_client_auth()
            .with_single_cert(chain, key);
        let mut config = config.map_err(|error| invalid("key", &error.to_string()))?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)), authority })
    }
}

struct SelfMade {
    chain: String,
    key: String,
    authority: String,
}

fn self_made(address: IpAddr) -> std::result::Result<SelfMade, rcgen::Error> {
    // Clients compare with their own clock, not with one that a test has set.
    let now = OffsetDateTime::now_utc();
    let valid = |params: &mut CertificateParams| {
        params.not_before = now - VALID_BEFORE;
        params.not_after = now + VALID_AFTER;
    };
    let mut authority = CertificateParams::default();
    authority.distinguished_name.push(DnType::CommonName, "holdfast, this server's own authority");
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    valid(&mut authority);
    let issuer = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;

    let mut names = vec!["localhost".to_owned(), "*.localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    if !address.is_unspecified() && !address.is_loopback() {
        names.push(address.to_string());
    }
    let mut server = CertificateParams::new(names)?;
    server.distinguished_name.push(DnType::CommonName, "localhost");
    server.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    valid(&mut server);
    let key = KeyPair::generate()?;
    let certificate = server.signed_by(&key, &issuer)?;
    Ok(SelfMade { chain: certificate.pem(), key: key.serialize_pem(), authority: issuer.pem() })
}

fn invalid(field: &str, why: &str) -> Error {
    let message = format!("server.tls.{field} can't be used: {why}");
    Error::new(ErrorKind::Config, "INVALID_CERTIFICATE", message).with("setting", format!("server.tls.{field}"))
}

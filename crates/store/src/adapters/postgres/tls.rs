//! How connections are encrypted, and whose certificates are believed.

use std::sync::Arc;

use holdfast_base::{Error, ErrorKind, Result};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::settings::PostgresSsl;

/// What makes connections secret. Without settings the server's certificate is not looked at.
pub(super) fn connector(ssl: Option<&PostgresSsl>) -> Result<MakeRustlsConnect> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::internal(error.to_string()))?;
    let checked = match ssl {
        Some(ssl) if ssl.verify => builder.with_root_certificates(roots(ssl.ca.as_deref())?),
        _ => builder.dangerous().with_custom_certificate_verifier(Arc::new(AnyCertificate(provider))),
    };
    let config = match ssl.and_then(|ssl| Some((ssl.cert.as_ref()?, ssl.key.as_ref()?))) {
        None => checked.with_no_client_auth(),
        Some((cert, key)) => {
            let chain = certificates(cert, "ssl.cert")?;
            let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|_| unusable("ssl.key"))?;
            checked.with_client_auth_cert(chain, key).map_err(|_| unusable("ssl.cert or ssl.key"))?
        }
    };
    Ok(MakeRustlsConnect::new(config))
}

/// The given authorities, or those of the machine.
fn roots(ca: Option<&str>) -> Result<RootCertStore> {
    let mut store = RootCertStore::empty();
    match ca {
        Some(ca) => {
            for certificate in certificates(ca, "ssl.ca")? {
                store.add(certificate).map_err(|_| unusable("ssl.ca"))?;
            }
        }
        None => {
            // Some machines keep certificates that no longer parse beside the good ones.
            store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            if store.is_empty() {
                let message = "this machine has no certificates of authorities; install them, or give ssl.ca";
                return Err(Error::new(ErrorKind::Config, "INVALID_SETTINGS", message));
            }
        }
    }
    Ok(store)
}

fn certificates(pem: &str, setting: &str) -> Result<Vec<CertificateDer<'static>>> {
    let found: std::result::Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    found.ok().filter(|found| !found.is_empty()).ok_or_else(|| unusable(setting))
}

fn unusable(setting: &str) -> Error {
    let message = format!("{setting} holds nothing usable; give the text of a PEM file");
    Error::new(ErrorKind::Config, "INVALID_SETTINGS", message)
}

/// Believes any certificate: encryption against listeners, none against impostors. For
/// `rejectUnauthorized: false`, and for connections that nobody asked to be checked.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> std::result::Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

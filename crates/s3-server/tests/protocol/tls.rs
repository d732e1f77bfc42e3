//! TLS with a certificate that was given.

use std::sync::Arc;

use holdfast_s3_server::TlsSettings;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls_pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::client::{Fixture, Reply};

/// Who trusts that one certificate and nothing else.
fn trusting(certificate: rustls_pki_types::CertificateDer<'static>) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    TlsConnector::from(Arc::new(config))
}

async fn send(s3: &Fixture, connector: &TlsConnector, head: &str, body: &str) -> Reply {
    let stream = TcpStream::connect(s3.server.address()).await.unwrap();
    let name = ServerName::try_from("storage.example").unwrap();
    let mut stream = connector.connect(name, stream).await.unwrap();
    let head = format!("{head}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    stream.write_all(&[head.as_bytes(), body.as_bytes()].concat()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    Reply::read(&answer, false)
}

#[tokio::test]
async fn a_given_pair_is_what_clients_see_and_urls_say_https() {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["storage.example".to_owned()]).unwrap();
    let tls = TlsSettings::Given { certificate: cert.pem(), key: signing_key.serialize_pem() };
    let s3 = Fixture::with(|settings| settings.tls = Some(tls)).await;
    let connector = trusting(cert.der().clone());

    let put = send(&s3, &connector, "PUT /bkt/k HTTP/1.1\r\nhost: storage.example", "over TLS").await;
    assert_eq!(put.status, 200);
    let got = send(&s3, &connector, "GET /bkt/k HTTP/1.1\r\nhost: storage.example", "").await;
    assert_eq!(got.text(), "over TLS");

    let form = "--B\r\ncontent-disposition: form-data; name=\"key\"\r\n\r\na b\r\n\
        --B\r\ncontent-disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\ndata\r\n--B--\r\n";
    let head = "content-type: multipart/form-data; boundary=B";
    let posted = send(&s3, &connector, &format!("POST /bkt HTTP/1.1\r\nhost: storage.example\r\n{head}"), form).await;
    assert_eq!((posted.status, posted.header("location")), (204, "https://storage.example/bkt/a%20b"));
    let posted = send(&s3, &connector, &format!("POST / HTTP/1.1\r\nhost: bkt.localhost\r\n{head}"), form).await;
    assert_eq!(posted.header("location"), "https://bkt.localhost/a%20b");
}

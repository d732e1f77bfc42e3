use std::sync::Arc;

use holdfast_base::ManualClock;
use holdfast_s3_server::{Credential, ServerSettings};

use crate::client::{Fixture, Reply};
use crate::signer::{KEY, SECRET, Signer, sha256};

/// 2026-11-20T14:35:34Z.
pub(crate) const NOW_MS: u64 = 1_795_185_334_000;
pub(crate) const NOW: &str = "20261120T143534Z";

/// Canonical ids of accounts.
pub(crate) const OWNER_ID: &str = "0000000000000000000000000000000000000000000000000000000000000001";
pub(crate) const BOB_ID: &str = "0000000000000000000000000000000000000000000000000000000000000002";
pub(crate) const EVE_ID: &str = "0000000000000000000000000000000000000000000000000000000000000003";

/// A server that checks signatures, at a fixed time. `STORAGE` and `ann` may sign.
pub(crate) struct Guarded {
    pub(crate) s3: Fixture,
    pub(crate) clock: Arc<ManualClock>,
}

impl Guarded {
    pub(crate) async fn start() -> Self {
        let clock = Arc::new(ManualClock::at(NOW_MS));
        let of_server = Arc::clone(&clock);
        let s3 = Fixture::with(|settings| {
            settings.auth_enabled = true;
            settings.credentials.push(Credential::new("ann", "of ann"));
            settings.clock = of_server;
        });
        Self { s3: s3.await, clock }
    }

    /// The same with `bob` and `eve`, who have accounts of their own; `ann` belongs to the server's.
    pub(crate) async fn with_accounts() -> Self {
        Self::with_accounts_and(|_| {}).await
    }

    /// The same, with other settings.
    pub(crate) async fn with_accounts_and(change: impl FnOnce(&mut ServerSettings)) -> Self {
        let clock = Arc::new(ManualClock::at(NOW_MS));
        let of_server = Arc::clone(&clock);
        let s3 = Fixture::with(|settings| {
            settings.auth_enabled = true;
            settings.credentials[0].display_name = Some("The owner".into());
            settings.credentials[0].canonical_id = Some(OWNER_ID.into());
            settings.credentials.push(Credential::new("ann", "of ann"));
            for (name, id) in [("bob", BOB_ID), ("eve", EVE_ID)] {
                settings.credentials.push(Credential {
                    canonical_id: Some(id.into()),
                    email: Some(format!("{name}@example.com")),
                    ..Credential::new(name, format!("of {name}"))
                });
            }
            settings.clock = of_server;
            change(settings);
        });
        Self { s3: s3.await, clock }
    }

    /// A request of somebody, by name: `owner`, `ann`, `bob`, `eve`, or nobody known (`-`). `target` has its query in
    /// order.
    pub(crate) async fn ask(
        &self,
        who: &str,
        (method, target): (&str, &str),
        more: &[(&str, &str)],
        body: &[u8],
    ) -> Reply {
        let signer = match who {
            "-" => return self.s3.send(method, target, more, body).await,
            "owner" => self.signer(),
            name => Signer { key: name.into(), secret: format!("of {name}"), ..self.signer() },
        };
        let headers = signer.headers(method, target, &sha256(body), more);
        self.send(method, target, &headers, body).await
    }

    pub(crate) fn signer(&self) -> Signer {
        Signer { host: self.s3.server.address().to_string(), time: NOW.into(), secret: SECRET.into(), key: KEY.into() }
    }

    pub(crate) fn signer_of_ann(&self) -> Signer {
        Signer { key: "ann".into(), secret: "of ann".into(), ..self.signer() }
    }

    /// A signed request of anybody; `target` has its query in order.
    pub(crate) async fn signed(&self, signer: &Signer, method: &str, target: &str, body: &[u8]) -> Reply {
        let headers = signer.headers(method, target, &sha256(body), &[]);
        self.send(method, target, &headers, body).await
    }

    pub(crate) async fn send(&self, method: &str, target: &str, headers: &[(String, String)], body: &[u8]) -> Reply {
        let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        self.s3.send(method, target, &headers, body).await
    }

    pub(crate) async fn put(&self, key: &str, body: &[u8]) -> Reply {
        let target = format!("/bkt/{key}");
        let headers = self.signer().headers("PUT", &target, &sha256(body), &[]);
        self.send("PUT", &target, &headers, body).await
    }

    pub(crate) async fn get(&self, key: &str) -> Reply {
        let target = format!("/bkt/{key}");
        let headers = self.signer().headers("GET", &target, &sha256(b""), &[]);
        self.send("GET", &target, &headers, b"").await
    }

    pub(crate) async fn put_chunked(&self, key: &str, tamper: impl FnOnce(Vec<u8>) -> Vec<u8>) -> Reply {
        let target = format!("/bkt/{key}");
        let payload = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER";
        let more = [
            ("content-encoding", "aws-chunked"),
            ("x-amz-decoded-content-length", "13"),
            ("x-amz-trailer", "x-amz-checksum-crc32"),
        ];
        let headers = self.signer().headers("PUT", &target, payload, &more);
        let seed = headers.last().unwrap().1.rsplit_once("Signature=").unwrap().1.to_owned();
        let body = self.signer().chunked(&seed, &[b"hello, ", b"chunks"], &[("x-amz-checksum-crc32", "7lHRTg==")]);
        self.send("PUT", &target, &headers, &tamper(body)).await
    }

    pub(crate) async fn put_policy(&self, statements: &str) -> Reply {
        let body = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
        let headers = self.signer().headers("PUT", "/bkt?policy=", &sha256(body.as_bytes()), &[]);
        self.send("PUT", "/bkt?policy=", &headers, body.as_bytes()).await
    }
}

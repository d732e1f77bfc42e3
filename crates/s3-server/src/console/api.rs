//! What the console asks beside S3. JSON, errors as those of S3.
//!
//! | request | answer |
//! |---|---|
//! | `GET server` | `{ region, auth }`, to everybody |
//! | `GET requests?after=N` | `{ next, records }`: what came after number N, oldest first |
//! | `DELETE requests` | forgets them |
//! | `GET faults` | `{ faults, operations, errors }`: a fault with its `id` and how many requests it has `met` |
//! | `POST faults` | adds the fault of the body |
//! | `DELETE faults?id=N` | removes one, without an `id` all |

use bytes::Bytes;
use http::request::Parts;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::answer::{self, Answer};
use crate::auth::Identity;
use crate::body::Payload;
use crate::error::{Code, S3Error, S3Result};
use crate::faults::{Fault, FaultInWords};
use crate::operation::Operation;
use crate::request::Request;
use crate::request_log::RequestRecord;
use crate::service::Service;

/// The most requests told at once.
const MAX_RECORDS_TOLD: usize = 500;
/// The longest fault, in bytes: two names of 1,024 bytes, escaped, and the rest.
const MAX_FAULT_BYTES: usize = 32 * 1024;

impl Service {
    /// Answers what the console asks beside S3.
    ///
    /// # Errors
    /// Those of a wrong signature; `AccessDenied` for who is not of the server's own account, `InvalidArgument` for a
    /// fault that means nothing, `MethodNotAllowed`, `NoSuchKey`.
    pub(super) async fn console_api(&self, what: &str, parts: Parts, mut payload: Payload) -> S3Result<Answer> {
        if (what, &parts.method) == ("server", &Method::GET) {
            return Ok(told(&json!({ "region": self.settings.region, "auth": self.settings.auth_enabled })));
        }
        let mut request = Request::read(parts)?;
        let proof = self.verifier.verify(&mut request)?;
        payload.check_chunks(proof.chunk_signer);
        self.require_own_account(&proof.identity)?;
        match (what, request.method().as_str()) {
            ("requests", "GET") => Ok(told(&self.requests_after(number(&request, "after")?.unwrap_or_default()))),
            ("requests", "DELETE") => {
                self.log.clear();
                Ok(answer::empty(StatusCode::NO_CONTENT))
            }
            ("faults", "GET") => Ok(told(&self.faults_told())),
            ("faults", "POST") => {
                let body = payload.document(&request, MAX_FAULT_BYTES).await?;
                self.faults.add(fault_of(&body)?);
                Ok(answer::empty(StatusCode::NO_CONTENT))
            }
            ("faults", "DELETE") => {
                match number(&request, "id")? {
                    Some(id) => self.faults.remove_by_id(id),
                    None => self.faults.clear(),
                }
                Ok(answer::empty(StatusCode::NO_CONTENT))
            }
            ("requests" | "faults" | "server", _) => Err(Code::MethodNotAllowed.into()),
            _ => Err(super::not_there()),
        }
    }

    fn require_own_account(&self, identity: &Identity) -> S3Result<()> {
        let is_own = |id: &str| id == self.accounts.own().canonical_id;
        match identity {
            Identity::Unchecked => Ok(()),
            Identity::User(user) if is_own(&user.account.canonical_id) => Ok(()),
            Identity::User(_) | Identity::Anonymous => Err(S3Error::new(
                Code::AccessDenied,
                "Access Denied: the request log and the faults are for the server's own account",
            )),
        }
    }

    fn requests_after(&self, after: u64) -> Value {
        let (next, records) = self.log.after(after, MAX_RECORDS_TOLD);
        json!({ "next": next, "records": records.iter().map(record).collect::<Vec<_>>() })
    }

    fn faults_told(&self) -> Value {
        let told =
            |(id, fault, met): (u64, Fault, u64)| json!({ "id": id, "met": met, "fault": FaultInWords::from(fault) });
        let faults: Vec<_> = self.faults.all().into_iter().map(told).collect();
        let operations: Vec<_> = Operation::ALL.iter().map(|operation| operation.name()).collect();
        json!({ "faults": faults, "operations": operations })
    }
}

fn told(value: &Value) -> Answer {
    let mut answer = answer::typed("application/json", Bytes::from(value.to_string()));
    answer::set(&mut answer, "cache-control", "no-store");
    answer
}

fn record(record: &RequestRecord) -> Value {
    json!({
        "operation": record.operation.map(Operation::name),
        "bucket": record.bucket,
        "key": record.key,
        "status": record.status,
        "bytesIn": record.bytes_in,
        "bytesOut": record.bytes_out,
        "atMs": record.at_ms,
        "durationMs": record.duration_ms,
    })
}

fn number(request: &Request, name: &str) -> S3Result<Option<u64>> {
    let wrong = |text: &str| S3Error::argument(name, text, format!("{name} must be a whole number"));
    request.query().get(name).map(|text| text.parse().map_err(|_| wrong(text))).transpose()
}

fn fault_of(body: &[u8]) -> S3Result<Fault> {
    let wrong = |message: String| S3Error::new(Code::InvalidArgument, message);
    let words: FaultInWords =
        serde_json::from_slice(body).map_err(|error| wrong(format!("the fault can't be read: {error}")))?;
    Fault::try_from(words).map_err(|error| wrong(error.to_string()))
}

use std::fmt;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use http_body::Body as _;
use hyper::body::Incoming;
use tokio::time::Instant;

use crate::access::Access;
use crate::answer::{self, Answer};
use crate::auth::{Accounts, Verifier};
use crate::body::Payload;
use crate::bucket_rules::BucketRules;
use crate::console;
use crate::cross_origin::{Asked, CrossOrigin};
use crate::engine::{Engine, EngineError};
use crate::error::{Code, S3Error, S3Result};
use crate::faults::{Cut, Fault, Faults, disturb};
use crate::lifecycle::{self, DayLength, LifecycleRun};
use crate::metrics::{Counted, Metrics};
use crate::operation::Operation;
use crate::operations::Call;
use crate::policy::Facts;
use crate::request::Request;
use crate::request_log::{RequestLog, RequestRecord};
use crate::settings::ServerSettings;
use crate::target::is_bucket_host;

/// How long a body that was refused is read, so that its sender gets to read why.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(2);

/// Answers requests: who asks, what is asked, may they, do it, write it down.
pub(crate) struct Service {
    pub(crate) engine: Engine,
    pub(crate) settings: ServerSettings,
    pub(crate) accounts: Accounts,
    pub(crate) verifier: Verifier,
    pub(crate) rules: BucketRules,
    pub(crate) log: Arc<RequestLog>,
    pub(crate) faults: Arc<Faults>,
    /// One pass of the lifecycle at a time.
    pub(crate) lifecycle: tokio::sync::Mutex<()>,
    pub(crate) metrics: Metrics,
}

/// Said to hyper so that it closes the connection without an answer.
#[derive(Debug)]
pub(crate) struct ConnectionCut;

impl fmt::Display for ConnectionCut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a fault cut the connection")
    }
}

impl std::error::Error for ConnectionCut {}

/// What is known of a request while it is answered, for the log.
#[derive(Default)]
struct Progress {
    operation: Option<Operation>,
    bucket: Option<String>,
    key: Option<String>,
    cut: bool,
    fault: Option<Fault>,
    /// Whether the client waited for `100 Continue` and is answered without it.
    never_continued: bool,
}

impl Service {
    /// Ends what the rules of the buckets say.
    ///
    /// # Errors
    /// The engine's.
    pub(crate) async fn run_lifecycle(&self) -> Result<LifecycleRun, EngineError> {
        let _alone = self.lifecycle.lock().await;
        let ServerSettings { lifecycle_day_ms, clock, .. } = &self.settings;
        lifecycle::run(&self.engine, DayLength(*lifecycle_day_ms), clock.now_ms()).await
    }

    /// Answers one request.
    ///
    /// # Errors
    /// [`ConnectionCut`] when a fault says so.
    pub(crate) async fn answer(&self, request: http::Request<Incoming>, peer: IpAddr) -> Result<Answer, ConnectionCut> {
        if let Some(answer) = self.monitoring(&request) {
            return Ok(answer);
        }
        if self.settings.serves_console && console::is_asked(&request) {
            return Ok(self.console(request, &request_id()).await);
        }
        let _in_flight = Counted::on(&self.metrics.in_flight);
        let (started, at_ms) = (Instant::now(), self.settings.clock.now_ms());
        let request_id = request_id();
        let (parts, incoming) = request.into_parts();
        let bytes_in = incoming.size_hint().exact().unwrap_or_default();
        let (is_head, path) = (parts.method == http::Method::HEAD, parts.uri.path().to_owned());
        let asked = Asked::of(&parts);
        let mut progress = Progress::default();
        let mut answer = match self.answer_in_time(parts, incoming, peer, &mut progress).await {
            Ok(answer) => answer,
            Err(error) => answer::error(&error, is_head, &path, &request_id),
        };
        if let Some(asked) = &asked {
            self.cross_origin().open(&mut answer, asked, progress.bucket.as_deref()).await;
        }
        answer::set(&mut answer, "x-amz-request-id", &request_id);
        answer::set(&mut answer, "x-amz-id-2", &request_id);
        answer::set(&mut answer, "server", "holdfast");
        if progress.never_continued {
            // The client need not send the body any more, so that nobody knows where its next request begins; and
            // aws-cli 1 waits for ever when it uses such a connection again.
            answer::set(&mut answer, "connection", "close");
        }
        if let Some(fault) = &progress.fault {
            let length = answer.body().size_hint().exact().unwrap_or_else(|| declared_length(&answer));
            if is_head || length == 0 {
                progress.cut |= fault.cut == Some(Cut::Response);
            } else {
                answer = answer.map(|body| disturb(body, length, fault));
            }
        }
        let duration = started.elapsed();
        let record = RequestRecord {
            operation: progress.operation,
            bucket: progress.bucket,
            key: progress.key,
            status: if progress.cut { 0 } else { answer.status().as_u16() },
            bytes_in,
            bytes_out: if is_head { 0 } else { answer.body().size_hint().exact().unwrap_or(declared_length(&answer)) },
            at_ms,
            duration_ms: duration.as_secs_f64() * 1000.0,
        };
        report(&record);
        self.metrics.count(&record);
        self.log.push(record);
        if progress.cut { Err(ConnectionCut) } else { Ok(answer) }
    }

    /// The answer to who asks for the server's health or its metrics, where that is on. No bucket is called like that.
    fn monitoring(&self, request: &http::Request<Incoming>) -> Option<Answer> {
        let host = request.headers().get(http::header::HOST).and_then(|host| host.to_str().ok());
        if !matches!(*request.method(), http::Method::GET | http::Method::HEAD) || host.is_some_and(is_bucket_host) {
            return None;
        }
        match request.uri().path() {
            "/_health" if self.settings.answers_health => {
                Some(answer::typed("application/json", Bytes::from_static(b"{\"status\":\"ok\"}")))
            }
            "/_metrics" if self.settings.answers_metrics => {
                let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
                Some(answer::typed(kind, Bytes::from(self.metrics.text())))
            }
            _ => None,
        }
    }

    async fn answer_in_time(
        &self,
        parts: Parts,
        incoming: Incoming,
        peer: IpAddr,
        progress: &mut Progress,
    ) -> S3Result<Answer> {
        let waits_for_continue = parts.headers.contains_key(http::header::EXPECT);
        let idle = Duration::from_millis(self.settings.idle_timeout_ms);
        let mut payload = Payload::new(incoming, idle);
        let limit = Duration::from_millis(self.settings.request_timeout_ms);
        let answered = tokio::time::timeout(limit, self.handle(parts, &mut payload, peer, progress)).await;
        progress.never_continued = waits_for_continue && !payload.was_asked_for();
        progress.cut |= payload.was_cut();
        let answered = answered.unwrap_or_else(|_| Err(Code::RequestTimeout.into()));
        if answered.is_err() && !progress.cut {
            // A client that neither sends nor hangs up is not waited for.
            let _ = tokio::time::timeout(DRAIN_TIMEOUT, payload.drain(waits_for_continue)).await;
        }
        answered
    }

    fn cross_origin(&self) -> CrossOrigin<'_> {
        let server = self.settings.cors.as_ref();
        CrossOrigin { server, rules: &self.rules, engine: &self.engine, accounts: &self.accounts }
    }

    async fn handle(
        &self,
        parts: Parts,
        payload: &mut Payload,
        peer: IpAddr,
        progress: &mut Progress,
    ) -> S3Result<Answer> {
        let mut request = Request::read(parts)?;
        progress.bucket.clone_from(&request.target().bucket);
        progress.key.clone_from(&request.target().key);
        let operation = Operation::of(&request);
        progress.operation = operation.as_ref().ok().copied();
        let fault = self.faults.meeting(
            progress.operation,
            request.target().bucket.as_deref(),
            request.target().key.as_deref(),
        );
        if let Some(fault) = fault {
            payload.disturb(&fault);
            let fault = progress.fault.insert(fault);
            if let Some(cut) = fault.cut {
                progress.cut = cut == Cut::Before || (cut == Cut::Request && payload.is_empty());
            }
            meet_before(fault, progress.cut).await?;
        }
        if request.method() == http::Method::OPTIONS {
            return self.cross_origin().preflight(&request).await;
        }
        let proof = self.verifier.verify(&mut request)?;
        payload.check_chunks(proof.chunk_signer);
        let operation = operation?;
        let facts = Facts {
            identity: &proof.identity,
            request: &request,
            signed: proof.signed,
            peer,
            region: &self.settings.region,
            is_secure: self.settings.tls.is_some(),
            now_ms: self.settings.clock.now_ms(),
            resource_account: &self.accounts.own().number,
            tags: None,
            retention: None,
            existing_tags: None,
        };
        let access = Access { rules: &self.rules, engine: &self.engine, accounts: &self.accounts, facts };
        access.require_operation(operation).await?;
        access.require_expected_owner(operation).await?;
        let call = Call {
            engine: &self.engine,
            settings: &self.settings,
            request: &request,
            payload,
            access: &access,
            verifier: &self.verifier,
        };
        let answered = call.perform(operation).await;
        progress.cut |= progress.fault.as_ref().is_some_and(|fault| fault.cut == Some(Cut::After));
        answered
    }
}

async fn meet_before(fault: &Fault, is_cut: bool) -> S3Result<()> {
    if let Some(delay_ms) = fault.delay_ms {
        tokio::time::sleep(Duration::from_millis(delay_ms)).await;
    }
    if is_cut {
        return Err(Code::InternalError.into());
    }
    match fault.error {
        Some(code) => Err(S3Error::from(code)),
        None => Ok(()),
    }
}

fn declared_length(answer: &Answer) -> u64 {
    let length = answer.headers().get(http::header::CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    length.and_then(|length| length.parse().ok()).unwrap_or_default()
}

/// An id that no other request has, as S3 writes them: 16 upper-case hexadecimal digits.
fn request_id() -> String {
    static START: LazyLock<u64> = LazyLock::new(|| getrandom::u64().unwrap_or_default());
    static COUNT: AtomicU64 = AtomicU64::new(0);
    // An odd factor: each count gives another id, and neighbours don't look alike.
    let number = COUNT.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    format!("{:016X}", START.wrapping_add(number))
}

fn report(record: &RequestRecord) {
    tracing::info!(
        target: "holdfast::requests",
        operation = record.operation.map_or("-", Operation::name),
        bucket = record.bucket.as_deref().unwrap_or("-"),
        key = record.key.as_deref().unwrap_or("-"),
        status = record.status,
        bytes_in = record.bytes_in,
        bytes_out = record.bytes_out,
        duration_ms = record.duration_ms,
        "request"
    );
}

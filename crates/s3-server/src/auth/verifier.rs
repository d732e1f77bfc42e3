use std::collections::HashMap;
use std::sync::Arc;

use holdfast_base::Clock;
use http::HeaderMap;
use http::header::{AUTHORIZATION, DATE, HeaderName, HeaderValue};

use super::account::Accounts;
use super::canonical::{Canonical, require_signed};
use super::chunk_signer::ChunkSigner;
use super::header::{AuthorizationHeader, malformed};
use super::identity::{Identity, SignedBy, User};
use super::old_header::{OldHeader, text_and_time};
use super::old_query::OldQuery;
use super::presigned::{Presigned, wrong};
use super::scope::Scope;
use super::signing_key::{SigningKey, same_signature};
use crate::amz_time;
use crate::error::{Code, S3Error, S3Result};
use crate::request::Request;
use crate::settings::{Credential, ServerSettings};

/// How far the clocks of client and server may differ.
const MAX_SKEW_MS: u64 = 15 * 60 * 1000;

/// What a verified request proves.
pub(crate) struct Proof {
    pub(crate) identity: Identity,
    pub(crate) signed: SignedBy,
    /// Checks the chunks of a body that is signed chunk by chunk.
    pub(crate) chunk_signer: Option<ChunkSigner>,
}

/// Checks the signatures of requests.
pub(crate) struct Verifier {
    enabled: bool,
    region: String,
    users: HashMap<String, Signatory>,
    clock: Arc<dyn Clock>,
}

/// A user and the secret that proves it.
pub(super) struct Signatory {
    pub(super) user: Arc<User>,
    pub(super) secret: String,
}

impl Verifier {
    /// Checks what the settings say.
    pub(crate) fn new(settings: &ServerSettings, accounts: &Accounts) -> Self {
        let signatory = |credential: &Credential| Signatory {
            user: Arc::new(User::of(credential, accounts)),
            secret: credential.secret_access_key.clone(),
        };
        let credentials = settings.credentials.iter();
        Self {
            enabled: settings.auth_enabled,
            region: settings.region.clone(),
            users: credentials.map(|credential| (credential.access_key_id.clone(), signatory(credential))).collect(),
            clock: Arc::clone(&settings.clock),
        }
    }

    /// Finds out who asks. Parameters `x-amz-…` of a presigned URL become headers, as S3 has it.
    ///
    /// # Errors
    /// The code that S3 answers for the part of the signature that is wrong.
    pub(crate) fn verify(&self, request: &mut Request) -> S3Result<Proof> {
        let presigned = Presigned::is_in(request.query());
        let old = !presigned && OldQuery::is_in(request.query());
        if !self.enabled {
            if presigned || old {
                hoist_parameters(request)?;
            }
            return Ok(Proof { identity: Identity::Unchecked, signed: SignedBy::Nothing, chunk_signer: None });
        }
        let authorization = request.header(AUTHORIZATION.as_str()).filter(|header| !header.trim().is_empty());
        let authorization = authorization.map(str::to_owned);
        match (authorization, presigned || old) {
            (Some(_), true) => {
                let message = "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query \
                    string parameter or the Authorization header should be specified";
                Err(S3Error::new(Code::InvalidArgument, message))
            }
            (Some(header), false) if OldHeader::is(&header) => self.verify_old_header(request, &header),
            (Some(header), false) => self.verify_header(request, &header),
            (None, true) if old => self.verify_old_query(request),
            (None, true) => self.verify_presigned(request),
            (None, false) => Ok(Proof { identity: Identity::Anonymous, signed: SignedBy::Nothing, chunk_signer: None }),
        }
    }

    fn verify_header(&self, request: &Request, header: &str) -> S3Result<Proof> {
        let header = AuthorizationHeader::read(header, &self.region)?;
        let signatory = self.signatory(&header.scope.access_key_id)?;
        let (amz_date, signed_at_ms) = signing_time(request.headers())?;
        self.check_skew(&amz_date, signed_at_ms)?;
        let check = header.scope.check(&amz_date, &self.region);
        check.map_err(|fault| {
            let error = malformed(&fault.message(Some(&header.scope), &self.region));
            error.with("Region", self.region.clone())
        })?;
        require_signed(request.headers(), &header.signed_headers)?;
        let payload = request.header("x-amz-content-sha256").ok_or_else(|| {
            S3Error::new(Code::InvalidRequest, "Missing required header for this request: x-amz-content-sha256")
        })?;
        let canonical = Canonical { request, signed_headers: &header.signed_headers, payload, omitted: None };
        let key = self.compare(&canonical, &header.scope, &signatory.secret, &amz_date, &header.signature)?;
        let chunk_signer = ChunkSigner {
            key,
            amz_date,
            credential_scope: header.scope.credential_scope(),
            previous: header.signature,
        };
        let identity = Identity::User(Arc::clone(&signatory.user));
        Ok(Proof { identity, signed: SignedBy::Header { at_ms: signed_at_ms }, chunk_signer: Some(chunk_signer) })
    }

    fn verify_old_header(&self, request: &Request, header: &str) -> S3Result<Proof> {
        let header = OldHeader::read(header)?;
        let signatory = self.signatory(header.access_key_id)?;
        let (text, date, at_ms) = text_and_time(request)?;
        self.check_skew(&date, at_ms)?;
        compare_old(request, signatory, &text, header.signature)?;
        let identity = Identity::User(Arc::clone(&signatory.user));
        Ok(Proof { identity, signed: SignedBy::OldHeader { at_ms }, chunk_signer: None })
    }

    fn verify_presigned(&self, request: &mut Request) -> S3Result<Proof> {
        let presigned = Presigned::read(request.query(), &self.region)?;
        let signatory = self.signatory(&presigned.scope.access_key_id)?;
        let check = presigned.scope.check(&presigned.amz_date, &self.region);
        check.map_err(|fault| {
            let why = fault.message(Some(&presigned.scope), &self.region);
            wrong(format!("Error parsing the X-Amz-Credential parameter; {why}"))
        })?;
        self.check_validity(&presigned)?;
        require_signed(request.headers(), &presigned.signed_headers)?;
        let payload = request.header("x-amz-content-sha256").or_else(|| request.query().get("X-Amz-Content-Sha256"));
        if payload.is_some_and(|payload| payload.starts_with("STREAMING-AWS4-")) {
            return Err(wrong("A presigned URL can't sign its body chunk by chunk"));
        }
        let canonical = Canonical {
            request,
            signed_headers: &presigned.signed_headers,
            payload: payload.unwrap_or("UNSIGNED-PAYLOAD"),
            omitted: Some("X-Amz-Signature"),
        };
        self.compare(&canonical, &presigned.scope, &signatory.secret, &presigned.amz_date, &presigned.signature)?;
        hoist_parameters(request)?;
        let identity = Identity::User(Arc::clone(&signatory.user));
        Ok(Proof { identity, signed: SignedBy::Query { at_ms: presigned.signed_at_ms }, chunk_signer: None })
    }

    fn verify_old_query(&self, request: &mut Request) -> S3Result<Proof> {
        let old = OldQuery::read(request.query())?;
        let signatory = self.signatory(&old.access_key_id)?;
        let now_ms = self.clock.now_ms();
        if now_ms >= old.expires_at_ms {
            let error = S3Error::new(Code::AccessDenied, "Request has expired");
            return Err(error
                .with("Expires", amz_time::iso(old.expires_at_ms))
                .with("ServerTime", amz_time::iso(now_ms)));
        }
        compare_old(request, signatory, &old.string_to_sign(request), &old.signature)?;
        hoist_parameters(request)?;
        let identity = Identity::User(Arc::clone(&signatory.user));
        Ok(Proof { identity, signed: SignedBy::OldQuery, chunk_signer: None })
    }

    fn compare(
        &self,
        canonical: &Canonical<'_>,
        scope: &Scope,
        secret: &str,
        amz_date: &str,
        theirs: &str,
    ) -> S3Result<SigningKey> {
        let key = SigningKey::derive(secret, &scope.day, &self.region);
        let text = canonical.string_to_sign(amz_date, &scope.credential_scope());
        if same_signature(&key.sign(&text), theirs) {
            return Ok(key);
        }
        let error = S3Error::from(Code::SignatureDoesNotMatch);
        Err(error.with("AWSAccessKeyId", scope.access_key_id.clone()).with("StringToSign", text))
    }

    pub(super) fn is_enabled(&self) -> bool {
        self.enabled
    }

    pub(super) fn region(&self) -> &str {
        &self.region
    }

    pub(super) fn signatory(&self, access_key_id: &str) -> S3Result<&Signatory> {
        let unknown = || S3Error::from(Code::InvalidAccessKeyId).with("AWSAccessKeyId", access_key_id);
        self.users.get(access_key_id).ok_or_else(unknown)
    }

    fn check_skew(&self, amz_date: &str, signed_at_ms: u64) -> S3Result<()> {
        let now_ms = self.clock.now_ms();
        if now_ms.abs_diff(signed_at_ms) <= MAX_SKEW_MS {
            return Ok(());
        }
        let error = S3Error::from(Code::RequestTimeTooSkewed).with("RequestTime", amz_date);
        Err(error.with("ServerTime", amz_time::iso(now_ms)).with("MaxAllowedSkewMilliseconds", MAX_SKEW_MS.to_string()))
    }

    fn check_validity(&self, presigned: &Presigned) -> S3Result<()> {
        let now_ms = self.clock.now_ms();
        if presigned.signed_at_ms > now_ms + MAX_SKEW_MS {
            return Err(S3Error::new(Code::AccessDenied, "Request is not yet valid"));
        }
        let expires_at_ms = presigned.signed_at_ms + presigned.expires_ms;
        if now_ms < expires_at_ms {
            return Ok(());
        }
        let error = S3Error::new(Code::AccessDenied, "Request has expired");
        let error = error.with("X-Amz-Expires", (presigned.expires_ms / 1000).to_string());
        Err(error.with("Expires", amz_time::iso(expires_at_ms)).with("ServerTime", amz_time::iso(now_ms)))
    }
}

/// Compares a signature of version 2, which has no key for the chunks of a body.
fn compare_old(request: &Request, signatory: &Signatory, text: &str, theirs: &str) -> S3Result<()> {
    if request.header("x-amz-content-sha256").is_some_and(|payload| payload.starts_with("STREAMING-AWS4-")) {
        let message = "A request that is signed with version 2 can't sign its body chunk by chunk";
        return Err(S3Error::new(Code::InvalidRequest, message));
    }
    if same_signature(&OldQuery::sign(&signatory.secret, text), theirs) {
        return Ok(());
    }
    let error = S3Error::from(Code::SignatureDoesNotMatch);
    Err(error.with("AWSAccessKeyId", signatory.user.access_key_id.clone()).with("StringToSign", text))
}

/// The time at which a request was signed, as text and in milliseconds: `x-amz-date`, else `Date`.
fn signing_time(headers: &HeaderMap) -> S3Result<(String, u64)> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let missing = || S3Error::new(Code::AccessDenied, "AWS authentication requires a valid Date or x-amz-date header");
    match text("x-amz-date") {
        Some(basic) => amz_time::from_basic(basic).map(|time_ms| (basic.to_owned(), time_ms)).ok_or_else(missing),
        None => {
            let time_ms = text(DATE.as_str()).and_then(amz_time::from_http).ok_or_else(missing)?;
            Ok((amz_time::basic(time_ms), time_ms))
        }
    }
}

/// A presigned URL carries in its query what a client would otherwise send as headers. Checksums there are
/// overlooked, as S3 does: SDKs sign that of an empty body, before anybody knows the real one.
fn hoist_parameters(request: &mut Request) -> S3Result<()> {
    const OF_THE_SIGNATURE: [&str; 8] = [
        "x-amz-algorithm",
        "x-amz-credential",
        "x-amz-date",
        "x-amz-expires",
        "x-amz-signedheaders",
        "x-amz-signature",
        "x-amz-security-token",
        "x-amz-user-agent",
    ];
    let hoisted: Vec<(String, String)> = request
        .query()
        .iter()
        .map(|parameter| (parameter.name.to_ascii_lowercase(), parameter.value.clone()))
        .filter(|(name, _)| name.starts_with("x-amz-") && !OF_THE_SIGNATURE.contains(&name.as_str()))
        .filter(|(name, _)| !name.starts_with("x-amz-checksum-") && name != "x-amz-sdk-checksum-algorithm")
        .collect();
    for (name, value) in hoisted {
        let header = (HeaderName::try_from(&name), HeaderValue::try_from(&value));
        let (Ok(header), Ok(text)) = header else {
            return Err(S3Error::argument(&name, &value, "The parameter can't stand for a header"));
        };
        request.headers_mut().entry(header).or_insert(text);
    }
    Ok(())
}

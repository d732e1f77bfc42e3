use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::Md5;
use sha2::{Digest, Sha256};

use super::Framing;
use crate::checksum::{Algorithm, Hasher};
use crate::encoding::hex;
use crate::error::{Code, S3Error, S3Result};
use crate::request::Request;

/// What a body must turn out to be, as far as its request says.
#[derive(Clone, Debug, Default)]
pub(crate) struct BodyChecks {
    /// The raw MD5.
    md5: Option<Vec<u8>>,
    /// The hex SHA-256.
    sha256: Option<String>,
    /// The algorithm, and its value when a header told it; else a trailer tells it.
    checksum: Option<(Algorithm, Option<String>)>,
}

impl BodyChecks {
    /// Reads `Content-MD5`, `x-amz-checksum-*` and `x-amz-trailer`.
    ///
    /// # Errors
    /// `InvalidDigest` and `InvalidRequest` for values that can't be right.
    pub(crate) fn of(request: &Request, framing: &Framing) -> S3Result<Self> {
        Ok(Self { checksum: read_checksum(request)?, ..Self::of_transport(request, framing)? })
    }

    /// Without the checksum headers, where those are not about the body.
    pub(crate) fn of_transport(request: &Request, framing: &Framing) -> S3Result<Self> {
        let md5 = request.header("content-md5").map(read_md5).transpose()?;
        let sha256 = match framing {
            Framing::Plain { sha256 } => sha256.clone(),
            Framing::Chunked { .. } => None,
        };
        Ok(Self { md5, sha256, checksum: None })
    }
}

/// Whether a request promises what its body will turn out to be: a `Content-MD5`, or a checksum in front or behind.
pub(crate) fn has_checksum(request: &Request) -> bool {
    let has = |name| request.headers().contains_key(name);
    has("content-md5") || has("x-amz-trailer") || Algorithm::ALL.iter().any(|algorithm| has(algorithm.header()))
}

fn read_md5(text: &str) -> S3Result<Vec<u8>> {
    let bytes = STANDARD.decode(text.trim()).ok().filter(|bytes| bytes.len() == 16);
    bytes.ok_or_else(|| S3Error::from(Code::InvalidDigest).with("Content-MD5", text))
}

fn read_checksum(request: &Request) -> S3Result<Option<(Algorithm, Option<String>)>> {
    let mut found = None;
    for algorithm in Algorithm::ALL {
        let Some(value) = request.header(algorithm.header()) else { continue };
        if !algorithm.accepts(value) {
            return Err(invalid(format!("Value for {} header is invalid.", algorithm.header())));
        }
        if found.replace((algorithm, Some(value.to_owned()))).is_some() {
            let message = "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.";
            return Err(invalid(message));
        }
    }
    if found.is_none() {
        found = announced(request)?.map(|algorithm| (algorithm, None));
    }
    match (request.header("x-amz-sdk-checksum-algorithm"), &found) {
        (Some(name), _) if Algorithm::named(name).is_none() => {
            Err(invalid("Value for x-amz-sdk-checksum-algorithm header is invalid."))
        }
        (Some(_), None) => Err(invalid(
            "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.",
        )),
        (Some(name), Some((algorithm, _))) if Algorithm::named(name) != Some(*algorithm) => {
            Err(invalid("Value for x-amz-sdk-checksum-algorithm header is invalid."))
        }
        _ => Ok(found),
    }
}

/// The checksum that `x-amz-trailer` says will follow the body.
fn announced(request: &Request) -> S3Result<Option<Algorithm>> {
    let Some(names) = request.header("x-amz-trailer") else { return Ok(None) };
    for name in names.split(',').map(str::trim) {
        let algorithm = Algorithm::ALL.into_iter().find(|algorithm| algorithm.header().eq_ignore_ascii_case(name));
        if algorithm.is_some() {
            return Ok(algorithm);
        }
    }
    Err(invalid("The value specified in the x-amz-trailer header is not supported"))
}

fn invalid(message: impl Into<std::borrow::Cow<'static, str>>) -> S3Error {
    S3Error::new(Code::InvalidRequest, message)
}

/// What a body turned out to be.
#[derive(Clone, Debug)]
pub(crate) struct Digests {
    md5: String,
    /// Checksums, in base64: the one that is to be kept first.
    checksums: Vec<(Algorithm, String)>,
}

impl Digests {
    /// The MD5 in hex: the ETag of an object put in one piece.
    pub(crate) fn md5(&self) -> &str {
        &self.md5
    }

    /// The checksum that is to be kept.
    pub(crate) fn checksum(&self) -> Option<(Algorithm, &str)> {
        self.checksums.first().map(|(algorithm, value)| (*algorithm, value.as_str()))
    }

    /// The checksum that the client sent along, verified; else the one that is kept.
    pub(crate) fn answered(&self) -> Option<(Algorithm, &str)> {
        self.checksums.last().map(|(algorithm, value)| (*algorithm, value.as_str()))
    }
}

/// The digests of a body while it streams.
pub(crate) struct Digesting {
    md5: Md5,
    sha256: Option<Sha256>,
    hashers: Vec<(Algorithm, Hasher)>,
}

impl Digesting {
    /// Starts what the checks need, and `keep`: the checksum to keep when it is not the one that the client sends.
    pub(crate) fn start(checks: &BodyChecks, keep: Option<Algorithm>) -> Self {
        let sent = checks.checksum.as_ref().map(|(algorithm, _)| *algorithm);
        let mut algorithms = vec![keep.or(sent).unwrap_or(Algorithm::Crc64Nvme)];
        algorithms.extend(sent.filter(|sent| !algorithms.contains(sent)));
        Self {
            md5: Md5::new(),
            sha256: checks.sha256.is_some().then(Sha256::new),
            hashers: algorithms.into_iter().map(|algorithm| (algorithm, Hasher::new(algorithm))).collect(),
        }
    }

    /// The digests of bytes that nobody made a promise about.
    pub(crate) fn of(algorithm: Algorithm) -> Self {
        Self::start(&BodyChecks::default(), Some(algorithm))
    }

    /// The MD5 in hex, and the value of the checksum.
    pub(crate) fn values(self) -> (String, String) {
        let checksum = self.hashers.into_iter().next().map(|(_, hasher)| hasher.finish());
        (hex(&self.md5.finalize()), checksum.unwrap_or_default())
    }

    pub(crate) fn update(&mut self, data: &[u8]) {
        self.md5.update(data);
        if let Some(sha256) = &mut self.sha256 {
            sha256.update(data);
        }
        for (_, hasher) in &mut self.hashers {
            hasher.update(data);
        }
    }

    /// Compares what came with what was promised, in the headers or in the trailers.
    pub(crate) fn finish(self, checks: &BodyChecks, trailers: &[(String, String)]) -> S3Result<Digests> {
        let md5 = self.md5.finalize();
        if checks.md5.as_ref().is_some_and(|promised| promised.as_slice() != md5.as_slice()) {
            let message = "The Content-MD5 you specified did not match what we received.";
            return Err(S3Error::new(Code::BadDigest, message));
        }
        let sha256 = self.sha256.map(|sha256| hex(&sha256.finalize()));
        if let (Some(promised), Some(found)) = (&checks.sha256, sha256)
            && *promised != found
        {
            let error = S3Error::from(Code::XAmzContentSHA256Mismatch);
            return Err(error
                .with("ClientComputedContentSHA256", promised.clone())
                .with("S3ComputedContentSHA256", found));
        }
        let finished = self.hashers.into_iter().map(|(algorithm, hasher)| (algorithm, hasher.finish()));
        let digests = Digests { md5: hex(&md5), checksums: finished.collect() };
        check_promise(checks, &digests, trailers)?;
        Ok(digests)
    }
}

fn check_promise(checks: &BodyChecks, digests: &Digests, trailers: &[(String, String)]) -> S3Result<()> {
    let Some((algorithm, header)) = &checks.checksum else { return Ok(()) };
    let promised = match header {
        Some(value) => value.clone(),
        None => promised_in_trailer(*algorithm, trailers)?,
    };
    if digests.answered().is_some_and(|(_, value)| value == promised) {
        return Ok(());
    }
    let message = format!("The {} you specified did not match the calculated checksum.", algorithm.name());
    Err(S3Error::new(Code::BadDigest, message))
}

fn promised_in_trailer(algorithm: Algorithm, trailers: &[(String, String)]) -> S3Result<String> {
    let trailer = trailers.iter().find(|(name, _)| name == algorithm.header());
    let (_, value) = trailer.ok_or_else(|| S3Error::from(Code::MalformedTrailerError))?;
    if !algorithm.accepts(value) {
        return Err(invalid(format!("Value for {} trailing header is invalid.", algorithm.header())));
    }
    Ok(value.clone())
}

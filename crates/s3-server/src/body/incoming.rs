use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};

use super::chunked::ChunkDecoder;
use super::digests::Digesting;
use super::{BodyChecks, Digests, Framing};
use crate::auth::ChunkSigner;
use crate::checksum::Algorithm;
use crate::engine::Staged;
use crate::error::{Code, S3Error, S3Result};
use crate::faults::{Cut, Fault, Pace};
use crate::request::Request;

/// How much of a body that nobody wants is read, so that the client sees the answer.
const DRAIN_BYTES: usize = 256 * 1024;

/// The body of a request, not yet read. Until it is, a client that waits for `100 Continue` does not send it.
pub(crate) struct Payload {
    incoming: Incoming,
    signer: Option<ChunkSigner>,
    touched: bool,
    is_empty: bool,
    /// How long the client may send nothing.
    idle: Duration,
    received: u64,
    /// After so many bytes a fault cuts the connection.
    cut_at: Option<u64>,
    pace: Option<Pace>,
}

impl Payload {
    pub(crate) fn new(incoming: Incoming, idle: Duration) -> Self {
        let is_empty = incoming.is_end_stream();
        Self { incoming, signer: None, touched: false, is_empty, idle, received: 0, cut_at: None, pace: None }
    }

    /// Whether a client that waits for `100 Continue` was given it: an empty body is never asked for.
    pub(crate) fn was_asked_for(&self) -> bool {
        self.touched && !self.is_empty
    }

    /// Whether the request has no body.
    pub(crate) fn is_empty(&self) -> bool {
        self.is_empty
    }

    /// From here on, a fault slows or cuts it.
    pub(crate) fn disturb(&mut self, fault: &Fault) {
        let middle = self.incoming.size_hint().exact().unwrap_or_default() / 2;
        self.cut_at = (fault.cut == Some(Cut::Request)).then(|| fault.at_byte.unwrap_or(middle));
        self.pace = fault.bytes_per_second.map(Pace::new);
    }

    /// Whether a fault has cut it.
    pub(crate) fn was_cut(&self) -> bool {
        self.touched && self.cut_at.is_some_and(|at| self.received >= at)
    }

    /// From here on, chunks are checked.
    pub(crate) fn check_chunks(&mut self, signer: Option<ChunkSigner>) {
        self.signer = signer;
    }

    /// Streams the body into a staged file and checks it; the caller drops the file on an error.
    /// `keep` is the checksum to keep when it is not the one that the client sends.
    ///
    /// # Errors
    /// What the body's length, digests, framing or signatures are wrong in; `EntityTooLarge` before it is read.
    pub(crate) async fn store(
        &mut self,
        request: &Request,
        staged: &mut Staged,
        max_bytes: u64,
        keep: Option<Algorithm>,
    ) -> S3Result<Digests> {
        let length = Framing::of(request)?.declared_length(request)?;
        if length > max_bytes {
            let error = S3Error::from(Code::EntityTooLarge).with("ProposedSize", length.to_string());
            return Err(error.with("MaxSizeAllowed", max_bytes.to_string()));
        }
        let checks = BodyChecks::of(request, &Framing::of(request)?)?;
        self.receive(request, checks, &mut Sink::Staged { staged, left: length }, keep).await
    }

    /// Reads a whole small body, such as an XML document, and checks it as an object's would be.
    ///
    /// # Errors
    /// `MaxMessageLengthExceeded` beyond `max_bytes`, and what the body's digests or framing are wrong in.
    pub(crate) async fn document(&mut self, request: &Request, max_bytes: usize) -> S3Result<Bytes> {
        let checks = BodyChecks::of(request, &Framing::of(request)?)?;
        self.read_document(request, checks, max_bytes).await
    }

    /// The same, where the checksum headers are about something else than this body.
    ///
    /// # Errors
    /// As [`Payload::document`].
    pub(crate) async fn unchecked_document(&mut self, request: &Request, max_bytes: usize) -> S3Result<Bytes> {
        let checks = BodyChecks::of_transport(request, &Framing::of(request)?)?;
        self.read_document(request, checks, max_bytes).await
    }

    async fn read_document(&mut self, request: &Request, checks: BodyChecks, max_bytes: usize) -> S3Result<Bytes> {
        let mut document = BytesMut::new();
        let mut sink = Sink::Document { document: &mut document, max_bytes };
        self.receive(request, checks, &mut sink, None).await?;
        Ok(document.freeze())
    }

    async fn receive(
        &mut self,
        request: &Request,
        checks: BodyChecks,
        sink: &mut Sink<'_>,
        keep: Option<Algorithm>,
    ) -> S3Result<Digests> {
        let framing = Framing::of(request)?;
        let mut digesting = Digesting::start(&checks, keep);
        let mut decoder = self.decoder(&framing);
        while let Some(mut frame) = self.next_frame().await? {
            while let Some(data) = next_piece(&mut decoder, &mut frame)? {
                digesting.update(&data);
                sink.take(data).await?;
            }
        }
        let trailers = decoder.map(ChunkDecoder::finish).transpose()?.unwrap_or_default();
        sink.end()?;
        digesting.finish(&checks, &trailers)
    }

    fn decoder(&self, framing: &Framing) -> Option<ChunkDecoder> {
        match framing {
            Framing::Plain { .. } => None,
            Framing::Chunked { signed: true } => Some(ChunkDecoder::new(self.signer.clone())),
            Framing::Chunked { signed: false } => Some(ChunkDecoder::new(None)),
        }
    }

    /// The next data of the connection; `None` at the end.
    ///
    /// # Errors
    /// `IncompleteBody` when the client hangs up, `RequestTimeout` when it sends nothing for too long.
    pub(crate) async fn next_frame(&mut self) -> S3Result<Option<Bytes>> {
        self.touched = true;
        loop {
            let next = tokio::time::timeout(self.idle, self.incoming.frame()).await;
            let Some(frame) = next.map_err(|_| S3Error::from(Code::RequestTimeout))? else { return Ok(None) };
            let frame = frame.map_err(|_| S3Error::from(Code::IncompleteBody))?;
            if let Ok(data) = frame.into_data()
                && !data.is_empty()
            {
                self.received += data.len() as u64;
                if let Some(pace) = &mut self.pace {
                    pace.wait(data.len() as u64).await;
                }
                if self.was_cut() {
                    return Err(Code::IncompleteBody.into());
                }
                return Ok(Some(data));
            }
        }
    }

    /// Reads a little of a body that was refused, so that a client which is still sending gets to read why.
    /// A client that waits for `100 Continue` is not asked to send.
    pub(crate) async fn drain(&mut self, waits_for_continue: bool) {
        if waits_for_continue && !self.touched {
            return;
        }
        let mut left = DRAIN_BYTES;
        while left > 0 && !self.incoming.is_end_stream() {
            match self.next_frame().await {
                Ok(Some(data)) => left = left.saturating_sub(data.len()),
                Ok(None) | Err(_) => return,
            }
        }
    }
}

/// Where a body goes.
enum Sink<'a> {
    /// Into a file; `left` bytes are still to come.
    Staged { staged: &'a mut Staged, left: u64 },
    /// Into memory, up to a bound.
    Document { document: &'a mut BytesMut, max_bytes: usize },
}

impl Sink<'_> {
    async fn take(&mut self, data: Bytes) -> S3Result<()> {
        match self {
            Self::Staged { staged, left } => {
                let longer = || S3Error::new(Code::InvalidRequest, "The body is longer than the request says.");
                *left = left.checked_sub(data.len() as u64).ok_or_else(longer)?;
                Ok(staged.write(data).await?)
            }
            Self::Document { document, max_bytes } if document.len() + data.len() > *max_bytes => {
                let error = S3Error::from(Code::MaxMessageLengthExceeded);
                Err(error.with("MaxMessageLengthBytes", max_bytes.to_string()))
            }
            Self::Document { document, .. } => {
                document.extend_from_slice(&data);
                Ok(())
            }
        }
    }

    fn end(&self) -> S3Result<()> {
        match self {
            Self::Staged { left: 1.., .. } => Err(Code::IncompleteBody.into()),
            Self::Staged { left: 0, .. } | Self::Document { .. } => Ok(()),
        }
    }
}

fn next_piece(decoder: &mut Option<ChunkDecoder>, frame: &mut Bytes) -> S3Result<Option<Bytes>> {
    match decoder {
        Some(decoder) => decoder.next(frame),
        None if frame.is_empty() => Ok(None),
        None => Ok(Some(std::mem::take(frame))),
    }
}

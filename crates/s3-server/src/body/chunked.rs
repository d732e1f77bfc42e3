use bytes::{Buf, Bytes, BytesMut};
use sha2::{Digest, Sha256};

use crate::auth::ChunkSigner;
use crate::encoding::hex;
use crate::error::{Code, S3Error, S3Result};

/// The longest line of framing or trailer, in bytes.
const MAX_LINE_BYTES: usize = 4096;
/// How many trailers may follow.
const MAX_TRAILERS: usize = 16;

/// Unwraps an `aws-chunked` body, piece by piece, without copying its data.
///
/// ```text
/// <hex size>[;chunk-signature=<64 hex>] CRLF <data> CRLF … 0[;…] CRLF [<name>:<value> CRLF]… CRLF
/// ```
pub(crate) struct ChunkDecoder {
    state: State,
    line: BytesMut,
    signer: Option<ChunkSigner>,
    signature: String,
    chunk_hash: Sha256,
    trailers: Vec<(String, String)>,
    trailer_signature: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Head,
    Data { left: u64 },
    DataEnd,
    Trailer,
    Done,
}

impl ChunkDecoder {
    /// With a signer, each chunk must be signed.
    pub(crate) fn new(signer: Option<ChunkSigner>) -> Self {
        Self {
            state: State::Head,
            line: BytesMut::new(),
            signer,
            signature: String::new(),
            chunk_hash: Sha256::new(),
            trailers: Vec::new(),
            trailer_signature: None,
        }
    }

    /// Takes what it can from `input` and gives back the next data; `None` when `input` is used up.
    ///
    /// # Errors
    /// `InvalidRequest` for broken framing, `SignatureDoesNotMatch` for a chunk that was changed.
    pub(crate) fn next(&mut self, input: &mut Bytes) -> S3Result<Option<Bytes>> {
        while !input.is_empty() {
            if let State::Data { left } = self.state {
                return Ok(Some(self.take_data(input, left)));
            }
            if self.state == State::Done {
                return Err(broken("data after the last chunk"));
            }
            if let Some(line) = self.take_line(input)? {
                self.accept_line(&line)?;
            }
        }
        Ok(None)
    }

    /// The trailers, once the input has ended.
    ///
    /// # Errors
    /// `IncompleteBody` when it ended early.
    pub(crate) fn finish(self) -> S3Result<Vec<(String, String)>> {
        if self.state == State::Done { Ok(self.trailers) } else { Err(Code::IncompleteBody.into()) }
    }

    fn take_data(&mut self, input: &mut Bytes, left: u64) -> Bytes {
        let length = usize::try_from(left).unwrap_or(usize::MAX).min(input.len());
        let data = input.split_to(length);
        if self.signer.is_some() {
            self.chunk_hash.update(&data);
        }
        let left = left - length as u64;
        self.state = if left == 0 { State::DataEnd } else { State::Data { left } };
        data
    }

    /// Takes bytes up to the end of a line; `None` when it does not end in `input`.
    fn take_line(&mut self, input: &mut Bytes) -> S3Result<Option<String>> {
        let end = input.iter().position(|&byte| byte == b'\n');
        let taken = end.map_or(input.len(), |end| end + 1);
        if self.line.len() + taken > MAX_LINE_BYTES {
            return Err(broken("a line of the framing is too long"));
        }
        self.line.extend_from_slice(&input[..taken]);
        input.advance(taken);
        if end.is_none() {
            return Ok(None);
        }
        let line = self.line.split();
        let line = line.strip_suffix(b"\r\n").ok_or_else(|| broken("a line does not end in CRLF"))?;
        let text = std::str::from_utf8(line).map_err(|_| broken("a line is not text"))?;
        Ok(Some(text.to_owned()))
    }

    fn accept_line(&mut self, line: &str) -> S3Result<()> {
        match self.state {
            State::Head => self.accept_head(line),
            State::DataEnd if line.is_empty() => self.close_chunk(State::Head),
            State::DataEnd => Err(broken("a chunk is longer than it says")),
            State::Trailer if line.is_empty() => self.close_trailers(),
            State::Trailer => self.accept_trailer(line),
            State::Data { .. } | State::Done => Ok(()),
        }
    }

    fn accept_head(&mut self, line: &str) -> S3Result<()> {
        let (size, extensions) = line.split_once(';').unwrap_or((line, ""));
        let digits = !size.is_empty() && size.bytes().all(|byte| byte.is_ascii_hexdigit());
        let size = if digits { u64::from_str_radix(size, 16).ok() } else { None };
        let size = size.ok_or_else(|| broken("a chunk's size is not a hexadecimal number"))?;
        self.signature.clear();
        if let Some(signature) = extensions.strip_prefix("chunk-signature=") {
            self.signature.push_str(signature);
        }
        if size == 0 {
            return self.close_chunk(State::Trailer);
        }
        self.state = State::Data { left: size };
        Ok(())
    }

    /// A chunk is whole: its signature must be right before another one is read.
    fn close_chunk(&mut self, next: State) -> S3Result<()> {
        self.state = next;
        let Some(signer) = &mut self.signer else { return Ok(()) };
        let hash = hex(&std::mem::take(&mut self.chunk_hash).finalize());
        if signer.accepts_chunk(&hash, &self.signature) { Ok(()) } else { Err(Code::SignatureDoesNotMatch.into()) }
    }

    fn accept_trailer(&mut self, line: &str) -> S3Result<()> {
        let (name, value) = line.split_once(':').ok_or_else(|| S3Error::from(Code::MalformedTrailerError))?;
        let (name, value) = (name.trim().to_ascii_lowercase(), value.trim().to_owned());
        if self.trailers.len() >= MAX_TRAILERS {
            return Err(Code::MalformedTrailerError.into());
        }
        if name == "x-amz-trailer-signature" {
            self.trailer_signature = Some(value);
        } else {
            self.trailers.push((name, value));
        }
        Ok(())
    }

    fn close_trailers(&mut self) -> S3Result<()> {
        self.state = State::Done;
        let Some(signer) = &mut self.signer else { return Ok(()) };
        if self.trailers.is_empty() {
            return Ok(());
        }
        let lines: String = self.trailers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        let signature = self.trailer_signature.as_deref().unwrap_or_default();
        if signer.accepts_trailers(&lines, signature) { Ok(()) } else { Err(Code::SignatureDoesNotMatch.into()) }
    }
}

fn broken(why: &str) -> S3Error {
    S3Error::new(Code::InvalidRequest, format!("The aws-chunked body can't be read: {why}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    type Decoded = (Vec<u8>, Vec<(String, String)>);

    /// Feeds `body` in pieces of `step` bytes.
    fn decode(body: &[u8], step: usize) -> S3Result<Decoded> {
        let mut decoder = ChunkDecoder::new(None);
        let mut data = Vec::new();
        for piece in body.chunks(step) {
            let mut input = Bytes::copy_from_slice(piece);
            while let Some(found) = decoder.next(&mut input)? {
                data.extend_from_slice(&found);
            }
        }
        Ok((data, decoder.finish()?))
    }

    #[test]
    fn data_and_trailers_come_out_however_the_body_is_cut() {
        let body = b"5\r\nhello\r\n7;chunk-signature=ab\r\n, world\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n";
        for step in 1..body.len() {
            let (data, trailers) = decode(body, step).unwrap();
            assert_eq!(data, b"hello, world");
            assert_eq!(trailers, [("x-amz-checksum-crc32".to_owned(), "AAAAAA==".to_owned())]);
        }
    }

    #[test]
    fn a_body_without_trailers_ends_with_an_empty_line() {
        assert_eq!(decode(b"1\r\na\r\n0\r\n\r\n", 3).unwrap(), (b"a".to_vec(), vec![]));
    }

    #[test]
    fn broken_framing_is_refused() {
        let long = "1".repeat(5000);
        let bodies: [(&[u8], Code); 8] = [
            (b"", Code::IncompleteBody),
            (b"5\r\nhel", Code::IncompleteBody),
            (b"0\r\n", Code::IncompleteBody),
            (b"x\r\n", Code::InvalidRequest),
            (b"-1\r\n", Code::InvalidRequest),
            (b"1\r\nab\r\n", Code::InvalidRequest),
            (b"0\r\n\r\nmore", Code::InvalidRequest),
            (long.as_bytes(), Code::InvalidRequest),
        ];
        for (body, code) in bodies {
            assert_eq!(decode(body, 1).unwrap_err().code(), code, "{:?}", String::from_utf8_lossy(body));
        }
    }
}

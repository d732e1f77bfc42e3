use std::io;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::stream;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use tokio::time::Instant;

use super::{Cut, Fault};
use crate::answer::AnswerBody;

/// A throttled body comes in so many pieces a second.
const PIECES_PER_SECOND: u64 = 20;

/// How fast a body may come.
#[derive(Debug)]
pub(crate) struct Pace {
    bytes_per_second: u64,
    since: Instant,
    bytes: u64,
}

impl Pace {
    pub(crate) fn new(bytes_per_second: u64) -> Self {
        Self { bytes_per_second, since: Instant::now(), bytes: 0 }
    }

    /// Waits until so many more bytes may have come.
    pub(crate) async fn wait(&mut self, bytes: u64) {
        self.bytes += bytes;
        let after = self.bytes as f64 / self.bytes_per_second as f64;
        tokio::time::sleep_until(self.since + Duration::from_secs_f64(after)).await;
    }

    fn piece_bytes(&self) -> usize {
        usize::try_from(self.bytes_per_second.div_ceil(PIECES_PER_SECOND)).unwrap_or(usize::MAX)
    }
}

/// An answer's body on its way.
struct Disturbed {
    body: AnswerBody,
    /// Taken from the body, and not sent yet.
    rest: Bytes,
    sent: u64,
    cut_at: Option<u64>,
    corrupt_at: Option<u64>,
    pace: Option<Pace>,
}

/// The body of an answer as a fault lets it through; `length` is that of the whole.
pub(crate) fn disturb(body: AnswerBody, length: u64, fault: &Fault) -> AnswerBody {
    let at = fault.at_byte.unwrap_or(length / 2);
    let cut_at = (fault.cut == Some(Cut::Response)).then(|| at.min(length.saturating_sub(1)));
    let corrupt_at = fault.corrupt.then(|| at.min(length.saturating_sub(1)));
    if cut_at.is_none() && corrupt_at.is_none() && fault.bytes_per_second.is_none() {
        return body;
    }
    let pace = fault.bytes_per_second.map(Pace::new);
    let disturbed = Disturbed { body, rest: Bytes::new(), sent: 0, cut_at, corrupt_at, pace };
    StreamBody::new(Box::pin(stream::unfold(disturbed, Disturbed::next))).boxed_unsync()
}

impl Disturbed {
    async fn next(mut self) -> Option<(io::Result<Frame<Bytes>>, Self)> {
        while self.rest.is_empty() {
            match self.body.frame().await? {
                Ok(frame) => self.rest = frame.into_data().unwrap_or_default(),
                Err(error) => return Some((Err(error), self)),
            }
        }
        if self.cut_at == Some(self.sent) {
            // What was sent before must be on its way: the connection flushes when it has to wait.
            tokio::task::yield_now().await;
            let error = io::Error::new(io::ErrorKind::ConnectionAborted, "a fault cut the connection");
            return Some((Err(error), self));
        }
        let mut bytes = self.rest.len();
        if let Some(pace) = &self.pace {
            bytes = bytes.min(pace.piece_bytes());
        }
        if let Some(left) = self.cut_at.map(|at| at - self.sent) {
            bytes = bytes.min(usize::try_from(left).unwrap_or(usize::MAX));
        }
        let piece = self.rest.split_to(bytes);
        if let Some(pace) = &mut self.pace {
            pace.wait(bytes as u64).await;
        }
        let piece = self.corrupted(piece);
        self.sent += bytes as u64;
        Some((Ok(Frame::data(piece)), self))
    }

    fn corrupted(&self, piece: Bytes) -> Bytes {
        let place = self.corrupt_at.and_then(|at| usize::try_from(at.checked_sub(self.sent)?).ok());
        match place.filter(|place| *place < piece.len()) {
            None => piece,
            Some(place) => {
                let mut changed = BytesMut::from(&piece[..]);
                changed[place] ^= 1;
                changed.freeze()
            }
        }
    }
}

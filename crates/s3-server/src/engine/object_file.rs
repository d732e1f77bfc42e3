//! The bytes of an object, opened.

use std::io::{self, Cursor, Read as _, Seek as _, SeekFrom};
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_util::Stream;
use tokio::sync::oneshot;

use super::data_files::OpenedFile;
use super::encryption::{SealedReader, Span, sealed_bytes};
use super::file_threads::FileThreads;
use super::{DataKey, ObjectInfo};

/// Up to this size an object is read whole when it is opened, which saves a change of threads.
const MAX_INLINE_BYTES: u64 = 64 << 10;
/// What a stream reads in one go; it holds at most two of these.
const CHUNK_BYTES: u64 = 256 << 10;

/// An object's bytes as they were when it was opened.
#[derive(Debug)]
pub struct ObjectFile {
    source: Source,
    bytes: u64,
    readers: Arc<FileThreads>,
}

#[derive(Debug)]
enum Source {
    Memory(Bytes),
    File(OpenedFile),
    /// Encrypted bytes without their key.
    Locked(Box<Source>, Vec<Span>),
    Sealed(Box<SealedReader<OpenedFile>>),
}

impl ObjectFile {
    /// Takes an open file. Blocks.
    pub(super) fn open(mut file: OpenedFile, object: &ObjectInfo, readers: &Arc<FileThreads>) -> io::Result<Self> {
        let spans = object.attributes.encryption.as_ref().map(|_| spans(object));
        let file_bytes = match &spans {
            None => object.size,
            Some(spans) => spans.iter().map(|span| sealed_bytes(span.plain_bytes)).sum(),
        };
        let source = match file_bytes {
            0..=MAX_INLINE_BYTES => Source::Memory(read_chunk(&mut file, file_bytes)?),
            _ => Source::File(file),
        };
        let source = match spans {
            None => source,
            Some(spans) => Source::Locked(Box::new(source), spans),
        };
        Ok(Self { source, bytes: object.size, readers: Arc::clone(readers) })
    }

    /// The same object, to be read with its data key. One that is in memory is opened as a whole.
    ///
    /// # Errors
    /// `InvalidData` when what is in memory does not open.
    pub fn unlocked(self, key: DataKey) -> io::Result<Self> {
        let source = match self.source {
            Source::Locked(locked, spans) => match *locked {
                Source::Memory(sealed) => {
                    Source::Memory(SealedReader::new(Cursor::new(sealed), key, spans).read_all()?)
                }
                Source::File(file) => Source::Sealed(Box::new(SealedReader::new(file, key, spans))),
                other => other,
            },
            other => other,
        };
        Ok(Self { source, ..self })
    }

    /// How many bytes there are.
    pub fn len(&self) -> u64 {
        self.bytes
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    /// The whole object when it is small enough to be in memory already.
    pub fn in_memory(&self) -> Option<&Bytes> {
        match &self.source {
            Source::Memory(bytes) => Some(bytes),
            Source::File(_) | Source::Locked(..) | Source::Sealed(_) => None,
        }
    }

    /// Streams a range of bytes, cut to what there is, in chunks of at most 256 KiB, one read ahead. Encrypted bytes
    /// without their key are an error.
    pub fn stream(self, range: Range<u64>) -> ObjectStream {
        let end = range.end.min(self.bytes);
        let start = range.start.min(end);
        let state = match self.source {
            // At most 64 KiB, so the bounds fit.
            Source::Memory(bytes) => State::Memory(bytes.slice(start as usize..end as usize)),
            _ if start == end => State::Done,
            Source::File(file) => {
                State::Reading(read_ahead(&self.readers, Reader::Plain(file, Some(start)), start..end))
            }
            Source::Sealed(reader) => State::Reading(read_ahead(&self.readers, Reader::Sealed(reader), start..end)),
            Source::Locked(..) => State::Locked,
        };
        ObjectStream { first: None, state, left: start..end, readers: self.readers }
    }
}

/// A range of an object's bytes.
#[derive(Debug)]
pub struct ObjectStream {
    /// What [`ObjectStream::begun`] waited for.
    first: Option<Bytes>,
    state: State,
    left: Range<u64>,
    readers: Arc<FileThreads>,
}

#[derive(Debug)]
enum State {
    Memory(Bytes),
    Reading(Reading),
    Locked,
    Done,
}

type Reading = oneshot::Receiver<io::Result<(Reader, Bytes)>>;

#[derive(Debug)]
enum Reader {
    /// A file, and where it must be read from when it does not stand there already.
    Plain(OpenedFile, Option<u64>),
    Sealed(Box<SealedReader<OpenedFile>>),
}

impl ObjectStream {
    /// How many bytes are still to come.
    pub fn len(&self) -> u64 {
        self.left.end - self.left.start + self.first.as_ref().map_or(0, |first| first.len() as u64)
    }

    /// Whether nothing is to come.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The same stream, once its first bytes are read: what is wrong with them is known before anything is answered.
    ///
    /// # Errors
    /// That of the first read.
    pub async fn begun(mut self) -> io::Result<Self> {
        if let State::Reading(running) = &mut self.state {
            let read = running.await;
            self.first = Some(self.take(read)?);
        }
        Ok(self)
    }

    /// Takes what was read, and begins to read on.
    fn take(&mut self, read: Result<io::Result<(Reader, Bytes)>, oneshot::error::RecvError>) -> io::Result<Bytes> {
        self.state = State::Done;
        let (reader, chunk) = read.map_err(|_| io::Error::other("the storage was closed during the read"))??;
        self.left.start += chunk.len() as u64;
        if !self.left.is_empty() {
            self.state = State::Reading(read_ahead(&self.readers, reader, self.left.clone()));
        }
        Ok(chunk)
    }
}

impl Stream for ObjectStream {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(first)));
        }
        let read = match &mut self.state {
            State::Done => return Poll::Ready(None),
            State::Memory(bytes) => {
                let whole = std::mem::take(bytes);
                (self.left.start, self.state) = (self.left.end, State::Done);
                return Poll::Ready((!whole.is_empty()).then_some(Ok(whole)));
            }
            State::Locked => {
                self.state = State::Done;
                return Poll::Ready(Some(Err(io::Error::other("an encrypted object was read without its key"))));
            }
            State::Reading(running) => ready!(Pin::new(running).poll(context)),
        };
        Poll::Ready(Some(self.take(read)))
    }
}

fn read_ahead(readers: &FileThreads, reader: Reader, left: Range<u64>) -> Reading {
    readers.start(move || match reader {
        Reader::Plain(mut file, from) => {
            if let Some(from) = from {
                file.seek(SeekFrom::Start(from))?;
            }
            let chunk = read_chunk(&mut file, (left.end - left.start).min(CHUNK_BYTES))?;
            Ok((Reader::Plain(file, None), chunk))
        }
        Reader::Sealed(mut sealed) => {
            let chunk = sealed.read(&left)?;
            Ok((Reader::Sealed(sealed), chunk))
        }
    })
}

/// The streams that an encrypted object's file is made of.
fn spans(object: &ObjectInfo) -> Vec<Span> {
    match object.parts.as_slice() {
        [] => vec![Span { part: None, plain_bytes: object.size }],
        parts => parts.iter().map(|part| Span { part: Some(part.number), plain_bytes: part.size }).collect(),
    }
}

fn read_chunk(file: &mut OpenedFile, bytes: u64) -> io::Result<Bytes> {
    // Callers ask for at most CHUNK_BYTES.
    let mut chunk = Vec::with_capacity(bytes as usize);
    file.take(bytes).read_to_end(&mut chunk)?;
    if chunk.len() as u64 == bytes {
        return Ok(chunk.into());
    }
    Err(too_short())
}

fn too_short() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "a data file is shorter than the index says: it was changed by hand")
}

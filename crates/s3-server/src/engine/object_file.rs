//! The bytes of an object, opened.

use std::future::poll_fn;
use std::io::{self, Cursor, Read as _, Seek as _, SeekFrom};
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::Stream;
use tokio::sync::oneshot;

use super::data_files::OpenedFile;
use super::encryption::{SealedReader, Span, sealed_bytes};
use super::file_threads::FileThreads;
use super::{DataKey, ObjectInfo};

/// Up to this size an object is read whole when it is opened, which saves a change of threads.
const MAX_INLINE_BYTES: u64 = 64 << 10;
/// What a stream reads in one go.
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
    pub(super) fn open(file: OpenedFile, object: &ObjectInfo, readers: &Arc<FileThreads>) -> io::Result<Self> {
        Self::read_with(file, object, readers, read_chunk)
    }

    /// The same, when nothing has to be waited for.
    pub(super) fn open_cached(file: OpenedFile, object: &ObjectInfo, readers: &Arc<FileThreads>) -> Option<Self> {
        // At most MAX_INLINE_BYTES.
        let read = |file: &mut OpenedFile, bytes: u64| {
            file.read_cached(0, bytes as usize).ok_or_else(|| io::ErrorKind::WouldBlock.into())
        };
        Self::read_with(file, object, readers, read).ok()
    }

    fn read_with(
        mut file: OpenedFile,
        object: &ObjectInfo,
        readers: &Arc<FileThreads>,
        read: impl FnOnce(&mut OpenedFile, u64) -> io::Result<Bytes>,
    ) -> io::Result<Self> {
        let spans = object.attributes.encryption.as_ref().map(|_| spans(object));
        let file_bytes = match &spans {
            None => object.size,
            Some(spans) => spans.iter().map(|span| sealed_bytes(span.plain_bytes)).sum(),
        };
        let source = match file_bytes {
            0..=MAX_INLINE_BYTES => Source::Memory(read(&mut file, file_bytes)?),
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

    /// Streams a range of bytes, cut to what there is, in chunks of at most 256 KiB. Encrypted bytes
    /// without their key are an error.
    pub fn stream(self, range: Range<u64>) -> ObjectStream {
        let end = range.end.min(self.bytes);
        let start = range.start.min(end);
        let state = match self.source {
            // At most 64 KiB, so the bounds fit.
            Source::Memory(bytes) => State::Memory(bytes.slice(start as usize..end as usize)),
            _ if start == end => State::Done,
            Source::File(file) => State::Open(file),
            Source::Sealed(reader) => State::Reading(read_apart(&self.readers, Reader::Sealed(reader), start..end)),
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
    Open(OpenedFile),
    Reading(Reading),
    Locked,
    Done,
}

type Reading = oneshot::Receiver<io::Result<(Reader, Bytes)>>;

#[derive(Debug)]
enum Reader {
    Plain(OpenedFile),
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
        if matches!(self.state, State::Open(_) | State::Reading(_)) {
            self.first = poll_fn(|context| self.poll_chunk(context)).await.transpose()?;
        }
        Ok(self)
    }

    fn poll_chunk(&mut self, context: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        loop {
            match std::mem::replace(&mut self.state, State::Done) {
                State::Done => return Poll::Ready(None),
                State::Memory(bytes) => {
                    self.left.start = self.left.end;
                    return Poll::Ready((!bytes.is_empty()).then_some(Ok(bytes)));
                }
                State::Locked => {
                    return Poll::Ready(Some(Err(io::Error::other("an encrypted object was read without its key"))));
                }
                State::Open(mut file) => {
                    // At most CHUNK_BYTES.
                    let bytes = (self.left.end - self.left.start).min(CHUNK_BYTES) as usize;
                    if let Some(chunk) = file.read_cached(self.left.start, bytes) {
                        return Poll::Ready(Some(self.take(Ok(Ok((Reader::Plain(file), chunk))))));
                    }
                    self.state = State::Reading(read_apart(&self.readers, Reader::Plain(file), self.left.clone()));
                }
                State::Reading(mut running) => match Pin::new(&mut running).poll(context) {
                    Poll::Ready(read) => return Poll::Ready(Some(self.take(read))),
                    Poll::Pending => {
                        self.state = State::Reading(running);
                        return Poll::Pending;
                    }
                },
            }
        }
    }

    /// Takes what was read; what is sealed is read on, since it takes its time to open.
    fn take(&mut self, read: Result<io::Result<(Reader, Bytes)>, oneshot::error::RecvError>) -> io::Result<Bytes> {
        self.state = State::Done;
        let (reader, chunk) = read.map_err(|_| io::Error::other("the storage was closed during the read"))??;
        self.left.start += chunk.len() as u64;
        self.state = match reader {
            _ if self.left.is_empty() => State::Done,
            Reader::Plain(file) => State::Open(file),
            sealed => State::Reading(read_apart(&self.readers, sealed, self.left.clone())),
        };
        Ok(chunk)
    }
}

impl Stream for ObjectStream {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(first)));
        }
        self.poll_chunk(context)
    }
}

/// Reads on a file thread, which may wait for the disk.
fn read_apart(readers: &FileThreads, reader: Reader, left: Range<u64>) -> Reading {
    readers.start(move || match reader {
        Reader::Plain(mut file) => {
            file.seek(SeekFrom::Start(left.start))?;
            let chunk = read_chunk(&mut file, (left.end - left.start).min(CHUNK_BYTES))?;
            Ok((Reader::Plain(file), chunk))
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

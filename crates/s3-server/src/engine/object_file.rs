//! The bytes of an object, opened.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_util::Stream;
use tokio::sync::oneshot;

use super::file_threads::FileThreads;
use super::staged::StagedFile;

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
    File(File),
}

impl ObjectFile {
    /// Takes an open file. Blocks.
    pub(super) fn open(mut file: File, bytes: u64, readers: &Arc<FileThreads>) -> io::Result<Self> {
        let source = match bytes {
            0..=MAX_INLINE_BYTES => Source::Memory(read_chunk(&mut file, bytes)?),
            _ => Source::File(file),
        };
        Ok(Self { source, bytes, readers: Arc::clone(readers) })
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
            Source::File(_) => None,
        }
    }

    /// Streams a range of bytes, cut to what there is, in chunks of at most 256 KiB, one read ahead.
    pub fn stream(self, range: Range<u64>) -> ObjectStream {
        let end = range.end.min(self.bytes);
        let start = range.start.min(end);
        let state = match self.source {
            // At most 64 KiB, so the bounds fit.
            Source::Memory(bytes) => State::Memory(bytes.slice(start as usize..end as usize)),
            Source::File(_) if start == end => State::Done,
            Source::File(file) => State::Reading(read_ahead(&self.readers, file, Some(start), end - start)),
        };
        ObjectStream { state, left: end - start, readers: self.readers }
    }

    /// Appends a range, cut to what there is, to a staged file; how many bytes that was. Blocks.
    pub(super) fn copy_to(self, staged: &mut StagedFile, range: &Range<u64>) -> io::Result<u64> {
        let end = range.end.min(self.bytes);
        let start = range.start.min(end);
        match self.source {
            Source::Memory(bytes) => staged.append(&bytes[start as usize..end as usize])?,
            Source::File(mut file) => {
                file.seek(SeekFrom::Start(start))?;
                if staged.append_file(&mut file.take(end - start))? != end - start {
                    return Err(too_short());
                }
            }
        }
        Ok(end - start)
    }
}

/// A range of an object's bytes.
#[derive(Debug)]
pub struct ObjectStream {
    state: State,
    left: u64,
    readers: Arc<FileThreads>,
}

#[derive(Debug)]
enum State {
    Memory(Bytes),
    Reading(oneshot::Receiver<io::Result<(File, Bytes)>>),
    Done,
}

impl ObjectStream {
    /// How many bytes are still to come.
    pub fn len(&self) -> u64 {
        self.left
    }

    /// Whether nothing is to come.
    pub fn is_empty(&self) -> bool {
        self.left == 0
    }
}

impl Stream for ObjectStream {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let read = match &mut self.state {
            State::Done => return Poll::Ready(None),
            State::Memory(bytes) => {
                let whole = std::mem::take(bytes);
                (self.left, self.state) = (0, State::Done);
                return Poll::Ready((!whole.is_empty()).then_some(Ok(whole)));
            }
            State::Reading(running) => ready!(Pin::new(running).poll(context)),
        };
        self.state = State::Done;
        let (file, chunk) =
            match read.map_err(|_| io::Error::other("the storage was closed during the read")).and_then(|read| read) {
                Ok(read) => read,
                Err(error) => return Poll::Ready(Some(Err(error))),
            };
        self.left -= chunk.len() as u64;
        if self.left > 0 {
            self.state = State::Reading(read_ahead(&self.readers, file, None, self.left));
        }
        Poll::Ready(Some(Ok(chunk)))
    }
}

fn read_ahead(
    readers: &FileThreads,
    mut file: File,
    from: Option<u64>,
    left: u64,
) -> oneshot::Receiver<io::Result<(File, Bytes)>> {
    readers.start(move || {
        if let Some(from) = from {
            file.seek(SeekFrom::Start(from))?;
        }
        let chunk = read_chunk(&mut file, left.min(CHUNK_BYTES))?;
        Ok((file, chunk))
    })
}

fn read_chunk(file: &mut File, bytes: u64) -> io::Result<Bytes> {
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

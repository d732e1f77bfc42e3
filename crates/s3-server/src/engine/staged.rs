//! A body on its way in.

use std::io::{self, Write as _};
use std::mem;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use tokio::task::JoinHandle;

use super::data_files::{DataFiles, OpenedFile, WrittenFile};
use super::encryption::Sealer;
use super::opening::Shared;
use super::{Durability, EngineError, EventOperation, Result};

/// What is collected before it is written. A body holds at most two of these in memory.
const BUFFER_BYTES: usize = 256 << 10;
/// A body that grows beyond this gets a whole buffer at once.
const MAX_SMALL_BYTES: usize = 16 << 10;
/// Up to this a body is written on one of the file threads.
const MAX_QUICK_BYTES: usize = 64 << 10;
/// Unlinking more than this takes long enough to be kept off the caller's thread.
const MAX_INLINE_UNLINK_BYTES: u64 = 64 << 20;

/// Bytes written aside, seen by nobody until they are put. Dropping it discards them.
#[derive(Debug)]
pub struct Staged {
    files: Arc<DataFiles>,
    number: i64,
    /// The state that it was begun in; see [`Shared::era`].
    era: u64,
    operation: EventOperation,
    buffer: BytesMut,
    state: State,
    bytes: u64,
    /// What encrypts the bytes; the file takes it when it is made.
    sealer: Option<Box<Sealer>>,
}

#[derive(Debug)]
enum State {
    /// Everything is in the buffer still.
    Buffered,
    /// The file takes the buffer next.
    Idle(StagedFile),
    /// A buffer is being written; it comes back empty.
    Writing(JoinHandle<io::Result<(StagedFile, BytesMut)>>),
    /// A write failed.
    Failed,
}

impl Staged {
    pub(super) fn new(files: Arc<DataFiles>, number: i64, era: u64, sealer: Option<Box<Sealer>>) -> Self {
        let (operation, state) = (EventOperation::default(), State::Buffered);
        Self { files, number, era, operation, buffer: BytesMut::new(), state, bytes: 0, sealer }
    }

    /// Says what makes an object of it, for those who hear of it; a put unless this is called.
    pub fn made_by(&mut self, operation: EventOperation) {
        self.operation = operation;
    }

    /// How many bytes were written.
    pub fn len(&self) -> u64 {
        self.bytes
    }

    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    /// Appends bytes; waits while the disk is slower than the caller.
    ///
    /// # Errors
    /// `Storage` when the disk refuses; nothing more can be written then.
    pub async fn write(&mut self, bytes: Bytes) -> Result<()> {
        let mut rest: &[u8] = &bytes;
        while !rest.is_empty() {
            if self.buffer.len() >= BUFFER_BYTES {
                self.flush().await?;
            }
            let (now, later) = rest.split_at(rest.len().min(BUFFER_BYTES - self.buffer.len()));
            if self.buffer.len() + now.len() > MAX_SMALL_BYTES {
                self.buffer.reserve(BUFFER_BYTES - self.buffer.len());
            }
            self.buffer.extend_from_slice(now);
            self.bytes += now.len() as u64;
            rest = later;
        }
        Ok(())
    }

    /// The file when it waits for more; whoever takes it puts it back.
    fn take_file(&mut self) -> Option<StagedFile> {
        match mem::replace(&mut self.state, State::Failed) {
            State::Idle(file) => Some(file),
            _ => None,
        }
    }

    /// Hands the buffer to a blocking thread and goes on with the one that comes back.
    async fn flush(&mut self) -> Result<()> {
        let spare = self.settle().await?;
        let file = self.take_file();
        let buffer = mem::replace(&mut self.buffer, spare);
        let (files, number, sealer) = (Arc::clone(&self.files), self.number, self.sealer.take());
        self.state = State::Writing(tokio::task::spawn_blocking(move || {
            let mut file = file.map_or_else(|| StagedFile::create(files, number, sealer), Ok)?;
            file.append(&buffer)?;
            let mut spare = buffer;
            spare.clear();
            Ok((file, spare))
        }));
        Ok(())
    }

    /// Waits for the write that runs, if one does. Dropping this future leaves everything as it was.
    async fn settle(&mut self) -> Result<BytesMut> {
        let written = match &mut self.state {
            State::Writing(running) => running.await,
            State::Failed => return Err(io::Error::other("an earlier write of this body failed").into()),
            State::Buffered | State::Idle(_) => return Ok(BytesMut::new()),
        };
        self.state = State::Failed;
        let (file, spare) = written??;
        self.state = State::Idle(file);
        Ok(spare)
    }

    /// Waits until nothing is being written any more; what is left to do blocks.
    pub(super) async fn settled(mut self) -> Result<Unfinished> {
        self.settle().await?;
        let (file, buffer) = (self.take_file(), mem::take(&mut self.buffer));
        let (sealer, files) = (self.sealer.take(), Arc::clone(&self.files));
        Ok(Unfinished { files, number: self.number, era: self.era, operation: self.operation, file, buffer, sealer })
    }
}

/// A body whose last bytes are not written yet.
pub(super) struct Unfinished {
    files: Arc<DataFiles>,
    number: i64,
    era: u64,
    operation: EventOperation,
    file: Option<StagedFile>,
    buffer: BytesMut,
    sealer: Option<Box<Sealer>>,
}

impl Unfinished {
    /// Refuses a body that was begun in a state which has been replaced. Said while the write is under way.
    pub(super) fn check_era(&self, shared: &Shared) -> Result<()> {
        if self.era == shared.era() { Ok(()) } else { Err(EngineError::StateReplaced) }
    }

    /// What makes an object of it.
    pub(super) fn operation(&self) -> EventOperation {
        self.operation
    }

    /// Whether writing it is over in microseconds.
    pub(super) fn is_quick(&self) -> bool {
        self.file.is_none() && self.buffer.len() <= MAX_QUICK_BYTES && self.files.durability() == Durability::Process
    }

    /// Writes what is left; gives the whole file, synced when that is asked for. Blocks.
    pub(super) fn finish(self) -> io::Result<StagedFile> {
        let mut file = self.file.map_or_else(|| StagedFile::create(self.files, self.number, self.sealer), Ok)?;
        file.append(&self.buffer)?;
        file.close()?;
        Ok(file)
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        let State::Idle(file) = mem::replace(&mut self.state, State::Failed) else { return };
        if file.bytes > MAX_INLINE_UNLINK_BYTES
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn_blocking(move || drop(file));
        }
    }
}

/// A file in the staging folder. Unlinked when dropped, unless a commit made it its own.
#[derive(Debug)]
pub(super) struct StagedFile {
    files: Arc<DataFiles>,
    number: i64,
    /// Before they are encrypted.
    bytes: u64,
    open: Option<WrittenFile>,
    sealer: Option<Box<Sealer>>,
    is_kept: bool,
}

impl StagedFile {
    /// Makes an empty one. With a sealer, what is appended is encrypted.
    pub(super) fn create(files: Arc<DataFiles>, number: i64, sealer: Option<Box<Sealer>>) -> io::Result<Self> {
        let open = Some(files.create_staged(number)?);
        Ok(Self { files, number, bytes: 0, open, sealer, is_kept: false })
    }

    /// A part's file, which stays when this is dropped: the index names it.
    pub(super) fn of_part(files: Arc<DataFiles>, number: i64, bytes: u64) -> Self {
        Self { files, number, bytes, open: None, sealer: None, is_kept: true }
    }

    /// The number that its name is made of.
    pub(super) fn number(&self) -> i64 {
        self.number
    }

    /// How many bytes were appended, before they were encrypted.
    pub(super) fn len(&self) -> u64 {
        self.bytes
    }

    pub(super) fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let file = self.open.as_mut().ok_or_else(is_closed)?;
        match &mut self.sealer {
            None => file.write_all(bytes)?,
            Some(sealer) => sealer.write(bytes, file)?,
        }
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    /// Appends the file of a part of `bytes` bytes as it is, encrypted or not, in the kernel where the system can do
    /// that. Gives the length of that file.
    pub(super) fn append_part(&mut self, part: OpenedFile, bytes: u64) -> io::Result<u64> {
        let copied = self.open.as_mut().ok_or_else(is_closed)?.append_file(part)?;
        self.bytes += bytes;
        Ok(copied)
    }

    /// Writes what a sealer holds, syncs the file when that is asked for, and lets go of the descriptor.
    pub(super) fn close(&mut self) -> io::Result<()> {
        if let Some(mut open) = self.open.take() {
            if let Some(sealer) = self.sealer.take() {
                sealer.finish(&mut open)?;
            }
            self.files.close_staged(self.number, open)?;
        }
        Ok(())
    }

    /// Said inside the transaction that names it: from here on the index decides what becomes of it.
    pub(super) fn keep(mut self) {
        self.is_kept = true;
    }
}

fn is_closed() -> io::Error {
    io::Error::other("a staged file was written after it was closed")
}

impl Drop for StagedFile {
    fn drop(&mut self) {
        if !self.is_kept
            && let Err(error) = self.files.remove_staged(self.number)
        {
            tracing::warn!(%error, "a discarded body could not be unlinked; the next start sweeps it");
        }
    }
}

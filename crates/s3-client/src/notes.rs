//! Notes of uploads in parts: objects that name an upload while it is under way, so that one whose process was
//! killed can be found. S3's own list of pending uploads doesn't say whose they are.

use bytes::Bytes;
use holdfast_base::{Error, ErrorKind, Result};

use crate::{Bucket, ListRequest, PutOptions};

/// No note is larger: an upload's id and a key.
const MAX_NOTE_BYTES: u64 = 8 << 10;

/// Where an upload in parts is noted while it is under way.
#[derive(Clone, Debug)]
pub struct UploadNote {
    /// Where notes lie.
    pub bucket: Bucket,
    /// The note's name there; of no other upload.
    pub name: String,
}

impl UploadNote {
    pub(crate) async fn write(&self, key: &str, upload_id: &str) -> Result<()> {
        let text = Bytes::from(format!("{upload_id}\n{key}"));
        self.bucket.put(&self.name, text, &PutOptions::default()).await.map(drop)
    }

    /// A note that stays does no harm: the upload that it names is gone.
    pub(crate) async fn erase(&self) {
        if let Err(error) = self.bucket.delete(&self.name, None).await {
            tracing::warn!(note = self.name, %error, "the note of an upload that ended could not be deleted");
        }
    }
}

impl Bucket {
    /// Aborts the uploads of this bucket that the notes under `prefix` of `notes` name, those written before a time
    /// (milliseconds since the epoch), and deletes the notes. Gives back how many.
    ///
    /// # Errors
    /// `Integrity` with code `FOREIGN_OBJECT` for what is no note; `Connection`, `Timeout`.
    pub async fn abort_noted(&self, notes: &Bucket, prefix: &str, before_ms: u64) -> Result<usize> {
        let mut aborted = 0;
        let mut request = ListRequest { prefix: prefix.to_owned(), ..ListRequest::default() };
        loop {
            let page = notes.list(&request).await?;
            for note in page.objects.iter().filter(|note| note.modified_ms < before_ms) {
                if note.size > MAX_NOTE_BYTES {
                    return Err(foreign(&note.key));
                }
                // One that is gone by now was somebody else's to sweep.
                let Some(bytes) = notes.find_bytes(&note.key).await? else { continue };
                let text = std::str::from_utf8(&bytes).map_err(|_| foreign(&note.key))?;
                let (upload_id, key) = text.split_once('\n').ok_or_else(|| foreign(&note.key))?;
                self.abort_upload(key, upload_id).await?;
                notes.delete(&note.key, None).await?;
                aborted += 1;
            }
            match page.next {
                Some(next) => request.continuation = Some(next),
                None => return Ok(aborted),
            }
        }
    }
}

fn foreign(key: &str) -> Error {
    let message = format!("{key:?} lies among the notes of uploads and is none; it was left as it is");
    Error::new(ErrorKind::Integrity, "FOREIGN_OBJECT", message)
}

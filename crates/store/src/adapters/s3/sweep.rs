//! Frees the parts of uploads whose process was killed.
//!
//! While an upload in parts is under way, an object `.persist/uploads/<owner>/<id>` names it. At opening, the
//! uploads of owners that have certainly ended (same machine, no such process) are aborted, and those of other
//! machines when their note is older than a week. Uploads without a note are nobody's that this store knows:
//! they are never touched.

use holdfast_base::Result;
use holdfast_s3_client::{Bucket, ListRequest};

use super::UPLOADS;
use super::owner::Owner;

/// An upload of another machine is taken for abandoned after this long.
const ABANDONED_AFTER_MS: u64 = 7 * 24 * 60 * 60 * 1000;

/// Sweeps; what fails is tried again at the next opening.
pub(super) async fn sweep(blobs: &Bucket, this: &Owner, now_ms: u64) {
    match swept(blobs, this, now_ms).await {
        Ok(0) => {}
        Ok(uploads) => tracing::info!(uploads, "uploads that an earlier process left behind were aborted"),
        Err(error) => tracing::warn!(%error, "uploads of earlier processes could not be swept"),
    }
}

async fn swept(blobs: &Bucket, this: &Owner, now_ms: u64) -> Result<usize> {
    let notes = blobs.under(UPLOADS);
    let mut request = ListRequest { delimiter: Some("/".to_owned()), ..ListRequest::default() };
    let mut aborted = 0;
    loop {
        let page = notes.list(&request).await?;
        for folder in &page.common_prefixes {
            let Some(owner) = Owner::of(folder) else { continue };
            if owner.is_gone(this) {
                aborted += blobs.abort_noted(&notes, folder, u64::MAX).await?;
            } else if owner != *this {
                aborted += blobs.abort_noted(&notes, folder, now_ms.saturating_sub(ABANDONED_AFTER_MS)).await?;
            }
        }
        match page.next {
            Some(next) => request.continuation = Some(next),
            None => return Ok(aborted),
        }
    }
}

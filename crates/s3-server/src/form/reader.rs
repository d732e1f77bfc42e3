use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, stream};
use multer::{Field, Multipart};

use super::Fields;
use crate::body::Payload;
use crate::error::{Code, S3Error, S3Result};

/// The most that the fields before a file hold, names and values together, in bytes; with the file's name put in.
pub(crate) const MAX_FIELDS_BYTES: usize = 20 * 1024;
/// The most that is read before the file begins, with all framing, in bytes.
const MAX_BEFORE_FILE_BYTES: usize = 1 << 20;

/// Reads a form: the fields, and then the file as a stream. What comes after the file is overlooked, as S3 does.
pub(crate) struct FormReader<'a> {
    parts: Multipart<'a>,
    /// How much may still be read.
    left: Arc<AtomicUsize>,
}

/// The file of a form.
pub(crate) struct FormFile<'a>(Field<'a>);

impl<'a> FormReader<'a> {
    /// A reader of a body with that content type.
    ///
    /// # Errors
    /// `PreconditionFailed` when the body is no form.
    pub(crate) fn new(payload: &'a mut Payload, content_type: &str) -> S3Result<Self> {
        let pieces = stream::unfold(payload, |payload| async move {
            let piece = payload.next_frame().await.transpose()?;
            Some((piece, payload))
        });
        Self::over(pieces, content_type)
    }

    /// The same of a body that comes in pieces from anywhere.
    ///
    /// # Errors
    /// As [`FormReader::new`].
    pub(crate) fn over(pieces: impl Stream<Item = S3Result<Bytes>> + Send + 'a, content_type: &str) -> S3Result<Self> {
        let no_form = |_| {
            let condition = "Bucket POST must be of the enclosure-type multipart/form-data";
            S3Error::from(Code::PreconditionFailed).with("Condition", condition)
        };
        let boundary = multer::parse_boundary(content_type).map_err(no_form)?;
        let left = Arc::new(AtomicUsize::new(MAX_BEFORE_FILE_BYTES));
        let body = stream::unfold((Box::pin(pieces), Arc::clone(&left)), |(mut pieces, left)| async move {
            // The reader takes all that is ready into its memory: so one piece is ready at a time.
            tokio::task::yield_now().await;
            let piece = pieces.next().await?;
            Some((piece.map_err(Refused).and_then(|piece| bounded(piece, &left)), (pieces, left)))
        });
        Ok(Self { parts: Multipart::new(body, boundary), left })
    }

    /// Reads the fields up to the file.
    ///
    /// # Errors
    /// `InvalidArgument` when there is no file, `MaxPostPreDataLengthExceededError`, `MalformedPOSTRequest`.
    pub(crate) async fn fields(&mut self) -> S3Result<(Fields, FormFile<'a>)> {
        let mut fields = Fields::default();
        let mut bytes = 0;
        while let Some(mut part) = self.parts.next_field().await.map_err(refusal)? {
            let name = part.name().unwrap_or_default().to_owned();
            if name.eq_ignore_ascii_case("file") {
                self.left.store(usize::MAX, Ordering::Relaxed);
                fields.name_file(part.file_name().unwrap_or_default(), MAX_FIELDS_BYTES)?;
                return Ok((fields, FormFile(part)));
            }
            bytes += name.len();
            let mut value = Vec::new();
            while let Some(piece) = part.chunk().await.map_err(refusal)? {
                bytes += piece.len();
                if bytes > MAX_FIELDS_BYTES {
                    return Err(Code::MaxPostPreDataLengthExceededError.into());
                }
                value.extend_from_slice(&piece);
            }
            fields.push(&name, String::from_utf8(value).map_err(|_| S3Error::from(Code::MalformedPOSTRequest))?);
        }
        Err(S3Error::argument("file", "0", "POST requires exactly one file upload per request."))
    }
}

impl FormFile<'_> {
    /// The next piece of the file; `None` behind the last.
    ///
    /// # Errors
    /// `MalformedPOSTRequest` when the form ends inside the file, and what the connection fails with.
    pub(crate) async fn next(&mut self) -> S3Result<Option<Bytes>> {
        self.0.chunk().await.map_err(refusal)
    }
}

/// An error of ours on its way through the reader.
#[derive(Debug)]
struct Refused(S3Error);

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.message())
    }
}

impl std::error::Error for Refused {}

fn bounded(piece: Bytes, left: &AtomicUsize) -> Result<Bytes, Refused> {
    let subtract = |left: usize| if left == usize::MAX { Some(left) } else { left.checked_sub(piece.len()) };
    match left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, subtract) {
        Ok(_) => Ok(piece),
        Err(_) => Err(Refused(Code::MaxPostPreDataLengthExceededError.into())),
    }
}

fn refusal(error: multer::Error) -> S3Error {
    match error {
        multer::Error::StreamReadFailed(inner) => match inner.downcast::<Refused>() {
            Ok(refused) => refused.0,
            Err(_) => Code::IncompleteBody.into(),
        },
        _ => Code::MalformedPOSTRequest.into(),
    }
}

//! An object's bytes, as a stream.

use std::pin::Pin;
use std::task::{Context, Poll};

use aws_smithy_types::byte_stream::ByteStream;
use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt};
use holdfast_base::Result;

use crate::failure::Failing;

/// An object's bytes as they arrive. Nothing is read ahead of the reader beyond the connection's buffer.
/// A body that ends early, or does not match its checksum, ends in an error with code `BODY_BROKE_OFF`.
#[derive(Debug)]
pub struct Body {
    stream: ByteStream,
    bucket: String,
    key: String,
}

impl Body {
    pub(crate) fn new(stream: ByteStream, bucket: &str, key: &str) -> Self {
        Self { stream, bucket: bucket.to_owned(), key: key.to_owned() }
    }

    /// Reads all of it into memory; for objects that are known to be small.
    ///
    /// # Errors
    /// `Connection` with code `BODY_BROKE_OFF`, retryable.
    pub async fn bytes(mut self) -> Result<Bytes> {
        let Some(first) = self.next().await.transpose()? else { return Ok(Bytes::new()) };
        let Some(second) = self.next().await.transpose()? else { return Ok(first) };
        let mut all = BytesMut::from(first);
        all.extend_from_slice(&second);
        while let Some(chunk) = self.next().await.transpose()? {
            all.extend_from_slice(&chunk);
        }
        Ok(all.freeze())
    }
}

impl Stream for Body {
    type Item = Result<Bytes>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        Pin::new(&mut this.stream).poll_next(context).map(|next| {
            next.map(|chunk| {
                chunk.map_err(|error| Failing::new("GetObject", &this.bucket, Some(&this.key)).broken_body(&error))
            })
        })
    }
}

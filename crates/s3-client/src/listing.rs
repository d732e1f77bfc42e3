//! Lists, a page at a time.

use aws_sdk_s3::types::EncodingType;
use futures_util::Stream;
use futures_util::stream::unfold;
use holdfast_base::Result;
use percent_encoding::percent_decode_str;

use crate::Bucket;
use crate::object::{millis, unsigned};

/// Which keys to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListRequest {
    /// Only keys that start with it.
    pub prefix: String,
    /// Rolls keys that hold it after the prefix up into one common prefix.
    pub delimiter: Option<String>,
    /// Only keys after this one, in byte order.
    pub start_after: Option<String>,
    /// Goes on after an earlier page: its `next`.
    pub continuation: Option<String>,
    /// Most entries in a page: 1 to 1,000. Default 1,000.
    pub max_keys: Option<u16>,
}

/// One object in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedObject {
    /// Its key, without the bucket's prefix.
    pub key: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its ETag, in quotes as S3 gives it.
    pub etag: String,
    /// When it was written: milliseconds since the epoch.
    pub modified_ms: u64,
}

/// One page of a list, in byte order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListPage {
    /// The objects.
    pub objects: Vec<ListedObject>,
    /// What the delimiter rolled up, without the bucket's prefix.
    pub common_prefixes: Vec<String>,
    /// What to continue with; `None` on the last page. A page may be empty and not the last.
    pub next: Option<String>,
}

impl Bucket {
    /// One page of keys, at most 1,000.
    ///
    /// # Errors
    /// `NotFound` (code `NO_SUCH_BUCKET`), `Connection`, `Timeout`.
    pub async fn list(&self, request: &ListRequest) -> Result<ListPage> {
        let answer = self
            .client
            .sdk
            .list_objects_v2()
            .bucket(self.name())
            .prefix(self.full_key(&request.prefix))
            .set_delimiter(request.delimiter.clone())
            .set_start_after(request.start_after.as_deref().map(|key| self.full_key(key)))
            .set_continuation_token(request.continuation.clone())
            .set_max_keys(request.max_keys.map(i32::from))
            // Without it, a key with a control character makes the whole answer unreadable XML.
            .encoding_type(EncodingType::Url)
            .send()
            .await
            .map_err(|error| crate::failure::Failing::new("ListObjectsV2", self.name(), None).error(&error))?;
        let encoded = answer.encoding_type == Some(EncodingType::Url);
        let own = |key: Option<String>| self.own_key(key.unwrap_or_default(), encoded);
        let next = answer.next_continuation_token.filter(|_| answer.is_truncated == Some(true));
        let objects = answer.contents.unwrap_or_default().into_iter().map(|object| ListedObject {
            size: unsigned(object.size),
            modified_ms: millis(object.last_modified.as_ref()),
            etag: object.e_tag.unwrap_or_default(),
            key: own(object.key),
        });
        Ok(ListPage {
            objects: objects.collect(),
            common_prefixes: answer.common_prefixes.unwrap_or_default().into_iter().map(|it| own(it.prefix)).collect(),
            next,
        })
    }

    /// Every page, one after the other; the next is asked for when it is wanted. Ends after an error.
    pub fn pages(&self, request: ListRequest) -> impl Stream<Item = Result<ListPage>> + Send + 'static {
        let bucket = self.clone();
        unfold(Some(request), move |state| {
            let bucket = bucket.clone();
            async move {
                let request = state?;
                let page = bucket.list(&request).await;
                let next = page.as_ref().ok().and_then(|page| page.next.clone());
                let state = next.map(|next| ListRequest { continuation: Some(next), start_after: None, ..request });
                Some((page, state))
            }
        })
    }

    pub(crate) fn own_key(&self, key: String, encoded: bool) -> String {
        let key = if encoded { url_decoded(&key) } else { key };
        match key.strip_prefix(self.prefix()) {
            Some(own) => own.to_owned(),
            None => key,
        }
    }
}

/// Undoes `encoding-type=url`, in which a space is a plus sign.
fn url_decoded(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn undoes_the_encoding_of_lists() {
        assert_eq!(url_decoded("a+b%2Bc%01/%F0%9F%A6%80"), "a b+c\u{1}/🦀");
    }
}

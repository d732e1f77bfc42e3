//! Copies within the endpoint.

use std::collections::BTreeMap;

use aws_sdk_s3::types::MetadataDirective;
use holdfast_base::Result;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::Bucket;

/// What a copy source header may hold unescaped.
const SOURCE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// What a copy changes and demands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CopyOptions {
    /// Copy only the source with this ETag.
    pub source_if_match: Option<String>,
    /// Replaces the media type and all metadata; `None` keeps the source's.
    pub replace: Option<(Option<String>, BTreeMap<String, String>)>,
}

impl Bucket {
    /// Copies an object within the endpoint, without its bytes passing here, and gives back the copy's
    /// ETag. At most 5 GiB.
    ///
    /// # Errors
    /// `NotFound`, `Conflict` (code `PRECONDITION_FAILED`), `Validation`, `Connection`, `Timeout`.
    pub async fn copy(&self, from: &str, to: &Bucket, to_key: &str, options: &CopyOptions) -> Result<String> {
        let source = format!("{}/{}", self.name(), self.full_key(from));
        let mut request = self
            .client
            .sdk
            .copy_object()
            .bucket(to.name())
            .key(to.full_key(to_key))
            .copy_source(utf8_percent_encode(&source, SOURCE).to_string())
            .set_copy_source_if_match(options.source_if_match.clone());
        if let Some((content_type, metadata)) = &options.replace {
            request = request
                .metadata_directive(MetadataDirective::Replace)
                .set_content_type(content_type.clone())
                .set_metadata(Some(metadata.clone().into_iter().collect()));
        }
        let answer = request.send().await.map_err(|error| self.failing("CopyObject", from).error(&error))?;
        let etag = answer.copy_object_result.and_then(|result| result.e_tag).unwrap_or_default();
        Ok(etag)
    }
}

//! A bucket under a folder, as SlateDB sees it: one client, one set of retries, one count of requests for both layouts.

use std::fmt;
use std::ops::Range;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use futures_util::stream::{self, BoxStream, StreamExt, TryStreamExt};
use holdfast_base::{Error, ErrorKind};
use holdfast_s3_client::{Bucket, ListRequest, OUTCOME_UNKNOWN, PRECONDITION_FAILED, PutOptions as BucketPutOptions};
use object_store::path::Path;
use object_store::{
    Attribute, Attributes, CopyOptions, GetOptions, GetRange, GetResult, GetResultPayload, ListResult, MultipartUpload,
    ObjectMeta, ObjectStore, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use slatedb_common::retry::NonRetryable;

use super::part_upload::BucketUpload;

/// What SlateDB keeps its objects in.
#[derive(Clone, Debug)]
pub(crate) struct BucketStore(pub(crate) Bucket);

impl fmt::Display for BucketStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "bucket {:?} under {:?}", self.0.name(), self.0.prefix())
    }
}

#[async_trait]
impl ObjectStore for BucketStore {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        let creates = options.mode == PutMode::Create;
        let mut put = put_options(location, &options.attributes)?;
        match options.mode {
            PutMode::Overwrite => {}
            PutMode::Create => put.if_none_match = true,
            PutMode::Update(version) => put.if_match = version.e_tag,
        }
        match self.0.put(location.as_ref(), payload.into(), &put).await {
            Ok(stored) => Ok(put_result(stored.etag)),
            Err(error) if creates && error.code() == PRECONDITION_FAILED => {
                Err(object_store::Error::AlreadyExists { path: location.to_string(), source: Box::new(error) })
            }
            Err(error) => Err(store_error(location, error)),
        }
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        let put = put_options(location, &options.attributes)?;
        let upload = self.0.begin_parts(location.as_ref(), put).await.map_err(|error| store_error(location, error))?;
        Ok(Box::new(BucketUpload::new(upload, location.clone())))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let failed = |error| store_error(location, error);
        let suffix = matches!(options.range, Some(GetRange::Suffix(_)));
        // S3's own suffix ranges say nothing of where they begin when the object is shorter.
        let known = if options.head || suffix { self.0.head(location.as_ref()).await.map_err(failed)? } else { None };
        if options.head || suffix {
            let Some(known) = known else { return Err(not_found(location)) };
            let meta = object_meta(location, known.size, known.modified_ms, &known.etag)?;
            options.check_preconditions(&meta)?;
            if options.head {
                let (range, attributes) = (0..known.size, attributes(known.metadata));
                let payload = GetResultPayload::Stream(stream::empty().boxed());
                return Ok(GetResult { payload, meta, range, attributes, extensions: Default::default() });
            }
            let last = options.range.as_ref().map(|range| range.as_range(known.size));
            let range = last.transpose().map_err(|error| generic(location, &error.to_string()))?;
            return self.get_range_of(location, range, Some(known.etag), None).await;
        }
        let range = options.range.map(|range| match range {
            GetRange::Bounded(range) => range,
            GetRange::Offset(start) | GetRange::Suffix(start) => start..u64::from(u32::MAX) << 16,
        });
        self.get_range_of(location, range, options.if_match, options.if_none_match).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        let bucket = self.0.clone();
        let deletes = locations.map(move |location| {
            let bucket = bucket.clone();
            async move {
                let location = location?;
                bucket.delete(location.as_ref(), None).await.map_err(|error| store_error(&location, error))?;
                Ok(location)
            }
        });
        deletes.buffered(10).boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.listed(ListRequest { prefix: folder(prefix), ..ListRequest::default() })
    }

    fn list_with_offset(&self, prefix: Option<&Path>, offset: &Path) -> BoxStream<'static, Result<ObjectMeta>> {
        let start_after = Some(offset.to_string());
        self.listed(ListRequest { prefix: folder(prefix), start_after, ..ListRequest::default() })
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let mut request =
            ListRequest { prefix: folder(prefix), delimiter: Some("/".to_owned()), ..ListRequest::default() };
        let at = prefix.cloned().unwrap_or_default();
        let mut listed =
            ListResult { common_prefixes: Vec::new(), objects: Vec::new(), extensions: Default::default() };
        loop {
            let page = self.0.list(&request).await.map_err(|error| store_error(&at, error))?;
            for folder in page.common_prefixes {
                listed.common_prefixes.push(Path::parse(folder)?);
            }
            for object in page.objects {
                let location = Path::parse(&object.key)?;
                listed.objects.push(object_meta(&location, object.size, object.modified_ms, &object.etag)?);
            }
            match page.next {
                Some(next) => request.continuation = Some(next),
                None => return Ok(listed),
            }
        }
    }

    async fn copy_opts(&self, _from: &Path, _to: &Path, _options: CopyOptions) -> Result<()> {
        // SlateDB copies nothing but clones, which are not used here.
        Err(object_store::Error::NotImplemented { operation: "copy".to_owned(), implementer: self.to_string() })
    }
}

impl BucketStore {
    async fn get_range_of(
        &self,
        location: &Path,
        range: Option<Range<u64>>,
        if_match: Option<String>,
        if_none_match: Option<String>,
    ) -> Result<GetResult> {
        let start = range.as_ref().map_or(0, |range| range.start);
        let options = holdfast_s3_client::GetOptions { range, if_match, if_none_match };
        let got = self.0.get(location.as_ref(), &options).await.map_err(|error| store_error(location, error))?;
        let meta = object_meta(location, got.meta.size, got.meta.modified_ms, &got.meta.etag)?;
        let at = location.clone();
        let body = got.body.map_err(move |error| store_error(&at, error));
        Ok(GetResult {
            payload: GetResultPayload::Stream(body.boxed()),
            meta,
            range: start..start + got.body_bytes,
            attributes: attributes(got.meta.metadata),
            extensions: Default::default(),
        })
    }

    fn listed(&self, request: ListRequest) -> BoxStream<'static, Result<ObjectMeta>> {
        let root = Path::default();
        let pages = self.0.pages(request).map_err(move |error| store_error(&root, error));
        let objects = pages.map_ok(|page| {
            stream::iter(page.objects).map(|object| {
                let location = Path::parse(&object.key)?;
                object_meta(&location, object.size, object.modified_ms, &object.etag)
            })
        });
        objects.try_flatten().boxed()
    }
}

/// A folder's name with a slash at its end; empty for the root.
fn folder(prefix: Option<&Path>) -> String {
    match prefix {
        Some(prefix) if !prefix.as_ref().is_empty() => format!("{prefix}/"),
        _ => String::new(),
    }
}

fn put_options(location: &Path, attributes: &Attributes) -> Result<BucketPutOptions> {
    let mut options = BucketPutOptions::default();
    for (name, value) in attributes {
        match name {
            Attribute::Metadata(name) => {
                options.metadata.insert(name.to_string(), value.to_string());
            }
            Attribute::ContentType => options.content_type = Some(value.to_string()),
            other => {
                let source = format!("{location}: objects here have no {other:?}").into();
                return Err(object_store::Error::NotSupported { source });
            }
        }
    }
    Ok(options)
}

fn attributes(metadata: impl IntoIterator<Item = (String, String)>) -> Attributes {
    metadata.into_iter().map(|(name, value)| (Attribute::Metadata(name.into()), value)).collect()
}

pub(super) fn put_result(etag: String) -> PutResult {
    PutResult { e_tag: Some(etag), version: None, extensions: Default::default() }
}

fn object_meta(location: &Path, size: u64, modified_ms: u64, etag: &str) -> Result<ObjectMeta> {
    let modified = i64::try_from(modified_ms).ok().and_then(DateTime::<Utc>::from_timestamp_millis);
    let last_modified = modified.ok_or_else(|| generic(location, "the time of an object is out of range"))?;
    Ok(ObjectMeta { location: location.clone(), last_modified, size, e_tag: Some(etag.to_owned()), version: None })
}

fn not_found(location: &Path) -> object_store::Error {
    object_store::Error::NotFound { path: location.to_string(), source: "there is nothing under this name".into() }
}

fn generic(location: &Path, why: &str) -> object_store::Error {
    let source = format!("{location}: {why}").into();
    object_store::Error::Generic { store: "bucket", source }
}

/// An error in the words that SlateDB decides by; what is worth no retry says so, and ours stays its cause.
pub(super) fn store_error(location: &Path, error: Error) -> object_store::Error {
    let path = location.to_string();
    match (error.kind(), error.code()) {
        (ErrorKind::NotFound, _) => object_store::Error::NotFound { path, source: Box::new(error) },
        (_, "NOT_MODIFIED") => object_store::Error::NotModified { path, source: Box::new(error) },
        (_, PRECONDITION_FAILED) => object_store::Error::Precondition { path, source: Box::new(error) },
        // Sent again, a conditional put of SlateDB recognises itself by an id in its metadata.
        (_, OUTCOME_UNKNOWN | "WRITE_CONFLICT") => {
            object_store::Error::Generic { store: "bucket", source: Box::new(error) }
        }
        _ if error.is_retryable() => object_store::Error::Generic { store: "bucket", source: Box::new(error) },
        _ => object_store::Error::Generic { store: "bucket", source: Box::new(NonRetryable(Box::new(error))) },
    }
}

use std::ops::Range;

use http::StatusCode;

use super::encryption::{self, unlocked};
use super::versions::version_named;
use super::{Call, content};
use crate::answer::{self, Answer};
use crate::encryption::{SentKey, refuse_on_read};
use crate::engine::{Checksum, EngineError, ObjectInfo};
use crate::error::{Code, S3Error, S3Result};
use crate::request::Request;
use crate::{byte_range, conditions};

impl Call<'_> {
    pub(super) async fn get_object(&self) -> S3Result<Answer> {
        content::refuse_overrides_of_anonymous(self.request, self.access.facts.identity)?;
        let version = version_named(self.request)?;
        let (bucket, key) = (self.request.bucket()?, self.request.key()?);
        let opened = self.engine.open_object(bucket, key, version).await;
        self.require_read("s3:GetObject", opened.as_ref().map(|(object, _)| object)).await?;
        refuse_on_read(self.request)?;
        let sent = SentKey::of_request(self.request)?;
        let (object, file) = opened?;
        let data_key = self.key_of((bucket, key), &object, sent.as_ref()).await?;
        let file = unlocked(file, data_key)?;
        conditions::OF_READ.check(self.request, &object)?;
        let selection = Selection::of(self.request, &object)?;
        let range = selection.range.clone().unwrap_or(0..object.size);
        // A file that can't be read is told as an error, and not by a connection that ends.
        let bytes = file.stream(range).begun().await.map_err(EngineError::from)?;
        let mut answer = answer::stream(selection.status(), bytes);
        selection.describe(&mut answer, self.request, &object);
        self.give_tagging_count(&mut answer, &object).await;
        self.give_lock(&mut answer, &object).await?;
        encryption::give(&mut answer, &object.attributes, sent.as_ref());
        self.give_expiration_of_read(&mut answer, &object, version).await?;
        Ok(answer)
    }

    pub(super) async fn head_object(&self) -> S3Result<Answer> {
        content::refuse_overrides_of_anonymous(self.request, self.access.facts.identity)?;
        let version = version_named(self.request)?;
        let (bucket, key) = (self.request.bucket()?, self.request.key()?);
        let found = self.engine.object(bucket, key, version).await;
        self.require_read("s3:GetObject", found.as_ref()).await?;
        refuse_on_read(self.request)?;
        let sent = SentKey::of_request(self.request)?;
        let object = found?;
        self.key_of((bucket, key), &object, sent.as_ref()).await?;
        conditions::OF_READ.check(self.request, &object)?;
        let selection = Selection::of(self.request, &object)?;
        let length = selection.range.as_ref().map_or(object.size, |range| range.end - range.start);
        let mut answer = answer::empty(selection.status());
        answer::set(&mut answer, "content-length", length.to_string());
        selection.describe(&mut answer, self.request, &object);
        self.give_tagging_count(&mut answer, &object).await;
        self.give_lock(&mut answer, &object).await?;
        encryption::give(&mut answer, &object.attributes, sent.as_ref());
        self.give_expiration_of_read(&mut answer, &object, version).await?;
        Ok(answer)
    }
}

impl Call<'_> {
    /// Refuses a read that is not allowed on what was found. The action has another name where a version is asked for.
    pub(super) async fn require_read(&self, action: &str, found: Result<&ObjectInfo, &EngineError>) -> S3Result<()> {
        let action = match self.request.query().has("versionId") {
            true => action.replacen("s3:GetObject", "s3:GetObjectVersion", 1),
            false => action.to_owned(),
        };
        self.access.require_on(&action, self.request.bucket()?, self.request.key()?, found).await
    }
}

/// Which of an object's bytes are asked for: all, a range, or one of the parts it was put in.
struct Selection {
    range: Option<Range<u64>>,
    /// The part's number.
    part: Option<usize>,
}

impl Selection {
    fn of(request: &Request, object: &ObjectInfo) -> S3Result<Self> {
        let Some(number) = request.query().number("partNumber")? else {
            let range = byte_range::requested(request.header("range"), object.size)?;
            return Ok(Self { range, part: None });
        };
        if request.header("range").is_some() {
            let message = "Cannot specify both Range header and partNumber query parameter";
            return Err(S3Error::new(Code::InvalidRequest, message));
        }
        Ok(Self { range: Some(part_range(object, number)?), part: Some(number) })
    }

    fn status(&self) -> StatusCode {
        if self.range.is_some() { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK }
    }

    fn describe(&self, answer: &mut Answer, request: &Request, object: &ObjectInfo) {
        content::give(answer, request, object);
        if let Some(range) = self.range.as_ref().filter(|range| !range.is_empty()) {
            let text = format!("bytes {}-{}/{}", range.start, range.end - 1, object.size);
            answer::set(answer, "content-range", text);
        }
        if self.part.is_some() && !object.parts.is_empty() {
            answer::set(answer, "x-amz-mp-parts-count", object.parts.len().to_string());
        }
        let wanted = request.header("x-amz-checksum-mode").is_some_and(|mode| mode.eq_ignore_ascii_case("ENABLED"));
        if let Some(checksum) = self.checksum(object).filter(|_| wanted) {
            content::give_checksum(answer, &checksum);
        }
    }

    /// That of the selected bytes: of the whole or of a part. Of another range none is known.
    fn checksum(&self, object: &ObjectInfo) -> Option<Checksum> {
        let whole = object.attributes.checksum.clone()?;
        match self.part {
            Some(number) if !object.parts.is_empty() => {
                let value = object.parts.get(number - 1)?.checksum.clone()?;
                Some(Checksum { value, ..whole })
            }
            None if self.range.is_some() => None,
            _ => Some(whole),
        }
    }
}

/// The bytes of one part; an object that was put in one piece is its own first part.
fn part_range(object: &ObjectInfo, number: usize) -> S3Result<Range<u64>> {
    if !(1..=10_000).contains(&number) {
        let message = "Part number must be an integer between 1 and 10000, inclusive";
        return Err(S3Error::argument("partNumber", &number.to_string(), message));
    }
    let missing = || S3Error::from(Code::InvalidPartNumber).with("PartNumberRequested", number.to_string());
    if object.parts.is_empty() {
        return if number == 1 { Ok(0..object.size) } else { Err(missing()) };
    }
    let part = object.parts.get(number - 1).ok_or_else(missing)?;
    let start: u64 = object.parts[..number - 1].iter().map(|part| part.size).sum();
    Ok(start..start + part.size)
}

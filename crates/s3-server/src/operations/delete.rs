use http::StatusCode;

use super::Call;
use super::read::refuse_version;
use crate::answer::{self, Answer};
use crate::conditions;
use crate::engine::{Condition, Deleted};
use crate::error::{Code, S3Error, S3Result};
use crate::etag::EtagList;
use crate::xml::{Element, XmlWriter};

/// The most keys of one request.
const MAX_KEYS: usize = 1000;
/// The largest list of keys: each may have 1,024 bytes, written as references in the worst case.
const MAX_DELETE_BYTES: usize = 8 << 20;

/// One object that a request names.
struct Named {
    key: String,
    version: Option<String>,
    condition: Condition,
}

impl Call<'_> {
    pub(super) async fn delete_object(&self) -> S3Result<Answer> {
        refuse_version(self.request)?;
        let condition = conditions::of_write(self.request)?;
        self.engine.delete(self.request.bucket()?, self.request.key()?, condition).await?;
        Ok(answer::empty(StatusCode::NO_CONTENT))
    }

    pub(super) async fn delete_objects(&mut self) -> S3Result<Answer> {
        let bucket = self.request.bucket()?;
        let body = self.payload.document(self.request, MAX_DELETE_BYTES).await?;
        let delete = Element::read(&body, "Delete")?;
        let quiet = delete.text_of("Quiet").is_some_and(|text| text.eq_ignore_ascii_case("true"));
        let named = delete.children_named("Object").map(read_named).collect::<S3Result<Vec<_>>>()?;
        if named.is_empty() || named.len() > MAX_KEYS {
            return Err(Code::MalformedXML.into());
        }
        let outcomes = self.delete_each(bucket, &named).await?;
        Ok(answer::xml(XmlWriter::document("DeleteResult", |xml| {
            for (named, outcome) in named.iter().zip(outcomes) {
                write_outcome(xml, named, outcome, quiet);
            }
        })))
    }

    /// All keys in one commit, unless some have conditions or versions or may not be deleted: then one by one.
    async fn delete_each(&self, bucket: &str, named: &[Named]) -> S3Result<Vec<S3Result<Deleted>>> {
        let mut refusals = Vec::with_capacity(named.len());
        for named in named {
            refusals.push(self.access.require("s3:DeleteObject", bucket, Some(&named.key)).await.err());
        }
        let all_may_go = refusals.iter().all(Option::is_none);
        if all_may_go && named.iter().all(|named| named.version.is_none() && named.condition == Condition::Always) {
            let keys = named.iter().map(|named| named.key.clone()).collect();
            let outcomes = self.engine.delete_many(bucket, keys).await?;
            return Ok(outcomes.into_iter().map(|outcome| outcome.map_err(S3Error::from)).collect());
        }
        if all_may_go {
            self.engine.bucket(bucket).await?;
        }
        let mut outcomes = Vec::with_capacity(named.len());
        for (named, refusal) in named.iter().zip(refusals) {
            outcomes.push(match refusal {
                Some(refusal) => Err(refusal),
                None => self.delete_named(bucket, named).await,
            });
        }
        Ok(outcomes)
    }

    async fn delete_named(&self, bucket: &str, named: &Named) -> S3Result<Deleted> {
        match named.version.as_deref() {
            None | Some("null") => Ok(self.engine.delete(bucket, &named.key, named.condition.clone()).await?),
            Some(id) => Err(S3Error::from(Code::NoSuchVersion).with("VersionId", id)),
        }
    }
}

fn read_named(object: &Element) -> S3Result<Named> {
    let key = object.child("Key").ok_or(Code::MalformedXML)?.text.clone();
    let condition = match object.text_of("ETag").map(EtagList::read) {
        None => Condition::Always,
        Some(EtagList::Any) => Condition::Present,
        Some(EtagList::Of(etags)) => Condition::EtagIn(etags),
    };
    let version = object.text_of("VersionId").filter(|id| !id.is_empty()).map(str::to_owned);
    Ok(Named { key, version, condition })
}

fn write_outcome(xml: &mut XmlWriter, named: &Named, outcome: S3Result<Deleted>, quiet: bool) {
    match outcome {
        Ok(_) if quiet => {}
        Ok(_) => xml.element("Deleted", |xml| {
            xml.text("Key", &named.key);
            if let Some(version) = &named.version {
                xml.text("VersionId", version);
            }
        }),
        Err(error) => xml.element("Error", |xml| {
            xml.text("Key", &named.key);
            xml.text("Code", error.code().name());
            xml.text("Message", error.message());
        }),
    }
}

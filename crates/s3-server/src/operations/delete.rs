use http::StatusCode;

use super::Call;
use super::versions::{give_version, version_named};
use crate::amz_time;
use crate::answer::{self, Answer};
use crate::conditions;
use crate::engine::{Condition, Deleted, Deletion, Likeness, VersionId};
use crate::error::{Code, S3Error, S3Result};
use crate::etag::EtagList;
use crate::xml::{Element, XmlWriter};

/// The most keys of one request.
const MAX_KEYS: usize = 1000;
/// The largest list of keys: each may have 1,024 bytes, written as references in the worst case.
const MAX_DELETE_BYTES: usize = 8 << 20;

impl Call<'_> {
    pub(super) async fn delete_object(&self) -> S3Result<Answer> {
        let version = version_named(self.request)?;
        let condition = conditions::of_write(self.request)?;
        let likeness = conditions::of_delete(self.request)?;
        let (bucket, key) = (self.request.bucket()?, self.request.key()?);
        let bypasses_governance = self.wants_bypass().await?;
        if bypasses_governance {
            self.access.require_of_version("s3:BypassGovernanceRetention", bucket, Some(key), version).await?;
        }
        let deletion = Deletion { key: key.to_owned(), version, condition, likeness, bypasses_governance };
        let deleted = self.engine.delete_one(bucket, deletion).await?;
        let mut answer = answer::empty(StatusCode::NO_CONTENT);
        give_version(&mut answer, deleted.version);
        if deleted.is_marker {
            answer::set(&mut answer, "x-amz-delete-marker", "true");
        }
        Ok(answer)
    }

    pub(super) async fn delete_objects(&mut self) -> S3Result<Answer> {
        let bucket = self.request.bucket()?;
        let body = self.payload.document(self.request, MAX_DELETE_BYTES).await?;
        let delete = Element::read(&body, "Delete")?;
        let quiet = delete.text_of("Quiet").is_some_and(|text| text.eq_ignore_ascii_case("true"));
        let named = delete.children_named("Object").map(Named::read).collect::<S3Result<Vec<_>>>()?;
        if named.is_empty() || named.len() > MAX_KEYS {
            return Err(Code::MalformedXML.into());
        }
        let bypasses_governance = self.wants_bypass().await?;
        let outcomes = self.delete_each(bucket, &named, bypasses_governance).await?;
        Ok(answer::xml(XmlWriter::document("DeleteResult", |xml| {
            for (named, outcome) in named.iter().zip(outcomes) {
                write_outcome(xml, named, outcome, quiet);
            }
        })))
    }

    /// All that may be deleted, in one commit.
    async fn delete_each(
        &self,
        bucket: &str,
        named: &[Named],
        bypasses_governance: bool,
    ) -> S3Result<Vec<S3Result<Deleted>>> {
        self.access.rules_of(bucket).await?;
        let mut refusals = Vec::with_capacity(named.len());
        let mut may_go = Vec::with_capacity(named.len());
        for named in named {
            let action = if named.version.is_some() { "s3:DeleteObjectVersion" } else { "s3:DeleteObject" };
            let version = named.version.as_deref().and_then(VersionId::read);
            let mut allowed = self.access.require_of_version(action, bucket, Some(&named.key), version).await;
            if bypasses_governance && allowed.is_ok() {
                let action = "s3:BypassGovernanceRetention";
                allowed = self.access.require_of_version(action, bucket, Some(&named.key), version).await;
            }
            refusals.push(match allowed.and_then(|()| named.deletion()) {
                Ok(deletion) => {
                    may_go.push(Deletion { bypasses_governance, ..deletion });
                    None
                }
                Err(refusal) => Some(refusal),
            });
        }
        // Whoever may delete nothing learns nothing of the bucket.
        let outcomes = if may_go.is_empty() { Vec::new() } else { self.engine.delete_many(bucket, may_go).await? };
        let mut outcomes = outcomes.into_iter().map(|outcome| outcome.map_err(S3Error::from));
        let answer = |refusal: Option<S3Error>| match refusal {
            Some(refusal) => Err(refusal),
            None => outcomes.next().unwrap_or_else(|| Err(Code::InternalError.into())),
        };
        Ok(refusals.into_iter().map(answer).collect())
    }
}

/// One object that a request names.
struct Named {
    key: String,
    version: Option<String>,
    condition: Condition,
    likeness: Likeness,
}

impl Named {
    fn read(object: &Element) -> S3Result<Self> {
        let key = object.child("Key").ok_or(Code::MalformedXML)?.text.clone();
        let condition = match object.text_of("ETag").map(EtagList::read) {
            None => Condition::Always,
            Some(EtagList::Any) => Condition::Present,
            Some(EtagList::Of(etags)) => Condition::EtagIn(etags),
        };
        let version = object.text_of("VersionId").filter(|id| !id.is_empty()).map(str::to_owned);
        let malformed = || S3Error::from(Code::MalformedXML);
        let size = object.text_of("Size").map(|text| text.trim().parse().map_err(|_| malformed())).transpose()?;
        let time = object.text_of("LastModifiedTime").map(|text| amz_time::from_any(text).ok_or_else(malformed));
        let likeness = Likeness { size, last_modified_ms: time.transpose()? };
        Ok(Self { key, version, condition, likeness })
    }

    /// What it asks for; a version that can't be is none that the key has.
    fn deletion(&self) -> S3Result<Deletion> {
        let none = |id: &String| S3Error::from(Code::NoSuchVersion).with("VersionId", id);
        let read = |id: &String| VersionId::read(id).ok_or_else(|| none(id));
        let version = self.version.as_ref().map(read).transpose()?;
        Ok(Deletion {
            key: self.key.clone(),
            version,
            condition: self.condition.clone(),
            likeness: self.likeness,
            ..Deletion::default()
        })
    }
}

fn write_outcome(xml: &mut XmlWriter, named: &Named, outcome: S3Result<Deleted>, quiet: bool) {
    let write_name = |xml: &mut XmlWriter| {
        xml.text("Key", &named.key);
        if let Some(version) = &named.version {
            xml.text("VersionId", version);
        }
    };
    match outcome {
        Ok(_) if quiet => {}
        Ok(deleted) => xml.element("Deleted", |xml| {
            write_name(xml);
            if let Some(marker) = deleted.version.filter(|_| deleted.is_marker) {
                xml.value("DeleteMarker", true);
                xml.value("DeleteMarkerVersionId", marker);
            }
        }),
        Err(error) => xml.element("Error", |xml| {
            write_name(xml);
            xml.text("Code", error.code().name());
            xml.text("Message", error.message());
        }),
    }
}

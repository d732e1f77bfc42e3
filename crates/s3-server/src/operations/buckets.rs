use http::StatusCode;

use super::Call;
use crate::amz_time;
use crate::answer::{self, Answer};
use crate::encoding::encode_path;
use crate::engine::EngineError;
use crate::error::{Code, S3Error, S3Result};
use crate::owner::Owner;
use crate::xml::{Element, XmlWriter};

/// The largest document that creates a bucket, in bytes.
const MAX_CONFIGURATION_BYTES: usize = 64 * 1024;
/// The region that needs no name.
const DEFAULT_REGION: &str = "us-east-1";
/// The most buckets of one page.
const MAX_BUCKETS: usize = 10_000;

impl Call<'_> {
    pub(super) async fn list_buckets(&self) -> S3Result<Answer> {
        let query = self.request.query();
        let prefix = query.get("prefix").unwrap_or_default();
        let max = query.number("max-buckets")?.unwrap_or(MAX_BUCKETS);
        if !(1..=MAX_BUCKETS).contains(&max) {
            let message = format!("Argument max-buckets must be an integer between 1 and {MAX_BUCKETS}");
            return Err(S3Error::argument("max-buckets", &max.to_string(), message));
        }
        let page = self.engine.list_buckets(query.non_empty("continuation-token"), prefix, max).await?;
        let owner = Owner::of_server(self.settings);
        Ok(answer::xml(XmlWriter::document("ListAllMyBucketsResult", |xml| {
            owner.write(xml, "Owner");
            xml.element("Buckets", |xml| {
                for bucket in &page.items {
                    xml.element("Bucket", |xml| {
                        xml.text("Name", &bucket.name);
                        xml.text("CreationDate", &amz_time::iso(bucket.created_at_ms));
                        xml.text("BucketRegion", &bucket.region);
                    });
                }
            });
            if let Some(next) = &page.next {
                xml.text("ContinuationToken", next);
            }
            if !prefix.is_empty() {
                xml.text("Prefix", prefix);
            }
        })))
    }

    /// Making one's own bucket again is a success in the first region, and an error in the others, as S3 has it.
    pub(super) async fn create_bucket(&mut self) -> S3Result<Answer> {
        let name = self.request.bucket()?;
        refuse_acl(self.request.header("x-amz-acl"))?;
        refuse_headers(self.request, &["x-amz-grant-"])?;
        let wants_object_lock = wants_object_lock(self.request.header("x-amz-bucket-object-lock-enabled"))?;
        let region = match self.payload.document(self.request, MAX_CONFIGURATION_BYTES).await? {
            body if body.is_empty() => None,
            body => location_constraint(&Element::read(&body, "CreateBucketConfiguration")?)?,
        };
        let region = region.as_deref().unwrap_or(&self.settings.region);
        let made = match wants_object_lock {
            true => self.engine.create_bucket_with_object_lock(name, region).await,
            false => self.engine.create_bucket(name, region).await,
        };
        match made {
            Ok(_) => {}
            // Object lock that is not there is no success.
            Err(EngineError::BucketAlreadyOwnedByYou(_))
                if self.settings.region == DEFAULT_REGION
                    && (!wants_object_lock || self.engine.bucket(name).await?.has_object_lock) => {}
            Err(error) => return Err(error.into()),
        }
        let mut answer = answer::empty(StatusCode::OK);
        answer::set(&mut answer, "location", format!("/{}", encode_path(name)));
        Ok(answer)
    }

    pub(super) async fn delete_bucket(&self) -> S3Result<Answer> {
        let bucket = self.request.bucket()?;
        self.engine.delete_bucket(bucket).await?;
        self.access.rules.forget(bucket);
        Ok(answer::empty(StatusCode::NO_CONTENT))
    }

    pub(super) async fn head_bucket(&self) -> S3Result<Answer> {
        let bucket = self.engine.bucket(self.request.bucket()?).await?;
        let mut answer = answer::empty(StatusCode::OK);
        answer::set(&mut answer, "x-amz-bucket-region", &bucket.region);
        answer::set(&mut answer, "x-amz-access-point-alias", "false");
        Ok(answer)
    }

    pub(super) async fn bucket_location(&self) -> S3Result<Answer> {
        let bucket = self.engine.bucket(self.request.bucket()?).await?;
        let region = if bucket.region == DEFAULT_REGION { "" } else { &bucket.region };
        Ok(answer::xml(XmlWriter::document("LocationConstraint", |xml| xml.content(region))))
    }
}

fn wants_object_lock(header: Option<&str>) -> S3Result<bool> {
    match header {
        None => Ok(false),
        Some(text) if text.eq_ignore_ascii_case("true") => Ok(true),
        Some(text) if text.eq_ignore_ascii_case("false") => Ok(false),
        Some(text) => {
            Err(S3Error::argument("x-amz-bucket-object-lock-enabled", text, "The value must be true or false"))
        }
    }
}

/// The region that a client asks for; a name that no region can have is refused.
fn location_constraint(configuration: &Element) -> S3Result<Option<String>> {
    let Some(name) = configuration.text_of("LocationConstraint").filter(|name| !name.is_empty()) else {
        return Ok(None);
    };
    let plausible =
        name.len() <= 32 && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-'));
    if !plausible {
        return Err(S3Error::from(Code::InvalidLocationConstraint).with("LocationConstraint", name));
    }
    Ok(Some(name.to_owned()))
}

/// Buckets here have no ACLs, as new ones at S3: only those that change nothing are taken.
pub(super) fn refuse_acl(acl: Option<&str>) -> S3Result<()> {
    match acl {
        None | Some("private" | "bucket-owner-full-control") => Ok(()),
        Some(_) => Err(Code::AccessControlListNotSupported.into()),
    }
}

/// Refuses headers that ask for what this server does not do: a silent success would be a lie.
pub(super) fn refuse_headers(request: &crate::request::Request, beginnings: &[&str]) -> S3Result<()> {
    let names = request.headers().keys().map(http::HeaderName::as_str);
    let foreign = names.into_iter().find(|name| beginnings.iter().any(|beginning| name.starts_with(beginning)));
    match foreign {
        None => Ok(()),
        Some(name) => {
            let message = "A header you provided implies functionality that is not implemented";
            Err(S3Error::new(Code::NotImplemented, message).with("Header", name))
        }
    }
}

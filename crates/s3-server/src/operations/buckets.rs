use std::sync::Arc;

use http::StatusCode;

use super::Call;
use crate::acl::{self, ACL_DOCUMENT, Subject};
use crate::amz_time;
use crate::answer::{self, Answer};
use crate::auth::{Account, Identity};
use crate::encoding::encode_path;
use crate::engine::{BucketsOf, EngineError, NewBucket};
use crate::error::{Code, S3Error, S3Result};
use crate::ownership::{OWNERSHIP_DOCUMENT, Ownership};
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
        let account = self.access.account().ok_or(Code::AccessDenied)?;
        let whose = self.buckets_of(account);
        let page = self.engine.list_buckets_of(whose, query.non_empty("continuation-token"), prefix, max).await?;
        Ok(answer::xml(XmlWriter::document("ListAllMyBucketsResult", |xml| {
            account.write(xml, "Owner");
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

    /// One's own; everybody's where nobody is asked.
    fn buckets_of(&self, account: &Account) -> BucketsOf {
        if self.access.facts.identity == &Identity::Unchecked {
            return BucketsOf::All;
        }
        let is_own = account.canonical_id == self.access.accounts.own().canonical_id;
        match self.access.accounts.kept(account) {
            None => BucketsOf::OwnAccount,
            Some(id) if is_own => BucketsOf::OwnAccountAnd(id),
            Some(id) => BucketsOf::Owner(id),
        }
    }

    /// Making one's own bucket again is a success in the first region, which gives it the list that is asked for, and an
    /// error in the others, as S3 has it.
    pub(super) async fn create_bucket(&mut self) -> S3Result<Answer> {
        let name = self.request.bucket()?;
        let has_object_lock = wants_object_lock(self.request.header("x-amz-bucket-object-lock-enabled"))?;
        let account = Arc::clone(self.access.account().ok_or(Code::AccessDenied)?);
        let ownership = Ownership::asked(self.request)?;
        let acl = self.asked_bucket_acl(&account, ownership)?;
        let region = match self.payload.document(self.request, MAX_CONFIGURATION_BYTES).await? {
            body if body.is_empty() => None,
            body => location_constraint(&Element::read(&body, "CreateBucketConfiguration")?)?,
        };
        let mut documents: Vec<_> = acl.clone().map(|acl| (ACL_DOCUMENT, acl)).into_iter().collect();
        documents.extend(ownership.map(|ownership| (OWNERSHIP_DOCUMENT, ownership.name().to_owned())));
        let bucket = NewBucket {
            name: name.to_owned(),
            region: region.unwrap_or_else(|| self.settings.region.clone()),
            owner_id: self.access.accounts.kept(&account),
            has_object_lock,
            documents,
        };
        match self.engine.make_bucket(bucket).await {
            Ok(_) => {}
            Err(EngineError::BucketAlreadyOwnedByYou(_)) => {
                self.make_again(name, &account, (acl, has_object_lock)).await?
            }
            Err(error) => return Err(error.into()),
        }
        let mut answer = answer::empty(StatusCode::OK);
        answer::set(&mut answer, "location", format!("/{}", encode_path(name)));
        Ok(answer)
    }

    /// The list that a request to make a bucket asks for, as it is kept.
    fn asked_bucket_acl(&self, account: &Account, ownership: Option<Ownership>) -> S3Result<Option<String>> {
        let subject = Subject { owner: account, bucket_owner: None };
        let Some(acl) = acl::of_headers(self.request, self.access.accounts, subject)? else { return Ok(None) };
        if ownership == Some(Ownership::BucketOwnerEnforced) && !acl.is_of_owner_alone() {
            return Err(Code::InvalidBucketAclWithObjectOwnership.into());
        }
        acl.kept()
    }

    async fn make_again(
        &self,
        name: &str,
        account: &Account,
        (acl, wants_object_lock): (Option<String>, bool),
    ) -> S3Result<()> {
        let rules = self.access.rules_of(name).await?;
        let is_open = self.access.facts.identity == &Identity::Unchecked;
        if !is_open && rules.owner.canonical_id != account.canonical_id {
            return Err(S3Error::from(Code::BucketAlreadyExists).with("BucketName", name));
        }
        // Object lock that is not there is no success.
        let lacks_lock = wants_object_lock && !self.engine.bucket(name).await?.has_object_lock;
        if self.settings.region != DEFAULT_REGION || lacks_lock {
            return Err(S3Error::from(Code::BucketAlreadyOwnedByYou).with("BucketName", name));
        }
        if rules.are_acls_off() || rules.kept_acl.kept()? == acl {
            return Ok(());
        }
        self.keep_bucket_acl(name, acl).await
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

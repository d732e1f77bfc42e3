use http::StatusCode;

use super::Call;
use super::versions::{give_version, version_named};
use crate::access::Access;
use crate::answer::{self, Answer};
use crate::auth::Identity;
use crate::engine::{EngineError, LockChange, ObjectInfo, ObjectLock, VersionId};
use crate::error::{Code, S3Error, S3Result};
use crate::object_lock;
use crate::policy::Facts;
use crate::request::Request;
use crate::xml::XmlWriter;

/// The largest of these documents, in bytes.
const MAX_BYTES: usize = 64 * 1024;

impl Call<'_> {
    pub(super) async fn object_lock_configuration(&self) -> S3Result<Answer> {
        let bucket = self.request.bucket()?;
        let default = match self.engine.default_retention(bucket).await {
            Err(EngineError::NoObjectLock) => {
                return Err(S3Error::from(Code::ObjectLockConfigurationNotFoundError).with("BucketName", bucket));
            }
            found => found?,
        };
        Ok(answer::xml(XmlWriter::document("ObjectLockConfiguration", |xml| {
            object_lock::write_configuration(xml, default);
        })))
    }

    pub(super) async fn put_object_lock_configuration(&mut self) -> S3Result<Answer> {
        let bucket = self.request.bucket()?;
        let body = self.payload.document(self.request, MAX_BYTES).await?;
        self.engine.set_object_lock(bucket, object_lock::read_configuration(&body)?).await?;
        Ok(answer::empty(StatusCode::OK))
    }

    pub(super) async fn object_retention(&self) -> S3Result<Answer> {
        let object = self.lockable_object().await?;
        let retention = object.attributes.lock.and_then(|lock| lock.retention).ok_or_else(not_locked)?;
        let mut answer = answer::xml(XmlWriter::document("Retention", |xml| {
            object_lock::write_retention(xml, retention);
        }));
        give_version(&mut answer, object.version);
        Ok(answer)
    }

    pub(super) async fn put_object_retention(&mut self) -> S3Result<Answer> {
        let (bucket, key) = (self.request.bucket()?, self.request.key()?);
        let version = version_named(self.request)?;
        let body = self.payload.document(self.request, MAX_BYTES).await?;
        let retention = object_lock::read_retention(&body, self.access.facts.now_ms)?;
        // Policies may look at the retention, so that nothing is decided before it is read.
        let access = Access { facts: Facts { retention, ..self.access.facts }, ..*self.access };
        access.require_of_version("s3:PutObjectRetention", bucket, Some(key), version).await?;
        let bypasses_governance = object_lock::bypass(self.request)? == Some(true);
        if bypasses_governance {
            access.require_of_version("s3:BypassGovernanceRetention", bucket, Some(key), version).await?;
        }
        let change = LockChange::Retention { retention, bypasses_governance };
        self.change_lock(version, change).await
    }

    pub(super) async fn object_legal_hold(&self) -> S3Result<Answer> {
        let object = self.lockable_object().await?;
        let is_on = object.attributes.lock.and_then(|lock| lock.legal_hold).ok_or_else(not_locked)?;
        let mut answer = answer::xml(XmlWriter::document("LegalHold", |xml| {
            xml.text("Status", object_lock::hold_name(is_on));
        }));
        give_version(&mut answer, object.version);
        Ok(answer)
    }

    pub(super) async fn put_object_legal_hold(&mut self) -> S3Result<Answer> {
        let version = version_named(self.request)?;
        let body = self.payload.document(self.request, MAX_BYTES).await?;
        self.change_lock(version, LockChange::LegalHold(object_lock::read_legal_hold(&body)?)).await
    }

    async fn change_lock(&self, version: Option<VersionId>, change: LockChange) -> S3Result<Answer> {
        let (bucket, key) = (self.request.bucket()?, self.request.key()?);
        let version = self.engine.change_lock(bucket, key, version, change).await?;
        let mut answer = answer::empty(StatusCode::OK);
        give_version(&mut answer, Some(version));
        Ok(answer)
    }

    /// The version that is named, in a bucket where it could be locked.
    async fn lockable_object(&self) -> S3Result<ObjectInfo> {
        let (bucket, key) = (self.request.bucket()?, self.request.key()?);
        let version = version_named(self.request)?;
        if !self.engine.bucket(bucket).await?.has_object_lock {
            return Err(EngineError::NoObjectLock.into());
        }
        Ok(self.engine.object(bucket, key, version).await?)
    }

    /// The lock that a write brings in its headers; sees to the rights.
    pub(super) async fn lock_of_write(&self) -> S3Result<Option<ObjectLock>> {
        lock_of_write(self.access, self.request).await
    }

    /// Refuses a write of bytes that nothing vouches for where they will be locked.
    pub(super) async fn require_checksum_of(&self, lock: Option<ObjectLock>, of: &str) -> S3Result<()> {
        // Nearly all clients send a checksum; the others are asked for it only where it matters.
        let Err(missing) = object_lock::require_checksum(self.request, of) else { return Ok(()) };
        if lock.is_some() {
            return Err(missing);
        }
        match self.engine.default_retention(self.request.bucket()?).await {
            Ok(None) | Err(EngineError::NoObjectLock) => Ok(()),
            Ok(Some(_)) => Err(missing),
            Err(error) => Err(error.into()),
        }
    }

    /// Tells the lock of a version that is read, as far as its reader may know it.
    pub(super) async fn give_lock(&self, answer: &mut Answer, object: &ObjectInfo) -> S3Result<()> {
        let Some(lock) = object.attributes.lock else { return Ok(()) };
        let bucket = self.request.bucket()?;
        let may_know = async |action| {
            self.access.require_of_version(action, bucket, Some(&object.key), object.version).await.is_ok()
        };
        if let Some(retention) = lock.retention
            && may_know("s3:GetObjectRetention").await
        {
            object_lock::give_retention(answer, retention);
        }
        if let Some(is_on) = lock.legal_hold
            && may_know("s3:GetObjectLegalHold").await
        {
            object_lock::give_legal_hold(answer, is_on);
        }
        Ok(())
    }

    /// Whether a delete wants to lift a retention of mode `GOVERNANCE`; the right to is asked for each key.
    pub(super) async fn wants_bypass(&self) -> S3Result<bool> {
        let Some(wants) = object_lock::bypass(self.request)? else { return Ok(false) };
        if !self.engine.bucket(self.request.bucket()?).await?.has_object_lock {
            return Err(object_lock::nothing_to_bypass(self.request));
        }
        Ok(wants)
    }
}

/// The lock that a put, a copy, an upload or a form brings in its headers; sees to the rights.
pub(super) async fn lock_of_write(access: &Access<'_>, request: &Request) -> S3Result<Option<ObjectLock>> {
    let Some(lock) = object_lock::of_headers(request, access.facts.now_ms)? else { return Ok(None) };
    let (bucket, key) = (request.bucket()?, request.key()?);
    if matches!(access.facts.identity, Identity::Anonymous) {
        let message = "Put Object requests with Object Lock parameters require AWS Signature Version 4";
        return Err(S3Error::argument("Authorization", "", message));
    }
    if lock.retention.is_some() {
        access.require("s3:PutObjectRetention", bucket, Some(key)).await?;
    }
    if lock.legal_hold.is_some() {
        access.require("s3:PutObjectLegalHold", bucket, Some(key)).await?;
    }
    if access.engine.bucket(bucket).await?.has_object_lock {
        return Ok(Some(lock));
    }
    Err(EngineError::NoObjectLock.into())
}

fn not_locked() -> S3Error {
    Code::NoSuchObjectLockConfiguration.into()
}

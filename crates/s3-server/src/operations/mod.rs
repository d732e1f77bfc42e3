//! What each operation does: reads its request, asks the engine, writes its answer.

mod acl;
mod attributes;
mod bucket_access;
mod bucket_settings;
mod buckets;
mod completion;
mod content;
mod copy;
mod cors;
mod delete;
mod encryption;
mod lifecycle;
mod listing;
mod object_lock;
mod owners;
mod parts;
mod policy;
mod post;
mod read;
mod tagging;
mod uploads;
mod versions;
mod write;

#[cfg(any(test, fuzzing))]
pub(crate) use listing::read_token;

use crate::access::Access;
use crate::answer::Answer;
use crate::auth::Verifier;
use crate::body::Payload;
use crate::bucket_settings::Setting;
use crate::encoding::encode_path;
use crate::engine::Engine;
use crate::error::S3Result;
use crate::operation::Operation;
use crate::request::Request;
use crate::settings::ServerSettings;

/// One request on its way through an operation.
pub(crate) struct Call<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) settings: &'a ServerSettings,
    pub(crate) request: &'a Request,
    pub(crate) payload: &'a mut Payload,
    pub(crate) access: &'a Access<'a>,
    pub(crate) verifier: &'a Verifier,
}

impl Call<'_> {
    /// Performs an operation.
    ///
    /// # Errors
    /// As S3 answers the operation.
    pub(crate) async fn perform(mut self, operation: Operation) -> S3Result<Answer> {
        match operation {
            Operation::CopyObject => self.copy_object().await,
            Operation::CreateBucket => self.create_bucket().await,
            Operation::DeleteBucket => self.delete_bucket().await,
            Operation::DeleteObject => self.delete_object().await,
            Operation::DeleteObjects => self.delete_objects().await,
            Operation::DeleteBucketReplication => self.delete_replication().await,
            Operation::DeleteBucketWebsite => self.delete_website().await,
            Operation::GetBucketAccelerateConfiguration => self.setting(Setting::Accelerate).await,
            Operation::GetBucketLogging => self.setting(Setting::Logging).await,
            Operation::GetBucketNotificationConfiguration => self.setting(Setting::Notification).await,
            Operation::GetBucketReplication => self.replication().await,
            Operation::GetBucketRequestPayment => self.setting(Setting::RequestPayment).await,
            Operation::GetBucketWebsite => self.setting(Setting::Website).await,
            Operation::PutBucketAccelerateConfiguration => self.put_setting(Setting::Accelerate).await,
            Operation::PutBucketLogging => self.put_setting(Setting::Logging).await,
            Operation::PutBucketNotificationConfiguration => self.put_setting(Setting::Notification).await,
            Operation::PutBucketRequestPayment => self.put_setting(Setting::RequestPayment).await,
            Operation::PutBucketWebsite => self.put_setting(Setting::Website).await,
            Operation::DeleteBucketEncryption => self.delete_bucket_encryption().await,
            Operation::GetBucketEncryption => self.bucket_encryption().await,
            Operation::PutBucketEncryption => self.put_bucket_encryption().await,
            Operation::GetBucketAcl => self.bucket_acl().await,
            Operation::DeleteBucketCors => self.delete_bucket_cors().await,
            Operation::GetBucketCors => self.bucket_cors().await,
            Operation::PutBucketCors => self.put_bucket_cors().await,
            Operation::GetObjectAcl => self.object_acl().await,
            Operation::PutBucketAcl => self.put_bucket_acl().await,
            Operation::PutObjectAcl => self.put_object_acl().await,
            Operation::GetBucketLocation => self.bucket_location().await,
            Operation::GetObject => self.get_object().await,
            Operation::HeadBucket => self.head_bucket().await,
            Operation::HeadObject => self.head_object().await,
            Operation::ListBuckets => self.list_buckets().await,
            Operation::ListObjects => self.list_objects().await,
            Operation::ListObjectsV2 => self.list_objects_v2().await,
            Operation::PostObject => self.post_object().await,
            Operation::PutObject => self.put_object().await,
            Operation::DeleteBucketLifecycle => self.delete_lifecycle().await,
            Operation::GetBucketLifecycleConfiguration => self.lifecycle().await,
            Operation::PutBucketLifecycleConfiguration => self.put_lifecycle().await,
            Operation::GetObjectLegalHold => self.object_legal_hold().await,
            Operation::GetObjectLockConfiguration => self.object_lock_configuration().await,
            Operation::GetObjectRetention => self.object_retention().await,
            Operation::PutObjectLegalHold => self.put_object_legal_hold().await,
            Operation::PutObjectLockConfiguration => self.put_object_lock_configuration().await,
            Operation::PutObjectRetention => self.put_object_retention().await,
            Operation::AbortMultipartUpload => self.abort_upload().await,
            Operation::CompleteMultipartUpload => self.complete_upload().await,
            Operation::CreateMultipartUpload => self.create_upload().await,
            Operation::GetObjectAttributes => self.object_attributes().await,
            Operation::ListMultipartUploads => self.list_uploads().await,
            Operation::ListParts => self.list_parts().await,
            Operation::UploadPart => self.upload_part().await,
            Operation::UploadPartCopy => self.upload_part_copy().await,
            Operation::DeleteBucketPolicy => self.delete_policy().await,
            Operation::GetBucketPolicy => self.policy().await,
            Operation::PutBucketPolicy => self.put_policy().await,
            Operation::DeleteBucketOwnershipControls => self.delete_ownership_controls().await,
            Operation::GetBucketOwnershipControls => self.ownership_controls().await,
            Operation::PutBucketOwnershipControls => self.put_ownership_controls().await,
            Operation::GetBucketPolicyStatus => self.policy_status().await,
            Operation::DeletePublicAccessBlock => self.delete_public_access_block().await,
            Operation::GetPublicAccessBlock => self.public_access_block().await,
            Operation::PutPublicAccessBlock => self.put_public_access_block().await,
            Operation::GetBucketVersioning => self.versioning().await,
            Operation::ListObjectVersions => self.list_versions().await,
            Operation::PutBucketVersioning => self.put_versioning().await,
            Operation::DeleteBucketTagging => self.delete_bucket_tagging().await,
            Operation::DeleteObjectTagging => self.delete_object_tagging().await,
            Operation::GetBucketTagging => self.bucket_tagging().await,
            Operation::GetObjectTagging => self.object_tagging().await,
            Operation::PutBucketTagging => self.put_bucket_tagging().await,
            Operation::PutObjectTagging => self.put_object_tagging().await,
        }
    }

    /// The URL of an object, of this server as the client calls it.
    fn location_of(&self, bucket: &str, key: &str) -> String {
        let (scheme, path) = (self.settings.scheme(), encode_path(key));
        let host = self.request.header("host").unwrap_or("localhost");
        if self.request.is_bucket_in_host() {
            format!("{scheme}://{host}/{path}")
        } else {
            format!("{scheme}://{host}/{bucket}/{path}")
        }
    }
}

use http::Method;

use crate::error::{Code, S3Error, S3Result};
use crate::query::Query;
use crate::request::Request;

macro_rules! operations {
    ($($name:ident),* $(,)?) => {
        /// An operation of S3 that this server performs.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[allow(missing_docs, reason = "each is documented by S3 under its name")]
        pub enum Operation { $($name),* }

        impl Operation {
            /// Every operation.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The name, as in the documentation of S3.
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name)),* }
            }
        }
    };
}

operations! {
    AbortMultipartUpload,
    CompleteMultipartUpload,
    CopyObject,
    CreateBucket,
    CreateMultipartUpload,
    DeleteBucket,
    DeleteBucketCors,
    DeleteBucketEncryption,
    DeleteBucketLifecycle,
    DeleteBucketOwnershipControls,
    DeleteBucketPolicy,
    DeleteBucketReplication,
    DeleteBucketTagging,
    DeleteBucketWebsite,
    DeleteObject,
    DeleteObjectTagging,
    DeleteObjects,
    DeletePublicAccessBlock,
    GetBucketAccelerateConfiguration,
    GetBucketAcl,
    GetBucketCors,
    GetBucketEncryption,
    GetBucketLifecycleConfiguration,
    GetBucketLocation,
    GetBucketLogging,
    GetBucketNotificationConfiguration,
    GetBucketOwnershipControls,
    GetBucketPolicy,
    GetBucketPolicyStatus,
    GetBucketReplication,
    GetBucketRequestPayment,
    GetBucketTagging,
    GetBucketVersioning,
    GetBucketWebsite,
    GetObject,
    GetObjectAcl,
    GetObjectAttributes,
    GetObjectLegalHold,
    GetObjectLockConfiguration,
    GetObjectRetention,
    GetObjectTagging,
    GetPublicAccessBlock,
    HeadBucket,
    HeadObject,
    ListBuckets,
    ListMultipartUploads,
    ListObjectVersions,
    ListObjects,
    ListObjectsV2,
    ListParts,
    PostObject,
    PutBucketAccelerateConfiguration,
    PutBucketEncryption,
    PutBucketLifecycleConfiguration,
    PutBucketLogging,
    PutBucketNotificationConfiguration,
    PutBucketAcl,
    PutBucketCors,
    PutBucketOwnershipControls,
    PutBucketPolicy,
    PutBucketRequestPayment,
    PutBucketTagging,
    PutBucketVersioning,
    PutBucketWebsite,
    PutObject,
    PutObjectLegalHold,
    PutObjectLockConfiguration,
    PutObjectRetention,
    PutObjectAcl,
    PutObjectTagging,
    PutPublicAccessBlock,
    UploadPart,
    UploadPartCopy,
}

/// Parameters that S3 takes beside those that choose the operation; some clients write them without a value.
/// Others that have a value are overlooked, as S3 does.
const PLAIN_PARAMETERS: [&str; 20] = [
    "continuation-token",
    "delimiter",
    "encoding-type",
    "fetch-owner",
    "key-marker",
    "list-type",
    "marker",
    "max-buckets",
    "max-keys",
    "max-parts",
    "max-uploads",
    "part-number-marker",
    "partNumber",
    "prefix",
    "start-after",
    "upload-id-marker",
    "uploadId",
    "version-id-marker",
    "versionId",
    "x-id",
];

/// Parameters that choose an operation which this server does not perform.
const FOREIGN_SUBRESOURCES: &[&str] = &[
    "analytics",
    "intelligent-tiering",
    "inventory",
    "metadataConfiguration",
    "metadataTable",
    "metrics",
    "renameObject",
    "restore",
    "select",
    "select-type",
    "session",
    "torrent",
];

/// Parameters that choose an operation which this server performs.
const OWN_SUBRESOURCES: &[&str] = &[
    "accelerate",
    "acl",
    "attributes",
    "cors",
    "delete",
    "encryption",
    "legal-hold",
    "lifecycle",
    "location",
    "logging",
    "notification",
    "object-lock",
    "ownershipControls",
    "policy",
    "policyStatus",
    "publicAccessBlock",
    "replication",
    "requestPayment",
    "retention",
    "tagging",
    "uploads",
    "versioning",
    "versions",
    "website",
];

impl Operation {
    /// The operation of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|operation| operation.name() == name)
    }

    /// Whether a parameter of that name chooses the operation.
    pub(crate) fn is_chosen_by(parameter: &str) -> bool {
        OWN_SUBRESOURCES.contains(&parameter) || FOREIGN_SUBRESOURCES.contains(&parameter)
    }

    /// What a request asks for.
    ///
    /// # Errors
    /// `NotImplemented` for a sub-resource that this server does not have, `MethodNotAllowed` for a method that the
    /// resource does not take.
    pub(crate) fn of(request: &Request) -> S3Result<Self> {
        refuse_foreign(request)?;
        if let Some(unknown) = request.query().get("list-type").filter(|kind| *kind != "2") {
            return Err(S3Error::argument("list-type", unknown, "Invalid List Type specified in Query"));
        }
        let target = request.target();
        let found = match (&target.bucket, &target.key) {
            (None, _) => Self::of_service(request),
            (Some(_), None) => Self::of_bucket(request),
            (Some(_), Some(_)) => Self::of_object(request),
        };
        found.ok_or_else(|| S3Error::from(Code::MethodNotAllowed).with("Method", request.method().as_str()))
    }

    fn of_service(request: &Request) -> Option<Self> {
        (*request.method() == Method::GET).then_some(Self::ListBuckets)
    }

    fn of_bucket(request: &Request) -> Option<Self> {
        let query = request.query();
        match (request.method().as_str(), subresource(query)) {
            ("GET", None) if query.get("list-type") == Some("2") => Some(Self::ListObjectsV2),
            ("GET", None) => Some(Self::ListObjects),
            ("GET", Some("accelerate")) => Some(Self::GetBucketAccelerateConfiguration),
            ("GET", Some("logging")) => Some(Self::GetBucketLogging),
            ("GET", Some("notification")) => Some(Self::GetBucketNotificationConfiguration),
            ("GET", Some("replication")) => Some(Self::GetBucketReplication),
            ("GET", Some("requestPayment")) => Some(Self::GetBucketRequestPayment),
            ("GET", Some("website")) => Some(Self::GetBucketWebsite),
            ("GET", Some("encryption")) => Some(Self::GetBucketEncryption),
            ("GET", Some("acl")) => Some(Self::GetBucketAcl),
            ("GET", Some("lifecycle")) => Some(Self::GetBucketLifecycleConfiguration),
            ("GET", Some("cors")) => Some(Self::GetBucketCors),
            ("GET", Some("location")) => Some(Self::GetBucketLocation),
            ("GET", Some("object-lock")) => Some(Self::GetObjectLockConfiguration),
            ("GET", Some("ownershipControls")) => Some(Self::GetBucketOwnershipControls),
            ("GET", Some("policyStatus")) => Some(Self::GetBucketPolicyStatus),
            ("GET", Some("publicAccessBlock")) => Some(Self::GetPublicAccessBlock),
            ("GET", Some("policy")) => Some(Self::GetBucketPolicy),
            ("GET", Some("tagging")) => Some(Self::GetBucketTagging),
            ("GET", Some("uploads")) => Some(Self::ListMultipartUploads),
            ("GET", Some("versioning")) => Some(Self::GetBucketVersioning),
            ("GET", Some("versions")) => Some(Self::ListObjectVersions),
            ("HEAD", None) => Some(Self::HeadBucket),
            ("PUT", None) => Some(Self::CreateBucket),
            ("PUT", Some("lifecycle")) => Some(Self::PutBucketLifecycleConfiguration),
            ("PUT", Some("object-lock")) => Some(Self::PutObjectLockConfiguration),
            ("PUT", Some("accelerate")) => Some(Self::PutBucketAccelerateConfiguration),
            ("PUT", Some("logging")) => Some(Self::PutBucketLogging),
            ("PUT", Some("notification")) => Some(Self::PutBucketNotificationConfiguration),
            ("PUT", Some("requestPayment")) => Some(Self::PutBucketRequestPayment),
            ("PUT", Some("website")) => Some(Self::PutBucketWebsite),
            ("PUT", Some("encryption")) => Some(Self::PutBucketEncryption),
            ("PUT", Some("acl")) => Some(Self::PutBucketAcl),
            ("PUT", Some("cors")) => Some(Self::PutBucketCors),
            ("PUT", Some("ownershipControls")) => Some(Self::PutBucketOwnershipControls),
            ("PUT", Some("publicAccessBlock")) => Some(Self::PutPublicAccessBlock),
            ("PUT", Some("policy")) => Some(Self::PutBucketPolicy),
            ("PUT", Some("tagging")) => Some(Self::PutBucketTagging),
            ("PUT", Some("versioning")) => Some(Self::PutBucketVersioning),
            ("DELETE", None) => Some(Self::DeleteBucket),
            ("DELETE", Some("cors")) => Some(Self::DeleteBucketCors),
            ("DELETE", Some("replication")) => Some(Self::DeleteBucketReplication),
            ("DELETE", Some("website")) => Some(Self::DeleteBucketWebsite),
            ("DELETE", Some("encryption")) => Some(Self::DeleteBucketEncryption),
            ("DELETE", Some("lifecycle")) => Some(Self::DeleteBucketLifecycle),
            ("DELETE", Some("ownershipControls")) => Some(Self::DeleteBucketOwnershipControls),
            ("DELETE", Some("publicAccessBlock")) => Some(Self::DeletePublicAccessBlock),
            ("DELETE", Some("policy")) => Some(Self::DeleteBucketPolicy),
            ("DELETE", Some("tagging")) => Some(Self::DeleteBucketTagging),
            ("POST", Some("delete")) => Some(Self::DeleteObjects),
            ("POST", None) => Some(Self::PostObject),
            _ => None,
        }
    }

    fn of_object(request: &Request) -> Option<Self> {
        let has = |name| request.query().has(name);
        let copy = request.headers().contains_key("x-amz-copy-source");
        match (request.method().as_str(), subresource(request.query())) {
            ("GET", None) if has("uploadId") => Some(Self::ListParts),
            ("GET", None) => Some(Self::GetObject),
            ("GET", Some("acl")) => Some(Self::GetObjectAcl),
            ("GET", Some("attributes")) => Some(Self::GetObjectAttributes),
            ("GET", Some("legal-hold")) => Some(Self::GetObjectLegalHold),
            ("GET", Some("retention")) => Some(Self::GetObjectRetention),
            ("GET", Some("tagging")) => Some(Self::GetObjectTagging),
            ("HEAD", None) => Some(Self::HeadObject),
            ("PUT", None) if has("uploadId") || has("partNumber") => {
                Some(if copy { Self::UploadPartCopy } else { Self::UploadPart })
            }
            ("PUT", None) if copy => Some(Self::CopyObject),
            ("PUT", None) => Some(Self::PutObject),
            ("PUT", Some("legal-hold")) => Some(Self::PutObjectLegalHold),
            ("PUT", Some("retention")) => Some(Self::PutObjectRetention),
            ("PUT", Some("acl")) => Some(Self::PutObjectAcl),
            ("PUT", Some("tagging")) => Some(Self::PutObjectTagging),
            ("DELETE", None) if has("uploadId") => Some(Self::AbortMultipartUpload),
            ("DELETE", None) => Some(Self::DeleteObject),
            ("DELETE", Some("tagging")) => Some(Self::DeleteObjectTagging),
            ("POST", Some("uploads")) => Some(Self::CreateMultipartUpload),
            ("POST", None) if has("uploadId") => Some(Self::CompleteMultipartUpload),
            _ => None,
        }
    }
}

/// The sub-resource that a query names. It is never overlooked: deleting one must not delete the whole.
fn subresource(query: &Query) -> Option<&'static str> {
    OWN_SUBRESOURCES.iter().copied().find(|name| query.has(name))
}

/// A sub-resource that is not known must never become a success on the object itself.
fn refuse_foreign(request: &Request) -> S3Result<()> {
    let foreign = request.query().iter().find(|parameter| {
        let name = parameter.name.as_str();
        let known = OWN_SUBRESOURCES.contains(&name)
            || PLAIN_PARAMETERS.contains(&name)
            || name.starts_with("response-")
            || name.to_ascii_lowercase().starts_with("x-amz-");
        // Nothing is replicated: that no bucket is set to can be told, but none can be set to it.
        let replicates = name == "replication" && request.method() == Method::PUT;
        replicates || FOREIGN_SUBRESOURCES.contains(&name) || (parameter.value.is_empty() && !known)
    });
    match foreign {
        None => Ok(()),
        Some(parameter) => {
            let message = format!("This server does not implement the sub-resource {:?}.", parameter.name);
            Err(S3Error::new(Code::NotImplemented, message).with("Header", parameter.name.clone()))
        }
    }
}

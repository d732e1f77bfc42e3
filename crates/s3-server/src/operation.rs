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
    DeleteBucketOwnershipControls,
    DeleteBucketPolicy,
    DeleteObject,
    DeleteObjects,
    DeletePublicAccessBlock,
    GetBucketLocation,
    GetBucketOwnershipControls,
    GetBucketPolicy,
    GetBucketPolicyStatus,
    GetObject,
    GetObjectAttributes,
    GetPublicAccessBlock,
    HeadBucket,
    HeadObject,
    ListBuckets,
    ListMultipartUploads,
    ListObjects,
    ListObjectsV2,
    ListParts,
    PutBucketOwnershipControls,
    PutBucketPolicy,
    PutObject,
    PutPublicAccessBlock,
    UploadPart,
    UploadPartCopy,
}

/// Parameters that S3 takes beside those that choose the operation; some clients write them without a value.
/// Others that have a value are overlooked, as S3 does.
const PLAIN_PARAMETERS: [&str; 17] = [
    "continuation-token",
    "delimiter",
    "encoding-type",
    "fetch-owner",
    "key-marker",
    "marker",
    "max-buckets",
    "max-keys",
    "max-parts",
    "max-uploads",
    "part-number-marker",
    "prefix",
    "start-after",
    "upload-id-marker",
    "uploadId",
    "versionId",
    "x-id",
];

/// Parameters that choose an operation which this server does not perform.
const FOREIGN_SUBRESOURCES: [&str; 28] = [
    "accelerate",
    "acl",
    "analytics",
    "cors",
    "encryption",
    "intelligent-tiering",
    "inventory",
    "legal-hold",
    "lifecycle",
    "logging",
    "metadataConfiguration",
    "metadataTable",
    "metrics",
    "notification",
    "object-lock",
    "renameObject",
    "replication",
    "requestPayment",
    "restore",
    "retention",
    "select",
    "select-type",
    "session",
    "tagging",
    "torrent",
    "versioning",
    "versions",
    "website",
];

/// Parameters that choose an operation which this server performs.
const OWN_SUBRESOURCES: [&str; 10] = [
    "attributes",
    "delete",
    "list-type",
    "location",
    "ownershipControls",
    "partNumber",
    "policy",
    "policyStatus",
    "publicAccessBlock",
    "uploads",
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
        refuse_foreign(request.query())?;
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
        let has = |name| query.has(name);
        match *request.method() {
            Method::GET if has("location") => Some(Self::GetBucketLocation),
            Method::GET if has("ownershipControls") => Some(Self::GetBucketOwnershipControls),
            Method::GET if has("policyStatus") => Some(Self::GetBucketPolicyStatus),
            Method::GET if has("publicAccessBlock") => Some(Self::GetPublicAccessBlock),
            Method::GET if has("policy") => Some(Self::GetBucketPolicy),
            Method::GET if has("uploads") => Some(Self::ListMultipartUploads),
            Method::GET if query.get("list-type") == Some("2") => Some(Self::ListObjectsV2),
            Method::GET => Some(Self::ListObjects),
            Method::HEAD => Some(Self::HeadBucket),
            Method::PUT if has("ownershipControls") => Some(Self::PutBucketOwnershipControls),
            Method::PUT if has("publicAccessBlock") => Some(Self::PutPublicAccessBlock),
            Method::PUT if has("policy") => Some(Self::PutBucketPolicy),
            Method::PUT => Some(Self::CreateBucket),
            Method::DELETE if has("ownershipControls") => Some(Self::DeleteBucketOwnershipControls),
            Method::DELETE if has("publicAccessBlock") => Some(Self::DeletePublicAccessBlock),
            Method::DELETE if has("policy") => Some(Self::DeleteBucketPolicy),
            Method::DELETE => Some(Self::DeleteBucket),
            Method::POST if has("delete") => Some(Self::DeleteObjects),
            _ => None,
        }
    }

    fn of_object(request: &Request) -> Option<Self> {
        let has = |name| request.query().has(name);
        let copy = request.headers().contains_key("x-amz-copy-source");
        match *request.method() {
            Method::GET if has("uploadId") => Some(Self::ListParts),
            Method::GET if has("attributes") => Some(Self::GetObjectAttributes),
            Method::GET => Some(Self::GetObject),
            Method::HEAD => Some(Self::HeadObject),
            Method::PUT if has("uploadId") || has("partNumber") => {
                Some(if copy { Self::UploadPartCopy } else { Self::UploadPart })
            }
            Method::PUT if copy => Some(Self::CopyObject),
            Method::PUT => Some(Self::PutObject),
            Method::DELETE if has("uploadId") => Some(Self::AbortMultipartUpload),
            Method::DELETE => Some(Self::DeleteObject),
            Method::POST if has("uploads") => Some(Self::CreateMultipartUpload),
            Method::POST if has("uploadId") => Some(Self::CompleteMultipartUpload),
            _ => None,
        }
    }
}

/// A sub-resource that is not known must never become a success on the object itself.
fn refuse_foreign(query: &Query) -> S3Result<()> {
    let foreign = query.iter().find(|parameter| {
        let name = parameter.name.as_str();
        let known = OWN_SUBRESOURCES.contains(&name)
            || PLAIN_PARAMETERS.contains(&name)
            || name.starts_with("response-")
            || name.to_ascii_lowercase().starts_with("x-amz-");
        FOREIGN_SUBRESOURCES.contains(&name) || (parameter.value.is_empty() && !known)
    });
    match foreign {
        None => Ok(()),
        Some(parameter) => {
            let message = format!("This server does not implement the sub-resource {:?}.", parameter.name);
            Err(S3Error::new(Code::NotImplemented, message).with("Header", parameter.name.clone()))
        }
    }
}

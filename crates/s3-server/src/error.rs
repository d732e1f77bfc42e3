//! Errors as S3 answers them: a code, its status, a message, and fields that some codes add.

use std::borrow::Cow;

use http::StatusCode;

macro_rules! codes {
    ($($name:ident $(($text:literal))? = $status:literal $message:literal),* $(,)?) => {
        /// A code of S3, named exactly as it is answered.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[allow(missing_docs, reason = "each code is documented by the message it is answered with")]
        pub enum Code { $($name),* }

        impl Code {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The name, as in the XML answer.
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => codes!(@name $name $($text)?)),* }
            }

            /// The HTTP status, as a number.
            fn status_number(self) -> u16 {
                match self { $(Self::$name => $status),* }
            }

            /// The message that is answered where nothing more exact is known.
            pub fn message(self) -> &'static str {
                match self { $(Self::$name => $message),* }
            }
        }
    };
    (@name $name:ident $text:literal) => { $text };
    (@name $name:ident) => { stringify!($name) };
}

codes! {
    AccessControlListNotSupported = 400 "The bucket does not allow ACLs",
    AccessDenied = 403 "Access Denied",
    AccessForbidden = 403 "This CORS request is not allowed.",
    AuthorizationHeaderMalformed = 400 "The authorization header that you provided is not valid.",
    AuthorizationQueryParametersError = 400 "Error parsing the X-Amz-Credential parameter.",
    BadDigest = 400 "The Content-MD5 or checksum value that you specified did not match what the server received.",
    BadRequest = 400 "The request can't be read.",
    BucketAlreadyExists = 409 "The requested bucket name is not available. Please select a different name and try again.",
    BucketAlreadyOwnedByYou = 409 "Your previous request to create the named bucket succeeded and you already own it.",
    BucketNotEmpty = 409 "The bucket you tried to delete is not empty",
    ConditionalRequestConflict = 409 "A conflicting operation occurred. Please try again.",
    EntityTooLarge = 400 "Your proposed upload exceeds the maximum allowed size",
    EntityTooSmall = 400 "Your proposed upload is smaller than the minimum allowed size",
    IllegalVersioningConfigurationException = 400 "The Versioning element must be specified",
    IllegalLocationConstraintException = 400 "The specified location constraint is incompatible with the region this request was sent to.",
    IncompleteBody = 400 "The request body terminated unexpectedly",
    InternalError = 500 "We encountered an internal error. Please try again.",
    InvalidAccessKeyId = 403 "The AWS Access Key Id you provided does not exist in our records.",
    InvalidArgument = 400 "Invalid Argument",
    InvalidBucketAclWithObjectOwnership = 400 "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting",
    InvalidBucketOwnerAWSAccountID = 400 "The value of the expected bucket owner parameter must be an AWS Account ID",
    InvalidBucketName = 400 "The specified bucket is not valid.",
    InvalidBucketState = 409 "The request is not valid for the current state of the bucket.",
    InvalidDigest = 400 "The Content-MD5 you specified was invalid.",
    InvalidEncryptionAlgorithmError = 400 "The encryption request you specified is not valid. The valid value is AES256.",
    InvalidLocationConstraint = 400 "The specified location-constraint is not valid",
    InvalidPart = 400 "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
    InvalidPartNumber = 416 "The requested partnumber is not satisfiable",
    InvalidPartOrder = 400 "The list of parts was not in ascending order. Parts must be ordered by part number.",
    InvalidPolicyDocument = 400 "The content of the form does not meet the conditions specified in the policy document.",
    InvalidRange = 416 "The requested range is not satisfiable",
    InvalidRedirectLocation = 400 "The website redirect location must have a prefix of 'http://' or 'https://' or '/'.",
    InvalidRequest = 400 "Invalid Request",
    InvalidStorageClass = 400 "The storage class you specified is not valid",
    InvalidTag = 400 "The tag provided was not a valid tag. This error can occur if the tag did not pass input validation.",
    InvalidTargetBucketForLogging = 400 "The target bucket for logging does not exist",
    InvalidURI = 400 "Couldn't parse the specified URI.",
    KmsNotFoundException ("KMS.NotFoundException") = 400 "The key does not exist",
    KeyTooLongError = 400 "Your key is too long",
    MalformedACLError = 400 "The XML you provided was not well-formed or did not validate against our published schema",
    MalformedPOSTRequest = 400 "The body of your POST request is not well-formed multipart/form-data.",
    MalformedPolicy = 400 "Policies must be valid JSON and the first byte must be '{'",
    MalformedTrailerError = 400 "The request contained trailing data that was not well-formed or did not conform to our published schema.",
    MalformedXML = 400 "The XML you provided was not well-formed or did not validate against our published schema",
    MaxPostPreDataLengthExceededError = 400 "Your POST request fields preceding the upload file were too large.",
    MaxMessageLengthExceeded = 400 "Your request was too big.",
    MetadataTooLarge = 400 "Your metadata headers exceed the maximum allowed metadata size",
    MethodNotAllowed = 405 "The specified method is not allowed against this resource.",
    MissingContentLength = 411 "You must provide the Content-Length HTTP header.",
    MissingRequestBodyError = 400 "Request body is empty.",
    MissingSecurityHeader = 400 "Your request was missing a required header",
    NoSuchBucket = 404 "The specified bucket does not exist",
    NoSuchBucketPolicy = 404 "The bucket policy does not exist",
    NoSuchCORSConfiguration = 404 "The CORS configuration does not exist",
    NoSuchKey = 404 "The specified key does not exist.",
    NoSuchLifecycleConfiguration = 404 "The lifecycle configuration does not exist",
    NoSuchObjectLockConfiguration = 404 "The specified object does not have a ObjectLock configuration",
    NoSuchPublicAccessBlockConfiguration = 404 "The public access block configuration was not found",
    NoSuchTagSet = 404 "The TagSet does not exist",
    NoSuchUpload = 404 "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.",
    NoSuchWebsiteConfiguration = 404 "The specified bucket does not have a website configuration",
    NoSuchVersion = 404 "The specified version does not exist.",
    NotImplemented = 501 "A header or query you provided implies functionality that is not implemented",
    NotModified = 304 "Not Modified",
    ObjectLockConfigurationNotFoundError = 404 "Object Lock configuration does not exist for this bucket",
    OwnershipControlsNotFoundError = 404 "The bucket ownership controls were not found",
    OperationAborted = 409 "A conflicting conditional operation is currently in progress against this resource. Try again.",
    PreconditionFailed = 412 "At least one of the pre-conditions you specified did not hold",
    ReplicationConfigurationNotFoundError = 404 "The replication configuration was not found",
    RequestTimeTooSkewed = 403 "The difference between the request time and the current time is too large.",
    RequestTimeout = 400 "Your socket connection to the server was not read from or written to within the timeout period.",
    ServerSideEncryptionConfigurationNotFoundError = 404 "The server side encryption configuration was not found",
    ServiceUnavailable = 503 "Service is unable to handle request.",
    SignatureDoesNotMatch = 403 "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
    SlowDown = 503 "Please reduce your request rate.",
    UnexpectedContent = 400 "This request contains unsupported content.",
    UnresolvableGrantByEmailAddress = 400 "The e-mail address you provided does not match any account on record.",
    XAmzContentSHA256Mismatch = 400 "The provided 'x-amz-content-sha256' header does not match what was computed.",
}

impl Code {
    /// The HTTP status that goes with the code.
    pub fn status(self) -> StatusCode {
        StatusCode::from_u16(self.status_number()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// The code of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.name() == name)
    }
}

/// An answer that is an error.
#[derive(Clone, Debug)]
pub(crate) struct S3Error {
    code: Code,
    message: Cow<'static, str>,
    fields: Vec<(&'static str, String)>,
    headers: Vec<(&'static str, String)>,
}

/// What a request ends with.
pub(crate) type S3Result<T> = Result<T, S3Error>;

impl S3Error {
    /// An error with a message of its own.
    pub(crate) fn new(code: Code, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code, message: message.into(), fields: Vec::new(), headers: Vec::new() }
    }

    /// `InvalidArgument` for one named argument.
    pub(crate) fn argument(name: &str, value: &str, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Code::InvalidArgument, message).with("ArgumentName", name).with("ArgumentValue", value)
    }

    /// The same error with one more XML element.
    #[must_use]
    pub(crate) fn with(mut self, field: &'static str, value: impl Into<String>) -> Self {
        self.fields.push((field, value.into()));
        self
    }

    /// The same error with one more response header.
    #[must_use]
    pub(crate) fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn code(&self) -> Code {
        self.code
    }

    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    pub(crate) fn fields(&self) -> &[(&'static str, String)] {
        &self.fields
    }

    pub(crate) fn headers(&self) -> &[(&'static str, String)] {
        &self.headers
    }
}

impl From<Code> for S3Error {
    fn from(code: Code) -> Self {
        Self::new(code, code.message())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_found_by_its_name_and_has_a_valid_status() {
        for &code in Code::ALL {
            assert_eq!(Code::named(code.name()), Some(code));
            assert_eq!(code.status().as_u16(), code.status_number());
        }
    }
}

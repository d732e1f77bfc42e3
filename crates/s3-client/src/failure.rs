//! What the SDK's errors become.

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use holdfast_base::{Error, ErrorKind};

/// The code of an error that says: a conditional write was sent, and whether it was stored is not known.
/// Read the object back to find out. See [`crate::Bucket::put`].
pub const OUTCOME_UNKNOWN: &str = "OUTCOME_UNKNOWN";

/// The code of an error that says: the condition did not hold, and nothing was stored.
pub const PRECONDITION_FAILED: &str = "PRECONDITION_FAILED";

/// Whether a failed write may have been stored all the same.
pub fn is_outcome_unknown(error: &Error) -> bool {
    error.code() == OUTCOME_UNKNOWN
}

type Sdk<E> = SdkError<E, HttpResponse>;

/// What failed: the operation, the bucket and, where there is one, the key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Failing<'a> {
    operation: &'static str,
    bucket: &'a str,
    key: Option<&'a str>,
}

impl<'a> Failing<'a> {
    pub(crate) fn new(operation: &'static str, bucket: &'a str, key: Option<&'a str>) -> Self {
        Self { operation, bucket, key }
    }

    /// The house's error for one of the SDK's.
    pub(crate) fn error<E>(self, error: &Sdk<E>) -> Error
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        match error {
            SdkError::ServiceError(service) => {
                let meta = service.err().meta();
                let status = service.raw().status().as_u16();
                if (200..300).contains(&status) && meta.code().is_none() {
                    return self.make(
                        ErrorKind::Connection,
                        "INVALID_RESPONSE",
                        &format!("{}; is it S3?", causes(error)),
                    );
                }
                self.refusal(status, meta.code(), meta.message())
            }
            _ if lacks_credentials(error) => {
                let advice = "give credentials, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or a profile";
                self.make(ErrorKind::Config, "CREDENTIALS_MISSING", &format!("{}; {advice}", causes(error)))
            }
            SdkError::TimeoutError(_) => self.timeout(),
            SdkError::DispatchFailure(dispatch) if dispatch.is_timeout() => self.timeout(),
            SdkError::DispatchFailure(_) => {
                let advice = "check that the endpoint is reachable and that its address is right";
                self.make(ErrorKind::Connection, "CONNECTION_FAILED", &format!("{}; {advice}", causes(error)))
            }
            SdkError::ConstructionFailure(_) => {
                self.make(ErrorKind::Validation, "INVALID_REQUEST", &format!("{}; nothing was sent", causes(error)))
            }
            _ => self.make(ErrorKind::Connection, "INVALID_RESPONSE", &format!("{}; is it S3?", causes(error))),
        }
    }

    /// The error of a conditional write that was sent once: [`OUTCOME_UNKNOWN`] unless it surely left no trace.
    pub(crate) fn conditional_error<E>(self, error: &Sdk<E>) -> Error
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let plain = self.error(error);
        if surely_not_stored(error) {
            return plain;
        }
        let text = format!("{plain}. It may have been stored all the same: read it back before trying again");
        let kind = if plain.kind() == ErrorKind::Timeout { ErrorKind::Timeout } else { ErrorKind::Connection };
        let unknown = Error::new(kind, OUTCOME_UNKNOWN, text).retryable(false).with("cause", plain.code());
        self.detail(unknown)
    }

    /// The error of a body that broke off.
    pub(crate) fn broken_body(self, error: &(dyn std::error::Error + 'static)) -> Error {
        let text = format!("the body broke off ({}); try again", causes(error));
        self.make(ErrorKind::Connection, "BODY_BROKE_OFF", &text)
    }

    fn timeout(self) -> Error {
        self.make(ErrorKind::Timeout, "TIMEOUT", "no answer in time; try again, or allow more time")
    }

    fn refusal(self, status: u16, code: Option<&str>, message: Option<&str>) -> Error {
        let (kind, ours, advice) = classify(status, code.unwrap_or_default());
        let said = match (code, message) {
            (Some(code), Some(message)) => format!("{code}: {message}"),
            (Some(code), None) => code.to_owned(),
            (None, _) => format!("HTTP status {status}"),
        };
        let error = self.make(kind, ours, &format!("{said}; {advice}")).with("status", status);
        let error = match code {
            Some(code) => error.with("s3Code", code),
            None => error,
        };
        error.retryable(status >= 500 && status != 501 || status == 429)
    }

    fn make(self, kind: ErrorKind, code: &'static str, said: &str) -> Error {
        let target = match self.key {
            Some(key) => format!("{:?} in bucket {:?}", key, self.bucket),
            None => format!("bucket {:?}", self.bucket),
        };
        self.detail(Error::new(kind, code, format!("{} on {target}: {said}", self.operation)))
    }

    fn detail(self, error: Error) -> Error {
        let error = error.with("operation", self.operation).with("bucket", self.bucket);
        match self.key {
            Some(key) => error.with("key", key),
            None => error,
        }
    }
}

fn classify(status: u16, code: &str) -> (ErrorKind, &'static str, &'static str) {
    use ErrorKind::{Capability, Config, Conflict, Connection, NotFound, Validation};
    match (status, code) {
        (_, "NoSuchBucket") => (NotFound, "NO_SUCH_BUCKET", "create the bucket first"),
        (_, "NoSuchUpload") => (NotFound, "NO_SUCH_UPLOAD", "it was completed or aborted; start a new one"),
        (404, _) => (NotFound, "NO_SUCH_KEY", "there is nothing under this name"),
        (412, _) => (Conflict, PRECONDITION_FAILED, "somebody else wrote it; read it again and decide"),
        (_, "ConditionalRequestConflict") => (Conflict, "WRITE_CONFLICT", "another write was under way; try again"),
        (304, _) => (Conflict, "NOT_MODIFIED", "the copy that you have is current"),
        (_, "BucketAlreadyExists" | "BucketAlreadyOwnedByYou") => {
            (Conflict, "BUCKET_EXISTS", "choose another name or use the bucket")
        }
        (416, _) => (Validation, "INVALID_RANGE", "the object is shorter than the range's start"),
        (_, "KeyTooLongError") => (Validation, "KEY_TOO_LONG", "a key has at most 1,024 bytes of UTF-8"),
        (_, "InvalidBucketName") => (Validation, "INVALID_BUCKET_NAME", "choose another name"),
        (_, "EntityTooLarge") => (Validation, "TOO_LARGE", "upload it in parts"),
        (301 | 307, _)
        | (_, "AuthorizationHeaderMalformed" | "PermanentRedirect" | "IllegalLocationConstraintException") => {
            (Config, "WRONG_REGION", "set the region that the bucket is in")
        }
        (401 | 403, _) => (Connection, "ACCESS_DENIED", "check the credentials and what they may do"),
        (501, _) => (Capability, "NOT_IMPLEMENTED", "this endpoint can't do that"),
        (429 | 500.., _) => (Connection, "S3_UNAVAILABLE", "the endpoint is in trouble; try again later"),
        _ => (Connection, "S3_REFUSED", "the endpoint refused the request"),
    }
}

/// The code that S3 gave, if it gave one.
pub(crate) fn s3_code<E: ProvideErrorMetadata>(error: &Sdk<E>) -> Option<&str> {
    error.as_service_error().and_then(|error| error.meta().code())
}

/// Whether a request that failed this way certainly changed nothing: it was never sent, or was refused.
fn surely_not_stored<E>(error: &Sdk<E>) -> bool
where
    E: std::error::Error + 'static,
{
    match error {
        SdkError::ConstructionFailure(_) => true,
        // An error inside of a 200 (a late failure of a completion) says as little as a 5xx.
        SdkError::ServiceError(service) => (300..500).contains(&service.raw().status().as_u16()),
        SdkError::DispatchFailure(dispatch) => {
            dispatch.as_connector_error().is_some_and(|error| never_connected(error))
        }
        _ => false,
    }
}

fn never_connected(error: &(dyn std::error::Error + 'static)) -> bool {
    chain(error)
        .any(|error| error.downcast_ref::<hyper_util::client::legacy::Error>().is_some_and(|error| error.is_connect()))
}

/// Whether nothing was sent because nothing signs it.
fn lacks_credentials(error: &(dyn std::error::Error + 'static)) -> bool {
    chain(error).any(|error| error.is::<aws_credential_types::provider::error::CredentialsError>())
}

fn chain<'a>(
    error: &'a (dyn std::error::Error + 'static),
) -> impl Iterator<Item = &'a (dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error), |error| error.source())
}

/// The causes of an error, outermost first, without repetition.
fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut texts: Vec<String> = Vec::new();
    for text in chain(error).map(ToString::to_string) {
        if !texts.contains(&text) {
            texts.push(text);
        }
    }
    texts.join(": ")
}

//! What the engine refuses, in S3's words.

use std::fmt;

use holdfast_base::Error;

use super::VersionId;

/// Why an engine call failed. Nothing was changed by a call that fails with anything but `Storage`.
#[derive(Clone, Debug)]
pub enum EngineError {
    /// No bucket has that name.
    NoSuchBucket(String),
    /// No object has that key.
    NoSuchKey(String),
    /// The key's newest version is a delete marker, or the version that was named is one.
    IsDeleteMarker(DeleteMarker),
    /// The key has no version with that id.
    NoSuchVersion {
        /// The key.
        key: String,
        /// The id.
        version: VersionId,
    },
    /// No upload has that id for that key: unknown, completed or aborted.
    NoSuchUpload(String),
    /// The bucket exists already.
    BucketAlreadyOwnedByYou(String),
    /// The bucket still holds objects.
    BucketNotEmpty(String),
    /// The name breaks S3's rules for bucket names.
    InvalidBucketName(String),
    /// The key is longer than 1,024 bytes of UTF-8; how long it is.
    KeyTooLong(usize),
    /// An argument is out of range: what, and what is possible.
    InvalidArgument(String),
    /// What the caller says is not true of what is there.
    InvalidRequest(String),
    /// A part named in a completion was not uploaded, or has another ETag or checksum; its number.
    InvalidPart(u16),
    /// The parts of a completion are not in ascending order.
    InvalidPartOrder,
    /// A part that isn't the last is under the least size.
    EntityTooSmall {
        /// The part's number.
        number: u16,
        /// Its size in bytes.
        size: u64,
        /// The least size in bytes.
        min_bytes: u64,
    },
    /// The condition did not hold when the commit was decided.
    PreconditionFailed,
    /// The key that the caller gave is not the one that the object, or the upload, was encrypted with.
    WrongCustomerKey,
    /// The digest or checksum that the caller gave is not that of the data: which one.
    BadDigest(String),
    /// Everything was emptied or brought back to an earlier state while the body came in.
    StateReplaced,
    /// Object lock keeps the version, or its lock, as it is.
    Locked,
    /// The bucket has no object lock.
    NoObjectLock,
    /// Object lock wants versioning, which is not enabled.
    NeedsVersioning,
    /// Versioning can't be suspended: the bucket has object lock.
    KeepsVersioning,
    /// The disk, the index or the operating system failed.
    Storage(Error),
}

/// A delete marker that stands where an object was looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeleteMarker {
    /// The key.
    pub key: String,
    /// Its id.
    pub version: VersionId,
    /// When the object was deleted, in milliseconds since the epoch.
    pub last_modified_ms: u64,
    /// Whether the caller named this very version, or wants to change what is there: then there is something, but no
    /// object.
    pub is_named: bool,
}

/// A result whose error is the engine's.
pub type Result<T, E = EngineError> = std::result::Result<T, E>;

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchBucket(name) => write!(f, "bucket {name:?} does not exist; create it first"),
            Self::NoSuchKey(key) => write!(f, "object {key:?} does not exist"),
            Self::IsDeleteMarker(marker) => {
                let DeleteMarker { key, version, .. } = marker;
                write!(f, "object {key:?} was deleted: version {version} is a delete marker; name an older version")
            }
            Self::NoSuchVersion { key, version } => {
                write!(f, "object {key:?} has no version {version}; list its versions")
            }
            Self::NoSuchUpload(id) => {
                write!(f, "upload {id:?} does not exist: it was completed, aborted or never begun")
            }
            Self::BucketAlreadyOwnedByYou(name) => write!(f, "bucket {name:?} exists already and is yours"),
            Self::BucketNotEmpty(name) => write!(f, "bucket {name:?} still holds objects; delete them first"),
            Self::InvalidBucketName(name) => write!(
                f,
                "{name:?} is no bucket name: 3 to 63 lower-case letters, digits, dots and hyphens, \
                 beginning and ending with a letter or digit"
            ),
            Self::KeyTooLong(bytes) => write!(f, "the key has {bytes} bytes of UTF-8; at most 1024 are possible"),
            Self::InvalidArgument(what) | Self::InvalidRequest(what) => f.write_str(what),
            Self::InvalidPart(number) => {
                write!(
                    f,
                    "part {number} was not uploaded, or its ETag or checksum is another; list the parts and try again"
                )
            }
            Self::InvalidPartOrder => f.write_str("the parts are not in ascending order of their numbers; sort them"),
            Self::EntityTooSmall { number, size, min_bytes } => {
                write!(f, "part {number} has {size} bytes; every part but the last needs at least {min_bytes}")
            }
            Self::PreconditionFailed => f.write_str("the object is not as the condition demands; read it again"),
            Self::WrongCustomerKey => f.write_str("the key is not the one it was encrypted with; give that one"),
            Self::BadDigest(which) => write!(f, "the {which} given is not that of the data; send it again"),
            Self::StateReplaced => {
                f.write_str("the storage was reset or restored while the body came in; send it again")
            }
            Self::Locked => f.write_str("the version is protected by object lock; wait for its time, or lift its hold"),
            Self::NoObjectLock => f.write_str("the bucket has no object lock; turn it on first"),
            Self::NeedsVersioning => f.write_str("object lock needs versioning; enable it first"),
            Self::KeepsVersioning => f.write_str("versioning can't be suspended in a bucket with object lock"),
            Self::Storage(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for EngineError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Storage(error) => Some(error),
            _ => None,
        }
    }
}

impl From<Error> for EngineError {
    fn from(error: Error) -> Self {
        Self::Storage(error)
    }
}

impl From<std::io::Error> for EngineError {
    fn from(error: std::io::Error) -> Self {
        Self::Storage(error.into())
    }
}

impl From<tokio::task::JoinError> for EngineError {
    fn from(error: tokio::task::JoinError) -> Self {
        Self::Storage(Error::internal(format!("a task of the disk engine ended early: {error}")))
    }
}

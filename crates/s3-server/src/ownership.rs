use crate::error::{S3Error, S3Result};
use crate::request::Request;

/// The name of the document that holds a bucket's ownership controls.
pub(crate) const OWNERSHIP_DOCUMENT: &str = "ownership-controls";

/// Who owns what is put into a bucket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Ownership {
    /// The bucket's owner; access control lists are off.
    BucketOwnerEnforced,
    /// Whoever writes it, or the bucket's owner where the write says `bucket-owner-full-control`.
    BucketOwnerPreferred,
    /// Whoever writes it: what a bucket has that says nothing of it.
    #[default]
    ObjectWriter,
}

impl Ownership {
    const ALL: [Self; 3] = [Self::BucketOwnerEnforced, Self::BucketOwnerPreferred, Self::ObjectWriter];

    /// The name, as in a document.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::BucketOwnerEnforced => "BucketOwnerEnforced",
            Self::BucketOwnerPreferred => "BucketOwnerPreferred",
            Self::ObjectWriter => "ObjectWriter",
        }
    }

    /// The one of that name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|ownership| ownership.name() == name)
    }

    /// What a request that makes a bucket asks for.
    ///
    /// # Errors
    /// `InvalidArgument` for a name that is not known.
    pub(crate) fn asked(request: &Request) -> S3Result<Option<Self>> {
        const HEADER: &str = "x-amz-object-ownership";
        let Some(name) = request.header(HEADER) else { return Ok(None) };
        let unknown = || S3Error::argument(HEADER, name, format!("Invalid {HEADER} header: {name}"));
        Self::named(name).map(Some).ok_or_else(unknown)
    }
}

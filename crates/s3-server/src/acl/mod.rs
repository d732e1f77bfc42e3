//! Access control lists: who is granted what on a bucket or an object.
//!
//! ```text
//! acl ── canned     the lists that have a name
//!    ├── headers    what a write says of its list
//!    ├── document   the list as XML
//!    └── grant      grantees, groups, permissions
//! ```

mod canned;
mod document;
mod grant;
mod headers;

use serde::{Deserialize, Serialize};

use crate::auth::Account;
use crate::engine::{EngineError, ObjectAttributes};
use crate::error::{Code, S3Result};
pub(crate) use document::{MAX_ACL_BYTES, of_document, write};
pub(crate) use grant::{Grant, Grantee, Group, Permission};
pub(crate) use headers::{of_headers, require_harmless};

/// The name of the document that holds a bucket's list.
pub(crate) const ACL_DOCUMENT: &str = "acl";
/// The most grants of a list.
const MAX_GRANTS: usize = 100;

/// Grants in the order they were given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Acl {
    pub(crate) grants: Vec<Grant>,
}

/// What a list is about: the owners that it may name.
#[derive(Clone, Copy)]
pub(crate) struct Subject<'a> {
    /// Of the bucket or the object itself.
    pub(crate) owner: &'a Account,
    /// Of the bucket that an object is in; `None` where the list is a bucket's own.
    pub(crate) bucket_owner: Option<&'a Account>,
}

impl Acl {
    /// The owner alone: what everything has that was given no list.
    pub(crate) fn private() -> Self {
        Self { grants: vec![Grant { to: Grantee::Owner, permission: Permission::FullControl }] }
    }

    /// Reads a list as it is kept; none is `private`.
    ///
    /// # Errors
    /// `Storage` for one that can't be read.
    pub(crate) fn of_kept(text: Option<&str>) -> Result<Self, EngineError> {
        let damaged = |_| holdfast_base::Error::internal("the index holds an access control list that is damaged");
        Ok(text.map_or_else(|| Ok(Self::private()), serde_json::from_str).map_err(damaged)?)
    }

    /// As it is kept; `private` needs no place.
    ///
    /// # Errors
    /// `InternalError`.
    pub(crate) fn kept(&self) -> S3Result<Option<String>> {
        let text = (*self != Self::private()).then(|| serde_json::to_string(self)).transpose();
        text.map_err(|_| Code::InternalError.into())
    }

    /// Whether somebody is granted a permission. `account` is `None` for nobody known; public grants are overlooked
    /// where the bucket says so.
    pub(crate) fn grants(&self, wanted: Permission, asks: Asks<'_>) -> bool {
        self.grants.iter().filter(|grant| grant.permission.holds(wanted)).any(|grant| match &grant.to {
            Grantee::Owner => asks.account.is_some_and(|account| account.canonical_id == asks.owner_id),
            Grantee::User(id) => asks.account.is_some_and(|account| account.canonical_id == *id),
            Grantee::Group(Group::AllUsers) => !asks.overlook_public,
            Grantee::Group(Group::AuthenticatedUsers) => !asks.overlook_public && asks.account.is_some(),
            Grantee::Group(Group::LogDelivery) => false,
        })
    }

    /// Whether everybody is granted something, or everybody who signs.
    pub(crate) fn is_public(&self) -> bool {
        self.grants.iter().any(|grant| grant.to.is_public())
    }

    /// Whether nobody but the owner is granted anything.
    pub(crate) fn is_of_owner_alone(&self) -> bool {
        self.grants.iter().all(|grant| grant.to == Grantee::Owner)
    }

    /// Whether it is what the canned list `bucket-owner-full-control` gives.
    pub(crate) fn hands_over_to(&self, bucket_owner: &Account) -> bool {
        let everything = |grantee: Grantee| {
            self.grants.iter().any(|grant| grant.to == grantee && grant.permission == Permission::FullControl)
        };
        everything(Grantee::Owner) && everything(Grantee::User(bucket_owner.canonical_id.clone()))
    }
}

/// Who asks a list, of whose thing.
#[derive(Clone, Copy)]
pub(crate) struct Asks<'a> {
    pub(crate) account: Option<&'a Account>,
    pub(crate) owner_id: &'a str,
    pub(crate) overlook_public: bool,
}

/// The list of an object; none is `private`.
///
/// # Errors
/// `Storage` for one that can't be read.
pub(crate) fn of_object(attributes: &ObjectAttributes) -> Result<Acl, EngineError> {
    Acl::of_kept(attributes.acl.as_deref())
}

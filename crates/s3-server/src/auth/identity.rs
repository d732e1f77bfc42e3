use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::encoding::hex;
use crate::policy::ACCOUNT;
use crate::settings::Credential;

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Identity {
    /// Anybody, while signatures are not asked for: may do everything.
    Unchecked,
    /// The holder of an access key, proven by a signature.
    User(Arc<User>),
    /// Nobody known.
    Anonymous,
}

/// The public half of a credential: who its holder is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct User {
    pub(crate) access_key_id: String,
    pub(crate) canonical_id: String,
    pub(crate) display_name: String,
    pub(crate) email: Option<String>,
}

impl User {
    /// The holder of a credential. Without a canonical id it has one that is derived from its access key.
    pub(crate) fn of(credential: &Credential) -> Self {
        let access_key_id = credential.access_key_id.clone();
        Self {
            canonical_id: credential.canonical_id.clone().unwrap_or_else(|| hex(&Sha256::digest(&access_key_id))),
            display_name: credential.display_name.clone().unwrap_or_else(|| access_key_id.clone()),
            email: credential.email.clone(),
            access_key_id,
        }
    }

    /// How policies name it.
    pub(crate) fn arn(&self) -> String {
        format!("arn:aws:iam::{ACCOUNT}:user/{}", self.access_key_id)
    }

    #[cfg(test)]
    pub(crate) fn plain(access_key_id: &str) -> Self {
        Self::of(&Credential::new(access_key_id, "secret"))
    }
}

/// How a request was signed, and when, in milliseconds since the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SignedBy {
    Nothing,
    Header {
        at_ms: u64,
    },
    Query {
        at_ms: u64,
    },
    /// Version 2 in the header.
    OldHeader {
        at_ms: u64,
    },
    /// Version 2 in the query, which does not tell when.
    OldQuery,
    /// A form's policy.
    Form {
        at_ms: u64,
    },
    /// A form's policy, version 2.
    OldForm,
}

impl SignedBy {
    /// The value of `s3:authType`.
    pub(crate) fn auth_type(self) -> Option<&'static str> {
        match self {
            Self::Nothing => None,
            Self::Header { .. } | Self::OldHeader { .. } => Some("REST-HEADER"),
            Self::Query { .. } | Self::OldQuery => Some("REST-QUERY-STRING"),
            Self::Form { .. } | Self::OldForm => Some("POST"),
        }
    }

    /// The value of `s3:signatureversion`.
    pub(crate) fn version(self) -> Option<&'static str> {
        match self {
            Self::Nothing => None,
            Self::OldHeader { .. } | Self::OldQuery | Self::OldForm => Some("AWS"),
            Self::Header { .. } | Self::Query { .. } | Self::Form { .. } => Some("AWS4-HMAC-SHA256"),
        }
    }

    /// When it was signed.
    pub(crate) fn at_ms(self) -> Option<u64> {
        match self {
            Self::Header { at_ms } | Self::OldHeader { at_ms } | Self::Query { at_ms } | Self::Form { at_ms } => {
                Some(at_ms)
            }
            Self::Nothing | Self::OldQuery | Self::OldForm => None,
        }
    }
}

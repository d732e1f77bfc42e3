use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::account::{Account, Accounts};
use crate::encoding::hex;
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
    /// Of this one user, also where several belong to an account.
    pub(crate) id: String,
    pub(crate) account: Arc<Account>,
}

impl User {
    /// The holder of a credential.
    pub(crate) fn of(credential: &Credential, accounts: &Accounts) -> Self {
        let access_key_id = credential.access_key_id.clone();
        let id = credential.canonical_id.clone().unwrap_or_else(|| hex(&Sha256::digest(&access_key_id)));
        Self { access_key_id, id, account: accounts.holder(credential) }
    }

    /// How policies name it.
    pub(crate) fn arn(&self) -> String {
        format!("arn:aws:iam::{}:user/{}", self.account.number, self.access_key_id)
    }

    #[cfg(test)]
    pub(crate) fn plain(access_key_id: &str) -> Self {
        let accounts = Accounts::of(&crate::settings::ServerSettings::new("unused"));
        Self::of(&Credential::new(access_key_id, "secret"), &accounts)
    }
}

impl Identity {
    /// The account of whoever asks; none for nobody known, and where nobody is asked.
    pub(crate) fn account(&self) -> Option<&Arc<Account>> {
        match self {
            Self::User(user) => Some(&user.account),
            Self::Anonymous | Self::Unchecked => None,
        }
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

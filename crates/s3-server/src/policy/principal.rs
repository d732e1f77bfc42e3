use serde_json::{Map, Value};

use super::facts::ACCOUNT;
use super::{malformed, texts};
use crate::auth::Identity;
use crate::error::S3Result;

/// Whom a statement is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Principal {
    /// `*`.
    Anyone,
    /// Every user of this server.
    Account,
    /// A user, by access key or canonical id.
    User(String),
    /// Somebody that this server does not know: a service, a role, another account.
    Stranger,
}

impl Principal {
    /// Whether somebody is meant.
    pub(super) fn means(&self, identity: &Identity) -> bool {
        match (self, identity) {
            (Self::Anyone, _) | (Self::Account, Identity::User(_)) => true,
            (Self::User(name), Identity::User(user)) => *name == user.access_key_id || *name == user.canonical_id,
            _ => false,
        }
    }

    /// Reads what stands under `Principal` or `NotPrincipal`.
    ///
    /// # Errors
    /// `MalformedPolicy` for what can't be a principal.
    pub(super) fn read_all(value: &Value) -> S3Result<Vec<Self>> {
        let invalid = || malformed("Invalid principal in policy");
        match value {
            Value::String(any) if any == "*" => Ok(vec![Self::Anyone]),
            Value::Object(kinds) if !kinds.is_empty() => {
                let read = kinds.keys().map(|kind| Self::of_kind(kind, kinds));
                Ok(read.collect::<S3Result<Vec<_>>>()?.concat())
            }
            _ => Err(invalid()),
        }
    }

    fn of_kind(kind: &str, kinds: &Map<String, Value>) -> S3Result<Vec<Self>> {
        let invalid = || malformed("Invalid principal in policy");
        let names = texts(kinds, kind).map_err(|_| invalid())?;
        names
            .into_iter()
            .map(|name| match kind {
                "AWS" => Self::of_aws(&name).ok_or_else(invalid),
                "CanonicalUser" => Ok(Self::User(name)),
                "Service" | "Federated" => Ok(Self::Stranger),
                _ => Err(invalid()),
            })
            .collect()
    }

    /// `*`, an account, an access key or canonical id, or an ARN. The account of a user's ARN is not looked at.
    fn of_aws(name: &str) -> Option<Self> {
        let account = |id: &str| if id == ACCOUNT { Self::Account } else { Self::Stranger };
        if name == "*" {
            return Some(Self::Anyone);
        }
        if name.len() == ACCOUNT.len() && name.bytes().all(|byte| byte.is_ascii_digit()) {
            return Some(account(name));
        }
        let Some(arn) = name.strip_prefix("arn:") else {
            return (!name.is_empty() && !name.contains([' ', '*', '?'])).then(|| Self::User(name.to_owned()));
        };
        // partition : service :: account : what
        let parts: Vec<&str> = arn.splitn(5, ':').collect();
        match parts.as_slice() {
            ["aws", "iam", "", id, "root"] => Some(account(id)),
            ["aws", "iam", "", _, user] if user.starts_with("user/") => {
                let path = user.strip_prefix("user/").filter(|path| !path.is_empty() && !path.contains(['*', '?']))?;
                Some(Self::User(path.to_owned()))
            }
            ["aws", "iam" | "sts", "", _, what] if what.contains('/') => Some(Self::Stranger),
            _ => None,
        }
    }
}

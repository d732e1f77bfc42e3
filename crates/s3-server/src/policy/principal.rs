use serde_json::{Map, Value};

use super::{malformed, texts};
use crate::auth::{Identity, OWN_ACCOUNT};
use crate::error::S3Result;

/// Whom a statement is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Principal {
    /// `*`.
    Anyone,
    /// Every user of an account, by its number or canonical id.
    Account(String),
    /// A user by access key, or an account by canonical id.
    User(String),
    /// Somebody that this server does not know: a service, a role.
    Stranger,
}

impl Principal {
    /// Whether somebody is meant.
    pub(super) fn means(&self, identity: &Identity) -> bool {
        match (self, identity) {
            (Self::Anyone, _) => true,
            (Self::Account(id), Identity::User(user)) => *id == user.account.number || *id == user.account.canonical_id,
            (Self::User(name), Identity::User(user)) => {
                *name == user.access_key_id || *name == user.account.canonical_id
            }
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
        if name == "*" {
            return Some(Self::Anyone);
        }
        if name.len() == OWN_ACCOUNT.len() && name.bytes().all(|byte| byte.is_ascii_digit()) {
            return Some(Self::Account(name.to_owned()));
        }
        let Some(arn) = name.strip_prefix("arn:") else {
            return (!name.is_empty() && !name.contains([' ', '*', '?'])).then(|| Self::User(name.to_owned()));
        };
        // partition : service :: account : what
        let parts: Vec<&str> = arn.splitn(5, ':').collect();
        match parts.as_slice() {
            ["aws", "iam", "", id, "root"] => Some(Self::Account((*id).to_owned())),
            ["aws", "iam", "", _, user] if user.starts_with("user/") => {
                let path = user.strip_prefix("user/").filter(|path| !path.is_empty() && !path.contains(['*', '?']))?;
                Some(Self::User(path.to_owned()))
            }
            ["aws", "iam" | "sts", "", _, what] if what.contains('/') => Some(Self::Stranger),
            _ => None,
        }
    }
}

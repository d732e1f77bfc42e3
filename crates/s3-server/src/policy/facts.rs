use std::net::IpAddr;

use super::key::{EXISTING_TAG, Key, REQUEST_TAG};
use crate::amz_time;
use crate::auth::{Identity, SignedBy};
use crate::encoding::decode_path;
use crate::engine::Retention;
use crate::query::Query;
use crate::request::Request;

/// What is known of a request, for conditions and variables.
#[derive(Clone, Copy)]
pub(crate) struct Facts<'a> {
    pub(crate) identity: &'a Identity,
    pub(crate) request: &'a Request,
    /// How it was signed, and when.
    pub(crate) signed: SignedBy,
    /// The other end of the connection.
    pub(crate) peer: IpAddr,
    /// Whether TLS is spoken.
    pub(crate) is_secure: bool,
    /// The region of the server.
    pub(crate) region: &'a str,
    pub(crate) now_ms: u64,
    /// The number of the account that owns the bucket.
    pub(crate) resource_account: &'a str,
    /// Tags that its body brings; `None` where a header may bring them.
    pub(crate) tags: Option<&'a [(String, String)]>,
    /// The retention that its body brings; `None` where a header may bring one.
    pub(crate) retention: Option<Retention>,
    /// The tags of the object that the request is about; `None` where they are not known.
    pub(crate) existing_tags: Option<&'a [(String, String)]>,
}

impl Facts<'_> {
    /// The values of a key; `None` when the request does not say it.
    pub(super) fn values(&self, key: &Key) -> Option<Vec<String>> {
        if let Some(tag) = key.name().strip_prefix(REQUEST_TAG) {
            return self.request_tags()?.into_iter().find(|(name, _)| name == tag).map(|(_, value)| vec![value]);
        }
        if let Some(tag) = key.name().strip_prefix(EXISTING_TAG) {
            let found = self.existing_tags?.iter().find(|(name, _)| name == tag);
            return found.map(|(_, value)| vec![value.clone()]);
        }
        if key.name() == "s3:requestobjecttagkeys" {
            return Some(self.request_tags()?.into_iter().map(|(name, _)| name).collect());
        }
        self.value(key.name()).map(|value| vec![value])
    }

    fn value(&self, name: &str) -> Option<String> {
        let header = |name: &str| self.request.header(name).map(str::to_owned);
        match name {
            "aws:currenttime" => Some(amz_time::iso(self.now_ms)),
            "aws:epochtime" => Some((self.now_ms / 1000).to_string()),
            "aws:principalisawsservice" | "aws:viaawsservice" => Some("false".to_owned()),
            "aws:referer" => header("referer"),
            "aws:requestedregion" => Some(self.region.to_owned()),
            "aws:securetransport" => Some(self.is_secure.to_string()),
            "aws:sourceip" => Some(self.peer.to_canonical().to_string()),
            "aws:useragent" => header("user-agent"),
            "aws:resourceaccount" | "s3:resourceaccount" => Some(self.resource_account.to_owned()),
            "s3:delimiter" | "s3:max-keys" | "s3:prefix" => {
                self.request.query().get(&name["s3:".len()..]).map(str::to_owned)
            }
            "s3:versionid" => self.request.query().non_empty("versionId").map(str::to_owned),
            "s3:x-amz-copy-source" => self.copy_source(),
            "s3:if-match" | "s3:if-none-match" => header(&name["s3:".len()..]),
            "s3:object-lock-mode" => match self.retention {
                Some(retention) => Some(retention.mode.name().to_owned()),
                None => header("x-amz-object-lock-mode"),
            },
            "s3:object-lock-retain-until-date" => match self.retention {
                Some(retention) => Some(amz_time::iso(retention.until_ms)),
                None => header("x-amz-object-lock-retain-until-date"),
            },
            "s3:object-lock-legal-hold" => header("x-amz-object-lock-legal-hold"),
            "s3:object-lock-remaining-retention-days" => self.retention_days(),
            _ => self.of_identity(name).or_else(|| self.of_signature(name)).or_else(|| {
                let header_name = name.strip_prefix("s3:").filter(|name| name.starts_with("x-amz-"))?;
                header(header_name)
            }),
        }
    }

    fn of_identity(&self, name: &str) -> Option<String> {
        let user = match self.identity {
            Identity::User(user) => Some(user),
            Identity::Anonymous | Identity::Unchecked => None,
        };
        match (name, user) {
            ("aws:principaltype", None) => Some("Anonymous".to_owned()),
            ("aws:principaltype", Some(_)) => Some("User".to_owned()),
            ("aws:userid", None) => Some("anonymous".to_owned()),
            ("aws:userid", Some(user)) => Some(user.id.clone()),
            ("aws:username", Some(user)) => Some(user.access_key_id.clone()),
            ("aws:principalarn", Some(user)) => Some(user.arn()),
            ("aws:principalaccount", Some(user)) => Some(user.account.number.clone()),
            _ => None,
        }
    }

    fn of_signature(&self, name: &str) -> Option<String> {
        match name {
            "s3:authtype" => self.signed.auth_type().map(str::to_owned),
            "s3:signatureversion" => self.signed.version().map(str::to_owned),
            "s3:signatureage" => Some(self.now_ms.saturating_sub(self.signed.at_ms()?).to_string()),
            _ => None,
        }
    }

    /// Decoded, as the copy itself reads it: two writings of one key must not be two keys to a policy.
    fn copy_source(&self) -> Option<String> {
        let header = self.request.header("x-amz-copy-source")?;
        let path = header.rsplit_once("?versionId=").map_or(header, |(path, _)| path);
        decode_path(path.strip_prefix('/').unwrap_or(path))
    }

    fn retention_days(&self) -> Option<String> {
        let until_ms = match self.retention {
            Some(retention) => i64::try_from(retention.until_ms).ok()?,
            None => amz_time::from_iso(self.request.header("x-amz-object-lock-retain-until-date")?)?,
        };
        let left_ms = until_ms.saturating_sub(i64::try_from(self.now_ms).ok()?);
        Some((left_ms / 86_400_000).max(0).to_string())
    }

    fn request_tags(&self) -> Option<Vec<(String, String)>> {
        if let Some(tags) = self.tags {
            return Some(tags.to_vec());
        }
        let header = Query::read(self.request.header("x-amz-tagging")?).ok()?;
        Some(header.iter().map(|tag| (tag.name.clone(), tag.value.clone())).collect())
    }
}

use crate::error::S3Result;

/// What a condition looks at, in lower case: `aws:sourceip`, `s3:prefix`, `s3:requestobjecttag/colour`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key(String);

/// Keys that are known. Those of AWS's own networks and organisations are never said of a request here.
const KNOWN: [&str; 61] = [
    "aws:currenttime",
    "aws:epochtime",
    "aws:multifactorauthage",
    "aws:multifactorauthpresent",
    "aws:principalaccount",
    "aws:principalarn",
    "aws:principalisawsservice",
    "aws:principalorgid",
    "aws:principaltype",
    "aws:referer",
    "aws:requestedregion",
    "aws:resourceaccount",
    "aws:securetransport",
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceip",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:useragent",
    "aws:userid",
    "aws:username",
    "aws:viaawsservice",
    "aws:vpcsourceip",
    "s3:authtype",
    "s3:dataaccesspointaccount",
    "s3:dataaccesspointarn",
    "s3:delimiter",
    "s3:if-match",
    "s3:if-none-match",
    "s3:max-keys",
    "s3:object-lock-legal-hold",
    "s3:object-lock-mode",
    "s3:object-lock-remaining-retention-days",
    "s3:object-lock-retain-until-date",
    "s3:prefix",
    "s3:requestobjecttagkeys",
    "s3:resourceaccount",
    "s3:signatureage",
    "s3:signatureversion",
    "s3:tlsversion",
    "s3:versionid",
    "s3:x-amz-acl",
    "s3:x-amz-bucket-object-lock-enabled",
    "s3:x-amz-content-sha256",
    "s3:x-amz-copy-source",
    "s3:x-amz-grant-full-control",
    "s3:x-amz-grant-read",
    "s3:x-amz-grant-read-acp",
    "s3:x-amz-grant-write",
    "s3:x-amz-grant-write-acp",
    "s3:x-amz-metadata-directive",
    "s3:x-amz-mfa",
    "s3:x-amz-object-ownership",
    "s3:x-amz-request-payer",
    "s3:x-amz-server-side-encryption",
    "s3:x-amz-server-side-encryption-aws-kms-key-id",
    "s3:x-amz-server-side-encryption-customer-algorithm",
    "s3:x-amz-source-account",
    "s3:x-amz-storage-class",
    "s3:x-amz-tagging-directive",
    "s3:x-amz-website-redirect-location",
];

/// The beginning of a key that goes on with the name of a tag that a request brings.
pub(super) const REQUEST_TAG: &str = "s3:requestobjecttag/";
/// The same of a tag that the object has.
pub(super) const EXISTING_TAG: &str = "s3:existingobjecttag/";

/// Keys which, fixed to values, keep a policy from being one for everybody.
const NARROWING: [&str; 11] = [
    "aws:principalarn",
    "aws:principalorgid",
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceip",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:userid",
    "s3:dataaccesspointaccount",
    "s3:dataaccesspointarn",
    "s3:x-amz-server-side-encryption-aws-kms-key-id",
];

impl Key {
    /// Reads a name; its case does not matter.
    ///
    /// # Errors
    /// `MalformedPolicy` for one that is not known.
    pub(super) fn read(name: &str) -> S3Result<Self> {
        let lower = name.to_ascii_lowercase();
        let beginning = [REQUEST_TAG, EXISTING_TAG].into_iter().find(|beginning| lower.starts_with(beginning));
        if let Some(beginning) = beginning.filter(|beginning| lower.len() > beginning.len()) {
            // The name of a tag has a case.
            return Ok(Self(format!("{beginning}{}", &name[beginning.len()..])));
        }
        match KNOWN.contains(&lower.as_str()) {
            true => Ok(Self(lower)),
            false => Err(super::malformed(format!("Policy has an invalid condition key: {name}"))),
        }
    }

    /// Its name.
    pub(super) fn name(&self) -> &str {
        &self.0
    }

    /// Whether a fixed value of it keeps everybody out but some.
    pub(super) fn is_narrowing(&self) -> bool {
        NARROWING.contains(&self.0.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_known_in_any_case_and_tags_keep_theirs() {
        assert_eq!(Key::read("AWS:SourceIp").unwrap().name(), "aws:sourceip");
        assert_eq!(Key::read("s3:RequestObjectTag/Colour").unwrap().name(), "s3:requestobjecttag/Colour");
        for unknown in ["aws:Sauce", "s3:RequestObjectTag/", "prefix", ""] {
            assert!(Key::read(unknown).is_err(), "{unknown}");
        }
    }
}

use serde::{Deserialize, Serialize};

use super::write_encryption::{check_key_id, default_key_id};
use super::{AES256, KMS};
use crate::engine::{KmsKey, Scheme};
use crate::error::{Code, S3Error, S3Result};
use crate::xml::{Element, XmlWriter};

/// The name of the document that holds a bucket's encryption setting.
pub(crate) const ENCRYPTION_DOCUMENT: &str = "encryption";

/// How a bucket encrypts what asks for nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BucketEncryption {
    /// `AES256` or `aws:kms`; `None` where the setting only blocks.
    #[serde(default)]
    method: Option<String>,
    /// The key of `aws:kms`; `None` is the one that AWS manages.
    #[serde(default)]
    kms_key_id: Option<String>,
    #[serde(default)]
    has_bucket_key: bool,
    /// Refuses writes that bring their own key.
    #[serde(default)]
    pub(crate) blocks_customer_keys: bool,
    /// Whether the setting said what it blocks.
    #[serde(default)]
    says_what_it_blocks: bool,
}

impl BucketEncryption {
    /// Reads `ServerSideEncryptionConfiguration`.
    ///
    /// # Errors
    /// `MalformedXML`, `InvalidArgument`, `KMS.NotFoundException`, and `NotImplemented` for two layers of encryption.
    pub(crate) fn read(document: &[u8]) -> S3Result<Self> {
        let configuration = Element::read(document, "ServerSideEncryptionConfiguration")?;
        let [rule] = configuration.children.as_slice() else { return Err(Code::MalformedXML.into()) };
        if rule.name != "Rule" {
            return Err(Code::MalformedXML.into());
        }
        let mut read = Self::default();
        for child in &rule.children {
            match child.name.as_str() {
                "ApplyServerSideEncryptionByDefault" => read.read_default(child)?,
                "BucketKeyEnabled" => read.has_bucket_key = flag(child)?,
                "BlockedEncryptionTypes" => read.read_blocked(child)?,
                _ => return Err(Code::MalformedXML.into()),
            }
        }
        if read.method.is_none() && !read.says_what_it_blocks {
            return Err(Code::MalformedXML.into());
        }
        Ok(read)
    }

    fn read_default(&mut self, by_default: &Element) -> S3Result<()> {
        let method = by_default.text_of("SSEAlgorithm").ok_or(Code::MalformedXML)?;
        let key = by_default.text_of("KMSMasterKeyID").filter(|id| !id.is_empty());
        match method {
            AES256 if key.is_some() => {
                let message =
                    "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse";
                return Err(S3Error::new(Code::InvalidArgument, message));
            }
            AES256 | KMS => {}
            "aws:kms:dsse" => {
                let message = "Two layers of encryption (aws:kms:dsse) are not implemented; ask for aws:kms";
                return Err(S3Error::new(Code::NotImplemented, message));
            }
            _ => return Err(Code::MalformedXML.into()),
        }
        key.map(check_key_id).transpose()?;
        self.method = Some(method.to_owned());
        self.kms_key_id = key.map(str::to_owned);
        Ok(())
    }

    fn read_blocked(&mut self, blocked: &Element) -> S3Result<()> {
        self.says_what_it_blocks = true;
        for kind in blocked.children_named("EncryptionType") {
            match kind.text.trim() {
                "SSE-C" => self.blocks_customer_keys = true,
                "NONE" => {}
                _ => return Err(Code::MalformedXML.into()),
            }
        }
        Ok(())
    }

    /// What the bucket does with a write that asks for nothing.
    pub(crate) fn default_scheme(&self, region: &str) -> Option<Scheme> {
        let kms = || {
            let id = self.kms_key_id.clone().unwrap_or_else(|| default_key_id(region));
            Scheme::Kms(KmsKey { id, context: None, has_bucket_key: self.has_bucket_key })
        };
        self.method.as_deref().map(|method| if method == KMS { kms() } else { Scheme::S3 })
    }

    /// Writes the elements of the same.
    pub(crate) fn write(&self, xml: &mut XmlWriter) {
        xml.element("Rule", |xml| {
            if let Some(method) = &self.method {
                xml.element("ApplyServerSideEncryptionByDefault", |xml| {
                    xml.text("SSEAlgorithm", method);
                    if let Some(id) = &self.kms_key_id {
                        xml.text("KMSMasterKeyID", id);
                    }
                });
            }
            xml.value("BucketKeyEnabled", self.has_bucket_key);
            if self.says_what_it_blocks {
                let kind = if self.blocks_customer_keys { "SSE-C" } else { "NONE" };
                xml.element("BlockedEncryptionTypes", |xml| xml.text("EncryptionType", kind));
            }
        });
    }
}

fn flag(element: &Element) -> S3Result<bool> {
    match element.text.trim() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(Code::MalformedXML.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(rule: &str) -> S3Result<BucketEncryption> {
        let document =
            format!("<ServerSideEncryptionConfiguration><Rule>{rule}</Rule></ServerSideEncryptionConfiguration>");
        BucketEncryption::read(document.as_bytes())
    }

    fn by_default(of: &str) -> String {
        format!("<ApplyServerSideEncryptionByDefault>{of}</ApplyServerSideEncryptionByDefault>")
    }

    #[test]
    fn what_s3_refuses_is_refused() {
        let s3 = by_default("<SSEAlgorithm>AES256</SSEAlgorithm>");
        assert_eq!(read(&s3).unwrap().default_scheme("r"), Some(Scheme::S3));
        for (rule, code) in [
            ("", Code::MalformedXML),
            ("<BucketKeyEnabled>true</BucketKeyEnabled>", Code::MalformedXML),
            (&by_default(""), Code::MalformedXML),
            (&by_default("<SSEAlgorithm>AES128</SSEAlgorithm>"), Code::MalformedXML),
            (&format!("{s3}<BucketKeyEnabled>1</BucketKeyEnabled>"), Code::MalformedXML),
            (&format!("{s3}<Other/>"), Code::MalformedXML),
            (
                &by_default("<SSEAlgorithm>AES256</SSEAlgorithm><KMSMasterKeyID>k</KMSMasterKeyID>"),
                Code::InvalidArgument,
            ),
            (
                &by_default("<SSEAlgorithm>aws:kms</SSEAlgorithm><KMSMasterKeyID>a b</KMSMasterKeyID>"),
                Code::KmsNotFoundException,
            ),
            (&by_default("<SSEAlgorithm>aws:kms:dsse</SSEAlgorithm>"), Code::NotImplemented),
        ] {
            assert_eq!(read(rule).unwrap_err().code(), code, "{rule}");
        }
    }
}

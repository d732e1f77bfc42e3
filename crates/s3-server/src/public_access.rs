use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::engine::EngineError;
use crate::error::{Code, S3Error, S3Result};
use crate::xml::{Element, XmlWriter};

/// The name of the document that holds a bucket's block.
pub(crate) const BLOCK_DOCUMENT: &str = "public-access-block";

/// What a bucket keeps from becoming public, whatever its ACLs and its policy say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PublicAccessBlock {
    /// Refuses ACLs that let everybody in.
    pub(crate) block_public_acls: bool,
    /// Overlooks ACLs that let everybody in.
    pub(crate) ignore_public_acls: bool,
    /// Refuses a policy that lets everybody in.
    pub(crate) block_public_policy: bool,
    /// Lets nobody in that only a public policy lets in.
    pub(crate) restrict_public_buckets: bool,
}

impl PublicAccessBlock {
    /// The one among a bucket's documents, unless none was set.
    ///
    /// # Errors
    /// `Storage` for a document that can't be read.
    pub(crate) fn of_documents(documents: &HashMap<String, String>) -> Result<Option<Self>, EngineError> {
        let damaged = |_| holdfast_base::Error::internal("the index holds a public access block that is damaged");
        let document = documents.get(BLOCK_DOCUMENT);
        Ok(document.map(|text| serde_json::from_str(text)).transpose().map_err(damaged)?)
    }

    /// As it is stored.
    pub(crate) fn document(self) -> S3Result<String> {
        serde_json::to_string(&self).map_err(|_| Code::InternalError.into())
    }

    /// Reads `PublicAccessBlockConfiguration`; what is not said is false.
    ///
    /// # Errors
    /// `MalformedXML`.
    pub(crate) fn read(xml: &Element) -> S3Result<Self> {
        let flag = |name: &str| match xml.text_of(name).map(str::trim) {
            None => Ok(false),
            Some(text) if text.eq_ignore_ascii_case("true") => Ok(true),
            Some(text) if text.eq_ignore_ascii_case("false") => Ok(false),
            Some(_) => Err(S3Error::from(Code::MalformedXML)),
        };
        Ok(Self {
            block_public_acls: flag("BlockPublicAcls")?,
            ignore_public_acls: flag("IgnorePublicAcls")?,
            block_public_policy: flag("BlockPublicPolicy")?,
            restrict_public_buckets: flag("RestrictPublicBuckets")?,
        })
    }

    /// Writes the elements of the same.
    pub(crate) fn write(self, xml: &mut XmlWriter) {
        xml.value("BlockPublicAcls", self.block_public_acls);
        xml.value("IgnorePublicAcls", self.ignore_public_acls);
        xml.value("BlockPublicPolicy", self.block_public_policy);
        xml.value("RestrictPublicBuckets", self.restrict_public_buckets);
    }
}

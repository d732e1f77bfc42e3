use http::StatusCode;

use super::listing::{MAX_ENTRIES, Names};
use super::owners::Owners;
use super::{Call, listing};
use crate::answer::{self, Answer};
use crate::engine::{VersionEntry, VersionId, VersionPage, VersionQuery, Versioning};
use crate::error::{Code, S3Error, S3Result};
use crate::query::Query;
use crate::request::Request;
use crate::xml::{Element, XmlWriter};

/// The largest document that sets versioning, in bytes.
const MAX_CONFIGURATION_BYTES: usize = 64 * 1024;

impl Call<'_> {
    pub(super) async fn versioning(&self) -> S3Result<Answer> {
        let bucket = self.engine.bucket(self.request.bucket()?).await?;
        Ok(answer::xml(XmlWriter::document("VersioningConfiguration", |xml| match bucket.versioning {
            Versioning::Never => {}
            Versioning::Enabled => xml.text("Status", "Enabled"),
            Versioning::Suspended => xml.text("Status", "Suspended"),
        })))
    }

    pub(super) async fn put_versioning(&mut self) -> S3Result<Answer> {
        let bucket = self.request.bucket()?;
        let body = self.payload.document(self.request, MAX_CONFIGURATION_BYTES).await?;
        let configuration = Element::read(&body, "VersioningConfiguration")?;
        match configuration.text_of("MfaDelete") {
            None | Some("Disabled") => {}
            // As S3 says it to whoever brings no device; here nobody can.
            Some("Enabled") if self.request.header("x-amz-mfa").is_none() => {
                return Err(S3Error::new(Code::AccessDenied, "Mfa Authentication must be used for this request"));
            }
            Some("Enabled") => {
                return Err(S3Error::new(Code::NotImplemented, "This server does not implement MfaDelete."));
            }
            Some(_) => return Err(Code::MalformedXML.into()),
        }
        let is_enabled = match configuration.text_of("Status") {
            Some("Enabled") => true,
            Some("Suspended") => false,
            Some(_) => return Err(Code::MalformedXML.into()),
            None => return Err(Code::IllegalVersioningConfigurationException.into()),
        };
        self.engine.set_versioning(bucket, is_enabled).await?;
        Ok(answer::empty(StatusCode::OK))
    }

    pub(super) async fn list_versions(&self) -> S3Result<Answer> {
        let (bucket, query) = (self.request.bucket()?, self.request.query());
        let names = Names::of(query)?;
        let max = query.number("max-keys")?.unwrap_or(MAX_ENTRIES).min(MAX_ENTRIES);
        let page = self.engine.list_versions(bucket, asked(query, max)?).await?;
        let rules = self.access.rules_of(bucket).await?;
        let owners = Owners { rules: &rules, accounts: self.access.accounts };
        Ok(answer::xml(XmlWriter::document("ListVersionsResult", |xml| {
            xml.text("Name", bucket);
            names.write(xml, "Prefix", query.get("prefix").unwrap_or_default());
            names.write(xml, "KeyMarker", query.get("key-marker").unwrap_or_default());
            xml.text("VersionIdMarker", query.get("version-id-marker").unwrap_or_default());
            if let Some((key, version)) = &page.next {
                names.write(xml, "NextKeyMarker", key);
                if let Some(version) = version {
                    xml.value("NextVersionIdMarker", version);
                }
            }
            xml.value("MaxKeys", max);
            if let Some(delimiter) = query.non_empty("delimiter") {
                names.write(xml, "Delimiter", delimiter);
            }
            xml.value("IsTruncated", page.next.is_some());
            names.declare(xml);
            write_entries(xml, names, &page, owners);
        })))
    }
}

fn asked(query: &Query, max: usize) -> S3Result<VersionQuery> {
    let after_key = query.non_empty("key-marker").map(str::to_owned);
    let wrong = |text: &str, message: &'static str| Err(S3Error::argument("version-id-marker", text, message));
    let after_version = match (query.get("version-id-marker"), &after_key) {
        (None, _) => None,
        (Some(text), None) => {
            return wrong(text, "A version-id marker cannot be specified without a key marker.");
        }
        (Some(""), Some(_)) => return wrong("", "A version-id marker cannot be empty."),
        (Some(text), Some(_)) => Some(read_id("version-id-marker", text)?),
    };
    Ok(VersionQuery {
        prefix: query.get("prefix").unwrap_or_default().to_owned(),
        delimiter: query.non_empty("delimiter").map(str::to_owned),
        after_key,
        after_version,
        max,
    })
}

fn write_entries(xml: &mut XmlWriter, names: Names, page: &VersionPage, owners: Owners<'_>) {
    for entry in &page.entries {
        let VersionEntry::Version(listed) = entry else { continue };
        xml.element(if listed.is_marker { "DeleteMarker" } else { "Version" }, |xml| {
            xml.value("VersionId", listed.version);
            xml.value("IsLatest", listed.is_latest);
            if listed.is_marker {
                listing::write_name(xml, names, &listed.object);
                owners.write(xml, listed.object.owner.as_deref());
            } else {
                listing::write_object(xml, names, &listed.object, Some(owners));
            }
        });
    }
    for entry in &page.entries {
        if let VersionEntry::CommonPrefix(prefix) = entry {
            xml.element("CommonPrefixes", |xml| names.write(xml, "Prefix", prefix));
        }
    }
}

/// The version that a request names; `None` when it means the newest.
///
/// # Errors
/// `InvalidArgument` for what can't be an id.
pub(super) fn version_named(request: &Request) -> S3Result<Option<VersionId>> {
    request.query().get("versionId").map(|text| read_id("versionId", text)).transpose()
}

/// Reads an id that stands in the parameter of that name.
///
/// # Errors
/// `InvalidArgument` for what can't be one.
pub(super) fn read_id(name: &str, text: &str) -> S3Result<VersionId> {
    let message =
        if text.is_empty() { "Version id cannot be the empty string" } else { "Invalid version id specified" };
    VersionId::read(text).ok_or_else(|| S3Error::argument(name, text, message))
}

/// Tells the version that was read or written, in a bucket that has versions.
pub(super) fn give_version(answer: &mut Answer, version: Option<VersionId>) {
    if let Some(version) = version {
        answer::set(answer, "x-amz-version-id", version.to_string());
    }
}

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::Call;
use super::owners::Owners;
use crate::amz_time;
use crate::answer::{self, Answer};
use crate::checksum::kind_name;
use crate::encoding::encode_path;
use crate::engine::{ListEntry, ListPage, ListQuery, ListedObject};
use crate::error::{S3Error, S3Result};
use crate::etag::quoted;
use crate::query::Query;
use crate::xml::XmlWriter;

/// The most entries of one page.
pub(super) const MAX_ENTRIES: usize = 1000;

/// How names are written in a listing.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Names {
    Plain,
    UrlEncoded,
}

impl Names {
    /// Reads `encoding-type`.
    ///
    /// # Errors
    /// `InvalidArgument` for anything but `url`.
    pub(super) fn of(query: &Query) -> S3Result<Self> {
        match query.non_empty("encoding-type") {
            None => Ok(Self::Plain),
            Some("url") => Ok(Self::UrlEncoded),
            Some(other) => {
                Err(S3Error::argument("encoding-type", other, "Invalid Encoding Method specified in Request"))
            }
        }
    }

    pub(super) fn write(self, xml: &mut XmlWriter, element: &str, name: &str) {
        match self {
            Self::Plain => xml.text(element, name),
            Self::UrlEncoded => xml.text(element, &encode_path(name)),
        }
    }

    /// Says how they are written, where it is not plain.
    pub(super) fn declare(self, xml: &mut XmlWriter) {
        if self == Self::UrlEncoded {
            xml.text("EncodingType", "url");
        }
    }
}

impl Call<'_> {
    pub(super) async fn list_objects(&self) -> S3Result<Answer> {
        let (bucket, query) = (self.request.bucket()?, self.request.query());
        let names = Names::of(query)?;
        let max = query.number("max-keys")?.unwrap_or(MAX_ENTRIES);
        let marker = query.get("marker").unwrap_or_default();
        let asked = asked(query, (!marker.is_empty()).then(|| marker.to_owned()), max);
        let page = self.engine.list(bucket, asked).await?;
        let rules = self.access.rules_of(bucket).await?;
        let owners = Owners { rules: &rules, accounts: self.access.accounts };
        Ok(answer::xml(XmlWriter::document("ListBucketResult", |xml| {
            xml.text("Name", bucket);
            names.write(xml, "Prefix", query.get("prefix").unwrap_or_default());
            names.write(xml, "Marker", marker);
            // Without a delimiter a client goes on from the last key.
            if let (Some(next), true) = (&page.next, query.non_empty("delimiter").is_some()) {
                names.write(xml, "NextMarker", next);
            }
            write_page(xml, names, query, &page, max, Some(owners));
        })))
    }

    pub(super) async fn list_objects_v2(&self) -> S3Result<Answer> {
        let (bucket, query) = (self.request.bucket()?, self.request.query());
        let names = Names::of(query)?;
        let max = query.number("max-keys")?.unwrap_or(MAX_ENTRIES);
        let token = query.get("continuation-token").map(|token| (token, read_token(token)));
        let after = match &token {
            None => query.non_empty("start-after").map(str::to_owned),
            Some((_, Some(after))) => Some(after.clone()),
            Some((token, None)) => {
                let message = "The continuation token provided is incorrect";
                return Err(S3Error::argument("continuation-token", token, message));
            }
        };
        let page = self.engine.list(bucket, asked(query, after, max)).await?;
        let rules = self.access.rules_of(bucket).await?;
        let owners = Owners { rules: &rules, accounts: self.access.accounts };
        let owners = (query.get("fetch-owner") == Some("true")).then_some(owners);
        Ok(answer::xml(XmlWriter::document("ListBucketResult", |xml| {
            xml.text("Name", bucket);
            names.write(xml, "Prefix", query.get("prefix").unwrap_or_default());
            if let Some((token, _)) = token {
                xml.text("ContinuationToken", token);
            }
            if let Some(next) = &page.next {
                xml.text("NextContinuationToken", &URL_SAFE_NO_PAD.encode(next));
            }
            if let Some(start) = query.non_empty("start-after") {
                names.write(xml, "StartAfter", start);
            }
            xml.value("KeyCount", page.entries.len());
            write_page(xml, names, query, &page, max, owners);
        })))
    }
}

fn asked(query: &Query, after: Option<String>, max: usize) -> ListQuery {
    ListQuery {
        prefix: query.get("prefix").unwrap_or_default().to_owned(),
        delimiter: query.non_empty("delimiter").map(str::to_owned),
        after,
        max: max.min(MAX_ENTRIES),
    }
}

/// A token is where the page before it ended; `None` when it is none of ours.
pub(crate) fn read_token(token: &str) -> Option<String> {
    String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()
}

fn write_page(
    xml: &mut XmlWriter,
    names: Names,
    query: &Query,
    page: &ListPage,
    max: usize,
    owners: Option<Owners<'_>>,
) {
    xml.value("MaxKeys", max.min(MAX_ENTRIES));
    if let Some(delimiter) = query.non_empty("delimiter") {
        names.write(xml, "Delimiter", delimiter);
    }
    xml.value("IsTruncated", page.next.is_some());
    names.declare(xml);
    for entry in &page.entries {
        if let ListEntry::Object(object) = entry {
            xml.element("Contents", |xml| write_object(xml, names, object, owners));
        }
    }
    for entry in &page.entries {
        if let ListEntry::CommonPrefix(prefix) = entry {
            xml.element("CommonPrefixes", |xml| names.write(xml, "Prefix", prefix));
        }
    }
}

/// Writes what every line of a list has.
pub(super) fn write_name(xml: &mut XmlWriter, names: Names, object: &ListedObject) {
    names.write(xml, "Key", &object.key);
    xml.text("LastModified", &amz_time::iso(object.last_modified_ms));
}

/// Writes what is said of an object in a list.
pub(super) fn write_object(xml: &mut XmlWriter, names: Names, object: &ListedObject, owners: Option<Owners<'_>>) {
    write_name(xml, names, object);
    xml.text("ETag", &quoted(&object.etag));
    if let Some(checksum) = &object.checksum {
        xml.text("ChecksumAlgorithm", &checksum.algorithm);
        xml.text("ChecksumType", kind_name(checksum.kind));
    }
    xml.value("Size", object.size);
    if let Some(owners) = owners {
        owners.write(xml, object.owner.as_deref());
    }
    xml.text("StorageClass", object.storage_class.as_deref().unwrap_or("STANDARD"));
}

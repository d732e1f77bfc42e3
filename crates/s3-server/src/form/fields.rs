use http::{HeaderMap, HeaderName, HeaderValue};

use crate::encoding::encode_query;
use crate::error::{Code, S3Error, S3Result};
use crate::xml::Element;

/// Fields that become headers of the object, beside those that begin with `x-amz-`.
const HEADERS: [&str; 7] = [
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-md5",
    "content-type",
    "expires",
];
/// What stands for the name of the file.
const FILE_NAME: &str = "${filename}";
/// Fields of the signature.
const OF_THE_SIGNATURE: [&str; 6] = [
    "x-amz-algorithm",
    "x-amz-content-sha256",
    "x-amz-credential",
    "x-amz-date",
    "x-amz-security-token",
    "x-amz-signature",
];

/// The fields of a form that stand before its file; their names in lower case, as case does not matter.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fields(Vec<(String, String)>);

impl Fields {
    /// Adds a field.
    pub(crate) fn push(&mut self, name: &str, value: String) {
        self.0.push((name.to_ascii_lowercase(), value));
    }

    /// The first value of a name in lower case.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// Names in lower case, and values.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Puts the file's name where the form says `${filename}`.
    ///
    /// # Errors
    /// `MaxPostPreDataLengthExceededError` when names and values would then be longer than that many bytes together.
    pub(crate) fn name_file(&mut self, file_name: &str, max_bytes: usize) -> S3Result<()> {
        let base = file_name.rsplit(['/', '\\']).next().unwrap_or_default();
        let named = |(name, value): &(String, String)| {
            name.len() + value.len() + value.matches(FILE_NAME).count().saturating_mul(base.len())
        };
        if self.0.iter().map(named).fold(0, usize::saturating_add) > max_bytes {
            return Err(Code::MaxPostPreDataLengthExceededError.into());
        }
        for (_, value) in &mut self.0 {
            *value = value.replace(FILE_NAME, base);
        }
        Ok(())
    }

    /// The key.
    ///
    /// # Errors
    /// `InvalidArgument` when none is given.
    pub(crate) fn key(&self) -> S3Result<&str> {
        self.get("key").filter(|key| !key.is_empty()).ok_or_else(|| missing("key"))
    }

    /// What the fields say of the object, as the headers that a put would say it with.
    ///
    /// # Errors
    /// `InvalidArgument` for a value that can't stand in a header, `MalformedXML` for tags.
    pub(crate) fn headers(&self) -> S3Result<HeaderMap> {
        let mut headers = HeaderMap::new();
        for (name, value) in self.iter() {
            let (name, value) = match name {
                "acl" => ("x-amz-acl", value.to_owned()),
                "tagging" => ("x-amz-tagging", tagging_header(value)?),
                name if OF_THE_SIGNATURE.contains(&name) => continue,
                name if name.starts_with("x-amz-") || HEADERS.contains(&name) => (name, value.to_owned()),
                _ => continue,
            };
            let (Ok(header), Ok(text)) = (HeaderName::try_from(name), HeaderValue::try_from(&value)) else {
                return Err(S3Error::argument(name, &value, "The field can't stand for a header"));
            };
            headers.append(header, text);
        }
        Ok(headers)
    }
}

/// `InvalidArgument` for a field that is not there.
pub(crate) fn missing(name: &'static str) -> S3Error {
    let message = format!(
        "Bucket POST must contain a field named '{name}'.  If it is specified, please check the order of the fields."
    );
    S3Error::argument(name, "", message)
}

/// A form says tags as XML, a header says them as a query.
fn tagging_header(xml: &str) -> S3Result<String> {
    let tagging = Element::read(xml.as_bytes(), "Tagging")?;
    let tags = tagging.child("TagSet").ok_or(Code::MalformedXML)?;
    let pair = |tag: &Element| {
        let text = |name| tag.text_of(name).ok_or(Code::MalformedXML);
        Ok(format!("{}={}", encode_query(text("Key")?), encode_query(text("Value")?)))
    };
    Ok(tags.children_named("Tag").map(pair).collect::<S3Result<Vec<_>>>()?.join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(of: &[(&str, &str)]) -> Fields {
        let mut fields = Fields::default();
        of.iter().for_each(|(name, value)| fields.push(name, (*value).to_owned()));
        fields
    }

    #[test]
    fn the_name_of_the_file_is_put_in_without_its_folders() {
        for (sent, expected) in [("a.txt", "up/a.txt"), ("C:\\x\\a.txt", "up/a.txt"), ("/b/a.txt", "up/a.txt")] {
            let mut form = fields(&[("kEy", "up/${filename}")]);
            form.name_file(sent, 100).unwrap();
            assert_eq!(form.key().unwrap(), expected);
        }
        assert_eq!(fields(&[]).key().unwrap_err().code(), Code::InvalidArgument);
        let refused = fields(&[("key", &"${filename}".repeat(10))]).name_file("ten bytes.", 100).unwrap_err();
        assert_eq!(refused.code(), Code::MaxPostPreDataLengthExceededError);
    }

    #[test]
    fn fields_become_the_headers_of_a_put() {
        let tags = "<Tagging><TagSet><Tag><Key>a b</Key><Value>1</Value></Tag></TagSet></Tagging>";
        let form = fields(&[
            ("acl", "private"),
            ("Tagging", tags),
            ("X-Amz-Meta-Colour", "red"),
            ("Content-Type", "text/plain"),
            ("x-amz-signature", "x"),
            ("host", "x"),
        ]);
        let headers = form.headers().unwrap();
        let mut names: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
        names.sort_unstable();
        let expected = [
            ("content-type", "text/plain"),
            ("x-amz-acl", "private"),
            ("x-amz-meta-colour", "red"),
            ("x-amz-tagging", "a%20b=1"),
        ];
        assert_eq!(names, expected);
        assert_eq!(fields(&[("x-amz-meta-a", "a\nb")]).headers().unwrap_err().code(), Code::InvalidArgument);
    }
}

use crate::encoding::decode_query;
use crate::error::{Code, S3Error, S3Result};

/// A request's query, decoded, in the order it was sent.
#[derive(Clone, Debug, Default)]
pub(crate) struct Query(Vec<Parameter>);

/// One parameter of a query.
#[derive(Clone, Debug)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) value: String,
}

impl Query {
    /// Reads the part of a URI after the question mark.
    ///
    /// # Errors
    /// `InvalidURI` when it is not UTF-8.
    pub(crate) fn read(text: &str) -> S3Result<Self> {
        text.split('&')
            .filter(|part| !part.is_empty())
            .map(|part| {
                let (name, value) = part.split_once('=').unwrap_or((part, ""));
                match (decode_query(name), decode_query(value)) {
                    (Some(name), Some(value)) => Ok(Parameter { name, value }),
                    _ => Err(S3Error::from(Code::InvalidURI).with("URI", text)),
                }
            })
            .collect::<S3Result<Vec<_>>>()
            .map(Self)
    }

    /// The first value of that name.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|parameter| parameter.name == name).map(|parameter| parameter.value.as_str())
    }

    /// Whether a parameter of that name is there.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// The first value of that name, unless it is empty.
    pub(crate) fn non_empty(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }

    /// A number from 0 to `i32::MAX`.
    ///
    /// # Errors
    /// `InvalidArgument` for anything else.
    pub(crate) fn number(&self, name: &str) -> S3Result<Option<usize>> {
        self.non_empty(name)
            .map(|text| {
                let parsed = text.parse::<i64>().ok().filter(|number| (0..=i64::from(i32::MAX)).contains(number));
                parsed.and_then(|number| usize::try_from(number).ok()).ok_or_else(|| {
                    let message = format!("Provided {name} not an integer or within integer range");
                    S3Error::argument(name, text, message)
                })
            })
            .transpose()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Parameter> {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_without_a_value_are_there_and_empty() {
        let query = Query::read("acl&prefix=&max-keys=5&a%20b=c+d").unwrap();
        let read: Vec<_> = query.iter().map(|parameter| (parameter.name.as_str(), parameter.value.as_str())).collect();
        assert_eq!(read, [("acl", ""), ("prefix", ""), ("max-keys", "5"), ("a b", "c d")]);
        assert_eq!((query.has("acl"), query.non_empty("acl")), (true, None));
        assert_eq!(query.number("max-keys").unwrap(), Some(5));
    }

    #[test]
    fn numbers_that_are_none_are_refused() {
        for text in ["max-keys=x", "max-keys=-1", "max-keys=99999999999999999999"] {
            assert_eq!(Query::read(text).unwrap().number("max-keys").unwrap_err().code(), Code::InvalidArgument);
        }
    }
}

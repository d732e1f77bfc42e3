/// What a signature is for: `KEY/20261120/us-east-1/s3/aws4_request`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scope {
    pub(crate) access_key_id: String,
    pub(crate) day: String,
    pub(crate) region: String,
    service: String,
    ending: String,
}

/// What is wrong with a scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ScopeFault {
    /// It has not five parts.
    Form,
    /// Its day is not that of the request.
    Day,
    /// Its region is not the server's.
    Region,
    /// Its service is not `s3`.
    Service,
    /// It does not end in `aws4_request`.
    Ending,
}

impl Scope {
    /// Reads the five parts; an access key may contain slashes.
    pub(crate) fn read(text: &str) -> Result<Self, ScopeFault> {
        let mut parts = text.rsplitn(5, '/').map(str::to_owned);
        let mut next = || parts.next().filter(|part| !part.is_empty()).ok_or(ScopeFault::Form);
        let (ending, service, region, day, access_key_id) = (next()?, next()?, next()?, next()?, next()?);
        Ok(Self { access_key_id, day, region, service, ending })
    }

    /// Checks it against the time of the request (`20261120T…`) and the server's region.
    pub(crate) fn check(&self, amz_date: &str, region: &str) -> Result<(), ScopeFault> {
        match () {
            () if !amz_date.starts_with(&self.day) || self.day.len() != 8 => Err(ScopeFault::Day),
            () if self.region != region => Err(ScopeFault::Region),
            () if self.service != "s3" => Err(ScopeFault::Service),
            () if self.ending != "aws4_request" => Err(ScopeFault::Ending),
            () => Ok(()),
        }
    }

    /// The scope without the key, as it is signed.
    pub(crate) fn credential_scope(&self) -> String {
        format!("{}/{}/{}/{}", self.day, self.region, self.service, self.ending)
    }
}

impl ScopeFault {
    /// What to tell the client.
    pub(crate) fn message(&self, scope: Option<&Scope>, region: &str) -> String {
        match self {
            Self::Form => {
                "the Credential is mal-formed; expecting \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".".into()
            }
            Self::Day => "Invalid credential date. This date is not the same as X-Amz-Date.".into(),
            Self::Region => {
                let theirs = scope.map_or("", |scope| scope.region.as_str());
                format!("the region '{theirs}' is wrong; expecting '{region}'")
            }
            Self::Service => "incorrect service. This endpoint belongs to \"s3\".".into(),
            Self::Ending => "incorrect terminal. This endpoint uses \"aws4_request\".".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_access_key_may_hold_slashes() {
        let scope = Scope::read("a/b/20130524/us-east-1/s3/aws4_request").unwrap();
        assert_eq!((scope.access_key_id.as_str(), scope.day.as_str()), ("a/b", "20130524"));
        assert_eq!(scope.check("20130524T000000Z", "us-east-1"), Ok(()));
        assert_eq!(scope.check("20130525T000000Z", "us-east-1"), Err(ScopeFault::Day));
        assert_eq!(scope.check("20130524T000000Z", "eu-west-1"), Err(ScopeFault::Region));
    }

    #[test]
    fn a_scope_with_a_part_missing_is_refused() {
        for text in ["", "a/b/c/d", "a//us-east-1/s3/aws4_request"] {
            assert_eq!(Scope::read(text), Err(ScopeFault::Form));
        }
    }
}

use holdfast_base::{Error, ErrorKind, Result};

use serde::{Deserialize, Serialize};

use crate::error::Code;
use crate::operation::Operation;

/// When a fault cuts the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// Before the operation: it does not happen.
    Before,
    /// In the midst of the request's body: the operation does not happen. As `Before` where there is no body.
    Request,
    /// After the operation: it happened, and the client can't know.
    After,
    /// In the midst of the answer's body: the operation happened. As `After` where there is no body.
    Response,
}

/// What goes wrong, and for which requests. What is `None` fits every request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fault {
    /// Only this operation.
    pub operation: Option<Operation>,
    /// Only this bucket.
    pub bucket: Option<String>,
    /// Only this key.
    pub key: Option<String>,
    /// How many requests it meets before it is gone. Default all.
    pub count: Option<u32>,
    /// How likely it meets a request that fits, from 0 to 1. Default 1.
    pub probability: Option<f64>,
    /// What the draws of `probability` begin with: the same seed meets the same requests again. Default a new one.
    pub seed: Option<u64>,
    /// Waits before the operation, in milliseconds.
    pub delay_ms: Option<u64>,
    /// Answers with this error, and the operation does not happen.
    pub error: Option<Code>,
    /// Cuts the connection.
    pub cut: Option<Cut>,
    /// Flips a bit of one byte of the answer's body; its headers stay as they are.
    pub corrupt: bool,
    /// Where a body is cut or corrupted, in bytes from its beginning. Default: in its middle.
    pub at_byte: Option<u64>,
    /// Lets no more than so many bytes a second through, of the request's body and of the answer's.
    pub bytes_per_second: Option<u64>,
}

/// A fault in words, as a test writes it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct FaultInWords {
    /// The name of an [`Operation`].
    pub operation: Option<String>,
    /// As in [`Fault`].
    pub bucket: Option<String>,
    /// As in [`Fault`].
    pub key: Option<String>,
    /// As in [`Fault`]; at least 1.
    pub count: Option<u32>,
    /// As in [`Fault`].
    pub probability: Option<f64>,
    /// As in [`Fault`].
    pub seed: Option<u64>,
    /// As in [`Fault`].
    pub delay_ms: Option<u32>,
    /// The name of a [`Code`].
    pub error: Option<String>,
    /// `before`, `request`, `after` or `response`.
    pub cut: Option<String>,
    /// As in [`Fault`].
    pub corrupt: bool,
    /// As in [`Fault`].
    pub at_byte: Option<u64>,
    /// As in [`Fault`]; at least 1.
    pub bytes_per_second: Option<u64>,
}

impl TryFrom<FaultInWords> for Fault {
    type Error = Error;

    /// # Errors
    /// `INVALID_FAULT`, with the field that is wrong.
    fn try_from(words: FaultInWords) -> Result<Self> {
        let operation = words.operation.map(|name| {
            Operation::named(&name)
                .ok_or_else(|| invalid("operation", &format!("{name:?} is no operation of this server")))
        });
        let error = words.error.map(|name| {
            let known = Code::named(&name).filter(|code| *code != Code::NotModified);
            known.ok_or_else(|| invalid("error", &format!("{name:?} is no error code of this server")))
        });
        let cut = words.cut.map(|moment| {
            let known = CUTS.iter().find(|(name, _)| *name == moment).map(|(_, cut)| *cut);
            let names = CUTS.map(|(name, _)| name).join(", ");
            known.ok_or_else(|| invalid("cut", &format!("{moment:?} is none of {names}")))
        });
        let fault = Self {
            operation: operation.transpose()?,
            bucket: words.bucket,
            key: words.key,
            count: words.count,
            probability: words.probability,
            seed: words.seed,
            delay_ms: words.delay_ms.map(u64::from),
            error: error.transpose()?,
            cut: cut.transpose()?,
            corrupt: words.corrupt,
            at_byte: words.at_byte,
            bytes_per_second: words.bytes_per_second,
        };
        fault.check()?;
        Ok(fault)
    }
}

impl From<Fault> for FaultInWords {
    fn from(fault: Fault) -> Self {
        let Fault { operation, bucket, key, count, probability, seed, delay_ms, error, cut, corrupt, at_byte, .. } =
            fault;
        let named = |cut: Cut| CUTS.iter().find(|(_, known)| *known == cut).map(|(name, _)| (*name).to_owned());
        Self {
            operation: operation.map(|operation| operation.name().to_owned()),
            bucket,
            key,
            count,
            probability,
            seed,
            delay_ms: delay_ms.and_then(|delay_ms| u32::try_from(delay_ms).ok()),
            error: error.map(|code| code.name().to_owned()),
            cut: cut.and_then(named),
            corrupt,
            at_byte,
            bytes_per_second: fault.bytes_per_second,
        }
    }
}

const CUTS: [(&str, Cut); 4] =
    [("before", Cut::Before), ("request", Cut::Request), ("after", Cut::After), ("response", Cut::Response)];

impl Fault {
    /// Refuses what contradicts itself.
    fn check(&self) -> Result<()> {
        if self.count == Some(0) {
            return Err(invalid("count", "0 requests would meet it; give at least 1"));
        }
        if self.probability.is_some_and(|probability| !(0.0..=1.0).contains(&probability)) {
            return Err(invalid("probability", "it lies between 0 and 1"));
        }
        if self.seed.is_some() && self.probability.is_none() {
            return Err(invalid("seed", "nothing is drawn without a probability"));
        }
        if self.bytes_per_second == Some(0) {
            return Err(invalid("bytesPerSecond", "nothing would ever come; give at least 1, or a cut"));
        }
        if self.at_byte.is_some() && !self.corrupt && !matches!(self.cut, Some(Cut::Request | Cut::Response)) {
            return Err(invalid("atByte", "it says where corrupt, or a cut \"request\" or \"response\", happens"));
        }
        let is_something = self.delay_ms.is_some() || self.error.is_some() || self.cut.is_some() || self.corrupt;
        if !is_something && self.bytes_per_second.is_none() {
            let why = "nothing would go wrong; give an error, a delayMs, a cut, a bytesPerSecond or corrupt";
            return Err(invalid("error", why));
        }
        Ok(())
    }

    /// Whether it is about such requests.
    pub(super) fn fits(&self, operation: Option<Operation>, bucket: Option<&str>, key: Option<&str>) -> bool {
        self.operation.is_none_or(|wanted| Some(wanted) == operation)
            && self.bucket.as_deref().is_none_or(|wanted| Some(wanted) == bucket)
            && self.key.as_deref().is_none_or(|wanted| Some(wanted) == key)
    }
}

fn invalid(field: &str, why: &str) -> Error {
    Error::new(ErrorKind::Validation, "INVALID_FAULT", format!("the fault's {field} can't be used: {why}"))
        .with("field", field)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_mean_nothing_are_refused_by_field() {
        let field = |words: FaultInWords| Fault::try_from(words).unwrap_err().details()["field"].clone();
        let error = || Some("SlowDown".to_owned());
        assert_eq!(
            field(FaultInWords { operation: Some("Put".into()), error: error(), ..Default::default() }),
            "operation"
        );
        assert_eq!(field(FaultInWords { error: Some("Slow".into()), ..Default::default() }), "error");
        assert_eq!(field(FaultInWords { cut: Some("now".into()), ..Default::default() }), "cut");
        assert_eq!(field(FaultInWords { count: Some(0), error: error(), ..Default::default() }), "count");
        assert_eq!(field(FaultInWords { probability: Some(2.0), error: error(), ..Default::default() }), "probability");
        assert_eq!(field(FaultInWords::default()), "error");
        assert_eq!(field(FaultInWords { seed: Some(1), error: error(), ..Default::default() }), "seed");
        assert_eq!(field(FaultInWords { bytes_per_second: Some(0), ..Default::default() }), "bytesPerSecond");
        assert_eq!(field(FaultInWords { at_byte: Some(1), error: error(), ..Default::default() }), "atByte");
    }
}

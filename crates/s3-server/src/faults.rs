use std::sync::{Mutex, PoisonError};

use holdfast_base::{Error, ErrorKind, Result};

use crate::error::Code;
use crate::operation::Operation;

/// When a fault cuts the connection, instead of answering.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// Before the operation: it does not happen.
    Before,
    /// After the operation: it happened, and the client can't know.
    After,
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
    /// Waits before the operation, in milliseconds.
    pub delay_ms: Option<u64>,
    /// Answers with this error, and the operation does not happen.
    pub error: Option<Code>,
    /// Cuts the connection.
    pub cut: Option<Cut>,
}

/// A fault in words, as a test writes it.
#[derive(Clone, Debug, Default, PartialEq)]
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
    pub delay_ms: Option<u32>,
    /// The name of a [`Code`].
    pub error: Option<String>,
    /// `before` or `after`.
    pub cut: Option<String>,
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
        let cut = words.cut.map(|moment| match moment.as_str() {
            "before" => Ok(Cut::Before),
            "after" => Ok(Cut::After),
            _ => Err(invalid("cut", &format!("{moment:?} is neither \"before\" nor \"after\""))),
        });
        if words.count == Some(0) {
            return Err(invalid("count", "0 requests would meet it; give at least 1"));
        }
        if words.probability.is_some_and(|probability| !(0.0..=1.0).contains(&probability)) {
            return Err(invalid("probability", "it lies between 0 and 1"));
        }
        let fault = Self {
            operation: operation.transpose()?,
            bucket: words.bucket,
            key: words.key,
            count: words.count,
            probability: words.probability,
            delay_ms: words.delay_ms.map(u64::from),
            error: error.transpose()?,
            cut: cut.transpose()?,
        };
        if fault.delay_ms.is_none() && fault.error.is_none() && fault.cut.is_none() {
            return Err(invalid("error", "nothing would go wrong; give an error, a delayMs or a cut"));
        }
        Ok(fault)
    }
}

fn invalid(field: &str, why: &str) -> Error {
    Error::new(ErrorKind::Validation, "INVALID_FAULT", format!("the fault's {field} can't be used: {why}"))
        .with("field", field)
}

/// The faults of a server, for tests of its clients.
#[derive(Debug, Default)]
pub struct Faults(Mutex<Vec<Fault>>);

impl Faults {
    /// Adds a fault. The first that fits a request meets it.
    pub fn add(&self, fault: Fault) {
        self.lock().push(fault);
    }

    /// Removes every fault.
    pub fn clear(&self) {
        self.lock().clear();
    }

    /// The fault that meets a request, if one does; it is used up by that.
    pub(crate) fn meeting(
        &self,
        operation: Option<Operation>,
        bucket: Option<&str>,
        key: Option<&str>,
    ) -> Option<Fault> {
        let mut faults = self.lock();
        let index = faults.iter().position(|fault| fault.fits(operation, bucket, key) && fault.happens())?;
        let met = faults[index].clone();
        if let Some(count) = &mut faults[index].count {
            *count -= 1;
            if *count == 0 {
                faults.remove(index);
            }
        }
        Some(met)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Fault>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Fault {
    fn fits(&self, operation: Option<Operation>, bucket: Option<&str>, key: Option<&str>) -> bool {
        self.count != Some(0)
            && self.operation.is_none_or(|wanted| Some(wanted) == operation)
            && self.bucket.as_deref().is_none_or(|wanted| Some(wanted) == bucket)
            && self.key.as_deref().is_none_or(|wanted| Some(wanted) == key)
    }

    fn happens(&self) -> bool {
        let Some(probability) = self.probability else { return true };
        let drawn = getrandom::u32().unwrap_or_default();
        f64::from(drawn) / (f64::from(u32::MAX) + 1.0) < probability
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_meets_what_it_fits_as_often_as_it_says() {
        let faults = Faults::default();
        let operation = Some(Operation::PutObject);
        faults.add(Fault { operation, bucket: Some("b".into()), count: Some(2), ..Fault::default() });
        assert!(faults.meeting(Some(Operation::GetObject), Some("b"), None).is_none());
        assert!(faults.meeting(operation, Some("c"), None).is_none());
        assert!(faults.meeting(operation, Some("b"), Some("k")).is_some());
        assert!(faults.meeting(operation, Some("b"), Some("k")).is_some());
        assert!(faults.meeting(operation, Some("b"), Some("k")).is_none());
    }

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
    }

    #[test]
    fn a_probability_of_0_never_happens_and_of_1_always() {
        let faults = Faults::default();
        faults.add(Fault { probability: Some(0.0), ..Fault::default() });
        assert!((0..100).all(|_| faults.meeting(None, None, None).is_none()));
        faults.add(Fault { probability: Some(1.0), ..Fault::default() });
        assert!((0..100).all(|_| faults.meeting(None, None, None).is_some()));
    }
}

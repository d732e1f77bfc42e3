//! Errors cross the border as data.
//!
//! An async Node-API function can't set `code` and its kin on what it rejects with, so a fallible function
//! never rejects: it answers with a [`Reply`], the value itself or a [`Failure`]. `lib/native.ts` alone
//! opens it and throws the class from `lib/errors.ts`. No native function returns an object that a user
//! made, so the mark `failure` can't be mistaken.

use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};

use futures_util::FutureExt;
use holdfast_base::{Error, Result};
use napi::bindgen_prelude::{ToNapiValue, TypeName, ValueType};
use napi::sys;
use napi_derive::napi;

/// An error as JavaScript receives it.
#[napi(object)]
pub struct FailureData {
    /// Which class of `lib/errors.ts` it becomes.
    pub kind: String,
    /// The stable code.
    pub code: String,
    /// What happened and what to do.
    pub message: String,
    /// Whether the same call may succeed later.
    pub retryable: bool,
    /// Details for programs, as JSON.
    pub details: Option<String>,
}

/// The envelope of an error.
#[napi(object)]
pub struct Failure {
    /// The error.
    pub failure: FailureData,
}

/// What a fallible native function answers: the value itself, or a [`Failure`].
pub struct Reply<T>(Result<T>);

impl<T> Reply<T> {
    /// Runs synchronous work; a panic becomes an error.
    pub fn of(work: impl FnOnce() -> Result<T>) -> Self {
        Self(catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| Err(from_panic(panic.as_ref()))))
    }

    /// Runs asynchronous work; a panic becomes an error.
    pub async fn from_future(work: impl Future<Output = Result<T>>) -> napi::Result<Self> {
        let outcome = AssertUnwindSafe(work).catch_unwind().await;
        Ok(Self(outcome.unwrap_or_else(|panic| Err(from_panic(panic.as_ref())))))
    }
}

fn from_panic(panic: &(dyn Any + Send)) -> Error {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    Error::internal(format!("a defect of holdfast: {}; please report it", text.unwrap_or("a panic")))
}

impl From<&Error> for Failure {
    fn from(error: &Error) -> Self {
        let details = error.details();
        Self {
            failure: FailureData {
                kind: format!("{:?}", error.kind()),
                code: error.code().to_owned(),
                message: error.message().to_owned(),
                retryable: error.is_retryable(),
                details: (!details.is_empty()).then(|| serde_json::Value::Object(details.clone()).to_string()),
            },
        }
    }
}

impl<T: TypeName> TypeName for Reply<T> {
    fn type_name() -> &'static str {
        T::type_name()
    }

    fn value_type() -> ValueType {
        T::value_type()
    }
}

impl<T: ToNapiValue> ToNapiValue for Reply<T> {
    unsafe fn to_napi_value(env: sys::napi_env, reply: Self) -> napi::Result<sys::napi_value> {
        // SAFETY: `env` is the one that Node-API handed to this call, passed on unchanged.
        unsafe {
            match reply.0 {
                Ok(value) => T::to_napi_value(env, value),
                Err(error) => Failure::to_napi_value(env, Failure::from(&error)),
            }
        }
    }
}

/// The version of the addon; the front refuses one that does not match its own.
#[napi]
pub fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

/// Answers with a failure of the given kind; `panic` panics. The border's own test.
#[napi]
pub async fn fail_for_test(kind: String) -> napi::Result<Reply<u32>> {
    Reply::from_future(async move {
        #[expect(clippy::panic, reason = "proves that a panic becomes an error")]
        match kind.as_str() {
            "panic" => panic!("on purpose"),
            _ => Err(Error::internal("on purpose").with("kind", kind)),
        }
    })
    .await
}

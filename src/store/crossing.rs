//! Answers that are there at once, or come as a promise.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use holdfast_base::{Error, ErrorKind, Key, Result};
use holdfast_store::Answer;
use napi::bindgen_prelude::{ToNapiValue, TypeName, ValueType};
use napi::{Env, sys};

use crate::reply::Reply;

/// What a port answered, on its way to JavaScript: a [`Reply`], or a promise of one.
pub struct Crossing<T>(Answer<T>);

impl<T: Send + 'static> Crossing<T> {
    /// Orders the work now; a panic becomes an error.
    pub fn of(work: impl FnOnce() -> Result<Answer<T>>) -> Self {
        Self(match catch_unwind(AssertUnwindSafe(work)) {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => Answer::Now(Err(error)),
            Err(panic) => Answer::Later(Box::pin(async move { resume_unwind(panic) })),
        })
    }
}

impl<T: TypeName> TypeName for Crossing<T> {
    fn type_name() -> &'static str {
        T::type_name()
    }

    fn value_type() -> ValueType {
        T::value_type()
    }
}

impl<T: ToNapiValue + Send + 'static> ToNapiValue for Crossing<T> {
    unsafe fn to_napi_value(env: sys::napi_env, crossing: Self) -> napi::Result<sys::napi_value> {
        // SAFETY: `env` is the one that Node-API handed to this call, passed on unchanged.
        unsafe {
            match crossing.0 {
                Answer::Now(result) => Reply::to_napi_value(env, Reply::of(|| result)),
                Answer::Later(pending) => {
                    let scope = Env::from_raw(env);
                    let promise = scope.spawn_future(Reply::from_future(pending))?;
                    ToNapiValue::to_napi_value(env, promise)
                }
            }
        }
    }
}

/// A number that JavaScript gave: whole, and not below zero.
pub fn whole(number: f64, name: &str) -> Result<u64> {
    if number.fract() == 0.0 && (0.0..=9_007_199_254_740_991.0).contains(&number) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked in the line above")]
        return Ok(number as u64);
    }
    let message = format!("{name} is {number}; give a whole number from 0 to 2^53 - 1");
    Err(Error::new(ErrorKind::Validation, "INVALID_NUMBER", message))
}

/// Keys that JavaScript gave.
pub fn keys(texts: Vec<String>) -> Result<Vec<Key>> {
    texts.into_iter().map(Key::new).collect()
}

//! Bytes of JavaScript, copied when the call is made: what the caller does to its buffer afterwards changes nothing.

use napi::bindgen_prelude::{BufferSlice, FromNapiValue, TypeName, ValidateNapiValue, ValueType};
use napi::sys;

/// The bytes of a `Uint8Array`.
pub struct Copied(pub Vec<u8>);

impl TypeName for Copied {
    fn type_name() -> &'static str {
        "Uint8Array"
    }

    fn value_type() -> ValueType {
        ValueType::Object
    }
}

impl ValidateNapiValue for Copied {}

impl FromNapiValue for Copied {
    unsafe fn from_napi_value(env: sys::napi_env, value: sys::napi_value) -> napi::Result<Self> {
        // SAFETY: both are what Node-API handed to this call; the slice does not outlive it.
        let slice = unsafe { BufferSlice::from_napi_value(env, value)? };
        Ok(Self(slice.to_vec()))
    }
}

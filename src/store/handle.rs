//! The handle on an adapter.

use std::sync::Arc;

use holdfast_base::SystemClock;
use holdfast_store::{Adapter, Settings};
use napi_derive::napi;

use super::crossing::Crossing;
use super::news::{Listener, hear};
use crate::reply::Reply;

/// One adapter, open. What it answers is JSON text unless said otherwise.
#[napi]
pub struct StoreHandle {
    pub(super) adapter: Arc<dyn Adapter>,
}

/// Opens an adapter. `settings` is a `Settings` of the store crate in its JSON form.
#[napi(ts_return_type = "Promise<Reply<StoreHandle>>")]
pub async fn open_store(settings: serde_json::Value) -> napi::Result<Reply<StoreHandle>> {
    Reply::from_future(async move {
        let adapter = holdfast_store::open(Settings::from_json(settings)?, Arc::new(SystemClock)).await?;
        Ok(StoreHandle { adapter })
    })
    .await
}

#[napi]
impl StoreHandle {
    /// What the adapter can do.
    #[napi]
    pub fn capabilities(&self) -> String {
        // A struct of flags always serialises.
        serde_json::to_string(&self.adapter.capabilities()).unwrap_or_default()
    }

    /// Has news of what others commit told as JSON, from when this answers until the close: `changed`, pairs of a
    /// class and a key, and `appended`; or `gap`, when something may have been missed.
    #[napi(ts_return_type = "Promise<Reply<undefined>>")]
    pub fn follow(&self, #[napi(ts_arg_type = "(news: string) => void")] listener: Listener) -> Crossing<()> {
        Crossing::of(|| Ok(holdfast_store::Answer::Later(self.adapter.follow(hear(listener)))))
    }

    /// Waits for work in flight and lets go of everything.
    #[napi(ts_return_type = "Reply<undefined> | Promise<Reply<undefined>>")]
    pub fn close(&self) -> Crossing<()> {
        Crossing::of(|| Ok(holdfast_store::Answer::Later(self.adapter.close())))
    }
}

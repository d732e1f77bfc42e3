//! This peer and the others, where an adapter has any.

use std::sync::Arc;

use holdfast_store::PeerNews;
use napi::threadsafe_function::ThreadsafeFunctionCallMode;
use napi_derive::napi;

use super::handle::StoreHandle;
use super::news::Listener;

#[napi]
impl StoreHandle {
    /// This peer's id; null where there are no peers.
    #[napi]
    pub fn peer_id(&self) -> Option<String> {
        self.adapter.peers().map(holdfast_store::Peers::id)
    }

    /// Where this peer listens.
    #[napi]
    pub fn peer_addresses(&self) -> Vec<String> {
        self.adapter.peers().map(holdfast_store::Peers::addresses).unwrap_or_default()
    }

    /// The peers that are connected.
    #[napi]
    pub fn peers(&self) -> String {
        let connected = self.adapter.peers().map(holdfast_store::Peers::connected).unwrap_or_default();
        // Plain structs always serialise.
        serde_json::to_string(&connected).unwrap_or_default()
    }

    /// Has news of peers told as JSON, from now until the close.
    #[napi]
    pub fn hear_peers(&self, #[napi(ts_arg_type = "(news: string) => void")] listener: Listener) {
        if let Some(peers) = self.adapter.peers() {
            peers.hear(Arc::new(move |news: PeerNews| {
                // Where JavaScript is too slow to take them, the oldest wait and the newest are left out.
                if let Ok(text) = serde_json::to_string(&news) {
                    listener.call(text, ThreadsafeFunctionCallMode::NonBlocking);
                }
            }));
        }
    }
}

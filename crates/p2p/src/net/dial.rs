//! Keeps looking for a peer where it was seen: what discovery says once is tried again for as long as the node lives.

use std::sync::{Arc, Weak};
use std::time::Duration;

use super::node::Node;

/// At most so many addresses are remembered.
pub(super) const MAX_ADDRESSES: usize = 256;
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LAST_PAUSE: Duration = Duration::from_secs(10);
const PATIENCE: Duration = Duration::from_secs(5);

/// Dials an address whenever the peer that was found there is not connected.
pub(super) async fn keep_dialling(node: Weak<Node>, address: String) {
    let mut pause = FIRST_PAUSE;
    loop {
        let Some(living) = node.upgrade() else { return };
        let found = tokio::time::timeout(PATIENCE, dial(&living, &address)).await.ok().flatten();
        let mut changed = living.changed.subscribe();
        if let Some(peer) = found {
            pause = FIRST_PAUSE;
            if peer == living.id() {
                return;
            }
            while living.is_connected(&peer) {
                if changed.changed().await.is_err() {
                    return;
                }
            }
        }
        drop(living);
        tokio::time::sleep(pause).await;
        pause = LAST_PAUSE.min(pause * 2);
    }
}

/// The peer at an address, connected; also this node itself.
async fn dial(node: &Arc<Node>, address: &str) -> Option<String> {
    let is_ipv4 = node.endpoint.local_addr().ok()?.is_ipv4();
    let mut resolved = tokio::net::lookup_host(address).await.ok()?;
    let target = resolved.find(|target| target.is_ipv4() == is_ipv4)?;
    let connection = node.endpoint.connect(target, "holdfast").ok()?.await.ok()?;
    node.welcome(connection, true).await
}

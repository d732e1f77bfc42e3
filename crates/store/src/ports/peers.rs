//! The port of peers, where an adapter has any.

use holdfast_p2p::{HearPeers, PeerStatus};

/// What is known of this peer and of the others.
pub trait Peers {
    /// This peer's id.
    fn id(&self) -> String;
    /// Where this peer listens, `ip:port`.
    fn addresses(&self) -> Vec<String>;
    /// The peers that are connected.
    fn connected(&self) -> Vec<PeerStatus>;
    /// Tells what peers do, from now until the close; a second call takes the place of the first.
    fn hear(&self, hear: HearPeers);
}

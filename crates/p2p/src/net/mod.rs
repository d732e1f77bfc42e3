//! Carries the protocol between processes: QUIC with mutual keys, a proof of the topic's secret, discovery.

mod auth;
mod dial;
mod identity;
mod link;
mod mdns;
mod news;
mod node;
mod tls;

pub use auth::TopicKey;
pub use identity::Identity;
pub use news::{HearPeers, PeerNews, PeerStatus};
pub use node::{NetSettings, Node, Store};

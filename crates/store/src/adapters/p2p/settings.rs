//! Where a store among peers is kept, and how it finds them.

use std::net::SocketAddr;
use std::path::PathBuf;

use holdfast_base::{Error, ErrorKind, Result};
use holdfast_p2p::{NetSettings, TopicKey};
use serde::Deserialize;

/// The most peers that a store may be set to.
const MOST_PEERS: usize = 256;

/// Settings of the p2p adapter.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct P2pSettings {
    /// The file. Its key lies beside it, under the same name and `.key`.
    pub path: PathBuf,
    /// How peers find each other.
    pub discovery: Discovery,
    /// What peers must know beside the topic.
    pub secret: Option<String>,
    /// Where to listen. Default `0.0.0.0:0`.
    pub listen: Option<String>,
    /// Addresses to dial, `host:port`.
    #[serde(default)]
    pub peers: Vec<String>,
    /// At most so many peers: 1 to 256. Default 32.
    pub max_peers: Option<usize>,
}

impl std::fmt::Debug for P2pSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("P2pSettings").field("path", &self.path).finish_non_exhaustive()
    }
}

/// How peers find each other.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Discovery {
    /// What the peers share.
    pub topic: String,
    /// One way to find them.
    pub method: Option<DiscoveryMethod>,
    /// Look on the local network.
    pub mdns: Option<bool>,
}

/// A way to find peers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DiscoveryMethod {
    /// The local network.
    Mdns,
}

impl P2pSettings {
    pub(super) fn net(&self, key: TopicKey) -> Result<NetSettings> {
        let listen = self.listen.as_deref().unwrap_or("0.0.0.0:0");
        let listen = listen.parse::<SocketAddr>().map_err(|_| {
            invalid(format!("listen is {listen:?}; give an address and a port, as in \"0.0.0.0:4001\""))
        })?;
        let max_peers = self.max_peers.unwrap_or(32);
        if !(1..=MOST_PEERS).contains(&max_peers) {
            return Err(invalid(format!("maxPeers is {max_peers}; give 1 to {MOST_PEERS}")));
        }
        let mdns = self.discovery.mdns.unwrap_or(self.discovery.method == Some(DiscoveryMethod::Mdns));
        Ok(NetSettings { key, listen, peers: self.peers.clone(), max_peers, mdns })
    }
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::Config, "INVALID_SETTINGS", message)
}

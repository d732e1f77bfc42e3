//! Peers on the local network, by DNS-SD: what is announced is a hash of topic and secret.

use std::sync::{Arc, Weak};

use mdns_sd::{ServiceDaemon, ServiceEvent, ServiceInfo};

use super::node::Node;

const SERVICE: &str = "_holdfast._udp.local.";
const TAG: &str = "t";

/// Announces a node and listens for others. Ends with [`Mdns::stop`].
pub(super) struct Mdns(ServiceDaemon);

impl Mdns {
    /// Begins; a machine without a network has nobody to find, which is no error.
    pub(super) fn start(node: &Arc<Node>) -> Option<Self> {
        let daemon = ServiceDaemon::new()
            .inspect_err(|error| tracing::debug!(%error, "the local network can't be searched"))
            .ok()?;
        let listening = announce(&daemon, node).and_then(|()| daemon.browse(SERVICE));
        match listening {
            Ok(events) => {
                let (node_of, tag) = (Arc::downgrade(node), node.key.tag());
                node.spawn(async move {
                    while let Ok(event) = events.recv_async().await {
                        if !found(&node_of, &tag, &event) {
                            return;
                        }
                    }
                });
            }
            Err(error) => tracing::debug!(%error, "the local network can't be searched"),
        }
        Some(Self(daemon))
    }

    pub(super) fn stop(&self) {
        // It tells the network that the node is gone, as far as there is one.
        let _ = self.0.shutdown();
    }
}

fn announce(daemon: &ServiceDaemon, node: &Node) -> Result<(), mdns_sd::Error> {
    let port = node.endpoint.local_addr().map_or(0, |address| address.port());
    let name: String = node.instance.iter().map(|byte| format!("{byte:02x}")).collect();
    let properties = [(TAG, node.key.tag())];
    let mut service =
        ServiceInfo::new(SERVICE, &name, &format!("{name}.local."), "", port, &properties[..])?.enable_addr_auto();
    // The name is random: nobody else can have it.
    service.set_requires_probe(false);
    daemon.register(service)
}

/// Whether the node still lives.
fn found(node: &Weak<Node>, tag: &str, event: &ServiceEvent) -> bool {
    let Some(node) = node.upgrade() else { return false };
    if let ServiceEvent::ServiceResolved(service) = event
        && service.get_property_val_str(TAG) == Some(tag)
    {
        for address in service.get_addresses() {
            let ip = address.to_ip_addr();
            if ip.is_ipv4() {
                node.look_for(std::net::SocketAddr::new(ip, service.get_port()).to_string());
            }
        }
    }
    true
}

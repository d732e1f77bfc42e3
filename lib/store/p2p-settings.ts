import { CapabilityError, ConfigError } from "../errors.js";
import { describe } from "./key.js";

type Loose = Readonly<Record<string, unknown>>;

/**
 * Settings of P2P as the core takes them.
 * @throws ConfigError for what is missing or of the wrong kind; CapabilityError for the DHT
 */
export function p2pSettings(settings: Loose): Loose {
  const { discovery, peers = [] } = settings;
  const { topic, method, mdns, ...rest } = (discovery ?? {}) as Loose;
  if (typeof topic !== "string" || topic === "") {
    const message = "the p2p adapter needs a topic that its peers share; give discovery: { topic }";
    throw new ConfigError(message, { code: "TOPIC_MISSING" });
  }
  const [unknown] = Object.keys(rest);
  if (method === "dht" || (unknown === "dht" && rest.dht === true)) {
    const message =
      'discovery by the DHT comes with a later release; until then use "mdns", or give addresses in peers';
    throw new CapabilityError(message, { code: "DISCOVERY_NOT_AVAILABLE", details: { method: "dht" } });
  }
  if (unknown !== undefined) {
    const message = `there is no setting discovery.${unknown}; the settings are topic, method, mdns`;
    throw new ConfigError(message, { code: "UNKNOWN_OPTION" });
  }
  if (method !== undefined && method !== "mdns") throw invalid(`discovery.method is "mdns", not ${describe(method)}`);
  if (mdns !== undefined && typeof mdns !== "boolean") throw invalid("discovery.mdns takes true or false");
  if (!Array.isArray(peers) || peers.some((peer) => typeof peer !== "string" || !/^.+:\d+$/.test(peer))) {
    throw invalid('peers takes an array of addresses, each "host:port"');
  }
  return settings;
}

function invalid(message: string): ConfigError {
  return new ConfigError(message, { code: "INVALID_SETTINGS" });
}

import { ConnectionError } from "../errors.js";
import type { Emission, Lifecycle } from "./lifecycle.js";
import type { PeerStatus, PeersPort, RawPeerNews } from "./port.js";
import { decode } from "./value.js";

/** This peer and the others. What they do is told by `store.on("peer:*")`, `"sync:*"` and `"record:conflict"`. */
export class P2p {
  /** This peer's id: the same each time the store is opened. */
  readonly id: string;
  readonly #port: PeersPort;

  /** @internal */
  constructor(port: PeersPort, lifecycle: Lifecycle) {
    this.id = port.id;
    this.#port = port;
    port.hear((news) => lifecycle.emit(emissionOf(news)));
  }

  /** Where this peer listens, each `ip:port`: what others give as `peers`. */
  addresses(): string[] {
    return this.#port.addresses();
  }

  /** The peers that are connected now. */
  peers(): PeerStatus[] {
    return this.#port.connected();
  }
}

function emissionOf({ type, ...news }: RawPeerNews): Emission {
  if (type === "record:conflict") {
    const { key, path, local, remote } = news as { key: string; path: string[]; local?: string; remote?: string };
    const value = (text: string | null | undefined) => (text == null ? undefined : decodeField(path, text));
    return [type, { key, path, local: value(local), remote: value(remote) }];
  }
  if (type === "sync:error") {
    const { peer, code, message } = news as { peer: string; code: string; message: string };
    return [type, { peer, error: new ConnectionError(message, { code, details: { peer }, retryable: true }) }];
  }
  return [type, news] as unknown as Emission;
}

/** The value of a field; that of a whole document carries its own mark where it needs one. */
function decodeField(path: readonly string[], text: string): unknown {
  const json: unknown = JSON.parse(text);
  return decode(path.length === 0 ? json : { $holdfast: json });
}

import { ValidationError } from "../errors.js";
import { Atomic } from "./atomic.js";
import { Blobs } from "./blobs.js";
import { Events } from "./events.js";
import { Kv } from "./kv.js";
import { Lifecycle, type StoreEventPattern, type StoreListener } from "./lifecycle.js";
import { P2p } from "./p2p.js";
import type { Capabilities, Port } from "./port.js";
import { Records } from "./records.js";
import type { ClassName } from "./settings.js";
import { Writer } from "./writer.js";

type Ports = Readonly<Record<ClassName, Port>>;

const portsOfStores = new WeakMap<Store, Ports>();

/** The port of each class of a store. */
export function portsOf(store: Store): Ports {
  const ports = portsOfStores.get(store);
  if (ports !== undefined) return ports;
  throw new ValidationError("that is no store of createStore", { code: "INVALID_OPTION" });
}

/** A store: records, kv, blobs and events. */
export class Store {
  /** Its name. */
  readonly name: string;
  /** Versioned values by key. */
  readonly records: Records;
  /** Small values by key. */
  readonly kv: Kv;
  /** Bytes of any size. */
  readonly blobs: Blobs;
  /** Facts in order. */
  readonly events: Events;
  /** What its adapters can do; what they can't is a CapabilityError at the call. */
  readonly capabilities: Capabilities;
  /** This peer and the others, where the store is among peers. */
  readonly p2p: P2p | undefined;
  readonly #ports: readonly Port[];
  readonly #lifecycle = new Lifecycle();
  readonly #shared: Writer | undefined;
  #closing: Promise<void> | undefined;

  /** @internal */
  constructor(name: string, ports: Ports) {
    this.name = name;
    portsOfStores.set(this, ports);
    this.#ports = [...new Set(Object.values(ports))];
    const writers = new Map(this.#ports.map((port) => [port, new Writer(port, this.#lifecycle)]));
    const writerOf = (port: Port) => writers.get(port) ?? new Writer(port, this.#lifecycle);
    this.records = new Records(writerOf(ports.records));
    this.kv = new Kv(writerOf(ports.kv));
    this.blobs = new Blobs(writerOf(ports.blobs));
    this.events = new Events(writerOf(ports.events));
    const isShared = ports.records === ports.kv && ports.kv === ports.events;
    this.#shared = isShared ? writerOf(ports.records) : undefined;
    const all = (flag: keyof Capabilities) => this.#ports.every((port) => port.capabilities[flag]);
    this.capabilities = Object.freeze({
      atomic: isShared && ports.records.capabilities.atomic,
      ordered: all("ordered"),
      presign: ports.blobs.capabilities.presign,
      durable: all("durable"),
      multiProcess: all("multiProcess"),
      notifies: all("notifies"),
    });
    const peers = this.#ports.find((port) => port.peers !== undefined)?.peers;
    this.p2p = peers === undefined ? undefined : new P2p(peers, this.#lifecycle);
  }

  /**
   * Hears events of a type, or of several (`"record:*"`, `"*"`), after their commit and in its order.
   * Gives back what ends it.
   */
  on<P extends StoreEventPattern>(pattern: P, listener: StoreListener<P>): () => void {
    return this.#lifecycle.on(pattern, listener);
  }

  /** As `on`, for the next event only. */
  once<P extends StoreEventPattern>(pattern: P, listener: StoreListener<P>): () => void {
    const off = this.#lifecycle.on<P>(pattern, (event, type) => {
      off();
      return listener(event, type);
    });
    return off;
  }

  /** Begins a list of changes that are committed together. */
  atomic(): Atomic {
    return new Atomic(this.#shared);
  }

  /** Waits for work in flight, checkpoints, and lets go of everything. Later calls are ClosedErrors. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    await this.#lifecycle.prepareClose();
    await Promise.all(this.#ports.map((port) => port.close()));
    this.#lifecycle.clear();
  }
}

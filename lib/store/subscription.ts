import { AsyncLocalStorage } from "node:async_hooks";
import { ClosedError, ConflictError, ValidationError } from "../errors.js";
import { Checkpoint } from "./checkpoint.js";
import type { EventReadOptions, StoredEvent } from "./events.js";
import { checkBytes, checkKey, checkOptions, describe } from "./key.js";
import type { Lifecycle } from "./lifecycle.js";
import type { Writer } from "./writer.js";

/** What to subscribe to, and the name under which the subscription is remembered. */
export interface SubscribeOptions {
  /** Its checkpoint's name; 1 to 1,024 bytes. */
  name: string;
  /** Only events of this stream; each stream has a checkpoint of its own. Default: of all. */
  stream?: string;
  /** Where to begin when there is no checkpoint yet: behind this event's `position`. Default: the first event. */
  from?: string;
  /** Ends the subscription, as `close()` does. */
  signal?: AbortSignal;
}

type Read<V> = (options: EventReadOptions) => AsyncGenerator<StoredEvent<V>, void, undefined>;

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 30_000;

/** Which subscription's handler is running: a handler that closes does not wait for itself. */
const handling = new AsyncLocalStorage<Subscription>();
/** The open subscriptions of each store, by the keys of their checkpoints. */
const openOnes = new WeakMap<Lifecycle, Set<string>>();

/** A durable subscription to events; see `events.subscribe`. */
export class Subscription {
  /** The name under which it is remembered. */
  readonly name: string;
  readonly #writer: Writer;
  readonly #checkpoint: Checkpoint;
  readonly #stop = new AbortController();
  #handled: string | undefined;
  #saved: string | undefined;
  #saving: Promise<void> | undefined;
  #ended: Promise<void> = Promise.resolve();

  private constructor(writer: Writer, options: SubscribeOptions) {
    this.name = options.name;
    this.#writer = writer;
    this.#checkpoint = new Checkpoint(writer.port, options.name, options.stream);
  }

  /** @internal */
  static async open<V>(
    writer: Writer,
    read: Read<V>,
    options: SubscribeOptions,
    handler: (event: StoredEvent<V>) => unknown,
  ): Promise<Subscription> {
    check(options, handler);
    const { name, stream, from, signal } = options;
    const taken = openOnes.get(writer.lifecycle) ?? new Set();
    openOnes.set(writer.lifecycle, taken);
    const key = Checkpoint.keyOf(name, stream);
    if (taken.has(key)) {
      const message = `this store has the subscription ${JSON.stringify(name)} open already; close that one first`;
      throw new ConflictError(message, { code: "SUBSCRIPTION_TAKEN", details: { name } });
    }
    taken.add(key);
    const subscription = new Subscription(writer, options);
    try {
      subscription.#saved = await subscription.#checkpoint.read();
      subscription.#handled = subscription.#saved;
      // A position that is none is refused here, not in the background.
      if (from !== undefined) await writer.port.listEvents({ after: from, limit: 1 });
    } catch (error) {
      taken.delete(key);
      throw error;
    }
    subscription.#begin(read, options, handler, () => taken.delete(key));
    if (signal?.aborted === true) subscription.#stop.abort();
    return subscription;
  }

  /** The position of the last event that was handled; absent before the first. */
  get position(): string | undefined {
    return this.#handled;
  }

  /**
   * Ends it: waits for the event that is being handled (unless its handler is what calls) and remembers it.
   * Closing the store does the same.
   */
  async close(): Promise<void> {
    this.#stop.abort();
    if (handling.getStore() !== this) await this.#ended;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #begin<V>(
    read: Read<V>,
    options: SubscribeOptions,
    handler: (event: StoredEvent<V>) => unknown,
    release: () => void,
  ): void {
    const stop = () => this.#stop.abort();
    const forget = this.#writer.lifecycle.beforeClose(() => this.close());
    options.signal?.addEventListener("abort", stop, { once: true });
    this.#ended = this.#run(read, options, handler).finally(() => {
      options.signal?.removeEventListener("abort", stop);
      forget();
      release();
    });
  }

  async #run<V>(read: Read<V>, options: SubscribeOptions, handler: (event: StoredEvent<V>) => unknown): Promise<void> {
    const { signal } = this.#stop;
    const reading: EventReadOptions = { live: true, signal };
    if (options.stream !== undefined) reading.stream = options.stream;
    for (let failures = 0; !signal.aborted; failures += 1) {
      const from = this.#handled ?? options.from;
      try {
        for await (const event of read(from === undefined ? reading : { ...reading, from })) {
          if (!(await this.#handle(event, handler))) break;
          failures = 0;
          this.#handled = event.position;
          this.#saving ??= this.#save();
        }
      } catch (error) {
        if (error instanceof ClosedError) break;
        this.#report(error);
        await this.#pause(failures);
      }
    }
    await this.#saving;
  }

  /** Whether the event was handled; not when the end came first. */
  async #handle<V>(event: StoredEvent<V>, handler: (event: StoredEvent<V>) => unknown): Promise<boolean> {
    for (let failures = 0; !this.#stop.signal.aborted; failures += 1) {
      try {
        await handling.run(this, () => handler(event));
        return true;
      } catch (error) {
        this.#report(error);
        await this.#pause(failures);
      }
    }
    return false;
  }

  /** Remembers how far it came, one write at a time: what is handled meanwhile is in the next one. */
  async #save(): Promise<void> {
    for (let failures = 0; this.#handled !== undefined && this.#saved !== this.#handled; ) {
      const position = this.#handled;
      try {
        await this.#checkpoint.advance(position);
        this.#saved = position;
        failures = 0;
      } catch (error) {
        this.#report(error);
        if (this.#stop.signal.aborted) break;
        await this.#pause(failures);
        failures += 1;
      }
    }
    this.#saving = undefined;
  }

  #report(error: unknown): void {
    this.#writer.lifecycle.emit(["listener:error", { type: "event:append", error, subscription: this.name }]);
  }

  /** Waits longer after each failure, and never longer than the subscription lives. */
  async #pause(failures: number): Promise<void> {
    const { signal } = this.#stop;
    if (signal.aborted) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", done);
        resolve();
      };
      const timer = setTimeout(done, Math.min(FIRST_PAUSE_MS * 2 ** failures, LONGEST_PAUSE_MS));
      timer.unref();
      signal.addEventListener("abort", done, { once: true });
    });
  }
}

function check(options: SubscribeOptions, handler: unknown): void {
  checkOptions(options, ["name", "stream", "from", "signal"]);
  checkKey(options.name, "name");
  checkBytes(options.name);
  if (options.stream !== undefined) {
    checkKey(options.stream, "stream");
    checkBytes(options.stream);
  }
  if (options.from !== undefined) checkKey(options.from, "position");
  if (typeof handler !== "function") {
    const message = `subscribe takes a function that handles events, not ${describe(handler)}`;
    throw new ValidationError(message, { code: "INVALID_OPTION" });
  }
}

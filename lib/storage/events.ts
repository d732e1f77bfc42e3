import { ValidationError } from "../errors.js";
import type { native } from "../native.js";
import { Subscription } from "./subscription.js";

/** What an event is about. */
export type StorageEventType = "bucket:created" | "bucket:removed" | "object:created" | "object:removed";

/** A type, or some of them: `object:*`, `bucket:*`, `*`. */
export type StorageEventPattern = StorageEventType | "bucket:*" | "object:*" | "*";

/** A change that is committed. */
export interface IStorageEvent {
  readonly type: StorageEventType;
  /**
   * What changed it, in the words of S3's event names: `Put`, `Post`, `Copy`, `CompleteMultipartUpload`, `Delete`,
   * `DeleteMarkerCreated`, `LifecycleExpiration:Delete`,
   * `LifecycleExpiration:DeleteMarkerCreated`; `CreateBucket`, `DeleteBucket`.
   */
  readonly operation: string;
  readonly bucket: string;
  /** The key, of an object's event. */
  readonly key?: string;
  /** Of a new object, in bytes. */
  readonly size?: number;
  /** Of a new object, without quotes. */
  readonly etag?: string;
  /** The version that was made or removed, in a bucket that has versioning. */
  readonly versionId?: string;
  /** In milliseconds since 1970-01-01 UTC. */
  readonly atMs: number;
  /** How many events this handler has missed before this one, being more than 10,000 behind; else 0. */
  readonly missed: number;
}

/** Hears events one at a time: the next comes when what it gives back has settled. */
export type StorageEventHandler = (event: IStorageEvent) => unknown;

const TYPES: readonly string[] = ["bucket:created", "bucket:removed", "object:created", "object:removed"];
const PATTERNS: readonly string[] = [...TYPES, "bucket:*", "object:*", "*"];
const BATCH = 1000;

/** Who hears which events of a server. */
export class Events {
  readonly #subscriptions = new Set<Subscription>();
  #server: native.StorageServer | undefined;
  #isListening = false;

  /** The server that runs from here on; handlers of before hear it too. */
  attach(server: native.StorageServer): void {
    this.#server = server;
    this.#listen();
  }

  /** The server stops: what waits is still told. */
  detach(): void {
    this.#drain();
    this.#server?.unlisten();
    this.#server = undefined;
    this.#isListening = false;
  }

  subscribe(pattern: StorageEventPattern, handler: StorageEventHandler, isOnce = false): Subscription {
    if (!PATTERNS.includes(pattern)) {
      const message = `there are no events ${JSON.stringify(pattern)}; there are ${PATTERNS.join(", ")}`;
      throw new ValidationError(message, { code: "INVALID_EVENT_TYPE" });
    }
    if (typeof handler !== "function") {
      throw new ValidationError("a handler of events is a function", { code: "INVALID_EVENT_HANDLER" });
    }
    // What was committed before is not for this one.
    this.#drain();
    const subscription = new Subscription(pattern, handler, () => {
      this.#subscriptions.delete(subscription);
      if (this.#subscriptions.size === 0) this.#unlisten();
    });
    subscription.isOnce = isOnce;
    this.#subscriptions.add(subscription);
    this.#listen();
    return subscription;
  }

  unsubscribe(pattern: StorageEventPattern, handler: StorageEventHandler): void {
    for (const subscription of this.#subscriptions) {
      if (subscription.pattern === pattern && subscription.handler === handler) {
        subscription.end();
        return;
      }
    }
  }

  /** Waits until the handlers are done with every event of commits before this call. */
  async settled(): Promise<void> {
    this.#drain();
    await Promise.all([...this.#subscriptions].map((subscription) => subscription.settled()));
  }

  #listen(): void {
    if (this.#isListening || this.#server === undefined || this.#subscriptions.size === 0) return;
    this.#isListening = true;
    this.#server.listen(() => this.#drain());
  }

  #unlisten(): void {
    if (this.#isListening) this.#server?.unlisten();
    this.#isListening = false;
  }

  /** Hands every event that waits in the server to those who hear it. */
  #drain(): void {
    while (this.#isListening && this.#server !== undefined) {
      const { events, missed } = this.#server.takeEvents(BATCH);
      if (missed > 0) for (const subscription of this.#subscriptions) subscription.miss(missed);
      for (const event of events) {
        for (const subscription of [...this.#subscriptions]) subscription.push(event as unknown as IStorageEvent);
      }
      if (events.length < BATCH) return;
    }
  }
}

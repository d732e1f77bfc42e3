import { ValidationError } from "../errors.js";
import { Watches } from "./watches.js";

/** What a store tells its listeners, by type. Delivered after the commit, in the order of commits. */
export interface StoreEvents {
  "record:put": { key: string; value: unknown; version: number };
  "record:delete": { key: string };
  /** Two peers wrote the same field, that at `path`, without having seen each other's value; the later one stands. */
  "record:conflict": { key: string; path: string[]; local: unknown; remote: unknown };
  "kv:set": { key: string; value: unknown; version: number };
  "kv:delete": { key: string };
  "event:append": { stream: string; payload: unknown; id: string; version: number; position: string };
  "blob:put": { key: string; size: number };
  "blob:delete": { key: string };
  /** `total` is absent where the size of the source isn't known. */
  "blob:upload:progress": { key: string; loaded: number; total?: number };
  "sync:start": { peer: string };
  /** This peer and the other hold the same. */
  "sync:complete": { peer: string };
  "sync:error": { peer: string; error: unknown };
  "sync:offline": Record<string, unknown>;
  "sync:online": Record<string, unknown>;
  "peer:connect": { peer: string; address: string };
  "peer:disconnect": { peer: string; reason: string };
  /** A listener threw, or its promise was rejected; or the handler of the subscription of this name did. */
  "listener:error": { type: string; error: unknown; subscription?: string };
}

/** The type of an event. */
export type StoreEventType = keyof StoreEvents;
/** A type, or the beginning of some: `"record:*"`, `"*"`. */
export type StoreEventPattern = StoreEventType | "*" | "record:*" | "kv:*" | "event:*" | "blob:*" | "sync:*" | "peer:*";
/** The events that a pattern matches. */
export type StoreEventOf<P extends StoreEventPattern> = P extends StoreEventType
  ? StoreEvents[P]
  : P extends `${infer Start}*`
    ? StoreEvents[Extract<StoreEventType, `${Start}${string}`>]
    : never;
/** Hears an event and its type. What it throws reaches `listener:error`; it never breaks a write. */
export type StoreListener<P extends StoreEventPattern = "*"> = (
  event: StoreEventOf<P>,
  type: StoreEventType,
) => unknown;

/** An event on its way. */
export type Emission = { [T in StoreEventType]: [type: T, event: StoreEvents[T]] }[StoreEventType];

const TYPES: readonly string[] = [
  ...[
    "record:put",
    "record:delete",
    "record:conflict",
    "kv:set",
    "kv:delete",
    "event:append",
    "blob:put",
    "blob:delete",
  ],
  ...["blob:upload:progress", "sync:start", "sync:complete", "sync:error", "sync:offline", "sync:online"],
  ...["peer:connect", "peer:disconnect", "listener:error"],
];

/** A place in the order of commits, held until its commit is known. */
export interface Ticket {
  /** Says how to tell what the commit did; it runs when all before it were told. */
  settle(tell: () => void): void;
}

/**
 * Delivers events in the order in which tickets were taken. Adapters commit in the order of calls, but
 * answers may overtake each other on their way back.
 */
export class Lifecycle {
  readonly #beforeClose = new Set<() => Promise<void>>();
  readonly #listeners = new Set<{ pattern: string; listener: StoreListener<"*"> }>();
  /** Watches of records and kv; told in the same order. */
  readonly watches = new Watches();
  #waiting: { tell: (() => void) | undefined }[] = [];
  /** How many at the front of `#waiting` are delivered already. */
  #delivered = 0;

  /** Whether anybody listens; without, nothing need be reported. */
  get isHeard(): boolean {
    return this.#listeners.size > 0;
  }

  on<P extends StoreEventPattern>(pattern: P, listener: StoreListener<P>): () => void {
    const start = pattern.endsWith("*") ? pattern.slice(0, -1) : undefined;
    if (!TYPES.some((type) => type === pattern || (start !== undefined && type.startsWith(start)))) {
      throw new ValidationError(`no event has the type ${JSON.stringify(pattern)}; the types are ${TYPES.join(", ")}`, {
        code: "UNKNOWN_EVENT",
      });
    }
    const entry = { pattern, listener: listener as StoreListener<"*"> };
    this.#listeners.add(entry);
    return () => {
      this.#listeners.delete(entry);
    };
  }

  /** Takes the next place in the order. */
  reserve(): Ticket {
    const place: { tell: (() => void) | undefined } = { tell: undefined };
    this.#waiting.push(place);
    return {
      settle: (tell) => {
        place.tell = tell;
        this.#deliverSettled();
      },
    };
  }

  emit(emission: Emission): void {
    const [type, event] = emission;
    for (const { pattern, listener } of [...this.#listeners]) {
      const matches = pattern === type || (pattern.endsWith("*") && type.startsWith(pattern.slice(0, -1)));
      if (matches) this.#call(listener, event, type);
    }
  }

  /** Has work done before the store lets go of its adapters. Gives back what takes it off. */
  beforeClose(work: () => Promise<void>): () => void {
    this.#beforeClose.add(work);
    return () => {
      this.#beforeClose.delete(work);
    };
  }

  /** Does what was asked to be done before the close. */
  async prepareClose(): Promise<void> {
    await Promise.all([...this.#beforeClose].map((work) => work()));
  }

  /** Forgets every listener and ends every watch. */
  clear(): void {
    this.#listeners.clear();
    this.watches.close();
  }

  #deliverSettled(): void {
    for (;;) {
      const tell = this.#waiting[this.#delivered]?.tell;
      if (tell === undefined) break;
      this.#delivered += 1;
      tell();
    }
    // Cut only now and then: cutting one at a time would cost the length of the line each time.
    if (this.#delivered < this.#waiting.length / 2) return;
    this.#waiting = this.#waiting.slice(this.#delivered);
    this.#delivered = 0;
  }

  #call(listener: StoreListener<"*">, event: StoreEventOf<"*">, type: StoreEventType): void {
    const failed = (error: unknown) => {
      // A listener of errors that throws has nobody left to tell.
      if (type !== "listener:error") this.emit(["listener:error", { type, error }]);
    };
    try {
      const outcome = listener(event, type);
      if (outcome instanceof Promise) outcome.catch(failed);
    } catch (error) {
      failed(error);
    }
  }
}

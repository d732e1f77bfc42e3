import { ValidationError } from "../errors.js";
import type { native } from "../native.js";
import { checkKey, checkOptions, checkWhole, describe } from "./key.js";
import type { Emission } from "./lifecycle.js";
import { cursorOf, keyOfCursor, ListQuery, type Page } from "./list-query.js";
import type { RawEvent, RawOutcome } from "./port.js";
import { type SubscribeOptions, Subscription } from "./subscription.js";
import { decode, encode } from "./value.js";
import type { Writer } from "./writer.js";

/** An event as it is stored. */
export interface StoredEvent<T> {
  /** Unique in its stream. */
  id: string;
  /** Its stream. */
  stream: string;
  /** Its payload. */
  payload: T;
  /** When it was appended. */
  timestamp: Date;
  /** Its number in the stream, from 1 without gaps. */
  version: number;
  /** Its place among all events: opaque, and sorts as text in the order in which readers see events. */
  position: string;
}

/** Conditions of an append. */
export interface AppendOptions {
  /** Only when the stream has this version (0: it does not exist). Otherwise a ConflictError. */
  expectedVersion?: number;
  /** The event's own id: the same id and payload sent again is stored once. Default: a new UUID. */
  id?: string;
}

/** One of many events. */
export interface AppendItem<T> extends AppendOptions {
  /** The stream. */
  stream: string;
  /** The payload. */
  payload: T;
}

/** Which events to list. */
export interface EventListOptions {
  /** Only of this stream. Default: of all. */
  stream?: string;
  /** Only appended at or after this time: a Date, milliseconds since the epoch, or an ISO string. */
  since?: Date | number | string;
  /** Only behind this event's `position` (before it, when backward). */
  after?: string;
  /** `"forward"` (default): the oldest first. */
  direction?: "forward" | "backward";
  /** At most so many. Default: all when awaited or streamed, 100 a `page()`. */
  limit?: number;
  /** Begins where the page that gave it ended. */
  cursor?: string;
}

/** Which events to read. */
export interface EventReadOptions {
  /** Only of this stream. Default: of all. */
  stream?: string;
  /** Begins behind this event's `position`. Default: with the first event. */
  from?: string;
  /** Goes on with events as they are appended, until the signal. Default false. */
  live?: boolean;
  /** Ends the reading. */
  signal?: AbortSignal;
}

/** How often a live reader looks for what other processes appended, in milliseconds. */
const LOOK_EVERY_MS = 200;
/** The same where the adapter tells it, should the word be lost. */
const LOOK_WHEN_TOLD_EVERY_MS = 2000;
const EVENTS_AT_ONCE = 500;

/** Facts in the order in which they happened. */
export class Events<T = unknown> {
  readonly #writer: Writer;

  /** @internal */
  constructor(writer: Writer) {
    this.#writer = writer;
  }

  /**
   * Appends an event to a stream.
   * @throws ConflictError `VERSION_CONFLICT` or `EVENT_ID_TAKEN`; ValidationError
   */
  async append<V extends T>(stream: string, payload: V, options: AppendOptions = {}): Promise<StoredEvent<V>> {
    const step = appendStep({ ...options, stream, payload });
    return eventOf<V>(await this.#writer.one(step, (outcome) => [appended(outcome)]));
  }

  /** Appends payloads to a stream, or events to several: all or none where `capabilities.atomic`. */
  async appendMany<V extends T>(
    stream: string,
    payloads: readonly V[],
    options?: Pick<AppendOptions, "expectedVersion">,
  ): Promise<StoredEvent<V>[]>;
  async appendMany<V extends T>(items: readonly AppendItem<V>[]): Promise<StoredEvent<V>[]>;
  async appendMany<V extends T>(
    target: string | readonly AppendItem<V>[],
    payloads: readonly V[] = [],
    options: Pick<AppendOptions, "expectedVersion"> = {},
  ): Promise<StoredEvent<V>[]> {
    const items = typeof target === "string" ? payloads.map((payload) => ({ stream: target, payload })) : target;
    if (!Array.isArray(items)) {
      throw new ValidationError(`appendMany takes an array, not ${describe(items)}`, { code: "INVALID_OPTION" });
    }
    const steps = items.map(appendStep);
    const [first] = steps;
    if (first === undefined) return [];
    if (options.expectedVersion !== undefined)
      first.expected = checkWhole(options.expectedVersion, "expectedVersion", 0);
    const outcomes = await this.#writer.commit(steps, (outcomes) => outcomes.map(appended));
    return outcomes.map((outcome) => eventOf<V>(outcome));
  }

  /** Events in the order of their positions. */
  list<V extends T = T>(options: EventListOptions = {}): ListQuery<StoredEvent<V>> {
    const fetch = async (cursor: string | undefined, limit: number): Promise<Page<StoredEvent<V>>> => {
      const found = await this.#writer.port.listEvents(queryOf(options, cursor, limit));
      const page: Page<StoredEvent<V>> = { items: found.items.map((event) => eventOf<V>(event)) };
      if (found.next !== undefined) page.cursor = cursorOf(found.next);
      return page;
    };
    return new ListQuery(fetch, { limit: options.limit, cursor: options.cursor });
  }

  /**
   * Streams events in bounded memory. A live reader ends when its signal is aborted, or with a ClosedError
   * when the store is closed; it does not keep the process alive.
   */
  async *read<V extends T = T>(options: EventReadOptions = {}): AsyncGenerator<StoredEvent<V>, void, undefined> {
    checkOptions(options, ["stream", "from", "live", "signal"]);
    const { stream, live = false, signal } = options;
    let after = options.from;
    while (!isAborted(signal)) {
      const list: EventListOptions = { limit: EVENTS_AT_ONCE };
      if (stream !== undefined) list.stream = stream;
      if (after !== undefined) list.after = after;
      const news = live ? this.#nextAppend(signal) : undefined;
      const { items } = await this.#arrived<V>(list);
      for (const event of items) {
        after = event.position;
        yield event;
        if (isAborted(signal)) return;
      }
      if (items.length > 0) news?.forget();
      else if (news === undefined) return;
      else await news.arrived;
    }
  }

  /**
   * Hands every event to `handler`, one at a time and in order, and remembers under `name` how far it came: the
   * next `subscribe` with this name and stream, also of another process, goes on behind it. At least once: after
   * a crash the last events may come again. A handler that throws is told to `listener:error` and given the
   * same event again, after 0.1 s and ever more, up to 30 s. It does not keep the process alive.
   * @throws ConflictError `SUBSCRIPTION_TAKEN` when this store has it open already; ValidationError
   */
  subscribe<V extends T = T>(
    options: SubscribeOptions,
    handler: (event: StoredEvent<V>) => unknown,
  ): Promise<Subscription> {
    return Subscription.open(this.#writer, (from) => this.read<V>(from), options, handler);
  }

  /** The stream's version; 0 when it does not exist. */
  async version(stream: string): Promise<number> {
    checkKey(stream, "stream");
    return this.#writer.port.streamVersion(stream);
  }

  /** The streams in the order of their names, with their versions. */
  streams(): ListQuery<{ stream: string; version: number }> {
    return new ListQuery(async (cursor, limit) => {
      const after = cursor === undefined ? undefined : keyOfCursor(cursor);
      const { items, next } = await this.#writer.port.streams(after, limit);
      return next === undefined ? { items } : { items, cursor: cursorOf(next) };
    });
  }

  /** The same events, with the type of their payloads. */
  typed<U>(): Events<U> {
    return this as unknown as Events<U>;
  }

  /** The next events in the order in which they came here: what a peer sends late is behind what was read before. */
  async #arrived<V extends T>(options: EventListOptions): Promise<Page<StoredEvent<V>>> {
    const query = { ...queryOf(options, undefined, EVENTS_AT_ONCE), byArrival: true };
    const found = await this.#writer.port.listEvents(query);
    return { items: found.items.map((event) => eventOf<V>(event)) };
  }

  /** Resolves with the next append of this process, after a while, or with the signal. */
  #nextAppend(signal: AbortSignal | undefined): { arrived: Promise<void>; forget: () => void } {
    let forget = () => {};
    const arrived = new Promise<void>((resolve) => {
      const off = this.#writer.lifecycle.on("event:append", () => forget());
      const others = this.#hearOthers(() => forget());
      const timer = setTimeout(() => forget(), others === undefined ? LOOK_EVERY_MS : LOOK_WHEN_TOLD_EVERY_MS);
      timer.unref();
      forget = () => {
        off();
        others?.();
        clearTimeout(timer);
        signal?.removeEventListener("abort", forget);
        resolve();
      };
      signal?.addEventListener("abort", forget, { once: true });
    });
    return { arrived, forget: () => forget() };
  }

  /** Hears of others' appends, where the adapter tells; gives back what ends it. */
  #hearOthers(append: () => void): (() => void) | undefined {
    const { news } = this.#writer;
    if (!news.areTold) return undefined;
    const { begun, stop } = news.hear((told) => {
      if ("gap" in told || told.appended) append();
    });
    // What was appended before it began is looked for when it has; without it, now and then.
    if (!news.haveBegun) begun.then(append, () => {});
    return stop;
  }
}

function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}

function appendStep(item: AppendItem<unknown>): native.StepData {
  const { stream, payload, expectedVersion, id } = item;
  checkKey(stream, "stream");
  checkOptions(item, ["stream", "payload", "expectedVersion", "id"]);
  const step: native.StepData = { kind: "append", space: 0, key: stream, value: encode(payload) };
  if (expectedVersion !== undefined) step.expected = checkWhole(expectedVersion, "expectedVersion", 0);
  if (id !== undefined) {
    checkKey(id, "id");
    step.id = id;
  }
  return step;
}

function queryOf(options: EventListOptions, cursor: string | undefined, limit: number): native.EventQueryData {
  checkOptions(options, ["stream", "since", "after", "direction", "limit", "cursor"]);
  const query: native.EventQueryData = { limit: checkWhole(limit, "limit", 0) };
  if (options.stream !== undefined) {
    checkKey(options.stream, "stream");
    query.stream = options.stream;
  }
  const { direction = "forward" } = options;
  if (direction !== "forward" && direction !== "backward") {
    throw new ValidationError('direction is "forward" or "backward"', { code: "INVALID_OPTION" });
  }
  if (direction === "backward") query.reverse = true;
  if (options.since !== undefined) query.sinceMs = timeOf(options.since);
  const after = cursor === undefined ? options.after : keyOfCursor(cursor);
  if (after !== undefined) query.after = String(after);
  return query;
}

function timeOf(since: Date | number | string): number {
  const time = new Date(since).getTime();
  if (Number.isNaN(time)) {
    throw new ValidationError("since is no time; give a Date, milliseconds, or an ISO string", {
      code: "INVALID_OPTION",
    });
  }
  return Math.max(0, Math.ceil(time));
}

function appended(outcome: RawOutcome): Emission {
  const { stream, payload, id, version, position } = eventOf(outcome);
  return ["event:append", { stream, payload, id, version, position }];
}

function eventOf<V>(raw: RawOutcome | RawEvent): StoredEvent<V> {
  const { id = "", stream = "", timestamp = 0, version = 0, position = "" } = raw;
  return { id, stream, payload: decode(raw.payload) as V, timestamp: new Date(timestamp), version, position };
}

import { randomUUID } from "node:crypto";
import { CapabilityError, ClosedError, ConflictError } from "../errors.js";
import type { native } from "../native.js";
import { CustomBlobs } from "./custom-blobs.js";
import { type Cell, change, entryOf, isLive, versionConflict } from "./custom-cell.js";
import { compareKeys, everything, Firsts, isWithin, orderOf } from "./custom-scan.js";
import { checkBytes, checkKey } from "./key.js";
import type { PersistAdapter } from "./options.js";
import type {
  Capabilities,
  Port,
  RawBlob,
  RawBlobPage,
  RawEntry,
  RawEvent,
  RawOutcome,
  RawPage,
  Reading,
  Space,
  Uploading,
} from "./port.js";

const SPACES = ["records/", "kv/", "checkpoints/"] as const;
const EVENTS = "events/";
const STREAMS = "streams/";
const IDS = "event-ids/";
/** The last position. */
const POSITION = "meta/position";
/** Pages hold no more, whatever the limit. */
const MOST_ITEMS = 1000;

/**
 * All four classes on the four methods of an adapter of the user's own. What it is given to store is plain
 * JSON. Writes of this process happen one after the other; the adapter knows no conditions, so a second
 * process must not write to the same data.
 */
export class CustomPort implements Port {
  readonly capabilities: Capabilities = Object.freeze({
    atomic: false,
    ordered: true,
    presign: false,
    durable: true,
    multiProcess: false,
    notifies: false,
  });
  readonly #adapter: PersistAdapter;
  readonly #blobs: CustomBlobs;
  #line: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  constructor(adapter: PersistAdapter) {
    this.#adapter = adapter;
    this.#blobs = new CustomBlobs(adapter, (work) => this.#exclusively(work));
  }

  async entry(space: Space, key: string): Promise<RawEntry | undefined> {
    const cell = await this.#cell(space, key);
    return isLive(cell, Date.now()) ? entryOf(key, cell) : undefined;
  }

  async value(space: Space, key: string): Promise<unknown> {
    return (await this.entry(space, key))?.value;
  }

  async entries(space: Space, keys: string[]): Promise<(RawEntry | null)[]> {
    const found: (RawEntry | null)[] = [];
    for (const key of keys) found.push((await this.entry(space, key)) ?? null);
    return found;
  }

  async list(space: Space, query: native.ListQueryData): Promise<RawPage<RawEntry>> {
    this.#checkOpen();
    const now = Date.now();
    const limit = Math.min(query.limit, MOST_ITEMS);
    const firsts = new Firsts<RawEntry>(limit + 1, orderOf(query));
    for await (const { key, value } of everything(this.#adapter, SPACES[space])) {
      if (isWithin(key, query) && isLive(value as Cell, now)) firsts.add(entryOf(key, value as Cell));
    }
    return cut(firsts.items, limit, ({ key }) => key, query.keysOnly === true ? withoutValue : same);
  }

  async count(space: Space, query: native.ListQueryData): Promise<number> {
    this.#checkOpen();
    const now = Date.now();
    let count = 0;
    for await (const { key, value } of everything(this.#adapter, SPACES[space])) {
      if (isWithin(key, query) && isLive(value as Cell, now)) count += 1;
    }
    return count;
  }

  commit(steps: native.StepData[], atomic: boolean): Promise<RawOutcome[]> {
    this.#checkOpen();
    if (atomic && steps.length > 1) throw cannot("commit several changes together");
    for (const step of steps) checkLength(step.key);
    return this.#exclusively(async () => {
      const outcomes: RawOutcome[] = [];
      for (const step of steps) outcomes.push(await this.#step(step));
      return outcomes;
    });
  }

  async listEvents(query: native.EventQueryData): Promise<RawPage<RawEvent>> {
    this.#checkOpen();
    const sign = query.reverse === true ? -1 : 1;
    const limit = Math.min(query.limit, MOST_ITEMS);
    const inOrder = (one: RawEvent, other: RawEvent) => sign * compareKeys(one.position, other.position);
    const firsts = new Firsts<RawEvent>(limit + 1, inOrder);
    for await (const { value } of everything(this.#adapter, EVENTS)) {
      const event = value as RawEvent;
      const isBehind = query.after === undefined || sign * compareKeys(event.position, query.after) > 0;
      const isWanted = (query.stream ?? event.stream) === event.stream && event.timestamp >= (query.sinceMs ?? 0);
      if (isBehind && isWanted) firsts.add(event);
    }
    return cut(firsts.items, limit, ({ position }) => position, same);
  }

  async streamVersion(stream: string): Promise<number> {
    this.#checkOpen();
    checkLength(stream);
    return ((await this.#adapter.get(STREAMS + stream)) as number | undefined) ?? 0;
  }

  async streams(after: string | undefined, limit: number): Promise<RawPage<{ stream: string; version: number }>> {
    this.#checkOpen();
    type Found = { stream: string; version: number };
    const firsts = new Firsts<Found>(limit + 1, (one, other) => compareKeys(one.stream, other.stream));
    for await (const { key, value } of everything(this.#adapter, STREAMS)) {
      if (after === undefined || compareKeys(key, after) > 0) firsts.add({ stream: key, version: value as number });
    }
    return cut(firsts.items, limit, ({ stream }) => stream, same);
  }

  async openUpload(key: string, options: native.BlobOptionsData): Promise<Uploading> {
    this.#checkOpen();
    checkLength(key);
    return this.#blobs.upload(key, options);
  }

  async openBlob(key: string, range: native.ByteRangeData | undefined): Promise<Reading | null> {
    this.#checkOpen();
    checkLength(key);
    return this.#blobs.open(key, range);
  }

  async head(key: string): Promise<RawBlob | undefined> {
    this.#checkOpen();
    checkLength(key);
    return this.#blobs.head(key);
  }

  async deleteBlobs(keys: string[]): Promise<boolean[]> {
    this.#checkOpen();
    return this.#blobs.delete(keys);
  }

  async listBlobs(query: native.ListQueryData): Promise<RawBlobPage> {
    this.#checkOpen();
    return this.#blobs.list({ ...query, limit: Math.min(query.limit, MOST_ITEMS) });
  }

  async copyBlob(from: string, to: string): Promise<RawBlob | undefined> {
    this.#checkOpen();
    checkLength(to);
    return this.#blobs.copy(from, to);
  }

  async follow(): Promise<void> {
    throw new CapabilityError("an adapter of your own does not tell what others commit", { code: "NOT_SUPPORTED" });
  }

  presign(): string {
    throw cannot("presign URLs");
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#line;
  }

  async #cell(space: Space, key: string): Promise<Cell | undefined> {
    this.#checkOpen();
    checkLength(key);
    return ((await this.#adapter.get(SPACES[space] + key)) as Cell | null | undefined) ?? undefined;
  }

  async #step(step: native.StepData): Promise<RawOutcome> {
    if (step.kind === "append") return this.#append(step);
    const key = SPACES[step.space as Space] + step.key;
    const cell = ((await this.#adapter.get(key)) as Cell | null | undefined) ?? undefined;
    const { next, outcome } = change(cell, step, Date.now());
    if (next !== undefined) await this.#adapter.put(key, next);
    return outcome;
  }

  async #append(step: native.StepData): Promise<RawOutcome> {
    const { key: stream, id = randomUUID(), expected } = step;
    const payload: unknown = JSON.parse(step.value ?? "null");
    const idKey = `${IDS}${JSON.stringify([stream, id])}`;
    const taken = step.id === undefined ? undefined : ((await this.#adapter.get(idKey)) as string | undefined);
    if (taken !== undefined && taken !== null) {
      const stored = (await this.#adapter.get(EVENTS + taken)) as RawEvent;
      if (JSON.stringify(stored.payload) === JSON.stringify(payload)) return stored;
      const message = `stream ${JSON.stringify(stream)} has another event with id ${JSON.stringify(id)}`;
      throw new ConflictError(message, { code: "EVENT_ID_TAKEN", details: { id } });
    }
    const version = ((await this.#adapter.get(STREAMS + stream)) as number | undefined) ?? 0;
    if (expected !== undefined && expected !== version) throw versionConflict(stream, expected, version);
    const last = ((await this.#adapter.get(POSITION)) as number | undefined) ?? 0;
    const position = String(last + 1).padStart(16, "0");
    const event: RawEvent = {
      id,
      stream,
      payload,
      timestamp: step.updatedAt ?? Date.now(),
      version: version + 1,
      position,
    };
    // The event last: what was counted and not stored leaves a gap in positions, never two events in one place.
    await this.#adapter.put(POSITION, last + 1);
    await this.#adapter.put(EVENTS + position, event);
    await this.#adapter.put(STREAMS + stream, version + 1);
    if (step.id !== undefined) await this.#adapter.put(idKey, position);
    return event;
  }

  /** Runs work after all that was given before it. */
  #exclusively<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#line.then(work);
    this.#line = done.catch(() => {});
    return done;
  }

  #checkOpen(): void {
    if (this.#isClosed) throw new ClosedError("the store is closed; open it again to use it", { code: "CLOSED" });
  }
}

/** A page of the first `limit` items; more of them say where the next one begins. */
function cut<T>(items: T[], limit: number, name: (item: T) => string, turn: (item: T) => T): RawPage<T> {
  const page: RawPage<T> = { items: items.slice(0, limit).map(turn) };
  const last = items[limit - 1];
  if (items.length > limit && last !== undefined) page.next = name(last);
  return page;
}

function same<T>(item: T): T {
  return item;
}

function withoutValue({ value: _, ...rest }: RawEntry): RawEntry {
  return rest;
}

/** The rules of keys that the built-in adapters check in the crates. */
function checkLength(key: string): void {
  checkKey(key);
  checkBytes(key);
}

function cannot(what: string): CapabilityError {
  const message = `a custom adapter can't ${what}; store.capabilities says what it can do`;
  return new CapabilityError(message, { code: "NOT_SUPPORTED" });
}

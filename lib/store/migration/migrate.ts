import { AbortedError, ConflictError, ValidationError } from "../../errors.js";
import type { native } from "../../native.js";
import { checkOptions } from "../key.js";
import { type Port, type RawEntry, type RawEvent, type RawOutcome, type Space, settled } from "../port.js";
import { portsOf, type Store } from "../store.js";
import { copyCheckpoints } from "./checkpoints.js";
import { verify } from "./verify.js";

/** How far a migration came. */
export interface MigrateProgress {
  /** What is being copied, or compared. */
  phase: "records" | "kv" | "events" | "blobs" | "subscriptions" | "verify";
  /** How many of this phase are done. */
  done: number;
  /** How many there are; absent where counting them would cost as much as copying. */
  total?: number;
}

/** How to migrate. */
export interface MigrateOptions {
  /** Hears how far it came, after every page. What it throws ends the migration. */
  onProgress?: (progress: MigrateProgress) => void;
  /** Reads everything back afterwards and compares. Default false. */
  verify?: boolean;
  /** Ends the migration; run it again to go on. */
  signal?: AbortSignal;
}

/** What a migration did: how many were copied, and how many were there already. */
export interface MigrateReport {
  records: { copied: number; kept: number };
  kv: { copied: number; kept: number };
  events: { copied: number; kept: number };
  blobs: { copied: number; kept: number };
  /** Checkpoints of durable subscriptions. */
  subscriptions: { copied: number; kept: number };
  /** Whether everything was read back and found equal. */
  verified: boolean;
}

const ENTRIES_AT_ONCE = 200;
const EVENTS_AT_ONCE = 100;
const BLOBS_AT_ONCE = 100;

/**
 * Copies everything from one store to another: values with their versions, times and expiry, events with their ids,
 * versions and times, blobs with media type and metadata, and how far each durable subscription came.
 *
 * What the destination has already, in the same version or a later one, stays; so a migration that ended half-way is
 * taken up by running it again, and what was written meanwhile is brought over by one more run. Stop the writers of
 * the source before the last one. Memory is bounded by a page of values, or a chunk of a blob.
 *
 * @throws ConflictError `MIGRATION_DIVERGED` when a stream of the destination has other events; IntegrityError
 * `MIGRATION_DIFFERS` when `verify` finds a difference; AbortedError; what either store throws
 */
export async function migrate(source: Store, destination: Store, options: MigrateOptions = {}): Promise<MigrateReport> {
  checkOptions(options, ["onProgress", "verify", "signal"]);
  if (source === destination) {
    throw new ValidationError("source and destination are the same store; give two", { code: "INVALID_OPTION" });
  }
  const [from, to] = [portsOf(source), portsOf(destination)];
  const steps = new Steps(options);
  const report: MigrateReport = {
    records: await copyEntries(from.records, to.records, 0, steps),
    kv: await copyEntries(from.kv, to.kv, 1, steps),
    events: await copyEvents(from.events, to.events, steps),
    blobs: await copyBlobs(from.blobs, to.blobs, steps),
    subscriptions: await copyCheckpoints(from.events, to.events, steps),
    verified: false,
  };
  if (options.verify === true) {
    await verify(source, destination, steps);
    report.verified = true;
  }
  return report;
}

/** Reports each step, and ends at the signal. */
export class Steps {
  readonly #options: MigrateOptions;

  constructor(options: MigrateOptions) {
    this.#options = options;
  }

  report(phase: MigrateProgress["phase"], done: number, total?: number): void {
    this.#options.onProgress?.(total === undefined ? { phase, done } : { phase, done, total });
    if (this.#options.signal?.aborted !== true) return;
    throw new AbortedError("the migration was aborted; run it again to go on", { code: "ABORTED" });
  }
}

async function copyEntries(
  from: Port,
  to: Port,
  space: 0 | 1,
  steps: Steps,
): Promise<{ copied: number; kept: number }> {
  const phase = space === 0 ? "records" : "kv";
  const total = await from.count(space, { limit: 0 });
  let [copied, kept] = [0, 0];
  steps.report(phase, 0, total);
  for await (const entries of pages(from, space)) {
    const found = await to.entries(
      space,
      entries.map(({ key }) => key),
    );
    const missing = entries.filter(({ version }, at) => (found[at]?.version ?? 0) < version);
    const outcomes =
      missing.length === 0
        ? []
        : await to.commit(
            missing.map((entry) => restoreStep(space, entry)),
            false,
          );
    // A version that goes on from a deleted one there is newer: it stays.
    copied += outcomes.filter(({ changed }: RawOutcome) => changed !== false).length;
    kept += entries.length - missing.length;
    steps.report(phase, copied + kept, total);
  }
  return { copied, kept };
}

/** Entries of a space, page by page. */
export async function* pages(port: Port, space: Space): AsyncGenerator<RawEntry[]> {
  let after: string | undefined;
  do {
    const page = await port.list(space, { limit: ENTRIES_AT_ONCE, ...(after === undefined ? {} : { after }) });
    if (page.items.length > 0) yield page.items;
    after = page.next;
  } while (after !== undefined);
}

function restoreStep(space: Space, entry: RawEntry): native.StepData {
  const { key, version, createdAt, updatedAt, expiresAt } = entry;
  const value = JSON.stringify(entry.value);
  const step: native.StepData = { kind: "restore", space, key, value, version, createdAt, updatedAt };
  return expiresAt === undefined ? step : { ...step, expiresAt };
}

async function copyEvents(from: Port, to: Port, steps: Steps): Promise<{ copied: number; kept: number }> {
  const total = await eventCount(from);
  const versions = new Map<string, number>();
  let [copied, kept] = [0, 0];
  let after: string | undefined;
  steps.report("events", 0, total);
  do {
    const page = await from.listEvents({ limit: EVENTS_AT_ONCE, ...(after === undefined ? {} : { after }) });
    const missing: RawEvent[] = [];
    for (const event of page.items) {
      const known = versions.get(event.stream) ?? (await to.streamVersion(event.stream));
      versions.set(event.stream, Math.max(known, event.version));
      if (event.version > known) missing.push(event);
      else if (event.version === 1) await checkFirst(to, event);
    }
    if (missing.length > 0) await append(to, missing);
    copied += missing.length;
    kept += page.items.length - missing.length;
    steps.report("events", copied + kept, total);
    after = page.next;
  } while (after !== undefined);
  return { copied, kept };
}

async function eventCount(port: Port): Promise<number> {
  let count = 0;
  let after: string | undefined;
  do {
    const page = await port.streams(after, ENTRIES_AT_ONCE);
    for (const { version } of page.items) count += version;
    after = page.next;
  } while (after !== undefined);
  return count;
}

async function append(to: Port, events: RawEvent[]): Promise<void> {
  const outcomes = await to.commit(
    events.map(({ stream, payload, id, timestamp }) => {
      return { kind: "append", space: 0, key: stream, value: JSON.stringify(payload), id, updatedAt: timestamp };
    }),
    false,
  );
  const at = events.findIndex(({ version }, place) => outcomes[place]?.version !== version);
  const other = events[at];
  if (other === undefined) return;
  throw diverged(other);
}

/** A stream that begins with another event is another stream. */
async function checkFirst(to: Port, event: RawEvent): Promise<void> {
  const [first] = (await to.listEvents({ stream: event.stream, limit: 1 })).items;
  if (first?.id !== event.id) throw diverged(event);
}

function diverged({ stream, version }: RawEvent): ConflictError {
  const message = `stream ${JSON.stringify(stream)} of the destination has other events; migrate into an empty store`;
  return new ConflictError(message, { code: "MIGRATION_DIVERGED", details: { stream, version } });
}

async function copyBlobs(from: Port, to: Port, steps: Steps): Promise<{ copied: number; kept: number }> {
  let [copied, kept] = [0, 0];
  let after: string | undefined;
  steps.report("blobs", 0);
  do {
    const page = await from.listBlobs({ limit: BLOBS_AT_ONCE, ...(after === undefined ? {} : { after }) });
    for (const { key, size, updatedAt } of page.items) {
      const there = await to.head(key);
      if (there !== undefined && there.size === size && there.updatedAt >= updatedAt) kept += 1;
      else if (await copyBlob(from, to, key)) copied += 1;
      steps.report("blobs", copied + kept);
    }
    after = page.next;
  } while (after !== undefined);
  return { copied, kept };
}

/** Streams a blob over; false when it is gone meanwhile. */
async function copyBlob(from: Port, to: Port, key: string): Promise<boolean> {
  const reading = await from.openBlob(key, undefined);
  if (reading === null) return false;
  const { size, contentType, metadata } = JSON.parse(reading.info()) as native.BlobOptionsData;
  const options: native.BlobOptionsData = { size: size ?? 0, metadata: metadata ?? {} };
  const upload = await to.openUpload(key, contentType === undefined ? options : { ...options, contentType });
  try {
    for (let chunk = await settled(reading.next()); chunk !== null; chunk = await settled(reading.next())) {
      await settled(upload.write(chunk));
    }
    await settled(upload.finish());
    return true;
  } catch (error) {
    await settled(upload.abort()).catch(() => {});
    throw error;
  } finally {
    await settled(reading.cancel());
  }
}

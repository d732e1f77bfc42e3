import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { IntegrityError } from "../../errors.js";
import type { Port, RawEntry, RawEvent } from "../port.js";
import { portsOf, type Store } from "../store.js";
import { pages, type Steps } from "./migrate.js";

const EVENTS_AT_ONCE = 200;
/** How many differences an error names. */
const MOST_NAMED = 10;

/** Reads both stores and compares all that a migration copies. */
export async function verify(source: Store, destination: Store, steps: Steps): Promise<void> {
  const [from, to] = [portsOf(source), portsOf(destination)];
  const differences: string[] = [];
  let done = 0;
  const compared = (what: string, isEqual: boolean) => {
    done += 1;
    if (!isEqual) differences.push(what);
  };
  for (const [space, name, one, other] of [
    [0, "record", from.records, to.records],
    [1, "kv", from.kv, to.kv],
  ] as const) {
    for await (const entries of pages(one, space)) {
      const keys = entries.map(({ key }) => key);
      const found = await other.entries(space, keys);
      for (const [at, entry] of entries.entries())
        compared(`${name} ${entry.key}`, isSame(entry, found[at] ?? undefined));
      steps.report("verify", done);
    }
  }
  await compareEvents(from.events, to.events, compared, () => steps.report("verify", done));
  for await (const { key } of source.blobs.list()) {
    const [one, other] = await Promise.all([digestOf(source, key), digestOf(destination, key)]);
    compared(`blob ${key}`, one === undefined || isDeepStrictEqual(one, other));
    steps.report("verify", done);
  }
  if (differences.length === 0) return;
  const named = differences.slice(0, MOST_NAMED);
  const message = `${differences.length} differ after the migration, first ${named[0]}; was the source written meanwhile? Run it again`;
  throw new IntegrityError(message, {
    code: "MIGRATION_DIFFERS",
    details: { count: differences.length, differences: named },
  });
}

/** The destination's is equal, or newer; what has expired meanwhile need not be there. */
function isSame(entry: RawEntry, found: RawEntry | undefined): boolean {
  if (found === undefined) return entry.expiresAt !== undefined && entry.expiresAt <= Date.now();
  return found.version > entry.version || isDeepStrictEqual(found, entry);
}

async function compareEvents(
  from: Port,
  to: Port,
  compared: (what: string, isEqual: boolean) => void,
  report: () => void,
): Promise<void> {
  let after: string | undefined;
  do {
    const page = await from.streams(after, EVENTS_AT_ONCE);
    for (const { stream } of page.items) {
      const others = eventsOf(to, stream);
      for await (const event of eventsOf(from, stream)) {
        const { value: other } = await others.next();
        compared(`event ${event.version} of ${stream}`, isDeepStrictEqual(factOf(event), other && factOf(other)));
      }
      await others.return(undefined);
      report();
    }
    after = page.next;
  } while (after !== undefined);
}

/** An event without its position, which is a store's own. */
function factOf({ position: _, ...fact }: RawEvent): Omit<RawEvent, "position"> {
  return fact;
}

async function* eventsOf(port: Port, stream: string): AsyncGenerator<RawEvent, undefined> {
  let after: string | undefined;
  do {
    const page = await port.listEvents({ stream, limit: EVENTS_AT_ONCE, ...(after === undefined ? {} : { after }) });
    yield* page.items;
    after = page.next;
  } while (after !== undefined);
  return undefined;
}

/** What a blob is, its content as a digest; `undefined` when it isn't there. */
async function digestOf(store: Store, key: string): Promise<object | undefined> {
  if (!(await store.blobs.has(key))) return undefined;
  const blob = await store.blobs.get(key);
  const hash = createHash("sha256");
  for await (const chunk of blob.stream()) hash.update(chunk);
  const { size, contentType, metadata } = blob;
  return { size, contentType, metadata: { ...metadata }, digest: hash.digest("hex") };
}

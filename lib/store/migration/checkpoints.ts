import type { Port } from "../port.js";
import { pages, type Steps } from "./migrate.js";

/** What a durable subscription remembers; see `checkpoint.ts`. */
interface Stored {
  name: string;
  stream?: string;
  position: string;
}

const SPACE = 2;
const EVENTS_AT_ONCE = 500;

/**
 * Copies how far each subscription came. Positions are a store's own: each is looked up as the event that it stands
 * for. A subscription that the destination knows already goes on from where it is there.
 */
export async function copyCheckpoints(from: Port, to: Port, steps: Steps): Promise<{ copied: number; kept: number }> {
  let [copied, kept] = [0, 0];
  for await (const entries of pages(from, SPACE)) {
    for (const { key, value } of entries) {
      if ((await to.entry(SPACE, key)) === undefined) {
        const stored = value as Stored;
        const position = await positionOf(from, to, stored);
        const moved = JSON.stringify({ ...stored, position });
        if (position !== undefined)
          await to.commit([{ kind: "put", space: SPACE, key, value: moved, expected: 0 }], false);
        copied += 1;
      } else kept += 1;
      steps.report("subscriptions", copied + kept);
    }
  }
  return { copied, kept };
}

/** Where the last event that the checkpoint covers lies at the destination. */
async function positionOf(from: Port, to: Port, { stream, position }: Stored): Promise<string | undefined> {
  const behind = String(BigInt(position) + 1n).padStart(position.length, "0");
  const query = { limit: 1, reverse: true, after: behind };
  const [last] = (await from.listEvents(stream === undefined ? query : { ...query, stream })).items;
  if (last === undefined) return undefined;
  let after: string | undefined;
  do {
    const page = await to.listEvents({
      stream: last.stream,
      limit: EVENTS_AT_ONCE,
      ...(after === undefined ? {} : { after }),
    });
    const found = page.items.find(({ version }) => version === last.version);
    if (found !== undefined) return found.position;
    after = page.next;
  } while (after !== undefined);
  return undefined;
}

import { type BlobPutOptions, PersistError, type Store } from "holdfast";
import type { Operation, When } from "./operations.js";
import { type Oracle, Refusal } from "./oracle.js";

/** Does the call on a store, under `own`, a prefix of its own; answers as the oracle does. */
export async function perform(store: Store, operation: Operation, oracle: Oracle, own: string): Promise<unknown> {
  try {
    return await call(store, operation, oracle, own);
  } catch (error) {
    if (!(error instanceof PersistError)) throw error;
    return new Refusal(error.code);
  }
}

async function call(store: Store, operation: Operation, oracle: Oracle, own: string): Promise<unknown> {
  const { records, kv } = store;
  const bare = ({ key, value, version }: { key: string; value: unknown; version: number }) => {
    return { key: key.slice(own.length), value, version };
  };
  const within = <R extends { prefix?: string; start?: string; end?: string }>(range: R) => ({
    ...range,
    prefix: own + (range.prefix ?? ""),
    ...(range.start === undefined ? {} : { start: own + range.start }),
    ...(range.end === undefined ? {} : { end: own + range.end }),
  });
  switch (operation.call) {
    case "put": {
      const { key, value, when } = operation;
      return bare(await records.put(own + key, value, condition(when, oracle.records.versions.get(key))));
    }
    case "putMany":
      return (await records.putMany(operation.items.map((item) => ({ ...item, key: own + item.key })))).map(bare);
    case "delete": {
      const { key, when } = operation;
      const { ifVersion } = condition(when, oracle.records.versions.get(key));
      return records.delete(own + key, ifVersion === undefined ? {} : { ifVersion: ifVersion as number });
    }
    case "deleteMany":
      return records.deleteMany(operation.keys.map((key) => own + key));
    case "deletePrefix":
      return kv.deleteMany({ prefix: own + operation.prefix });
    case "find": {
      const found = await records.find(own + operation.key);
      return found === undefined ? undefined : bare(found);
    }
    case "getMany": {
      const found = await records.getMany(operation.keys.map((key) => own + key));
      return found.map((record) => (record === undefined ? undefined : bare(record)));
    }
    case "list":
      return (await records.list(within(operation.range))).map(bare);
    case "pages":
      return (await pages(store, within(operation.range), operation.limit)).map((key) => key.slice(own.length));
    case "count":
      return records.count(within(operation.range));
    case "set": {
      const { key, value, when } = operation;
      return kv.set(own + key, value, condition(when, oracle.kv.versions.get(key)));
    }
    case "increment":
      return kv.increment(own + operation.key, operation.by);
    case "value":
      return kv.get(own + operation.key);
    case "atomic": {
      const { check, when, put, set, append, value } = operation;
      const { ifVersion } = condition(when, oracle.records.versions.get(check));
      const changes = store.atomic();
      if (ifVersion !== undefined) changes.check(own + check, ifVersion);
      return changes
        .put(own + put, value)
        .set(own + set, value)
        .append(own + append, value)
        .commit();
    }
    case "append": {
      const { stream, payload, when, id } = operation;
      const length = oracle.streams.get(stream)?.length ?? 0;
      const expectedVersion = { any: undefined, absent: 0, current: length, stale: length + 7 }[when];
      const options = {
        ...(expectedVersion === undefined ? {} : { expectedVersion }),
        ...(id === undefined ? {} : { id }),
      };
      return (await store.events.append(own + stream, payload, options)).version;
    }
    case "events": {
      const { stream, direction, skip } = operation;
      const found = await store.events.list({ stream: own + stream, direction });
      const after = found[skip - 1]?.position;
      if (skip > 0 && after === undefined) return [];
      const rest = after === undefined ? found : await store.events.list({ stream: own + stream, direction, after });
      return rest.map(({ payload, version }) => ({ payload, version }));
    }
    default:
      return callOnBlobs(store, operation, own);
  }
}

async function callOnBlobs({ blobs }: Store, operation: Operation, own: string): Promise<unknown> {
  switch (operation.call) {
    case "putBlob": {
      const { key, bytes, when } = operation;
      const etag = when === "current" ? ((await blobs.head(own + key))?.etag ?? "none") : "none";
      const conditions: Record<When, BlobPutOptions> = {
        any: {},
        absent: { ifNoneMatch: true },
        current: { ifMatch: etag },
        stale: { ifMatch: "none" },
      };
      return (await blobs.put(own + key, bytes, conditions[when])).size;
    }
    case "blob": {
      const { key, start, length } = operation;
      const blob = await blobs.get(own + key, { range: { start, end: start + length - 1 } });
      return new Uint8Array(await blob.bytes());
    }
    case "deleteBlob":
      return blobs.delete(own + operation.key);
    case "copyBlob":
      return (await blobs.copy(own + operation.from, own + operation.to)).size;
    case "blobs": {
      const { delimiter, range } = operation;
      const { limit = Number.POSITIVE_INFINITY, ...rest } = range;
      const names: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await blobs
          .list({
            ...rest,
            prefix: own + (range.prefix ?? ""),
            ...(range.start === undefined ? {} : { start: own + range.start }),
            ...(range.end === undefined ? {} : { end: own + range.end }),
            ...(delimiter === undefined ? {} : { delimiter }),
            ...(cursor === undefined ? {} : { cursor }),
            limit: 3,
          })
          .page();
        const found = [...page.items.map(({ key }) => key), ...page.prefixes.map((prefix) => `${prefix}*`)];
        const compare = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));
        // A page gives keys and prefixes apart; together they are in order.
        found.sort((a, b) => compare(a.replace(/\*$/, ""), b.replace(/\*$/, "")) * (range.reverse === true ? -1 : 1));
        names.push(...found.map((name) => name.slice(own.length)));
        cursor = page.cursor;
      } while (cursor !== undefined);
      return names.slice(0, limit);
    }
    default:
      return undefined;
  }
}

function condition(when: When, version: number | undefined): { ifVersion?: number | null } {
  if (when === "any") return {};
  if (when === "absent") return { ifVersion: null };
  return { ifVersion: when === "current" ? (version ?? 1) : (version ?? 0) + 7 };
}

async function pages(store: Store, range: object, limit: number): Promise<string[]> {
  const keys: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await store.records.list({ ...range, limit, ...(cursor === undefined ? {} : { cursor }) }).page();
    keys.push(...page.items.map(({ key }) => key));
    cursor = page.cursor;
  } while (cursor !== undefined);
  return keys;
}

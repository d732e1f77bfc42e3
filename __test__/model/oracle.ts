import { Buffer } from "node:buffer";
import type { Operation, Range, When } from "./operations.js";

interface Cell {
  value: unknown;
  version: number;
}

/** A space of keys: what is there, and the last version of what was. */
class Space {
  readonly live = new Map<string, Cell>();
  readonly versions = new Map<string, number>();

  /** Why a condition does not hold, as a code. */
  refuses(key: string, when: When): string | undefined {
    const exists = this.live.has(key);
    const holds = { any: true, absent: !exists, current: exists, stale: false }[when];
    return holds ? undefined : "VERSION_CONFLICT";
  }

  put(key: string, value: unknown): Cell {
    const version = (this.versions.get(key) ?? 0) + 1;
    this.versions.set(key, version);
    const cell = { value, version };
    this.live.set(key, cell);
    return cell;
  }
}

/** An event as far as a test can know it beforehand. */
interface Fact {
  payload: unknown;
  version: number;
  id?: string;
}

/** A refusal, as a store's error is compared with it. */
export class Refusal {
  constructor(readonly code: string) {}
}

/** What a store should be: everything in plain maps. */
export class Oracle {
  readonly records = new Space();
  readonly kv = new Space();
  readonly blobs = new Map<string, Uint8Array>();
  readonly streams = new Map<string, Fact[]>();

  /** What the call should answer. */
  answer(operation: Operation, isAtomic: boolean): unknown {
    switch (operation.call) {
      case "put": {
        const { key, value, when } = operation;
        return refused(this.records.refuses(key, when)) ?? { key, ...this.records.put(key, value) };
      }
      case "putMany":
        return operation.items.map(({ key, value }) => ({ key, ...this.records.put(key, value) }));
      case "delete": {
        const { key, when } = operation;
        // A delete without a record is no conflict unless a version is asked for.
        return refused(this.records.refuses(key, when)) ?? this.records.live.delete(key);
      }
      case "deleteMany":
        return new Set(operation.keys.filter((key) => this.records.live.delete(key))).size;
      case "deletePrefix":
        return inside(this.kv.live.keys(), { prefix: operation.prefix }).filter((key) => this.kv.live.delete(key))
          .length;
      case "find":
        return this.#record(operation.key);
      case "getMany":
        return operation.keys.map((key) => this.#record(key));
      case "list":
        return inside(this.records.live.keys(), operation.range).map((key) => this.#record(key));
      case "pages":
        return inside(this.records.live.keys(), operation.range);
      case "count":
        return inside(this.records.live.keys(), operation.range).length;
      case "set": {
        const { key, value, when } = operation;
        const refusal = refused(this.kv.refuses(key, when));
        if (refusal === undefined) this.kv.put(key, value);
        return refusal;
      }
      case "increment":
        return this.#increment(operation.key, operation.by);
      case "value":
        return this.kv.live.get(operation.key)?.value;
      case "atomic":
        return isAtomic ? this.#atomic(operation) : new Refusal("NOT_SUPPORTED");
      case "append":
        return this.#append(operation);
      case "events": {
        const facts = this.streams.get(operation.stream) ?? [];
        const ordered = operation.direction === "forward" ? facts : [...facts].reverse();
        return ordered.slice(operation.skip).map(({ payload, version }) => ({ payload, version }));
      }
      default:
        return this.#answerOnBlobs(operation);
    }
  }

  #answerOnBlobs(operation: Operation): unknown {
    switch (operation.call) {
      case "putBlob": {
        const { key, bytes, when } = operation;
        const exists = this.blobs.has(key);
        const holds = { any: true, absent: !exists, current: exists, stale: false }[when];
        if (!holds) return new Refusal("BLOB_CHANGED");
        this.blobs.set(key, bytes);
        return bytes.length;
      }
      case "blob": {
        const { key, start, length } = operation;
        const bytes = this.blobs.get(key);
        if (bytes === undefined) return new Refusal("BLOB_NOT_FOUND");
        return start >= bytes.length ? new Refusal("INVALID_RANGE") : bytes.slice(start, start + length);
      }
      case "deleteBlob":
        return this.blobs.delete(operation.key);
      case "copyBlob": {
        const bytes = this.blobs.get(operation.from);
        if (bytes === undefined) return new Refusal("BLOB_NOT_FOUND");
        this.blobs.set(operation.to, bytes);
        return bytes.length;
      }
      case "blobs": {
        const { limit, ...range } = operation.range;
        const folded = fold(inside(this.blobs.keys(), range), range.prefix ?? "", operation.delimiter);
        return limit === undefined ? folded : folded.slice(0, limit);
      }
      default:
        return undefined;
    }
  }

  #record(key: string): (Cell & { key: string }) | undefined {
    const cell = this.records.live.get(key);
    return cell === undefined ? undefined : { key, ...cell };
  }

  #increment(key: string, by: number): unknown {
    const cell = this.kv.live.get(key);
    // Nothing counts as 0; a null that was set is no number.
    const value = cell === undefined ? 0 : cell.value;
    if (typeof value !== "number" || !Number.isFinite(value + by) || Object.is(value, -0))
      return new Refusal("NOT_A_NUMBER");
    this.kv.put(key, value + by);
    return value + by;
  }

  #atomic(operation: Extract<Operation, { call: "atomic" }>): unknown {
    const { check, when, put, set, append, value } = operation;
    const refusal = refused(when === "any" ? undefined : this.records.refuses(check, when));
    if (refusal !== undefined) return refusal;
    this.records.put(put, value);
    this.kv.put(set, value);
    this.#append({ call: "append", stream: append, payload: value, when: "any" });
    return undefined;
  }

  #append({ stream, payload, when, id }: Extract<Operation, { call: "append" }>): unknown {
    const facts = this.streams.get(stream) ?? [];
    const known = id === undefined ? undefined : facts.find((fact) => fact.id === id);
    if (known !== undefined) return known.payload === payload ? known.version : new Refusal("EVENT_ID_TAKEN");
    const holds = { any: true, absent: facts.length === 0, current: true, stale: false }[when];
    if (!holds) return new Refusal("VERSION_CONFLICT");
    const version = facts.length + 1;
    this.streams.set(stream, [...facts, { payload, version, ...(id === undefined ? {} : { id }) }]);
    return version;
  }
}

function refused(code: string | undefined): Refusal | undefined {
  return code === undefined ? undefined : new Refusal(code);
}

/** The keys of a range, in the order of their bytes. */
export function inside(keys: Iterable<string>, { prefix = "", start, end, reverse = false, limit }: Range): string[] {
  const compare = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));
  const found = [...keys]
    .filter((key) => key.startsWith(prefix))
    .filter((key) => start === undefined || compare(key, start) >= 0)
    .filter((key) => end === undefined || compare(key, end) < 0)
    .sort(compare);
  return (reverse ? found.reverse() : found).slice(0, limit);
}

/** Keys, and what a delimiter folds, in the order in which each first comes. */
function fold(keys: string[], prefix: string, delimiter: string | undefined): string[] {
  if (delimiter === undefined) return keys;
  const names = keys.map((key) => {
    const at = key.indexOf(delimiter, prefix.length);
    return at < 0 ? key : `${key.slice(0, at + delimiter.length)}*`;
  });
  return [...new Set(names)];
}

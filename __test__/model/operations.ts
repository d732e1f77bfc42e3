import fc from "fast-check";

/** A condition on a version: what stands there now, or something that does not. */
export type When = "any" | "absent" | "current" | "stale";

/** Which keys a list is asked for. */
export interface Range {
  prefix?: string;
  start?: string;
  end?: string;
  reverse?: boolean;
  limit?: number;
}

/** One call of a store. */
export type Operation =
  | { call: "put"; key: string; value: unknown; when: When }
  | { call: "putMany"; items: { key: string; value: unknown }[] }
  | { call: "delete"; key: string; when: When }
  | { call: "deleteMany"; keys: string[] }
  | { call: "deletePrefix"; prefix: string }
  | { call: "find"; key: string }
  | { call: "getMany"; keys: string[] }
  | { call: "list"; range: Range }
  | { call: "pages"; range: Range; limit: number }
  | { call: "count"; range: Pick<Range, "prefix" | "start" | "end"> }
  | { call: "set"; key: string; value: unknown; when: When }
  | { call: "increment"; key: string; by: number }
  | { call: "value"; key: string }
  | { call: "atomic"; check: string; when: When; put: string; set: string; append: string; value: unknown }
  | { call: "append"; stream: string; payload: unknown; when: When; id?: string }
  | { call: "events"; stream: string; direction: "forward" | "backward"; skip: number }
  | { call: "putBlob"; key: string; bytes: Uint8Array; when: When }
  | { call: "blob"; key: string; start: number; length: number }
  | { call: "deleteBlob"; key: string }
  | { call: "copyBlob"; from: string; to: string }
  | { call: "blobs"; range: Range; delimiter?: string }
  | { call: "reopen" };

/** Few, so that calls meet; odd, so that orders and prefixes are put to the test. */
const KEYS = [
  "a",
  "a/",
  "a/b",
  "a/b/c",
  "a/c",
  "a0",
  "ab",
  "b",
  "b/\u00ff",
  "\u00e9",
  "\u07ff",
  "\uffff",
  "\u{10000}",
  "\u{1f600}",
  " ",
  "%2f",
];
const STREAMS = ["s", "s/1", "\u00fc"];

const key = fc.constantFrom(...KEYS);
/** The AWS SDK takes a key of blanks alone for one that was left out, so that no object on S3 has such a key. */
const blobKey = fc.constantFrom(...KEYS.filter((name) => name.trim() !== ""));
const stream = fc.constantFrom(...STREAMS);
const when = fc.constantFrom<When>("any", "any", "absent", "current", "stale");
const value = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.date({ noInvalidDate: true }),
  fc.bigInt(),
  fc.constantFrom(Number.NaN, -0, Number.POSITIVE_INFINITY, undefined, ""),
  fc.uint8Array({ maxLength: 20 }),
  fc.string({ unit: "binary", maxLength: 30 }),
  fc.array(fc.string({ maxLength: 5 })).map((texts) => new Set(texts)),
);
const defined = value.filter((it) => it !== undefined);
const range: fc.Arbitrary<Range> = fc.record(
  {
    prefix: fc.constantFrom("", "a", "a/", "b/", "\u07ff", "\uffff", "none"),
    start: key,
    end: key,
    reverse: fc.boolean(),
    limit: fc.integer({ min: 1, max: 5 }),
  },
  { requiredKeys: [] },
);
const bounds = range.map(({ reverse: _, limit: __, ...rest }) => rest);
/** Around the sizes at which adapters cut: 256 KiB. */
const bytes = fc
  .tuple(fc.constantFrom(0, 1, 10, 262_143, 262_144, 262_145, 600_000), fc.integer({ min: 0, max: 255 }))
  .map(([length, seed]) => Uint8Array.from({ length }, (_, at) => (at * 31 + seed + (at >> 8)) & 255));

const call = <C extends Operation["call"]>(name: C, fields: { [F in string]: fc.Arbitrary<unknown> }, weight = 2) => ({
  weight,
  arbitrary: fc.record({ call: fc.constant(name), ...fields }) as unknown as fc.Arbitrary<Operation>,
});

const items = fc.array(fc.record({ key, value: defined }), { maxLength: 5 });
const keys = fc.array(key, { maxLength: 5 });

/** A random call. */
export const operation: fc.Arbitrary<Operation> = fc.oneof(
  call("put", { key, value: defined, when }, 6),
  call("putMany", { items }),
  call("delete", { key, when }, 3),
  call("deleteMany", { keys }),
  call("deletePrefix", { prefix: fc.constantFrom("a/", "b", "none") }, 1),
  call("find", { key }, 3),
  call("getMany", { keys }),
  call("list", { range }, 4),
  call("pages", { range: bounds, limit: fc.integer({ min: 1, max: 4 }) }),
  call("count", { range: bounds }),
  call("set", { key, value: defined, when }, 4),
  call("increment", { key, by: fc.integer({ min: -5, max: 5 }) }, 3),
  call("value", { key }),
  call("atomic", { check: key, when, put: key, set: key, append: stream, value: defined }),
  call("append", { stream, payload: defined, when }, 4),
  call("append", { stream, payload: fc.constantFrom(1, 2), when: fc.constant("any"), id: fc.constantFrom("x", "y") }),
  call(
    "events",
    { stream, direction: fc.constantFrom("forward", "backward"), skip: fc.integer({ min: 0, max: 3 }) },
    3,
  ),
  call("putBlob", { key: blobKey, bytes, when }, 3),
  call(
    "blob",
    { key: blobKey, start: fc.integer({ min: 0, max: 300_000 }), length: fc.integer({ min: 1, max: 300_000 }) },
    2,
  ),
  call("deleteBlob", { key: blobKey }),
  call("copyBlob", { from: blobKey, to: blobKey }),
  {
    weight: 3,
    arbitrary: fc.record(
      { call: fc.constant("blobs" as const), range, delimiter: fc.constantFrom("/", "a") },
      { requiredKeys: ["call", "range"] },
    ) as fc.Arbitrary<Operation>,
  },
  call("reopen", {}, 1),
);

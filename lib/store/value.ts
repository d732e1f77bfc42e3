import { ValidationError } from "../errors.js";

/**
 * Values as JSON text. Plain JSON is stored as it is. A value that holds more than JSON can say is stored as
 * `{"$holdfast": tree}`, in whose tree an object with one key that starts with `$` is a tag:
 * `{"$date": iso | null}`, `{"$bytes": base64}`, `{"$map": [[k, v]]}`, `{"$set": [v]}`, `{"$bigint": "1"}`,
 * `{"$undefined": true}`, `{"$number": "NaN" | "Infinity" | "-Infinity" | "-0"}`, and `{"$object": {…}}` for a
 * user's object that looks like a tag. What is stored is never changed by a later release.
 */
const ENVELOPE = "$holdfast";

/** Deeper values are refused: what reads them would run out of stack. */
const MAX_DEPTH = 200;

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/**
 * A value as JSON text.
 * @throws ValidationError `INVALID_VALUE` for functions, symbols, cycles and what can't come back equal.
 */
export function encode(value: unknown): string {
  if (value === undefined) throw invalid("undefined can't be stored by itself; delete the entry, or store null", []);
  if (isPlain(value, [], [])) return JSON.stringify(value);
  return JSON.stringify({ [ENVELOPE]: tagged(value) });
}

/** The value of parsed JSON; plain JSON comes back as it is. */
export function decode(json: unknown): unknown {
  if (!isObject(json) || !Object.hasOwn(json, ENVELOPE) || Object.keys(json).length !== 1) return json;
  return untagged(json[ENVELOPE] as Json);
}

/** Whether JSON can say the value; refuses what nothing can say. `path` says where in a message. */
function isPlain(value: unknown, path: (string | number)[], above: object[]): boolean {
  switch (typeof value) {
    case "string":
    case "boolean":
      return true;
    case "number":
      return Number.isFinite(value) && !Object.is(value, -0);
    case "undefined":
    case "bigint":
      return false;
    case "object":
      return value === null || isPlainObject(value, path, above);
    default:
      throw invalid(`a ${typeof value} can't be stored; leave it out`, path);
  }
}

function isPlainObject(value: object, path: (string | number)[], above: object[]): boolean {
  if (above.includes(value)) throw invalid("a value that contains itself can't be stored; break the cycle", path);
  if (above.length >= MAX_DEPTH)
    throw invalid(`more than ${MAX_DEPTH} levels can't be stored; flatten the value`, path);
  above.push(value);
  let plain = true;
  for (const [name, part] of partsOf(value, path)) {
    path.push(name);
    if (!isPlain(part, path, above)) plain = false;
    path.pop();
  }
  above.pop();
  if (Array.isArray(value)) return plain;
  if (isSpecial(value)) return false;
  if (typeof (value as { toJSON?: unknown }).toJSON === "function") return false;
  const keys = Object.keys(value);
  return plain && !(keys.length === 1 && keys[0] === ENVELOPE) && !keys.includes("__proto__");
}

function isSpecial(value: object): value is Date | Uint8Array | Map<unknown, unknown> | Set<unknown> {
  return value instanceof Date || value instanceof Uint8Array || value instanceof Map || value instanceof Set;
}

/** The parts of an object that are stored, by name. Refuses objects whose content can't be seen. */
function partsOf(value: object, path: (string | number)[]): Iterable<[string | number, unknown]> {
  if (Array.isArray(value)) return value.entries();
  if (value instanceof Date || value instanceof Uint8Array) return [];
  if (value instanceof Map) return [...value].flat().entries();
  if (value instanceof Set) return [...value].entries();
  const json = (value as { toJSON?: unknown }).toJSON;
  if (typeof json === "function") return [["toJSON()", json.call(value, "")]];
  const type = Object.prototype.toString.call(value).slice(8, -1);
  if (type !== "Object") throw invalid(`${article(type)} can't be stored; turn it into plain data first`, path);
  const symbols = Object.getOwnPropertySymbols(value);
  if (symbols.length > 0) throw invalid("a property named by a symbol can't be stored; leave it out", path);
  return Object.entries(value);
}

function tagged(value: unknown): Json {
  switch (typeof value) {
    case "string":
    case "boolean":
      return value;
    case "number":
      if (Number.isFinite(value) && !Object.is(value, -0)) return value;
      return { $number: Object.is(value, -0) ? "-0" : String(value) };
    case "undefined":
      return { $undefined: true };
    case "bigint":
      return { $bigint: value.toString() };
    default:
      return value === null ? null : taggedObject(value as object);
  }
}

function taggedObject(value: object): Json {
  if (Array.isArray(value)) return Array.from(value, tagged);
  if (value instanceof Date) return { $date: Number.isNaN(value.getTime()) ? null : value.toISOString() };
  if (value instanceof Uint8Array) {
    return { $bytes: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64") };
  }
  if (value instanceof Map) return { $map: Array.from(value, ([key, part]) => [tagged(key), tagged(part)]) };
  if (value instanceof Set) return { $set: Array.from(value, tagged) };
  const json = (value as { toJSON?: unknown }).toJSON;
  if (typeof json === "function") return tagged(json.call(value, ""));
  const object = objectOf(Object.entries(value).map(([key, part]) => [key, tagged(part)]));
  const keys = Object.keys(object);
  return keys.length === 1 && keys[0]?.startsWith("$") ? { $object: object } : object;
}

function untagged(json: Json): unknown {
  if (Array.isArray(json)) return json.map(untagged);
  if (!isObject(json)) return json;
  const keys = Object.keys(json);
  const tag = keys.length === 1 ? keys[0] : undefined;
  if (tag?.startsWith("$")) return fromTag(tag, json[tag] as Json);
  return objectOf(Object.entries(json).map(([key, part]) => [key, untagged(part)]));
}

function fromTag(tag: string, content: Json): unknown {
  switch (tag) {
    case "$date":
      return new Date(content === null ? Number.NaN : String(content));
    case "$bytes":
      return new Uint8Array(Buffer.from(String(content), "base64"));
    case "$map":
      return new Map((content as [Json, Json][]).map(([key, part]) => [untagged(key), untagged(part)]));
    case "$set":
      return new Set((content as Json[]).map(untagged));
    case "$bigint":
      return BigInt(String(content));
    case "$undefined":
      return undefined;
    case "$number":
      return Number(content);
    case "$object":
      return objectOf(Object.entries(content as { [key: string]: Json }).map(([key, part]) => [key, untagged(part)]));
    default:
      throw new ValidationError(
        `a stored value has the tag ${tag}, which this release does not know; update to read it`,
        {
          code: "UNKNOWN_TAG",
        },
      );
  }
}

/** An object with these properties, also one named `__proto__`. */
function objectOf<T>(entries: [string, T][]): { [key: string]: T } {
  return Object.fromEntries(entries);
}

function isObject(value: unknown): value is { [key: string]: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function article(type: string): string {
  return `${/^[AEIOU]/.test(type) ? "an" : "a"} ${type}`;
}

function invalid(what: string, path: readonly (string | number)[]): ValidationError {
  const place = path.length === 0 ? "" : ` (at ${path.join(".")})`;
  return new ValidationError(`${what}${place}; nothing was written`, { code: "INVALID_VALUE" });
}

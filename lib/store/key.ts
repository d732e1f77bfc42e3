import { ValidationError } from "../errors.js";

/** Strings know whether they are well-formed since Node 20. */
type Checkable = string & { isWellFormed(): boolean };

/**
 * Refuses what is no text, and text with half a surrogate pair, which UTF-8 can't say. The other rules of
 * keys (1 to 1,024 bytes, no NUL) are checked where they are used.
 * @throws ValidationError `INVALID_KEY`
 */
export function checkKey(key: unknown, what = "key"): asserts key is string {
  if (typeof key !== "string") {
    throw new ValidationError(`a ${what} is a string, not ${describe(key)}; nothing was changed`, {
      code: "INVALID_KEY",
    });
  }
  if (!(key as Checkable).isWellFormed()) {
    const shown = JSON.stringify(key.slice(0, 40));
    throw new ValidationError(`the ${what} ${shown} has half a surrogate pair; remove it`, { code: "INVALID_KEY" });
  }
}

/** Refuses keys that are empty, longer than 1,024 bytes of UTF-8, or hold a NUL. */
export function checkBytes(key: string): void {
  const bytes = Buffer.byteLength(key);
  if (bytes >= 1 && bytes <= 1024 && !key.includes("\0")) return;
  const shown = JSON.stringify(key.slice(0, 40));
  throw new ValidationError(`the key ${shown} has ${bytes} bytes or a NUL; give 1 to 1,024 bytes without NUL`, {
    code: "INVALID_KEY",
  });
}

/** What a value is, in the words of an error message; never its content. */
export function describe(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  return typeof value === "undefined" ? "undefined" : `${typeof value === "object" ? "an" : "a"} ${typeof value}`;
}

/** A whole number within bounds, or a ValidationError `INVALID_OPTION` that names the option. */
export function checkWhole(value: unknown, name: string, least: number): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= least) return value;
  const shown = typeof value === "number" ? String(value) : describe(value);
  throw new ValidationError(`${name} is ${shown}; give a whole number from ${least} on`, { code: "INVALID_OPTION" });
}

/** A version that a write expects, as the port takes it: 0 says that nothing may be there. */
export function expectedOf(ifVersion: number | null | undefined): number | undefined {
  if (ifVersion === undefined) return undefined;
  return ifVersion === null ? 0 : checkWhole(ifVersion, "ifVersion", 1);
}

/** A time to live, in milliseconds. */
export function ttlOf(ttl: number | undefined): number | undefined {
  return ttl === undefined ? undefined : checkWhole(ttl, "ttl", 1);
}

/** Refuses options that nobody reads, so that a misspelt condition is not silently no condition. */
export function checkOptions(options: object, known: readonly string[]): void {
  if (typeof options !== "object" || options === null) {
    throw new ValidationError(`options are an object, not ${describe(options)}`, { code: "INVALID_OPTION" });
  }
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  if (unknown !== undefined) {
    const message = `there is no option ${JSON.stringify(unknown)}; the options are ${known.join(", ")}`;
    throw new ValidationError(message, { code: "INVALID_OPTION" });
  }
}

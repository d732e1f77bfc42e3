import { ValidationError } from "../errors.js";

/** What a schema says of a value. */
type Verdict<T> =
  | { readonly value: T; readonly issues?: undefined }
  | { readonly issues: readonly { readonly message: string; readonly path?: readonly unknown[] | undefined }[] };

/** A schema of any library that follows Standard Schema (zod, valibot, arktype, …). */
export interface StandardSchema<T> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => Verdict<T> | Promise<Verdict<T>>;
    readonly types?: { readonly input: unknown; readonly output: T } | undefined;
  };
}

/** Gives back what is to be stored in a value's place, or throws. */
export type Check = (value: unknown) => Promise<unknown>;

/**
 * A check by a schema.
 * @throws ValidationError `INVALID_OPTION` for what is no schema; the check throws `SCHEMA_MISMATCH`
 */
export function checkOf<T>(schema: StandardSchema<T>): Check {
  const standard = schema?.["~standard"];
  if (typeof standard?.validate !== "function") {
    throw new ValidationError("typed() takes a Standard Schema, or nothing", { code: "INVALID_OPTION" });
  }
  return async (value) => {
    const verdict = await standard.validate(value);
    if (verdict.issues === undefined) return verdict.value;
    const issues = verdict.issues.map(({ message, path = [] }) => ({ message, path: path.map(nameOf).join(".") }));
    const shown = issues.map(({ message, path }) => (path === "" ? message : `${path}: ${message}`)).join("; ");
    const message = `the value does not match its schema (${shown}); nothing was written`;
    throw new ValidationError(message, { code: "SCHEMA_MISMATCH", details: { issues } });
  };
}

/** Items with their values checked, one after the other. */
export async function checked<I extends { value: unknown }>(items: readonly I[], check: Check): Promise<I[]> {
  const accepted: I[] = [];
  for (const item of items) accepted.push({ ...item, value: await check(item.value) });
  return accepted;
}

/** A step of a path: a key, or an object that holds one. */
function nameOf(step: unknown): string {
  return String(typeof step === "object" && step !== null && "key" in step ? step.key : step);
}

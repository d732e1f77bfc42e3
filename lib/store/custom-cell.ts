import { ConflictError, ValidationError } from "../errors.js";
import type { native } from "../native.js";
import type { RawEntry, RawOutcome } from "./port.js";

/** What a custom adapter holds under an entry's key, also when it was deleted: its version goes on counting. */
export interface Cell {
  version: number;
  createdAt: number;
  updatedAt: number;
  expiresAt?: number;
  deleted?: true;
  /** The encoded value. */
  value: unknown;
}

/** Whether a reader sees it now. */
export function isLive(cell: Cell | undefined, now: number): cell is Cell {
  return cell !== undefined && cell.deleted !== true && (cell.expiresAt === undefined || cell.expiresAt > now);
}

/** The entry that a cell is. */
export function entryOf(key: string, cell: Cell): RawEntry {
  const { value, version, createdAt, updatedAt, expiresAt } = cell;
  const entry: RawEntry = { key, value, version, createdAt, updatedAt };
  return expiresAt === undefined ? entry : { ...entry, expiresAt };
}

/**
 * What a step makes of a cell (`undefined`: nothing changes), and what it answers. The same rules as on the
 * built-in adapters.
 */
export function change(
  cell: Cell | undefined,
  step: native.StepData,
  now: number,
): { next?: Cell; outcome: RawOutcome } {
  check(cell, step, now);
  switch (step.kind) {
    case "put": {
      const next = putCell(cell, JSON.parse(step.value ?? "null"), now);
      if (step.ttlMs !== undefined) next.expiresAt = now + step.ttlMs;
      return { next, outcome: { version: next.version, createdAt: next.createdAt, updatedAt: next.updatedAt } };
    }
    case "delete": {
      if (!isLive(cell, now)) return { outcome: { existed: false } };
      const { version, createdAt } = cell;
      const next: Cell = { version, createdAt, updatedAt: now, deleted: true, value: null };
      return { next, outcome: { existed: true } };
    }
    case "add": {
      const before = isLive(cell, now) ? cell.value : 0;
      const sum = typeof before === "number" ? before + (step.by ?? 1) : Number.NaN;
      if (!Number.isFinite(sum)) {
        const message = `the value of ${JSON.stringify(step.key)} is no number, or the sum is none; it was kept`;
        throw new ValidationError(message, { code: "NOT_A_NUMBER" });
      }
      const next = putCell(cell, sum, now);
      if (isLive(cell, now) && cell.expiresAt !== undefined) next.expiresAt = cell.expiresAt;
      return { next, outcome: { value: sum, version: next.version } };
    }
    case "restore":
      return restored(cell, step, now);
    default:
      return { outcome: {} };
  }
}

/** What was elsewhere, unless what is here has its version or a later one. */
function restored(cell: Cell | undefined, step: native.StepData, now: number): { next?: Cell; outcome: RawOutcome } {
  const { version = 1, createdAt = now, updatedAt = now, expiresAt } = step;
  if (cell !== undefined && cell.version >= version) return { outcome: { changed: false } };
  const next: Cell = { version, createdAt, updatedAt, value: JSON.parse(step.value ?? "null") };
  if (expiresAt !== undefined) next.expiresAt = expiresAt;
  return { next, outcome: { changed: true } };
}

function putCell(cell: Cell | undefined, value: unknown, now: number): Cell {
  const createdAt = isLive(cell, now) ? cell.createdAt : now;
  return { version: (cell?.version ?? 0) + 1, createdAt, updatedAt: now, value };
}

function check(cell: Cell | undefined, step: native.StepData, now: number): void {
  if (step.expected === undefined) return;
  const actual = isLive(cell, now) ? cell.version : 0;
  if (actual !== step.expected) throw versionConflict(step.key, step.expected || null, actual || null);
}

/** The error of a version that is not the expected one. */
export function versionConflict(key: string, expected: number | null, actual: number | null): ConflictError {
  const is = actual === null ? "does not exist" : `has version ${actual}`;
  const wanted = expected === null ? "must not exist" : `version ${expected} was expected`;
  const message = `${JSON.stringify(key)} ${is}, but ${wanted}; read it again and decide`;
  return new ConflictError(message, { code: "VERSION_CONFLICT", details: { key, expected, actual } });
}

import { CapabilityError } from "../errors.js";
import type { native } from "../native.js";
import { checkKey, expectedOf, ttlOf } from "./key.js";
import type { Emission } from "./lifecycle.js";
import type { RawOutcome } from "./port.js";
import { encode } from "./value.js";
import type { Writer } from "./writer.js";

/** Changes to records, kv and events that are committed together: all of them or none. */
export class Atomic {
  readonly #writer: Writer | undefined;
  readonly #steps: native.StepData[] = [];
  readonly #reports: ((outcome: RawOutcome) => Emission[])[] = [];

  /** @internal `writer` is absent when the classes live on different adapters. */
  constructor(writer: Writer | undefined) {
    this.#writer = writer;
  }

  /** The record must have this version (`null`: it must not exist), or nothing is committed. */
  check(key: string, version: number | null): this {
    return this.#add({ kind: "check", space: 0, key, expected: expectedOf(version) ?? 0 }, () => []);
  }

  /** Puts a record. */
  put(key: string, value: unknown, options: { ttl?: number } = {}): this {
    const report = ({ version = 0 }: RawOutcome): Emission[] => [["record:put", { key, value, version }]];
    return this.#add(withTtl({ kind: "put", space: 0, key, value: encode(value) }, options.ttl), report);
  }

  /** Deletes a record. */
  delete(key: string): this {
    return this.#add({ kind: "delete", space: 0, key }, ({ existed }) => (existed ? [["record:delete", { key }]] : []));
  }

  /** Sets a kv value. */
  set(key: string, value: unknown, options: { ttl?: number } = {}): this {
    const report = ({ version = 0 }: RawOutcome): Emission[] => [["kv:set", { key, value, version }]];
    return this.#add(withTtl({ kind: "put", space: 1, key, value: encode(value) }, options.ttl), report);
  }

  /** Appends an event. */
  append(stream: string, payload: unknown): this {
    return this.#add({ kind: "append", space: 0, key: stream, value: encode(payload) }, (outcome) => {
      const { id = "", version = 0, position = "" } = outcome;
      return [["event:append", { stream, payload, id, version, position }]];
    });
  }

  /**
   * Commits everything in one transaction.
   * @throws ConflictError `VERSION_CONFLICT` when a check fails; CapabilityError where `capabilities.atomic` is false
   */
  async commit(): Promise<void> {
    if (this.#writer === undefined) {
      const message = "records, kv and events live on different adapters and can't be committed together";
      throw new CapabilityError(message, { code: "NOT_SUPPORTED" });
    }
    const report = (outcomes: RawOutcome[]) => this.#reports.flatMap((one, at) => one(outcomes[at] ?? {}));
    if (this.#steps.length > 0) await this.#writer.commit([...this.#steps], report, true);
  }

  #add(step: native.StepData, report: (outcome: RawOutcome) => Emission[]): this {
    checkKey(step.key);
    this.#steps.push(step);
    this.#reports.push(report);
    return this;
  }
}

function withTtl(step: native.StepData, ttl: number | undefined): native.StepData {
  const ttlMs = ttlOf(ttl);
  return ttlMs === undefined ? step : { ...step, ttlMs };
}

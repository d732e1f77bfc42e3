import { ClosedError } from "../errors.js";
import type { native } from "../native.js";
import type { RawOutcome, Space } from "./port.js";

/** A change as a watch is told it: the value still encoded, and nothing when it was deleted. */
export interface RawChange {
  key: string;
  /** JSON text; absent when the entry was deleted. */
  value?: string;
  /** Absent when the entry was deleted. */
  version?: number;
}

/** Who is told of changes in a class. */
export interface Watcher {
  readonly space: Space;
  /** Whether it wants to hear of the key. */
  wants(key: string): boolean;
  tell(change: RawChange): void;
  /** The store was closed. */
  end(): void;
}

/** The open watches of a store. */
export class Watches {
  readonly #open = new Set<Watcher>();
  #isClosed = false;

  get isWatched(): boolean {
    return this.#open.size > 0;
  }

  add(watcher: Watcher): void {
    if (this.#isClosed) throw new ClosedError("the store is closed; open it again to use it", { code: "CLOSED" });
    this.#open.add(watcher);
  }

  remove(watcher: Watcher): void {
    this.#open.delete(watcher);
  }

  /** Tells what a commit changed. */
  tell(steps: readonly native.StepData[], outcomes: readonly RawOutcome[]): void {
    if (!this.isWatched) return;
    for (const [at, step] of steps.entries()) {
      const change = changeOf(step, outcomes[at] ?? {});
      if (change === undefined) continue;
      for (const watcher of [...this.#open]) {
        if (watcher.space === step.space && watcher.wants(change.key)) watcher.tell(change);
      }
    }
  }

  /** Ends every watch; later ones are refused. */
  close(): void {
    this.#isClosed = true;
    for (const watcher of [...this.#open]) watcher.end();
  }
}

function changeOf(step: native.StepData, outcome: RawOutcome): RawChange | undefined {
  const { kind, key, value } = step;
  const { version = 0 } = outcome;
  if (kind === "put" && value !== undefined && value !== null) return { key, value, version };
  if (kind === "add") return { key, value: JSON.stringify(outcome.value ?? 0), version };
  if (kind === "delete" && outcome.existed === true) return { key };
  return undefined;
}

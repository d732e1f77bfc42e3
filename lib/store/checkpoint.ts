import { createHash } from "node:crypto";
import { ConflictError } from "../errors.js";
import type { native } from "../native.js";
import type { Port, RawEntry } from "./port.js";

/** What is stored of a subscription. */
interface Stored {
  name: string;
  stream?: string;
  /** The last event that was handled. */
  position: string;
}

const SPACE = 2;

/** How far a durable subscription came. It never goes back, also with several processes at it. */
export class Checkpoint {
  readonly #port: Port;
  readonly #key: string;
  readonly #of: Omit<Stored, "position">;
  #version = 0;

  constructor(port: Port, name: string, stream: string | undefined) {
    this.#port = port;
    this.#of = stream === undefined ? { name } : { name, stream };
    this.#key = Checkpoint.keyOf(name, stream);
  }

  /** Names may be long and hold anything: their digest is a good key on every adapter. */
  static keyOf(name: string, stream: string | undefined): string {
    return createHash("sha256")
      .update(JSON.stringify([name, stream ?? null]))
      .digest("hex");
  }

  /** The position of the last event that was handled. */
  async read(): Promise<string | undefined> {
    const entry: RawEntry | undefined = await this.#port.entry(SPACE, this.#key);
    this.#version = entry?.version ?? 0;
    return (entry?.value as Stored | undefined)?.position;
  }

  /** Moves it on to a position; one that is further already stays. */
  async advance(position: string): Promise<void> {
    for (;;) {
      try {
        const stored: Stored = { ...this.#of, position };
        const value = JSON.stringify(stored);
        const step: native.StepData = { kind: "put", space: SPACE, key: this.#key, value, expected: this.#version };
        const [outcome] = await this.#port.commit([step], false);
        this.#version = outcome?.version ?? 0;
        return;
      } catch (error) {
        if (!(error instanceof ConflictError)) throw error;
        const other = await this.read();
        if (other !== undefined && other >= position) return;
      }
    }
  }
}

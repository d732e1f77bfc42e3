import { NotFoundError } from "../errors.js";
import type { native } from "../native.js";
import { settle } from "../native.js";

/** A state of a `SmartStorage`, kept by `snapshot()` for `restore()`. */
export class StorageSnapshot {
  readonly #server: native.StorageServer;
  readonly #state: native.StorageState;
  #isReleased = false;

  /** @internal */
  constructor(server: native.StorageServer, state: native.StorageState) {
    this.#server = server;
    this.#state = state;
  }

  /** @internal Its state, where `server` is the one that keeps it. */
  stateOf(server: native.StorageServer): native.StorageState {
    if (server === this.#server && !this.#isReleased) return this.#state;
    const message = "the snapshot is another server's, of an earlier start, or was released; take another";
    throw new NotFoundError(message, { code: "SNAPSHOT_NOT_FOUND" });
  }

  /** Forgets the state and frees what it took. Nothing happens when that is done, or when the server was stopped. */
  async release(): Promise<void> {
    if (this.#isReleased) return;
    this.#isReleased = true;
    // A server that was stopped has forgotten it.
    await settle(this.#server.forget(this.#state)).catch((error: unknown) => {
      if ((error as { code?: unknown }).code !== "CLOSED") throw error;
    });
  }

  /** `release()`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }
}

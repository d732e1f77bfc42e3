import { type Connection, isAborted } from "../s3/connection.ts";
import { Upload } from "./upload.ts";

/** How many files are sent at once. */
const AT_ONCE = 3;

export interface Transfer {
  readonly id: number;
  readonly upload: Upload;
  readonly state: "waiting" | "sending" | "done" | "failed" | "cancelled";
  readonly sentBytes: number;
  readonly error?: unknown;
}

/** A file and the name that it gets below a prefix. */
export interface NamedFile {
  name: string;
  file: File;
}

/** The files that are sent, were sent, or wait for it. */
export class Transfers {
  #list: readonly Transfer[] = [];
  #lastId = 0;
  readonly #aborts = new Map<number, AbortController>();
  readonly #listeners = new Set<() => void>();

  constructor(readonly connection: Connection) {}

  get list(): readonly Transfer[] {
    return this.#list;
  }

  /** Calls `listener` after each change; gives back what ends that. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  add(bucket: string, prefix: string, files: readonly NamedFile[]): void {
    const added = files.map(({ name, file }): Transfer => {
      this.#lastId += 1;
      const upload = new Upload(this.connection, bucket, prefix + name, file);
      return { id: this.#lastId, upload, state: "waiting", sentBytes: 0 };
    });
    this.#change([...this.#list, ...added]);
  }

  cancel(id: number): void {
    this.#aborts.get(id)?.abort();
    const transfer = this.#list.find((known) => known.id === id);
    if (transfer === undefined || transfer.state === "done") return;
    this.#set(id, { state: "cancelled" });
    // A part that is still on its way is refused by the server once the upload is gone.
    transfer.upload.discard().catch((error: unknown) => this.#set(id, { state: "cancelled", error }));
  }

  /** Sends the rest of what failed, or all of what was cancelled. */
  retry(id: number): void {
    this.#set(id, { state: "waiting", error: undefined });
  }

  cancelAll(): void {
    for (const { id, state } of this.#list) if (state === "waiting" || state === "sending") this.cancel(id);
  }

  /** Forgets what needs nobody any more. */
  clear(): void {
    this.#change(this.#list.filter(({ state }) => state === "waiting" || state === "sending"));
  }

  #set(id: number, change: Partial<Omit<Transfer, "id" | "upload">>): void {
    this.#change(this.#list.map((transfer) => (transfer.id === id ? { ...transfer, ...change } : transfer)));
  }

  #change(list: readonly Transfer[]): void {
    this.#list = list;
    const sending = list.filter(({ state }) => state === "sending").length;
    const next = list.filter(({ state }) => state === "waiting").slice(0, AT_ONCE - sending);
    const ids = new Set(next.map(({ id }) => id));
    this.#list = list.map((transfer) => (ids.has(transfer.id) ? { ...transfer, state: "sending" } : transfer));
    for (const transfer of next) void this.#send(transfer);
    for (const listener of this.#listeners) listener();
  }

  async #send({ id, upload }: Transfer): Promise<void> {
    const abort = new AbortController();
    this.#aborts.set(id, abort);
    try {
      await upload.send(abort.signal, (sentBytes) => this.#set(id, { sentBytes }));
      this.#set(id, { state: "done", sentBytes: upload.file.size });
    } catch (error) {
      this.#set(id, isAborted(error) ? { state: "cancelled" } : { state: "failed", error });
    } finally {
      this.#aborts.delete(id);
    }
  }
}

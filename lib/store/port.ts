import { native, open, settle } from "../native.js";

/** An answer that is there at once, or comes later. */
export type Answer<T> = T | Promise<T>;

/** Which class of entries: 0 records, 1 kv, 2 the checkpoints of subscriptions. */
export type Space = 0 | 1 | 2;

/** An entry with its value still encoded; times in milliseconds since the epoch. */
export interface RawEntry {
  key: string;
  value?: unknown;
  version: number;
  createdAt: number;
  updatedAt: number;
  /** Absent when it lives for ever. */
  expiresAt?: number;
}

/** An event with its payload still encoded. */
export interface RawEvent {
  id: string;
  stream: string;
  payload: unknown;
  timestamp: number;
  version: number;
  position: string;
}

/** What is known of a blob. */
export interface RawBlob {
  key: string;
  size: number;
  etag: string;
  contentType?: string;
  metadata: Record<string, string>;
  updatedAt: number;
}

/** A page; `next` is what the next one begins behind. */
export interface RawPage<T> {
  items: T[];
  next?: string;
}

/** A page of blobs and of what the delimiter folded. */
export interface RawBlobPage extends RawPage<RawBlob> {
  prefixes: string[];
}

/** What became of a step; which fields are there depends on its kind. */
export interface RawOutcome extends Partial<Omit<RawEvent, "payload">> {
  createdAt?: number;
  updatedAt?: number;
  existed?: boolean;
  changed?: boolean;
  value?: number;
  payload?: unknown;
}

/** What an adapter can do. */
export interface Capabilities {
  /** Several changes in one commit are all or nothing. */
  readonly atomic: boolean;
  /** Commits happen in the order of calls. */
  readonly ordered: boolean;
  /** `blobs.presign` */
  readonly presign: boolean;
  /** What was acknowledged outlives the process. */
  readonly durable: boolean;
  /** Several processes may work on the same store. */
  readonly multiProcess: boolean;
  /** Changes that other processes commit are told as they happen. */
  readonly notifies: boolean;
}

/** News of what others committed: the classes and keys that they changed, or that something may have been missed. */
export type RawNews = { changed: [Space, string][]; appended: boolean } | { gap: true };

/** A peer that is connected. */
export interface PeerStatus {
  /** Its id. */
  id: string;
  /** Where it is, `ip:port`. */
  address: string;
  /** Whether both held the same when they last compared. */
  inSync: boolean;
  /** Items that came from it and were new. */
  received: number;
  /** Items that were sent to it. */
  sent: number;
}

/** News of peers; `type` is that of the store's event. */
export type RawPeerNews = { type: string } & Record<string, unknown>;

/** This peer and the others. */
export interface PeersPort {
  id: string;
  addresses(): string[];
  connected(): PeerStatus[];
  hear(hear: (news: RawPeerNews) => void): void;
}

/** An upload under way; see the `UploadHandle` of the border. */
export type Uploading = Pick<native.UploadHandle, "write" | "finish" | "abort">;
/** A blob that is being read; see the `BlobHandle` of the border. */
export type Reading = Pick<native.BlobHandle, "info" | "bytes" | "next" | "cancel">;

/** What every adapter does for the four classes. A write is ordered by the call, not by its answer. */
export interface Port {
  readonly capabilities: Capabilities;
  entry(space: Space, key: string): Answer<RawEntry | undefined>;
  value(space: Space, key: string): Answer<unknown>;
  entries(space: Space, keys: string[]): Answer<(RawEntry | null)[]>;
  list(space: Space, query: native.ListQueryData): Answer<RawPage<RawEntry>>;
  count(space: Space, query: native.ListQueryData): Answer<number>;
  commit(steps: native.StepData[], atomic: boolean): Answer<RawOutcome[]>;
  listEvents(query: native.EventQueryData): Answer<RawPage<RawEvent>>;
  streamVersion(stream: string): Answer<number>;
  streams(after: string | undefined, limit: number): Answer<RawPage<{ stream: string; version: number }>>;
  openUpload(key: string, options: native.BlobOptionsData): Promise<Uploading>;
  openBlob(key: string, range: native.ByteRangeData | undefined): Promise<Reading | null>;
  head(key: string): Answer<RawBlob | undefined>;
  deleteBlobs(keys: string[]): Promise<boolean[]>;
  listBlobs(query: native.ListQueryData): Answer<RawBlobPage>;
  copyBlob(from: string, to: string): Answer<RawBlob | undefined>;
  presign(key: string, method: string, expiresInSeconds: number): Answer<string>;
  /** Where `capabilities.notifies`: tells what others commit, from when this resolves until the close. */
  follow(hear: (news: RawNews) => void): Promise<void>;
  /** Where the adapter has peers. */
  readonly peers?: PeersPort | undefined;
  close(): Promise<void>;
}

/** A port on one of the built-in adapters. */
export class NativePort implements Port {
  readonly capabilities: Capabilities;
  readonly peers: PeersPort | undefined;
  readonly #handle: native.StoreHandle;

  private constructor(handle: native.StoreHandle) {
    this.#handle = handle;
    this.capabilities = Object.freeze(JSON.parse(handle.capabilities()) as Capabilities);
    const id = handle.peerId();
    this.peers =
      id === null
        ? undefined
        : {
            id,
            addresses: () => handle.peerAddresses(),
            connected: () => JSON.parse(handle.peers()) as PeerStatus[],
            hear: (hear) => handle.hearPeers((news) => hear(JSON.parse(news) as RawPeerNews)),
          };
  }

  /** Opens an adapter. */
  static async open(settings: Readonly<Record<string, unknown>>): Promise<NativePort> {
    return new NativePort(await settle(native.openStore(settings)));
  }

  entry(space: Space, key: string): Answer<RawEntry | undefined> {
    return turn(this.#handle.entry(space, key), parse<RawEntry>);
  }

  value(space: Space, key: string): Answer<unknown> {
    return turn(this.#handle.value(space, key), parse<unknown>);
  }

  entries(space: Space, keys: string[]): Answer<(RawEntry | null)[]> {
    return turn(this.#handle.entries(space, keys), parsed<(RawEntry | null)[]>);
  }

  list(space: Space, query: native.ListQueryData): Answer<RawPage<RawEntry>> {
    return turn(this.#handle.list(space, query), parsed<RawPage<RawEntry>>);
  }

  count(space: Space, query: native.ListQueryData): Answer<number> {
    return turn(this.#handle.count(space, query), same);
  }

  commit(steps: native.StepData[], atomic: boolean): Answer<RawOutcome[]> {
    return turn(this.#handle.commit(steps, atomic), parsed<RawOutcome[]>);
  }

  listEvents(query: native.EventQueryData): Answer<RawPage<RawEvent>> {
    return turn(this.#handle.listEvents(query), parsed<RawPage<RawEvent>>);
  }

  streamVersion(stream: string): Answer<number> {
    return turn(this.#handle.streamVersion(stream), same);
  }

  streams(after: string | undefined, limit: number): Answer<RawPage<{ stream: string; version: number }>> {
    return turn(this.#handle.streams(after, limit), parsed<RawPage<{ stream: string; version: number }>>);
  }

  openUpload(key: string, options: native.BlobOptionsData): Promise<native.UploadHandle> {
    return settled(this.#handle.openUpload(key, options));
  }

  openBlob(key: string, range: native.ByteRangeData | undefined): Promise<native.BlobHandle | null> {
    return settled(this.#handle.openBlob(key, range));
  }

  head(key: string): Answer<RawBlob | undefined> {
    return turn(this.#handle.head(key), parse<RawBlob>);
  }

  deleteBlobs(keys: string[]): Promise<boolean[]> {
    return settled(this.#handle.deleteBlobs(keys));
  }

  listBlobs(query: native.ListQueryData): Answer<RawBlobPage> {
    return turn(this.#handle.listBlobs(query), parsed<RawBlobPage>);
  }

  copyBlob(from: string, to: string): Answer<RawBlob | undefined> {
    return turn(this.#handle.copyBlob(from, to), parse<RawBlob>);
  }

  presign(key: string, method: string, expiresInSeconds: number): Answer<string> {
    return turn(this.#handle.presign(key, method, expiresInSeconds), same);
  }

  async follow(hear: (news: RawNews) => void): Promise<void> {
    await settled(this.#handle.follow((news) => hear(JSON.parse(news) as RawNews)));
  }

  async close(): Promise<void> {
    await settled(this.#handle.close());
  }
}

/** Opens an answer's envelope, now or later, and turns its value into another. */
function turn<T, U>(answer: Answer<native.Reply<T>>, to: (value: T) => U): Answer<U> {
  return answer instanceof Promise ? answer.then((reply) => to(open(reply))) : to(open(answer));
}

/** As `settle`, for a call that answers at once when its arguments are wrong. */
export async function settled<T>(answer: Answer<native.Reply<T>>): Promise<T> {
  return open(await answer);
}

function parse<T>(text: string | null): T | undefined {
  return text === null ? undefined : (JSON.parse(text) as T);
}

function parsed<T>(text: string): T {
  return JSON.parse(text) as T;
}

function same<T>(value: T): T {
  return value;
}

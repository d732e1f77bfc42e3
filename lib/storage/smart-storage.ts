import { isIPv6 } from "node:net";
import { ClosedError, ValidationError } from "../errors.js";
import { native, settle } from "../native.js";
import type { IS3Descriptor, ISmartStorageConfig, IStorageLifecycleRun } from "./config.js";
import { EventIterator } from "./event-iterator.js";
import { Events, type IStorageEvent, type StorageEventHandler, type StorageEventPattern } from "./events.js";
import { Faults } from "./faults.js";
import { RequestLog } from "./request-log.js";
import { readSettings, type StorageSettings, toNative } from "./settings.js";
import { StorageSnapshot } from "./snapshot.js";

/** As long as a timer can be; it only keeps the process alive. */
const FOREVER_MS = 2 ** 31 - 1;

const isEverywhere = (address: string): boolean => address === "0.0.0.0" || address === "::";

/** Servers that run: one that nobody refers to any more is not collected, it serves on. */
const RUNNING = new Set<SmartStorage>();

/**
 * An S3-compatible storage server inside this process, on threads of its own: a blocked event loop does not stop it,
 * and its load does not block the event loop. While it runs it keeps the process alive, like `http.Server`.
 *
 * ```js
 * const storage = await SmartStorage.createAndStart({ server: { port: 0 }, buckets: ["assets"] });
 * const { endpoint, port } = await storage.getStorageDescriptor();
 * await storage.stop();
 * ```
 */
export class SmartStorage {
  /** What goes wrong on purpose. */
  readonly faults: Faults;
  readonly #settings: StorageSettings;
  readonly #events = new Events();
  #server: native.StorageServer | undefined;
  #isRunning = false;
  #isUnref = false;
  #keepAlive: NodeJS.Timeout | undefined;
  /** Starts and stops happen one after the other. */
  #turn: Promise<unknown> = Promise.resolve();

  /**
   * Checks the configuration; starts nothing.
   *
   * @throws ConfigError `UNKNOWN_SETTING` or `INVALID_SETTING`, naming the field.
   */
  constructor(config: ISmartStorageConfig = {}) {
    this.#settings = readSettings(config);
    this.faults = new Faults(() => this.#running());
  }

  /** Makes a server and starts it. Fails as the constructor and `start()` do. */
  static async createAndStart(config: ISmartStorageConfig = {}): Promise<SmartStorage> {
    const storage = new SmartStorage(config);
    await storage.start();
    return storage;
  }

  /**
   * Starts the server; nothing happens when it runs already. It can be started again after `stop()`.
   *
   * @throws ConnectionError `PORT_IN_USE`, `PORT_NOT_PERMITTED`, `ADDRESS_UNAVAILABLE`; IoError when the directory
   *   can't be used; LockedError when another server uses it; ValidationError `INVALID_BUCKET_NAME` for one of
   *   `buckets`. Nothing is left half-started.
   */
  start(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#isRunning) return;
      this.#server = await settle(native.startStorage(toNative(this.#settings)));
      this.#isRunning = true;
      this.#events.attach(this.#server);
      RUNNING.add(this);
      this.#keepAlive = setInterval(() => undefined, FOREVER_MS);
      if (this.#isUnref) this.#keepAlive.unref();
    });
  }

  /**
   * Takes no more connections, lets requests in flight finish for at most `limits.requestTimeout`, and closes the
   * directory. Nothing happens when it is not running.
   */
  stop(): Promise<void> {
    return this.#inTurn(async () => {
      if (!this.#isRunning || this.#server === undefined) return;
      this.#isRunning = false;
      try {
        await settle(this.#server.stop());
      } finally {
        this.#events.detach();
        clearInterval(this.#keepAlive);
        RUNNING.delete(this);
      }
    });
  }

  /**
   * Makes a bucket; one that exists is a success.
   *
   * @throws ValidationError `INVALID_BUCKET_NAME`; ClosedError `NOT_RUNNING`.
   */
  async createBucket(name: string): Promise<{ name: string }> {
    if (typeof name !== "string") {
      const message = `a bucket's name is a string, not ${name === null ? "null" : typeof name}`;
      throw new ValidationError(message, { code: "INVALID_BUCKET_NAME" });
    }
    await settle(this.#running().createBucket(name));
    return { name };
  }

  /**
   * Empties it in one commit: afterwards there are the buckets of the configuration, and nothing in them. A body that
   * is on its way in is refused (`OperationAborted`), an object that is being read is read to its end. Faults and
   * `requests` stay as they are.
   *
   * @throws ClosedError `NOT_RUNNING`.
   */
  async reset(): Promise<void> {
    await settle(this.#running().reset());
  }

  /**
   * Keeps everything as it is now: buckets with all that is set on them, objects, versions, uploads in parts. It costs
   * no copy of an object's bytes, and lasts until it is released or the server is stopped.
   *
   * @throws ClosedError `NOT_RUNNING`.
   */
  async snapshot(): Promise<StorageSnapshot> {
    const server = this.#running();
    return new StorageSnapshot(server, await settle(server.snapshot()));
  }

  /**
   * Brings back what `snapshot()` kept, as often as wanted. Requests see the one state or the other; bodies and reads
   * under way fare as with `reset()`.
   *
   * @throws NotFoundError `SNAPSHOT_NOT_FOUND` for one that was released, of another server, or of an earlier start;
   *   ValidationError `INVALID_SNAPSHOT` for what is none; ClosedError `NOT_RUNNING`.
   */
  async restore(snapshot: StorageSnapshot): Promise<void> {
    if (!(snapshot instanceof StorageSnapshot)) {
      throw new ValidationError("restore() takes what snapshot() gave", { code: "INVALID_SNAPSHOT" });
    }
    const server = this.#running();
    await settle(server.restore(snapshot.stateOf(server)));
  }

  /**
   * Goes once over all buckets and ends what their lifecycle rules say, as it happens by itself every hour, and ten
   * times in a short day; gives what it has ended.
   *
   * @throws ClosedError `NOT_RUNNING`.
   */
  async runLifecycle(): Promise<IStorageLifecycleRun> {
    return await settle(this.#running().runLifecycle());
  }

  /**
   * Calls `handler` for each change of that type (`object:created`, `object:removed`, `bucket:created`,
   * `bucket:removed`; `object:*`, `bucket:*`, `*`), after its commit and in the order of the commits. A handler that
   * gives back a promise gets the next event when that has settled; one that is more than 10,000 events behind misses
   * the oldest, and the next event's `missed` says how many. What a handler throws is an uncaught exception. Handlers
   * stay over `stop()` and `start()`, and do not keep the process alive.
   *
   * @returns What ends it.
   * @throws ValidationError `INVALID_EVENT_TYPE`, `INVALID_EVENT_HANDLER`.
   */
  on(type: StorageEventPattern, handler: StorageEventHandler): () => void {
    const subscription = this.#events.subscribe(type, handler);
    return () => subscription.end();
  }

  /** As `on()`, for the next event alone; without a handler it is promised. */
  once(type: StorageEventPattern): Promise<IStorageEvent>;
  once(type: StorageEventPattern, handler: StorageEventHandler): () => void;
  once(type: StorageEventPattern, handler?: StorageEventHandler): Promise<IStorageEvent> | (() => void) {
    if (handler === undefined) {
      return new Promise((resolve) => {
        this.#events.subscribe(type, resolve, true);
      });
    }
    const subscription = this.#events.subscribe(type, handler, true);
    return () => subscription.end();
  }

  /** Ends what `on()` or `once()` began with that very type and handler; nothing happens when there is none. */
  off(type: StorageEventPattern, handler: StorageEventHandler): this {
    this.#events.unsubscribe(type, handler);
    return this;
  }

  /** The same events for `for await`, from this call on; leaving the loop ends it. */
  events(type: StorageEventPattern = "*"): AsyncIterableIterator<IStorageEvent> {
    return new EventIterator(this.#events, type);
  }

  /** Waits until every handler is done with the events of what was committed before this call. */
  settled(): Promise<void> {
    return this.#events.settled();
  }

  /**
   * How clients reach it. Fields of `options` stand for those of the server.
   *
   * @throws ClosedError `NOT_RUNNING` for a server with `port: 0` that was never started: its port is not known yet.
   */
  async getStorageDescriptor(options: Partial<IS3Descriptor> = {}): Promise<IS3Descriptor> {
    const { server, auth } = this.#settings;
    const [credential] = auth.credentials;
    return {
      endpoint: isEverywhere(server.address) ? "localhost" : server.address,
      port: this.#server?.port ?? (server.port === 0 ? this.#running().port : server.port),
      accessKey: credential?.accessKeyId ?? "STORAGE",
      accessSecret: credential?.secretAccessKey ?? "STORAGE",
      useSsl: server.tls !== false,
      ...options,
    };
  }

  /**
   * What clients have to trust of a server with `tls`, PEM: the authority of its self-made certificate, or the
   * certificate that was given. `undefined` without TLS, and before the first start.
   */
  get certificate(): string | undefined {
    return this.#server?.authority ?? undefined;
  }

  /** Where the console is, for a browser on this machine; `undefined` without `console: true` and before the first start. */
  get consoleUrl(): string | undefined {
    if (!this.#settings.console || this.#server === undefined) return undefined;
    const { address, tls } = this.#settings.server;
    const host = isEverywhere(address) ? "localhost" : isIPv6(address) ? `[${address}]` : address;
    return `${tls === false ? "http" : "https"}://${host}:${this.#server.port}/_console/`;
  }

  /**
   * The last 10,000 requests since the start, oldest first, as they are now; `storage.requests.clear()` forgets them.
   * They can be read after `stop()` too.
   */
  get requests(): RequestLog {
    return new RequestLog(this.#server);
  }

  /** Lets the process end while the server runs. Gives the server back. */
  unref(): this {
    this.#isUnref = true;
    this.#keepAlive?.unref();
    return this;
  }

  /** Keeps the process alive while the server runs, as it does unless `unref()` was called. Gives the server back. */
  ref(): this {
    this.#isUnref = false;
    this.#keepAlive?.ref();
    return this;
  }

  /** `stop()`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #running(): native.StorageServer {
    if (this.#server !== undefined && this.#isRunning) return this.#server;
    throw new ClosedError("the storage server is not running; call start() first", { code: "NOT_RUNNING" });
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }
}

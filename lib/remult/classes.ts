import type { EntityMetadata, SqlCommand, SqlImplementation } from "remult";

import { ClosedError } from "../errors.js";
import { checkOptions, type S3DataProviderOptions } from "./options.js";
import { openImplementation, type S3Replication } from "./provider.js";
import { COMMON_JS, loadRemult, type RemultLoaders } from "./remult-modules.js";

type Opened = Awaited<ReturnType<typeof openImplementation>>;

/**
 * The replication of a {@link BetterSqlite3S3DataProvider}, under the name and with the methods that remult-sqlite-s3
 * gives it. New code finds the same in what `createS3DataProvider` opens.
 */
export class S3SyncManager {
  readonly #replication: () => S3Replication;

  /** @param replication Of an open database. */
  constructor(replication: () => S3Replication) {
    this.#replication = replication;
  }

  /** Nothing to do: every commit is seen in SQLite's log. */
  onWrite(): void {}

  /** Resolves when everything that is committed now is in the bucket. @throws {ConnectionError} `NOT_REPLICATED` */
  async syncWal(): Promise<void> {
    await this.#replication().sync();
  }

  /** The same as {@link syncWal}. */
  async sync(): Promise<void> {
    await this.#replication().sync();
  }

  /** Takes a snapshot; writers go on meanwhile. */
  async snapshot(): Promise<void> {
    await this.#replication().snapshot();
  }

  /** Stores what is committed, takes a last snapshot when something changed, frees the lease. */
  async close(): Promise<void> {
    await this.#replication().close();
  }

  /** The generation of the log. */
  getGeneration(): string {
    return this.#replication().status().generation;
  }
}

/**
 * A replicated database as Remult's `SqlImplementation`, under the name that remult-sqlite-s3 gives it:
 * `await provider.init(); new SqlDatabase(provider)`. `createS3DataProvider` does both.
 */
export class BetterSqlite3S3DataProvider implements SqlImplementation {
  /** Its replication. */
  readonly sync: S3SyncManager;
  readonly #options: S3DataProviderOptions;
  readonly #loaders: RemultLoaders;
  #opening: Promise<Opened> | undefined;
  #opened: Opened | undefined;

  /** @throws {ConfigError} as `createS3DataProvider`. */
  constructor(options: S3DataProviderOptions, loaders: RemultLoaders = COMMON_JS) {
    checkOptions(options);
    this.#options = options;
    this.#loaders = loaders;
    this.sync = new S3SyncManager(() => this.#open.replication);
  }

  /** Opens the database; twice is fine. @throws what opening fails with, as `createS3DataProvider`. */
  async init(): Promise<void> {
    this.#opening ??= loadRemult(this.#loaders)
      .then((remult) => openImplementation(this.#options, remult))
      .catch((error: unknown) => {
        this.#opening = undefined;
        throw error;
      });
    this.#opened = await this.#opening;
  }

  /** Whether {@link init} is done. */
  get isInitialized(): boolean {
    return this.#opened !== undefined;
  }

  /** The generation of the log. */
  get generation(): string {
    return this.sync.getGeneration();
  }

  /** Resolves when everything that is committed now is in the bucket. @throws {ConnectionError} `NOT_REPLICATED` */
  async forceSync(): Promise<void> {
    await this.sync.sync();
  }

  /** Takes a snapshot. */
  async snapshot(): Promise<void> {
    await this.sync.snapshot();
  }

  /** Stores what is committed, takes a last snapshot when something changed, frees the lease. */
  async close(): Promise<void> {
    await this.#opened?.replication.close();
  }

  end(): Promise<void> {
    return this.close();
  }

  createCommand(): SqlCommand {
    return this.#open.implementation.createCommand();
  }

  getLimitSqlSyntax(limit: number, offset: number): string {
    return this.#open.implementation.getLimitSqlSyntax(limit, offset);
  }

  transaction(action: (sql: SqlImplementation) => Promise<void>): Promise<void> {
    return this.#open.implementation.transaction(action);
  }

  entityIsUsedForTheFirstTime(entity: EntityMetadata): Promise<void> {
    return this.#open.implementation.entityIsUsedForTheFirstTime(entity);
  }

  async ensureSchema(entities: Parameters<Opened["implementation"]["ensureSchema"]>[0]): Promise<void> {
    await this.#open.implementation.ensureSchema(entities);
  }

  wrapIdentifier(name: string): string {
    return this.#open.implementation.wrapIdentifier(name);
  }

  /** Remult's migrations ask for it. */
  provideMigrationBuilder(
    builder: Parameters<Opened["implementation"]["provideMigrationBuilder"]>[0],
  ): ReturnType<Opened["implementation"]["provideMigrationBuilder"]> {
    return this.#open.implementation.provideMigrationBuilder(builder);
  }

  get #open(): Opened {
    if (this.#opened === undefined) {
      throw new ClosedError("the database is not open; await init() first", { code: "CLOSED" });
    }
    return this.#opened;
  }
}

/** Not for applications: the ES modules of this package bind their own `import` of Remult with it. */
Object.defineProperty(BetterSqlite3S3DataProvider, "withRemult", {
  value: (loaders: RemultLoaders) =>
    class extends BetterSqlite3S3DataProvider {
      constructor(options: S3DataProviderOptions) {
        super(options, loaders);
      }
    },
});

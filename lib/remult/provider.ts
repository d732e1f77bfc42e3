import type { SqlDatabase, SqlImplementation } from "remult";
import type { SqliteCoreDataProvider } from "remult/remult-sqlite-core-js";
import type { PersistError } from "../errors.js";
import { type native, open, settle, toError } from "../native.js";
import { openReplica } from "./open-replica.js";
import type { S3DataProviderOptions } from "./options.js";
import type { RemultModules } from "./remult-modules.js";
import { type Scope, Scopes } from "./scope.js";
import { closeAtExit } from "./signals.js";
import { ReplicatedSqlCommand } from "./sql-command.js";

/** How a replicated database is doing. */
export interface S3ReplicaStatus {
  /** The generation of the log in the bucket. */
  generation: string;
  /** The last stored segment. */
  position: number;
  /** Who owns the log; grows with each new owner. */
  epoch: number;
  /** Commits of this process so far. */
  localCommits: number;
  /** Those of them that are stored. */
  durableCommits: number;
  /** Bytes of the local log that are not stored. */
  lagBytes: number;
  /** How long the oldest commit that is not stored has waited, in ms. */
  lagMs: number;
  /** Who holds the lease. */
  holder: string;
  /** What went wrong last, until something is stored again. */
  lastError?: PersistError;
}

/** What the provider can do beside Remult's `SqlDatabase`. */
export interface S3Replication {
  /** How it is doing. @throws {ClosedError} */
  status(): S3ReplicaStatus;
  /** Resolves when everything that is committed now is in the bucket. @throws {ConnectionError} `NOT_REPLICATED` */
  sync(): Promise<void>;
  /** Takes a snapshot; writers go on meanwhile. */
  snapshot(): Promise<void>;
  /** Stores what is committed, takes a last snapshot when something changed, frees the lease. Twice is fine. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Remult's `SqlDatabase`, replicated. */
export type ReplicatedSqlDatabase = SqlDatabase & S3Replication;

/** Opens the database and puts Remult's `SqlDatabase` over it. */
export async function openProvider(
  options: S3DataProviderOptions,
  remult: RemultModules,
): Promise<ReplicatedSqlDatabase> {
  const { implementation, replication } = await openImplementation(options, remult);
  return Object.assign(new remult.SqlDatabase(implementation), replication);
}

/** Opens the database as what Remult's `SqlDatabase` stands on. */
export async function openImplementation(
  options: S3DataProviderOptions,
  remult: RemultModules,
): Promise<{ implementation: SqliteCoreDataProvider; replication: S3Replication }> {
  const database = await openReplica(options);
  const scopes = new Scopes(database);
  const close = closer(database, options.handleSignals ?? true);
  const log = options.sqliteOptions?.verbose;

  class ReplicatedSqliteDataProvider extends remult.SqliteCoreDataProvider {
    readonly #bound: Scope | undefined;

    /** @param bound The transaction that its statements belong to, wherever they are issued. */
    constructor(bound?: Scope) {
      super(() => new ReplicatedSqlCommand(scopes, log, bound), close);
      this.#bound = bound;
    }

    override async transaction(action: (sql: SqlImplementation) => Promise<void>): Promise<void> {
      await scopes.run((scope) => action(new ReplicatedSqliteDataProvider(scope)), this.#bound);
    }
  }

  const replication: S3Replication = {
    status: () => status(database),
    sync: () => settle(database.sync()),
    snapshot: () => settle(database.snapshot()),
    close,
    [Symbol.asyncDispose]: close,
  };
  return { implementation: new ReplicatedSqliteDataProvider(), replication };
}

function closer(database: native.ReplicaDatabase, handleSignals: boolean): () => Promise<void> {
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closing ??= settle(database.close()).finally(forget);
    return closing;
  };
  const forget = handleSignals ? closeAtExit(close) : (): void => undefined;
  return close;
}

function status(database: native.ReplicaDatabase): S3ReplicaStatus {
  const { lastError, ...plain } = open(database.status());
  return lastError === undefined
    ? plain
    : { ...plain, lastError: toError(JSON.parse(lastError) as native.FailureData) };
}

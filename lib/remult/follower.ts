import type { SqlImplementation } from "remult";

import { CapabilityError } from "../errors.js";
import { native, settle, toError } from "../native.js";
import { listenerOf } from "./open-replica.js";
import type { S3DataProviderOptions } from "./options.js";
import { placeOf } from "./place.js";
import type { ReplicatedSqlDatabase, S3Replication } from "./provider.js";
import type { RemultModules } from "./remult-modules.js";
import { Scopes } from "./scope.js";
import { closeAtExit } from "./signals.js";
import { ReplicatedSqlCommand } from "./sql-command.js";

const POLL_MS = 1000;

/** Opens a follower and puts Remult's `SqlDatabase` over it. It only reads. */
export async function openFollower(
  options: S3DataProviderOptions,
  remult: RemultModules,
): Promise<ReplicatedSqlDatabase> {
  const pollMs = options.sync?.interval ?? POLL_MS;
  const place = placeOf(options.s3);
  const follower = await settle(native.openFollower(place, options.file, pollMs, listenerOf(options)));
  const scopes = new Scopes({ execute: (sql, values) => follower.execute(sql, values), begin: refuse });
  const log = options.sqliteOptions?.verbose;
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closing ??= settle(follower.close()).finally(forget);
    return closing;
  };
  const forget = (options.handleSignals ?? true) ? closeAtExit(close) : (): void => undefined;

  class FollowingSqliteDataProvider extends remult.SqliteCoreDataProvider {
    constructor() {
      super(() => new ReplicatedSqlCommand(scopes, log), close);
    }

    /** The schema comes with the log. */
    override async ensureSchema(): Promise<void> {}

    override async transaction(_action: (sql: SqlImplementation) => Promise<void>): Promise<void> {
      await refuse();
    }
  }

  const replication: S3Replication = {
    status: () => statusOf(follower),
    sync: () => settle(follower.sync()),
    snapshot: refuse,
    close,
    [Symbol.asyncDispose]: close,
  };
  return Object.assign(new remult.SqlDatabase(new FollowingSqliteDataProvider()), replication);
}

function statusOf(follower: native.ReplicaFollower): ReturnType<S3Replication["status"]> {
  const { lastError, ...rest } = follower.status();
  const status = { ...rest, epoch: 0, localCommits: 0, durableCommits: 0, lagBytes: 0, holder: "" };
  return lastError === undefined
    ? status
    : { ...status, lastError: toError(JSON.parse(lastError) as native.FailureData) };
}

async function refuse(): Promise<never> {
  throw new CapabilityError(
    "this database follows another one (readOnly) and can't be written; write where that one is open",
    { code: "READ_ONLY" },
  );
}

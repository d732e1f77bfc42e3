import { native, settle } from "../native.js";
import { checkReplicasOptions, type S3DataProviderOptions } from "./options.js";
import { placeOf } from "./place.js";

/** One generation in the bucket: a snapshot, and the log behind it. */
export interface ReplicaGeneration {
  /** Its id; ids sort by time. */
  id: string;
  /** The snapshot, where it counts: when it was stored, bytes, and the oldest point that it leads to. */
  snapshot?: { createdAt: Date; size: number; position: number; time: Date };
  /** Objects of the log, and their bytes. */
  log: { objects: number; size: number };
  /** Why its description can't be read. */
  problem?: string;
}

/** What a bucket keeps of a database. */
export interface ReplicaInventory {
  /** Oldest first. */
  generations: ReplicaGeneration[];
  /** The last stored segment. */
  position: number;
  /** When the last stored transaction was committed. */
  time: Date;
  /** Who owned the log last; grows with each owner. */
  epoch: number;
  /** Who holds the database, or died with it. */
  lease?: { holder: string; acquiredAt: Date; expiresAt: Date };
}

/**
 * Looks at what a bucket keeps of a database: generations, positions, sizes, the lease. Changes nothing.
 *
 * @throws {ConfigError} options that are unknown, missing or impossible. {IntegrityError} naming what is damaged at the
 * log's end. {ConnectionError}
 */
export async function replicas(options: { s3: S3DataProviderOptions["s3"] }): Promise<ReplicaInventory> {
  checkReplicasOptions(options);
  const { generations, timeMs, lease, ...rest } = await settle(native.listReplicas(placeOf(options.s3)));
  const found: ReplicaInventory = { ...rest, time: new Date(timeMs), generations: generations.map(toGeneration) };
  if (lease !== undefined) {
    const { holder, acquiredAt, expiresAt } = lease;
    found.lease = { holder, acquiredAt: new Date(acquiredAt), expiresAt: new Date(expiresAt) };
  }
  return found;
}

function toGeneration({ id, snapshot, logObjects, logBytes, problem }: native.GenerationData): ReplicaGeneration {
  const generation: ReplicaGeneration = { id, log: { objects: logObjects, size: logBytes } };
  if (problem !== undefined) generation.problem = problem;
  if (snapshot !== undefined) {
    const { createdMs, bytes, position, timeMs } = snapshot;
    generation.snapshot = { createdAt: new Date(createdMs), size: bytes, position, time: new Date(timeMs) };
  }
  return generation;
}

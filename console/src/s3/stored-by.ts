import type { Connection } from "./connection.ts";
import { listObjects } from "./objects.ts";
import { S3Error } from "./s3-error.ts";

/** What is known of a database that `createS3DataProvider` replicates. */
export interface Replica {
  lease: { holder: string; expires: Date; epoch: number } | undefined;
  /** Newest first. */
  generations: Generation[];
}

export interface Generation {
  id: string;
  snapshot: { size: number; created: Date } | undefined;
  /** Objects of the log: segments, and packs of many. */
  segments: number;
  logBytes: number;
  /** The last segment that is there, as it is counted. */
  position: number | undefined;
  newest: Date | undefined;
}

export async function readReplica(connection: Connection, bucket: string, prefix: string): Promise<Replica> {
  const lock = await readJson(connection, bucket, `${prefix}lock.json`);
  const root = `${prefix}generations/`;
  const { folders } = await listObjects(connection, bucket, root);
  const generations = await Promise.all(folders.map((folder) => readGeneration(connection, bucket, root, folder)));
  generations.sort((a, b) => (b.newest?.getTime() ?? 0) - (a.newest?.getTime() ?? 0));
  const lease = lock && {
    holder: word(lock.holder),
    expires: new Date(word(lock.expiresAt)),
    epoch: Number(lock.epoch ?? 0),
  };
  return { lease, generations };
}

async function readGeneration(
  connection: Connection,
  bucket: string,
  root: string,
  folder: string,
): Promise<Generation> {
  const meta = await readJson(connection, bucket, `${folder}snapshot.meta.json`);
  const snapshot = meta && { size: Number(meta.size), created: new Date(word(meta.createdAt)) };
  const generation: Generation = {
    id: folder.slice(root.length, -1),
    snapshot,
    segments: 0,
    logBytes: 0,
    position: undefined,
    newest: snapshot?.created,
  };
  let token = "";
  do {
    const page = await listObjects(connection, bucket, `${folder}log/`, { isDeep: true, most: 1000, token });
    for (const { key, size, modified } of page.objects) {
      const last = /([0-9a-f]{16})\.(?:seg|pack)$/.exec(key)?.[1];
      if (last === undefined) continue;
      generation.segments += 1;
      generation.logBytes += size;
      generation.position = Math.max(generation.position ?? 0, Number.parseInt(last, 16));
      if (generation.newest === undefined || generation.newest < modified) generation.newest = modified;
    }
    token = page.next;
  } while (token !== "");
  return generation;
}

/** A database of `S3Level`. */
export interface Level {
  folder: string;
  layout: string;
  keyFormat: string;
  isMigrating: boolean;
}

const MARKER = "format.json";

export async function readLevels(connection: Connection, bucket: string, prefix: string): Promise<Level[]> {
  const root = `${prefix}.holdfast/level/`;
  const { objects } = await listObjects(connection, bucket, root, { isDeep: true, most: 1000 });
  const markers = objects.map(({ key }) => key).filter((key) => key.endsWith(`/${MARKER}`));
  return await Promise.all(
    markers.map(async (key): Promise<Level> => {
      const marker = (await readJson(connection, bucket, key)) ?? {};
      const folder = key.slice(root.length, -MARKER.length);
      const isMigrating = marker.migration !== undefined;
      return { folder, layout: word(marker.layout), keyFormat: word(marker.keyFormat), isMigrating };
    }),
  );
}

async function readJson(
  connection: Connection,
  bucket: string,
  key: string,
): Promise<Record<string, unknown> | undefined> {
  try {
    const read: unknown = JSON.parse(await connection.text({ bucket, key }));
    return typeof read === "object" && read !== null ? (read as Record<string, unknown>) : undefined;
  } catch (error) {
    if (error instanceof S3Error && error.code === "NoSuchKey") return undefined;
    throw error;
  }
}

const word = (value: unknown): string => (typeof value === "string" ? value : "unknown");

import { readdir, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { type RestoreOptions, replicas } from "../remult/index.js";
import type { Output } from "./output.js";

const LOOK_MS = 100;

/** A bar on a terminal while a file is restored, from what has arrived on the disk; nothing in a pipe or with `--json`. */
export async function restoreProgress(options: RestoreOptions, output: Output): Promise<{ end: () => void }> {
  if (output.json || !process.stderr.isTTY) return { end: () => undefined };
  const total = await expectedSize(options);
  // Loaded for people at a terminal alone.
  const { SingleBar, Presets } = await import("cli-progress");
  const format = "restoring [{bar}] {percentage}% of {total} bytes";
  const bar = new SingleBar({ format, stream: process.stderr, hideCursor: true }, Presets.shades_classic);
  bar.start(total, 0);
  const timer = setInterval(async () => bar.update(Math.min(total, await arrived(options.file))), LOOK_MS);
  return {
    end: () => {
      clearInterval(timer);
      bar.stop();
    },
  };
}

/** The size of the snapshot that a restore begins with. */
async function expectedSize({ s3, to }: RestoreOptions): Promise<number> {
  const { generations } = await replicas({ s3 });
  const snapshots = generations.flatMap(({ snapshot }) => (snapshot === undefined ? [] : [snapshot]));
  const isBefore = ({ position, time }: { position: number; time: Date }): boolean =>
    to === undefined || (to instanceof Date ? time <= to : position <= to);
  return snapshots.findLast(isBefore)?.size ?? 0;
}

/** Bytes of the file that is being made; it stands beside the one that it becomes. */
async function arrived(file: string): Promise<number> {
  try {
    const names = await readdir(dirname(file));
    const name = names.find((name) => name.startsWith(`${basename(file)}.restoring-`));
    return name === undefined ? 0 : (await stat(join(dirname(file), name))).size;
  } catch {
    // It has just become the file that was asked for.
    return 0;
  }
}

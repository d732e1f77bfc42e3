import type { Command } from "commander";
import { type ReplicaGeneration, type ReplicaInventory, replicas } from "../remult/index.js";
import { outputOf } from "./output.js";
import { PLACE_HELP, replicaAt } from "./replica-place.js";

const EXAMPLES = `${PLACE_HELP}

Example:
  npx holdfast replicas s3://bucket/tasks`;

/** Adds `replicas <database>`. */
export function addReplicas(program: Command): void {
  program
    .command("replicas")
    .description("what a bucket keeps of a database: generations, positions, sizes, the lease; changes nothing")
    .argument("<database>", "the database: s3://<bucket>/<name>")
    .option("--json", "print it as one JSON object", false)
    .addHelpText("after", EXAMPLES)
    .action(async (database: string, options: { json: boolean }) => {
      const inventory = await replicas({ s3: replicaAt(database) });
      // What a restore would lack was committed since then; a database at rest falls behind only by this clock.
      const lagMs = Math.max(0, Date.now() - inventory.time.getTime());
      outputOf(options).result({ ...inventory, lagMs }, described(inventory, lagMs));
    });
}

function described({ generations, position, time, epoch, lease }: ReplicaInventory, lagMs: number): string {
  const owner =
    lease === undefined
      ? "nobody holds the lease"
      : `the lease is ${lease.holder}'s until ${lease.expiresAt.toISOString()}`;
  return [
    `position ${position}, last committed at ${time.toISOString()} (${(lagMs / 1000).toFixed(0)} s ago), epoch ${epoch}; ${owner}`,
    ...generations.map(line),
  ].join("\n");
}

function line({ id, snapshot, log, problem }: ReplicaGeneration): string {
  const base =
    snapshot === undefined
      ? "no snapshot"
      : `snapshot of ${snapshot.size} bytes at position ${snapshot.position}, ${snapshot.time.toISOString()}`;
  return `${id}  ${problem ?? base}; log of ${log.objects} objects, ${log.size} bytes`;
}

import { readLevels, readReplica } from "../s3/stored-by.ts";
import { useSession } from "../session.ts";
import { bytes, count, time } from "../ui/format.ts";
import { useLoading } from "../ui/loading.ts";
import { Failure } from "../ui/states.tsx";

/** What wrote the objects here, where that was `createS3DataProvider` or `S3Level`. Changes nothing. */
export function StoreView({ bucket, prefix, folders }: { bucket: string; prefix: string; folders: readonly string[] }) {
  return (
    <>
      {folders.includes(`${prefix}generations/`) && <Replica bucket={bucket} prefix={prefix} />}
      {folders.includes(`${prefix}.holdfast/`) && <Levels bucket={bucket} prefix={prefix} />}
    </>
  );
}

function Replica({ bucket, prefix }: { bucket: string; prefix: string }) {
  const { connection } = useSession();
  const replica = useLoading(() => readReplica(connection, bucket, prefix), [connection, bucket, prefix]);
  if (replica.error !== undefined) return <Failure error={replica.error} retry={replica.reload} />;
  if (replica.value === undefined) return null;
  const { lease, generations } = replica.value;
  return (
    <section class="stored" aria-label="Replicated database">
      <h2>A SQLite database, replicated by createS3DataProvider</h2>
      <p class="faint">Change it through its database only: an object that is missing here is data that is lost.</p>
      <dl>
        <dt>Lease</dt>
        <dd>
          {lease === undefined ? (
            "nobody holds it"
          ) : (
            <>
              <bdi>{lease.holder}</bdi>, {lease.expires < new Date() ? "expired" : "until"} {time(lease.expires)}, epoch{" "}
              {lease.epoch}
            </>
          )}
        </dd>
      </dl>
      <table>
        <caption class="hidden">Generations</caption>
        <thead>
          <tr>
            <th scope="col">Generation</th>
            <th scope="col">Snapshot</th>
            <th scope="col">Log</th>
            <th scope="col">Newest change stored</th>
          </tr>
        </thead>
        <tbody>
          {generations.map((generation) => (
            <tr key={generation.id}>
              <th scope="row">
                <code>{generation.id}</code>
              </th>
              <td>
                {generation.snapshot
                  ? `${bytes(generation.snapshot.size)}, ${time(generation.snapshot.created)}`
                  : "none"}
              </td>
              <td>
                {count(generation.segments, "object")}, {bytes(generation.logBytes)}
                {generation.position !== undefined && `, at position ${generation.position}`}
              </td>
              <td>{generation.newest ? `${time(generation.newest)} (${ago(generation.newest)})` : "none"}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function ago(date: Date): string {
  const seconds = Math.max(0, Math.round((Date.now() - date.getTime()) / 1000));
  if (seconds < 120) return `${seconds} s ago`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min ago`;
  return `${Math.round(seconds / 3600)} h ago`;
}

function Levels({ bucket, prefix }: { bucket: string; prefix: string }) {
  const { connection } = useSession();
  const levels = useLoading(() => readLevels(connection, bucket, prefix), [connection, bucket, prefix]);
  if (levels.error !== undefined) return <Failure error={levels.error} retry={levels.reload} />;
  if (!levels.value?.length) return null;
  return (
    <section class="stored" aria-label="Level databases">
      <h2>Written by S3Level</h2>
      <ul>
        {levels.value.map((level) => (
          <li key={level.folder}>
            <bdi>{level.folder || "the whole bucket"}</bdi>: layout {level.layout}, keys {level.keyFormat}
            {level.isMigrating && ", a copy that is not whole yet"}
          </li>
        ))}
      </ul>
    </section>
  );
}

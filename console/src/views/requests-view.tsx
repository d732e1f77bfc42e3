import { useEffect, useState } from "preact/hooks";
import { isAborted } from "../s3/connection.ts";
import { type Answered, clearRequests, requestsAfter } from "../s3/server-api.ts";
import { useSession } from "../session.ts";
import { bytes } from "../ui/format.ts";
import { Empty, Failure } from "../ui/states.tsx";

/** How often is asked what is new, in milliseconds. */
const INTERVAL_MS = 1000;
/** How many are kept here. */
const MAX_KEPT = 500;

/** What the server answers, live. */
export function RequestsView() {
  const { connection } = useSession();
  const [records, setRecords] = useState<(Answered & { id: number })[]>([]);
  const [filter, setFilter] = useState("");
  const [isPaused, setPaused] = useState(false);
  const [error, setError] = useState<unknown>();
  const [round, setRound] = useState(0);
  useEffect(() => {
    if (isPaused) return;
    const abort = new AbortController();
    follow(abort.signal, (after) => requestsAfter(connection, after, abort.signal), setRecords).catch(
      (failure: unknown) => {
        if (!isAborted(failure) && !abort.signal.aborted) setError(failure);
      },
    );
    return () => abort.abort();
  }, [connection, isPaused, round]);
  const again = () => {
    setError(undefined);
    setRound(round + 1);
  };
  const words = filter.toLowerCase().split(/\s+/);
  const shown = records.filter((record) => words.every((word) => textOf(record).includes(word))).reverse();
  return (
    <>
      <div class="heading">
        <h1>Requests</h1>
        <div class="tools">
          <button type="button" aria-pressed={isPaused} onClick={() => setPaused(!isPaused)}>
            Pause
          </button>
          <button type="button" onClick={() => clearRequests(connection).then(() => setRecords([]), setError)}>
            Clear
          </button>
        </div>
      </div>
      <input
        type="search"
        placeholder="Filter: operation, bucket, key, status"
        aria-label="Filter requests"
        value={filter}
        onInput={(event) => setFilter(event.currentTarget.value)}
      />
      <Failure error={error} retry={again} />
      {shown.length === 0 && error === undefined && (
        <Empty title="No requests">
          <p>What clients ask this server appears here, newest first.</p>
        </Empty>
      )}
      {shown.length > 0 && <RequestTable records={shown} />}
    </>
  );
}

type Records = (Answered & { id: number })[];

async function follow(
  signal: AbortSignal,
  ask: (after: number) => Promise<{ next: number; records: Answered[] }>,
  set: (change: (before: Records) => Records) => void,
): Promise<void> {
  let after = 0;
  while (!signal.aborted) {
    const { next, records } = await ask(after);
    const first = next - records.length;
    const numbered = records.map((record, index) => ({ ...record, id: first + index }));
    const isNew = after === 0;
    if (records.length > 0 || isNew) set((before) => [...(isNew ? [] : before), ...numbered].slice(-MAX_KEPT));
    after = next;
    await new Promise((resolve) => setTimeout(resolve, INTERVAL_MS));
  }
}

const textOf = ({ operation, bucket, key, status }: Answered): string =>
  `${operation} ${bucket}/${key ?? ""} ${status}`.toLowerCase();

function RequestTable({ records }: { records: Records }) {
  return (
    <table class="log">
      <caption class="hidden">Requests, newest first</caption>
      <thead>
        <tr>
          <th scope="col">Time</th>
          <th scope="col">Operation</th>
          <th scope="col">Of</th>
          <th scope="col">Status</th>
          <th scope="col" class="number wide">
            In
          </th>
          <th scope="col" class="number wide">
            Out
          </th>
          <th scope="col" class="number">
            Took
          </th>
        </tr>
      </thead>
      <tbody>
        {records.map((record) => (
          <tr key={record.id}>
            <td>{new Date(record.atMs).toLocaleTimeString()}</td>
            <td>{record.operation ?? "unknown"}</td>
            <td>
              <bdi>{[record.bucket, record.key].filter(Boolean).join("/")}</bdi>
            </td>
            <td class={record.status >= 400 || record.status === 0 ? "bad" : undefined}>{record.status || "cut"}</td>
            <td class="number wide">{bytes(record.bytesIn)}</td>
            <td class="number wide">{bytes(record.bytesOut)}</td>
            <td class="number">{record.durationMs.toFixed(1)} ms</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

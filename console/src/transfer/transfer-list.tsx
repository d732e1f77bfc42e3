import { useEffect, useState } from "preact/hooks";
import { useSession } from "../session.ts";
import { bytes, count } from "../ui/format.ts";
import type { Transfer } from "./transfers.ts";

/** How many are shown; the rest are counted. */
const MAX_SHOWN = 50;

/** The uploads of this tab, with how far each is. */
export function TransferList() {
  const { transfers } = useSession();
  const [list, setList] = useState(transfers.list);
  useEffect(() => {
    setList(transfers.list);
    return transfers.subscribe(() => setList(transfers.list));
  }, [transfers]);
  if (list.length === 0) return null;
  const done = list.filter(({ state }) => state === "done").length;
  const isOver = list.every(({ state }) => state !== "waiting" && state !== "sending");
  return (
    <section class="transfers" aria-label="Uploads">
      <header>
        <h2>
          <span role="status">
            {done} of {count(list.length, "file")} uploaded
          </span>
        </h2>
        <button type="button" class="quiet" onClick={() => (isOver ? transfers.clear() : transfers.cancelAll())}>
          {isOver ? "Close" : "Cancel all"}
        </button>
      </header>
      <ul>
        {shown(list).map((transfer) => (
          <Row key={transfer.id} transfer={transfer} />
        ))}
      </ul>
      {list.length > MAX_SHOWN && <p class="faint">and {list.length - MAX_SHOWN} more</p>}
    </section>
  );
}

/** First those that need somebody, then those under way, then the rest. */
function shown(list: readonly Transfer[]): Transfer[] {
  const rank = { failed: 0, sending: 1, waiting: 2, cancelled: 3, done: 4 };
  return [...list].sort((a, b) => rank[a.state] - rank[b.state] || a.id - b.id).slice(0, MAX_SHOWN);
}

function Row({ transfer: { id, upload, state, sentBytes, error } }: { transfer: Transfer }) {
  const { transfers } = useSession();
  const { key, file } = upload;
  const isUnderWay = state === "sending" || state === "waiting";
  return (
    <li data-state={state}>
      <bdi class="name">{key}</bdi>
      {isUnderWay && <progress aria-label={`Upload of ${key}`} max={file.size || 1} value={sentBytes} />}
      <span class="faint">
        {state === "sending" ? `${bytes(sentBytes)} of ${bytes(file.size)}` : state}
        {error instanceof Error && `: ${error.message}`}
      </span>
      {isUnderWay && (
        <button type="button" class="quiet" aria-label={`Cancel ${key}`} onClick={() => transfers.cancel(id)}>
          Cancel
        </button>
      )}
      {(state === "failed" || state === "cancelled") && (
        <button type="button" class="quiet" aria-label={`Retry ${key}`} onClick={() => transfers.retry(id)}>
          Retry
        </button>
      )}
    </li>
  );
}

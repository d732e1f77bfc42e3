import { useState } from "preact/hooks";
import { type AddedFault, addFault, type Fault, faults, removeFaults } from "../s3/server-api.ts";
import { useSession } from "../session.ts";
import { useLoading } from "../ui/loading.ts";
import { Empty, Failure, Waiting } from "../ui/states.tsx";

/** What goes wrong on purpose, for tests of clients. */
export function FaultsView() {
  const { connection, say } = useSession();
  const loaded = useLoading(() => faults(connection), [connection]);
  const [error, setError] = useState<unknown>();
  const run = async (work: () => Promise<void>, done: string): Promise<boolean> => {
    setError(undefined);
    try {
      await work();
      say(done);
      loaded.reload();
      return true;
    } catch (failure) {
      setError(failure);
      return false;
    }
  };
  if (loaded.value === undefined) {
    return loaded.error ? <Failure error={loaded.error} retry={loaded.reload} /> : <Waiting what="faults" />;
  }
  return (
    <>
      <div class="heading">
        <h1>Faults</h1>
        <div class="tools">
          <button type="button" onClick={loaded.reload}>
            Refresh
          </button>
          {loaded.value.faults.length > 0 && (
            <button
              type="button"
              class="danger"
              onClick={() => run(() => removeFaults(connection), "All faults are removed.")}
            >
              Remove all
            </button>
          )}
        </div>
      </div>
      <p>Makes requests fail on purpose, to test how their clients take it. Requests of this console meet them too.</p>
      <FaultForm
        operations={loaded.value.operations}
        add={(fault) => run(() => addFault(connection, fault), "The fault is set.")}
      />
      <Failure error={error ?? loaded.error} />
      {loaded.value.faults.length === 0 && <Empty title="Nothing goes wrong" />}
      <ul class="faults" aria-label="Faults">
        {loaded.value.faults.map((added) => (
          <li key={added.id}>
            <span>{described(added)}</span>
            <span class="faint">met {added.met}</span>
            <button
              type="button"
              class="quiet"
              onClick={() => run(() => removeFaults(connection, added.id), "The fault is removed.")}
            >
              Remove
            </button>
          </li>
        ))}
      </ul>
    </>
  );
}

function described({ fault }: AddedFault): string {
  const where = [
    fault.operation ?? "every request",
    fault.bucket && `in ${fault.bucket}`,
    fault.key && `of ${fault.key}`,
  ];
  const what = [
    fault.error && `fails with ${fault.error}`,
    fault.delayMs && `waits ${fault.delayMs} ms`,
    fault.cut && `is cut (${fault.cut})`,
    fault.bytesPerSecond && `gets ${fault.bytesPerSecond} bytes a second`,
    fault.corrupt && "gets a corrupted answer",
  ];
  const when = [fault.count && `${fault.count} times`, fault.probability && `with probability ${fault.probability}`];
  return [where, what, when]
    .map((part) => part.filter(Boolean).join(" "))
    .join(" ")
    .trim();
}

const KINDS = [
  ["error", "fails with an error"],
  ["delayMs", "waits (milliseconds)"],
  ["bytesPerSecond", "is slow (bytes a second)"],
  ["before", "is cut before it happens"],
  ["after", "is cut after it happened"],
  ["corrupt", "gets a corrupted answer"],
] as const;

function FaultForm({ operations, add }: { operations: string[]; add: (fault: Fault) => Promise<boolean> }) {
  const [kind, setKind] = useState<string>("error");
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    await add(faultOf(new FormData(form)));
  };
  return (
    <form class="fault-form" aria-label="New fault" onSubmit={submit}>
      <label>
        Operation
        <select name="operation">
          <option value="">every request</option>
          {operations.map((operation) => (
            <option key={operation}>{operation}</option>
          ))}
        </select>
      </label>
      <label>
        Bucket
        <input name="bucket" placeholder="any" />
      </label>
      <label>
        Key
        <input name="key" placeholder="any" />
      </label>
      <label>
        What happens
        <select name="kind" value={kind} onChange={(event) => setKind(event.currentTarget.value)}>
          {KINDS.map(([value, text]) => (
            <option key={value} value={value}>
              {text}
            </option>
          ))}
        </select>
      </label>
      {kind === "error" && (
        <label>
          Error
          <input name="error" defaultValue="SlowDown" required />
        </label>
      )}
      {(kind === "delayMs" || kind === "bytesPerSecond") && (
        <label>
          {kind === "delayMs" ? "Milliseconds" : "Bytes a second"}
          <input name="amount" type="number" min="1" defaultValue="1000" required />
        </label>
      )}
      <label>
        How often
        <input name="count" type="number" min="1" placeholder="always" />
      </label>
      <button type="submit" class="primary">
        Set fault
      </button>
    </form>
  );
}

function faultOf(form: FormData): Fault {
  const text = (name: string): string => String(form.get(name) ?? "");
  const kind = text("kind");
  return {
    ...(text("operation") && { operation: text("operation") }),
    ...(text("bucket") && { bucket: text("bucket") }),
    ...(text("key") && { key: text("key") }),
    ...(text("count") && { count: Number(text("count")) }),
    ...(kind === "error" && { error: text("error") }),
    ...(kind === "delayMs" && { delayMs: Number(text("amount")) }),
    ...(kind === "bytesPerSecond" && { bytesPerSecond: Number(text("amount")) }),
    ...((kind === "before" || kind === "after") && { cut: kind }),
    ...(kind === "corrupt" && { corrupt: true }),
  };
}

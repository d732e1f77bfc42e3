import { useState } from "preact/hooks";
import { listVersions, setVersioning, type Version, type Versioning, versioningOf } from "../s3/versions.ts";
import { useSession } from "../session.ts";
import { bytes, time } from "../ui/format.ts";
import { useLoading } from "../ui/loading.ts";
import { Empty, Failure, Waiting } from "../ui/states.tsx";
import { ObjectPanel } from "./object-panel.tsx";

const STATES: Readonly<Record<Versioning, string>> = {
  Enabled: "Every write of a key keeps what was there before.",
  Suspended: "Older versions stay; new writes replace each other.",
  "": "A write replaces what was there before.",
};

/** Whether a bucket keeps versions, and those of deleted objects too. */
export function VersioningView({ bucket }: { bucket: string }) {
  const { connection, say } = useSession();
  const state = useLoading(() => versioningOf(connection, bucket), [connection, bucket]);
  const [error, setError] = useState<unknown>();
  if (state.value === undefined) {
    return state.error ? <Failure error={state.error} retry={state.reload} /> : <Waiting what="versioning" />;
  }
  const next = state.value === "Enabled" ? "Suspended" : "Enabled";
  const change = async () => {
    setError(undefined);
    try {
      await setVersioning(connection, bucket, next);
      say(next === "Enabled" ? "Versions are kept from now on." : "New versions are no longer kept.");
      state.reload();
    } catch (failure) {
      setError(failure);
    }
  };
  return (
    <>
      <section class="setting">
        <p>
          <strong>{state.value === "" ? "Off" : state.value}.</strong> {STATES[state.value]}
        </p>
        <button type="button" onClick={change}>
          {next === "Enabled" ? "Keep versions" : "Suspend versioning"}
        </button>
      </section>
      <Failure error={error} />
      <Versions bucket={bucket} />
    </>
  );
}

function Versions({ bucket }: { bucket: string }) {
  const { connection } = useSession();
  const [pages, setPages] = useState<Record<string, string>[]>([{}]);
  const [open, setOpen] = useState<string>();
  const from = pages.at(-1) ?? {};
  const page = useLoading(() => listVersions(connection, bucket, "", from, 200), [connection, bucket, from]);
  if (page.value === undefined) {
    return page.error ? <Failure error={page.error} retry={page.reload} /> : <Waiting what="versions" />;
  }
  const { versions, next } = page.value;
  if (versions.length === 0) return <Empty title="Nothing here yet" />;
  return (
    <>
      <table>
        <caption class="hidden">Versions</caption>
        <thead>
          <tr>
            <th scope="col">Key</th>
            <th scope="col">Version</th>
            <th scope="col" class="number">
              Size
            </th>
            <th scope="col" class="wide">
              Written
            </th>
          </tr>
        </thead>
        <tbody>
          {versions.map((version) => (
            <Row key={`${version.key} ${version.versionId}`} version={version} open={() => setOpen(version.key)} />
          ))}
        </tbody>
      </table>
      {(pages.length > 1 || next) && (
        <nav class="pager" aria-label="Pages">
          <button type="button" disabled={pages.length === 1} onClick={() => setPages(pages.slice(0, -1))}>
            Previous
          </button>
          <span>Page {pages.length}</span>
          <button type="button" disabled={!next} onClick={() => next && setPages([...pages, next])}>
            Next
          </button>
        </nav>
      )}
      {open !== undefined && (
        <ObjectPanel bucket={bucket} objectKey={open} close={() => setOpen(undefined)} changed={page.reload} />
      )}
    </>
  );
}

function Row({ version, open }: { version: Version; open: () => void }) {
  return (
    <tr>
      <th scope="row">
        <button type="button" class="link" onClick={open}>
          <bdi>{version.key}</bdi>
        </button>
      </th>
      <td>
        <code>{version.versionId}</code>
        {version.isLatest && <strong> newest</strong>}
      </td>
      <td class="number">{version.isMarker ? "deleted" : bytes(version.size)}</td>
      <td class="wide">{time(version.modified)}</td>
    </tr>
  );
}

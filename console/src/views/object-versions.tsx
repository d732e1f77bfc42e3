import { useState } from "preact/hooks";
import { deleteObjects, restoreVersion } from "../s3/objects.ts";
import { type Version, versionsOf } from "../s3/versions.ts";
import { useSession } from "../session.ts";
import { Ask } from "../ui/dialog.tsx";
import { bytes, time } from "../ui/format.ts";
import { useLoading } from "../ui/loading.ts";
import { Failure } from "../ui/states.tsx";

interface Props {
  bucket: string;
  objectKey: string;
  /** The version that is shown now; none for the newest. */
  shown: string | undefined;
  show: (versionId: string) => void;
  changed: () => void;
  /** Called when nothing of the key is left. */
  gone: () => void;
}

/** The versions of an object: to see, to restore, to delete. */
export function ObjectVersions({ bucket, objectKey, shown, show, changed, gone }: Props) {
  const { connection, say } = useSession();
  const versions = useLoading(() => versionsOf(connection, bucket, objectKey), [connection, bucket, objectKey]);
  const [doomed, setDoomed] = useState<Version | "object">();
  const [error, setError] = useState<unknown>();
  const listed = versions.value ?? [];
  const restore = async ({ versionId }: Version) => {
    setError(undefined);
    try {
      await restoreVersion(connection, { bucket, key: objectKey, versionId });
      say("The version is the newest again.");
      versions.reload();
      changed();
    } catch (failure) {
      setError(failure);
    }
  };
  return (
    <section aria-label="Versions">
      <h3>Versions</h3>
      <Failure error={versions.error ?? error} retry={versions.reload} />
      <ul class="versions">
        {listed.map((version) => (
          <li key={version.versionId} aria-current={version.versionId === shown ? "true" : undefined}>
            <span>
              {time(version.modified)} · {version.isMarker ? "deleted" : bytes(version.size)}
              {version.isLatest && <strong> newest</strong>}
            </span>
            <code>{version.versionId}</code>
            <span class="actions">
              {!version.isMarker && !version.isLatest && (
                <>
                  <button type="button" class="quiet" onClick={() => show(version.versionId)}>
                    Show
                  </button>
                  <button type="button" class="quiet" onClick={() => restore(version)}>
                    Restore
                  </button>
                </>
              )}
              {(listed.length > 1 || version.isMarker) && (
                <button type="button" class="quiet" onClick={() => setDoomed(version)}>
                  {version.isMarker ? "Remove marker" : "Delete version"}
                </button>
              )}
            </span>
          </li>
        ))}
      </ul>
      <p>
        <button type="button" class="danger" onClick={() => setDoomed("object")}>
          Delete object
        </button>
      </p>
      {doomed && (
        <Ask
          title={doomed === "object" ? "Delete the object?" : "Delete this version?"}
          action="Delete"
          isDangerous
          close={() => setDoomed(undefined)}
          perform={async () => {
            const version = doomed === "object" ? {} : { versionId: doomed.versionId };
            const [refused] = await deleteObjects(connection, bucket, [{ key: objectKey, ...version }]);
            if (refused !== undefined) throw new Error(refused.message);
            say(doomed === "object" ? "The object is deleted." : "The version is deleted.");
            if (doomed === "object") gone();
            else {
              versions.reload();
              changed();
            }
          }}
        >
          <p>
            <bdi>{objectKey}</bdi>
          </p>
          {doomed !== "object" && <p>A version that is deleted can't be brought back.</p>}
        </Ask>
      )}
    </section>
  );
}

import { useState } from "preact/hooks";
import { abortUpload, unfinishedUploads } from "../s3/uploads.ts";
import { useSession } from "../session.ts";
import { count, time } from "../ui/format.ts";
import { useLoading } from "../ui/loading.ts";
import { Empty, Failure, Waiting } from "../ui/states.tsx";

/** Uploads in parts that were begun and not finished; their parts take space until they are cleared. */
export function UnfinishedView({ bucket }: { bucket: string }) {
  const { connection, say } = useSession();
  const uploads = useLoading(() => unfinishedUploads(connection, bucket), [connection, bucket]);
  const [error, setError] = useState<unknown>();
  const listed = uploads.value ?? [];
  const clear = async (which: typeof listed) => {
    setError(undefined);
    try {
      for (const { key, uploadId } of which) await abortUpload(connection, { bucket, key, uploadId });
      say(`${count(which.length, "unfinished upload")} cleared.`);
    } catch (failure) {
      setError(failure);
    }
    uploads.reload();
  };
  if (uploads.value === undefined) {
    return uploads.error ? <Failure error={uploads.error} retry={uploads.reload} /> : <Waiting what="uploads" />;
  }
  return (
    <>
      <Failure error={error ?? uploads.error} />
      {listed.length === 0 && (
        <Empty title="No unfinished uploads">
          <p>An upload in parts that is broken off stays here until it is cleared.</p>
        </Empty>
      )}
      {listed.length > 0 && (
        <>
          <div class="tools">
            <button type="button" class="danger" onClick={() => clear(listed)}>
              Clear all
            </button>
          </div>
          <table>
            <caption class="hidden">Unfinished uploads</caption>
            <thead>
              <tr>
                <th scope="col">Key</th>
                <th scope="col">Begun</th>
                <th scope="col">
                  <span class="hidden">Actions</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {listed.map((upload) => (
                <tr key={upload.uploadId}>
                  <th scope="row">
                    <bdi>{upload.key}</bdi>
                  </th>
                  <td>{time(upload.begun)}</td>
                  <td class="actions">
                    <button
                      type="button"
                      class="quiet"
                      aria-label={`Clear ${upload.key}`}
                      onClick={() => clear([upload])}
                    >
                      Clear
                    </button>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </>
      )}
    </>
  );
}

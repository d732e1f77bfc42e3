import { useEffect, useState } from "preact/hooks";
import { href } from "../route.ts";
import { type Bucket, createBucket, deleteBucket, listBuckets } from "../s3/buckets.ts";
import type { Connection } from "../s3/connection.ts";
import { deleteObjects, listObjects } from "../s3/objects.ts";
import { listVersions } from "../s3/versions.ts";
import { useSession } from "../session.ts";
import { Ask } from "../ui/dialog.tsx";
import { bytes, count, time } from "../ui/format.ts";
import { useLoading } from "../ui/loading.ts";
import { Empty, Failure, Waiting } from "../ui/states.tsx";

/** Every bucket. */
export function BucketsView() {
  const { connection, say } = useSession();
  const buckets = useLoading(() => listBuckets(connection), [connection]);
  const [isMaking, setMaking] = useState(false);
  const [doomed, setDoomed] = useState<Bucket>();
  const listed = buckets.value ?? [];
  return (
    <>
      <div class="heading">
        <h1>Buckets</h1>
        <button type="button" class="primary" onClick={() => setMaking(true)}>
          New bucket
        </button>
      </div>
      <Failure error={buckets.error} retry={buckets.reload} />
      {buckets.isLoading && buckets.value === undefined && <Waiting what="buckets" />}
      {buckets.value?.length === 0 && (
        <Empty title="No buckets yet">
          <p>A bucket holds objects. Make the first one to begin.</p>
        </Empty>
      )}
      {listed.length > 0 && (
        <table>
          <caption class="hidden">Buckets</caption>
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col">Content</th>
              <th scope="col" class="wide">
                Made
              </th>
              <th scope="col">
                <span class="hidden">Actions</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {listed.map((bucket) => (
              <tr key={bucket.name}>
                <th scope="row">
                  <a href={href({ bucket: bucket.name })}>{bucket.name}</a>
                </th>
                <td>
                  <Usage bucket={bucket.name} />
                </td>
                <td class="wide">{time(bucket.created)}</td>
                <td class="actions">
                  <button
                    type="button"
                    class="quiet"
                    aria-label={`Delete ${bucket.name}`}
                    onClick={() => setDoomed(bucket)}
                  >
                    Delete
                  </button>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {isMaking && (
        <NewBucket
          close={() => setMaking(false)}
          made={(name) => {
            say(`The bucket ${name} is made.`);
            buckets.reload();
          }}
        />
      )}
      {doomed && (
        <DeleteBucket
          name={doomed.name}
          close={() => setDoomed(undefined)}
          deleted={() => {
            say(`The bucket ${doomed.name} is deleted.`);
            buckets.reload();
          }}
        />
      )}
    </>
  );
}

/** How much is in a bucket: at once where one page tells it, on request where it takes many. */
function Usage({ bucket }: { bucket: string }) {
  const { connection } = useSession();
  const [counted, setCounted] = useState<{ objects: number; size: number; next: string }>();
  const [isCounting, setCounting] = useState(false);
  useEffect(() => {
    const abort = new AbortController();
    addPage(connection, bucket, { objects: 0, size: 0, next: "" }, abort.signal).then(setCounted, () => undefined);
    return () => abort.abort();
  }, [connection, bucket]);
  if (counted === undefined) return <span class="faint">…</span>;
  const countAll = async () => {
    setCounting(true);
    let sum = counted;
    try {
      while (sum.next !== "") {
        sum = await addPage(connection, bucket, sum);
        setCounted(sum);
      }
    } finally {
      setCounting(false);
    }
  };
  const isWhole = counted.next === "";
  return (
    <>
      {isWhole ? count(counted.objects, "object") : `${counted.objects.toLocaleString()}+ objects`}
      <span class="faint"> · {isWhole ? bytes(counted.size) : `${bytes(counted.size)}+`}</span>
      {!isWhole && (
        <button
          type="button"
          class="quiet"
          disabled={isCounting}
          aria-label={`Count all in ${bucket}`}
          onClick={countAll}
        >
          {isCounting ? "Counting …" : "Count all"}
        </button>
      )}
    </>
  );
}

interface Sum {
  objects: number;
  size: number;
  next: string;
}

async function addPage(connection: Connection, bucket: string, sum: Sum, signal?: AbortSignal): Promise<Sum> {
  const options = { isDeep: true, most: 1000, token: sum.next, ...(signal && { signal }) };
  const page = await listObjects(connection, bucket, "", options);
  const size = page.objects.reduce((total, object) => total + object.size, sum.size);
  return { objects: sum.objects + page.objects.length, size, next: page.next };
}

function NewBucket({ close, made }: { close: () => void; made: (name: string) => void }) {
  const { connection } = useSession();
  const [name, setName] = useState("");
  const perform = async () => {
    await createBucket(connection, name);
    made(name);
  };
  return (
    <Ask title="New bucket" action="Make bucket" close={close} perform={perform} isReady={name !== ""}>
      <label>
        Name
        <input
          value={name}
          autocapitalize="off"
          spellcheck={false}
          aria-describedby="bucket-name-rule"
          onInput={(event) => setName(event.currentTarget.value)}
        />
      </label>
      <p id="bucket-name-rule" class="faint">
        3 to 63 lower-case letters, digits, hyphens and dots.
      </p>
    </Ask>
  );
}

/** Deletes a bucket; one that holds something only after its name was typed. */
function DeleteBucket({ name, close, deleted }: { name: string; close: () => void; deleted: () => void }) {
  const { connection } = useSession();
  const [typed, setTyped] = useState("");
  const content = useLoading(() => listVersions(connection, name, "", {}, 1), [connection, name]);
  const isEmpty = content.value?.versions.length === 0;
  const perform = async () => {
    if (!isEmpty) await emptyBucket(connection, name);
    await deleteBucket(connection, name);
    deleted();
  };
  return (
    <Ask
      title={`Delete ${name}?`}
      action={isEmpty ? "Delete bucket" : "Delete bucket and content"}
      close={close}
      perform={perform}
      isDangerous
      isReady={content.value !== undefined && (isEmpty || typed === name)}
    >
      <Failure error={content.error} retry={content.reload} />
      {isEmpty && <p>The bucket is empty. This can't be undone.</p>}
      {content.value !== undefined && !isEmpty && (
        <>
          <p>All its objects, with every version, and its unfinished uploads are deleted too. This can't be undone.</p>
          <label>
            Type the bucket's name to confirm
            <input
              value={typed}
              autocapitalize="off"
              spellcheck={false}
              onInput={(event) => setTyped(event.currentTarget.value)}
            />
          </label>
        </>
      )}
    </Ask>
  );
}

async function emptyBucket(connection: Connection, bucket: string): Promise<void> {
  for (;;) {
    const { versions } = await listVersions(connection, bucket, "", {}, 1000);
    if (versions.length === 0) return;
    const [refused] = await deleteObjects(connection, bucket, versions);
    if (refused !== undefined) throw new Error(`${refused.key} can't be deleted: ${refused.message}`);
  }
}

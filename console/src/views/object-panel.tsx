import { useState } from "preact/hooks";
import { headObject, type Named, type ObjectHead, setMetadata, setTags, tagsOf } from "../s3/objects.ts";
import { baseName } from "../s3/path.ts";
import { useSession } from "../session.ts";
import { Dialog } from "../ui/dialog.tsx";
import { bytes, time } from "../ui/format.ts";
import { useLoading } from "../ui/loading.ts";
import { Failure, Waiting } from "../ui/states.tsx";
import { LinkForm } from "./link-form.tsx";
import { ObjectVersions } from "./object-versions.tsx";
import { PairsEditor } from "./pairs-editor.tsx";
import { Preview } from "./preview.tsx";

interface Props {
  bucket: string;
  objectKey: string;
  close: () => void;
  /** Called after something changed. */
  changed: () => void;
}

/** Everything about one object. */
export function ObjectPanel({ bucket, objectKey, close, changed }: Props) {
  const { connection } = useSession();
  const [versionId, setVersionId] = useState<string>();
  const place: Named = { bucket, key: objectKey, ...(versionId !== undefined && { versionId }) };
  const head = useLoading(() => headObject(connection, place), [connection, bucket, objectKey, versionId]);
  const reload = () => {
    setVersionId(undefined);
    head.reload();
    changed();
  };
  return (
    <Dialog title={objectKey} close={close} isPanel>
      <Failure error={head.error} retry={head.reload} />
      {head.isLoading && head.value === undefined && <Waiting what="the object" />}
      {versionId !== undefined && (
        <p class="note">
          An older version, <code>{versionId}</code>.{" "}
          <button type="button" class="link" onClick={() => setVersionId(undefined)}>
            Show the newest
          </button>
        </p>
      )}
      {head.value && <Known key={versionId} place={place} head={head.value} changed={reload} />}
      <ObjectVersions
        bucket={bucket}
        objectKey={objectKey}
        shown={versionId}
        show={setVersionId}
        changed={reload}
        gone={() => {
          changed();
          close();
        }}
      />
    </Dialog>
  );
}

function Known({ place, head, changed }: { place: Named; head: ObjectHead; changed: () => void }) {
  return (
    <>
      <Download place={place} />
      <Preview place={place} head={head} />
      <dl>
        <dt>Size</dt>
        <dd>
          {bytes(head.size)} <span class="faint">({head.size.toLocaleString()} bytes)</span>
        </dd>
        <dt>Changed</dt>
        <dd>{time(head.modified)}</dd>
        <dt>ETag</dt>
        <dd>
          <code>{head.etag.replaceAll('"', "")}</code>
        </dd>
        {head.more.map(([name, value]) => (
          <Item key={name} name={name} value={value} />
        ))}
      </dl>
      <LinkForm place={place} />
      <Metadata place={place} head={head} changed={changed} />
      <Tags place={place} />
    </>
  );
}

function Item({ name, value }: { name: string; value: string }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>
        <bdi>{value}</bdi>
      </dd>
    </>
  );
}

/** For how long the browser may take until it begins to download, in seconds. */
const DOWNLOAD_SECONDS = 300;

function Download({ place }: { place: Named }) {
  const { connection } = useSession();
  const [error, setError] = useState<unknown>();
  const download = async () => {
    try {
      const query: Record<string, string> = place.versionId === undefined ? {} : { versionId: place.versionId };
      const link = document.createElement("a");
      link.href = await connection.link(place, DOWNLOAD_SECONDS, query);
      link.download = baseName(place.key);
      link.click();
    } catch (failure) {
      setError(failure);
    }
  };
  return (
    <p>
      <button type="button" class="primary" onClick={download}>
        Download
      </button>
      <Failure error={error} />
    </p>
  );
}

function Metadata({ place, head, changed }: { place: Named; head: ObjectHead; changed: () => void }) {
  const { connection, say } = useSession();
  const isOld = place.versionId !== undefined;
  return (
    <PairsEditor
      title="Metadata"
      names={["Name", "Value"]}
      pairs={[["content-type", head.contentType], ...head.metadata]}
      fixed={1}
      {...(isOld && { why: "Only the newest version's metadata can be changed." })}
      save={async ([type, ...metadata]) => {
        await setMetadata(connection, place, head, { contentType: type?.[1] ?? "", metadata });
        say("The metadata is saved.");
        changed();
      }}
    />
  );
}

function Tags({ place }: { place: Named }) {
  const { connection, say } = useSession();
  const tags = useLoading(() => tagsOf(connection, place), [connection, place.bucket, place.key, place.versionId]);
  if (tags.error !== undefined) return <Failure error={tags.error} retry={tags.reload} />;
  if (tags.value === undefined) return <Waiting what="tags" />;
  return (
    <PairsEditor
      title="Tags"
      names={["Key", "Value"]}
      pairs={tags.value}
      save={async (next) => {
        await setTags(connection, place, next);
        say("The tags are saved.");
        tags.reload();
      }}
    />
  );
}

import { useEffect, useState } from "preact/hooks";
import { asked, type Named, type ObjectHead } from "../s3/objects.ts";
import { useSession } from "../session.ts";
import { bytes } from "../ui/format.ts";
import { useLoading } from "../ui/loading.ts";
import { Failure, Waiting } from "../ui/states.tsx";

/** How much of a text is shown, in bytes. */
const MAX_TEXT_BYTES = 256 * 1024;
/** How large a picture or document may be to be taken into memory, in bytes. */
const MAX_BLOB_BYTES = 32 * 1024 * 1024;
/** For how long a player may ask for pieces, in seconds. */
const PLAYED_SECONDS = 6 * 3600;

type Kind = "text" | "json" | "image" | "pdf" | "video" | "audio" | "none";

/** What an object is shown as. Markup is text here: nothing of an object ever runs. */
function kindOf(contentType: string, key: string): Kind {
  const type = contentType.split(";")[0]?.trim().toLowerCase() ?? "";
  const ending = /\.([a-z0-9]+)$/i.exec(key)?.[1]?.toLowerCase() ?? "";
  if (type.startsWith("video/")) return "video";
  if (type.startsWith("audio/")) return "audio";
  if (type.startsWith("image/")) return "image";
  if (type === "application/pdf" || (type === "application/octet-stream" && ending === "pdf")) return "pdf";
  if (type.endsWith("json") || ending === "json") return "json";
  if (type.startsWith("text/") || /(xml|javascript|yaml|toml|csv|x-sh)$/.test(type)) return "text";
  return ["txt", "md", "csv", "log", "yml", "yaml", "toml", "html", "js", "ts", "css", "xml"].includes(ending)
    ? "text"
    : "none";
}

/** Shows an object as far as a browser safely can. */
export function Preview({ place, head }: { place: Named; head: ObjectHead }) {
  const kind = kindOf(head.contentType, place.key);
  if (head.size === 0) return <p class="faint">The object is empty.</p>;
  switch (kind) {
    case "text":
    case "json":
      return <TextPreview place={place} head={head} isJson={kind === "json"} />;
    case "image":
    case "pdf":
      return <BlobPreview place={place} head={head} isPdf={kind === "pdf"} />;
    case "video":
    case "audio":
      return <Player place={place} isVideo={kind === "video"} />;
    default:
      return <p class="faint">There is no preview of {head.contentType || "this type"}.</p>;
  }
}

function TextPreview({ place, head, isJson }: { place: Named; head: ObjectHead; isJson: boolean }) {
  const { connection } = useSession();
  const isWhole = head.size <= MAX_TEXT_BYTES;
  const load = async (signal: AbortSignal) => {
    const range: Record<string, string> = isWhole ? {} : { range: `bytes=0-${MAX_TEXT_BYTES - 1}` };
    const text = await connection.text({ ...asked(place), headers: range, signal });
    return isJson && isWhole ? indented(text) : text;
  };
  const text = useLoading(load, [connection, place.key, place.versionId, head.etag]);
  if (text.error !== undefined) return <Failure error={text.error} retry={text.reload} />;
  if (text.value === undefined) return <Waiting what="the preview" />;
  return (
    <>
      <section aria-label="Preview">
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a text that scrolls must be reached by the keyboard */}
        <pre class="preview" tabIndex={0} dir="auto">
          {text.value}
        </pre>
      </section>
      {!isWhole && <p class="faint">The first {bytes(MAX_TEXT_BYTES)}.</p>}
    </>
  );
}

function indented(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

function BlobPreview({ place, head, isPdf }: { place: Named; head: ObjectHead; isPdf: boolean }) {
  const { connection } = useSession();
  const [url, setUrl] = useState<string>();
  const [error, setError] = useState<unknown>();
  const isTooLarge = head.size > MAX_BLOB_BYTES;
  const { bucket, key, versionId } = place;
  useEffect(() => {
    if (isTooLarge) return;
    const abort = new AbortController();
    let made: string | undefined;
    const show = async () => {
      const named: Named = { bucket, key, ...(versionId !== undefined && { versionId }) };
      const answer = await connection.send({ ...asked(named), signal: abort.signal });
      // The type is ours, never one that could run something; a picture that holds scripts can't in an <img>.
      const type = isPdf ? "application/pdf" : (head.contentType.split(";")[0] ?? "");
      made = URL.createObjectURL(new Blob([await answer.arrayBuffer()], { type }));
      if (abort.signal.aborted) URL.revokeObjectURL(made);
      else setUrl(made);
    };
    show().catch((failure: unknown) => !abort.signal.aborted && setError(failure));
    return () => {
      abort.abort();
      if (made !== undefined) URL.revokeObjectURL(made);
    };
  }, [connection, bucket, key, versionId, isPdf, isTooLarge, head.contentType]);
  if (isTooLarge) return <p class="faint">Too large for a preview: {bytes(head.size)}.</p>;
  if (error !== undefined) return <Failure error={error} />;
  if (url === undefined) return <Waiting what="the preview" />;
  if (isPdf) return <iframe class="preview" title="Preview" src={url} />;
  return (
    <img
      class="preview"
      alt={`Preview of ${key}`}
      src={url}
      onError={() => setError(new Error("This is no picture that the browser can show."))}
    />
  );
}

/** The browser asks for the pieces that it needs by itself. */
function Player({ place, isVideo }: { place: Named; isVideo: boolean }) {
  const { connection } = useSession();
  const { bucket, key, versionId } = place;
  const query: Record<string, string> = versionId === undefined ? {} : { versionId };
  const link = useLoading(
    () => connection.link({ bucket, key }, PLAYED_SECONDS, query),
    [connection, bucket, key, versionId],
  );
  if (link.value === undefined) return <Waiting what="the preview" />;
  const media = { class: "preview", controls: true, preload: "metadata", src: link.value } as const;
  return isVideo ? <video {...media} /> : <audio {...media} />;
}

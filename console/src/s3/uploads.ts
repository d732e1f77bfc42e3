import type { Connection } from "./connection.ts";
import { S3Error } from "./s3-error.ts";
import { all, decodeName, parseXml, text, type Written, writeXml } from "./xml.ts";

export interface Part {
  number: number;
  etag: string;
}

export interface UnfinishedUpload {
  key: string;
  uploadId: string;
  begun: Date;
}

interface Destination {
  bucket: string;
  key: string;
}

export async function createUpload(
  connection: Connection,
  place: Destination,
  headers: Record<string, string>,
  signal: AbortSignal,
): Promise<string> {
  const answer = await connection.text({ ...place, method: "POST", query: { uploads: "" }, headers, signal });
  return text(parseXml(answer), "UploadId");
}

export async function completeUpload(
  connection: Connection,
  { bucket, key, uploadId }: Destination & { uploadId: string },
  parts: readonly Part[],
  signal: AbortSignal,
): Promise<void> {
  const listed = parts.map(({ number, etag }): Written => {
    return [
      "Part",
      [
        ["PartNumber", String(number)],
        ["ETag", etag],
      ],
    ];
  });
  // A checksum header would be taken for the object's: the body goes as bytes.
  const body = new Blob([writeXml(["CompleteMultipartUpload", listed])], { type: "application/xml" });
  const answer = await connection.text({ method: "POST", bucket, key, query: { uploadId }, body, signal });
  const root = parseXml(answer);
  // S3 may find out that it failed after it has answered 200.
  if (root.localName === "Error") throw new S3Error(text(root, "Code"), text(root, "Message"), 200);
}

/** Aborts an upload; one that is gone already counts as aborted. */
export async function abortUpload(
  connection: Connection,
  { bucket, key, uploadId }: Destination & { uploadId: string },
): Promise<void> {
  try {
    await connection.send({ method: "DELETE", bucket, key, query: { uploadId } });
  } catch (error) {
    if (!(error instanceof S3Error && error.code === "NoSuchUpload")) throw error;
  }
}

/** Every upload that was begun and not finished. */
export async function unfinishedUploads(connection: Connection, bucket: string): Promise<UnfinishedUpload[]> {
  const uploads: UnfinishedUpload[] = [];
  let next: Record<string, string> | undefined = {};
  while (next !== undefined) {
    const query: Record<string, string> = { uploads: "", "encoding-type": "url", ...next };
    const root = parseXml(await connection.text({ bucket, query }));
    for (const upload of all(root, "Upload")) {
      const key = decodeName(text(upload, "Key"));
      uploads.push({ key, uploadId: text(upload, "UploadId"), begun: new Date(text(upload, "Initiated")) });
    }
    const marker = decodeName(text(root, "NextKeyMarker"));
    const after = { "key-marker": marker, "upload-id-marker": text(root, "NextUploadIdMarker") };
    next = text(root, "IsTruncated") === "true" ? after : undefined;
  }
  return uploads;
}

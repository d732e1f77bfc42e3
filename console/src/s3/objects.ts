import type { Connection } from "./connection.ts";
import { encode } from "./path.ts";
import { all, decodeName, parseXml, text, type Written, writeXml } from "./xml.ts";

/** How many keys a page of a listing holds. */
export const PAGE_KEYS = 200;
/** How many objects one request may delete. */
const MAX_DELETED = 1000;

export interface ListedObject {
  key: string;
  size: number;
  modified: Date;
  etag: string;
}

/** A page of what is below a prefix. */
export interface Page {
  folders: string[];
  objects: ListedObject[];
  /** What asks for the next page; "" at the end. */
  next: string;
}

/** Lists below a prefix, folder by folder unless `isDeep`. */
export async function listObjects(
  connection: Connection,
  bucket: string,
  prefix: string,
  options: { token?: string; isDeep?: boolean; most?: number; signal?: AbortSignal } = {},
): Promise<Page> {
  const query: Record<string, string> = { "list-type": "2", "encoding-type": "url", prefix };
  query["max-keys"] = String(options.most ?? PAGE_KEYS);
  if (!options.isDeep) query.delimiter = "/";
  if (options.token) query["continuation-token"] = options.token;
  const root = parseXml(await connection.text({ bucket, query, ...(options.signal && { signal: options.signal }) }));
  return {
    folders: all(root, "CommonPrefixes").map((folder) => decodeName(text(folder, "Prefix"))),
    objects: all(root, "Contents").map((object) => ({
      key: decodeName(text(object, "Key")),
      size: Number(text(object, "Size")),
      modified: new Date(text(object, "LastModified")),
      etag: text(object, "ETag"),
    })),
    next: text(root, "NextContinuationToken"),
  };
}

/** One object, or one version of it, that is to be deleted. */
export interface Doomed {
  key: string;
  versionId?: string;
}

/** Deletes many; gives back what the server refused. */
export async function deleteObjects(
  connection: Connection,
  bucket: string,
  doomed: readonly Doomed[],
): Promise<{ key: string; message: string }[]> {
  const refused: { key: string; message: string }[] = [];
  for (let first = 0; first < doomed.length; first += MAX_DELETED) {
    const objects = doomed.slice(first, first + MAX_DELETED).map(({ key, versionId }): Written => {
      const version: Written[] = versionId === undefined ? [] : [["VersionId", versionId]];
      return ["Object", [["Key", key], ...version]];
    });
    const body = writeXml(["Delete", [["Quiet", "true"], ...objects]]);
    const root = parseXml(await connection.text({ method: "POST", bucket, query: { delete: "" }, body }));
    refused.push(...all(root, "Error").map((error) => ({ key: text(error, "Key"), message: text(error, "Message") })));
  }
  return refused;
}

/** What is known of an object without its bytes. */
export interface ObjectHead {
  size: number;
  modified: Date;
  etag: string;
  contentType: string;
  versionId: string | undefined;
  /** Other headers that say how it is kept and given back. */
  more: [string, string][];
  /** User metadata, without `x-amz-meta-`. */
  metadata: [string, string][];
}

const SHOWN = ["cache-control", "content-disposition", "content-encoding", "content-language", "expires"];
const ALSO_SHOWN = /^x-amz-(storage-class|server-side-encryption|object-lock-|expiration|checksum-|website-)/;

export async function headObject(connection: Connection, place: Named): Promise<ObjectHead> {
  const { headers } = await connection.send({
    ...asked(place),
    method: "HEAD",
    headers: { "x-amz-checksum-mode": "ENABLED" },
  });
  const given = [...headers.entries()];
  return {
    size: Number(headers.get("content-length")),
    modified: new Date(headers.get("last-modified") ?? 0),
    etag: headers.get("etag") ?? "",
    contentType: headers.get("content-type") ?? "",
    versionId: headers.get("x-amz-version-id") ?? undefined,
    more: given.filter(([name]) => SHOWN.includes(name) || ALSO_SHOWN.test(name)),
    metadata: given
      .filter(([name]) => name.startsWith("x-amz-meta-"))
      .map(([name, value]) => [name.slice("x-amz-meta-".length), decodeWords(value)]),
  };
}

/** Metadata that is not ASCII comes as an encoded word of RFC 2047. */
function decodeWords(value: string): string {
  return value.replace(/=\?UTF-8\?B\?([A-Za-z0-9+/=]*)\?=/gi, (_word, base64: string) => {
    const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
    return new TextDecoder().decode(bytes);
  });
}

/** An object, or one version of it. */
export interface Named {
  bucket: string;
  key: string;
  versionId?: string;
}

/** How a request names an object. */
export function asked({ bucket, key, versionId }: Named, query: Record<string, string> = {}) {
  return { bucket, key, query: { ...query, ...(versionId !== undefined && { versionId }) } };
}

/** Replaces an object's type and metadata, by a copy onto itself; fails when it was changed since `head`. */
export async function setMetadata(
  connection: Connection,
  place: Named,
  head: ObjectHead,
  next: { contentType: string; metadata: readonly [string, string][] },
): Promise<void> {
  const kept = head.more.filter(([name]) => SHOWN.includes(name));
  const metadata = next.metadata.map(([name, value]): [string, string] => [`x-amz-meta-${name}`, encodeWord(value)]);
  const headers = {
    ...Object.fromEntries(kept),
    ...Object.fromEntries(metadata),
    "content-type": next.contentType,
    "x-amz-copy-source": copySource(place),
    "x-amz-copy-source-if-match": head.etag,
    "x-amz-metadata-directive": "REPLACE",
    "x-amz-tagging-directive": "COPY",
  };
  const { bucket, key } = place;
  await connection.text({ method: "PUT", bucket, key, headers });
}

/** Makes an old version the newest again, by a copy. */
export async function restoreVersion(connection: Connection, place: Named): Promise<void> {
  const { bucket, key } = place;
  await connection.text({ method: "PUT", bucket, key, headers: { "x-amz-copy-source": copySource(place) } });
}

function copySource({ bucket, key, versionId }: Named): string {
  const path = `/${bucket}/${key.split("/").map(encode).join("/")}`;
  return versionId === undefined ? path : `${path}?versionId=${encode(versionId)}`;
}

/** Headers hold ASCII; other text goes as an encoded word, as it comes back. */
function encodeWord(value: string): string {
  if (/^[\x20-\x7e]*$/.test(value)) return value;
  return `=?UTF-8?B?${btoa(String.fromCharCode(...new TextEncoder().encode(value)))}?=`;
}

export async function tagsOf(connection: Connection, place: Named): Promise<[string, string][]> {
  const root = parseXml(await connection.text(asked(place, { tagging: "" })));
  const set = all(root, "TagSet")[0];
  return set ? all(set, "Tag").map((tag) => [text(tag, "Key"), text(tag, "Value")]) : [];
}

export async function setTags(connection: Connection, place: Named, tags: readonly [string, string][]): Promise<void> {
  const written = tags.map(
    ([key, value]): Written => [
      "Tag",
      [
        ["Key", key],
        ["Value", value],
      ],
    ],
  );
  const body = writeXml(["Tagging", [["TagSet", written]]]);
  await connection.send({ ...asked(place, { tagging: "" }), method: "PUT", body });
}

import type { Connection } from "./connection.ts";
import { decodeName, parseXml, text, writeXml } from "./xml.ts";

export interface Version {
  key: string;
  versionId: string;
  isLatest: boolean;
  isMarker: boolean;
  modified: Date;
  size: number;
}

/** A page of versions, newest first for each key; `next` asks for the page behind it. */
export async function listVersions(
  connection: Connection,
  bucket: string,
  prefix: string,
  next: Record<string, string> = {},
  most = 500,
): Promise<{ versions: Version[]; next: Record<string, string> | undefined }> {
  const query = { versions: "", "encoding-type": "url", "max-keys": String(most), prefix, ...next };
  const root = parseXml(await connection.text({ bucket, query }));
  const listed = [...root.children].filter(({ localName }) => localName === "Version" || localName === "DeleteMarker");
  const marker = decodeName(text(root, "NextKeyMarker"));
  const after = { "key-marker": marker, "version-id-marker": text(root, "NextVersionIdMarker") };
  return {
    versions: listed.map((version) => ({
      key: decodeName(text(version, "Key")),
      versionId: text(version, "VersionId"),
      isLatest: text(version, "IsLatest") === "true",
      isMarker: version.localName === "DeleteMarker",
      modified: new Date(text(version, "LastModified")),
      size: Number(text(version, "Size") || 0),
    })),
    next: text(root, "IsTruncated") === "true" ? after : undefined,
  };
}

/** Every version of one key. */
export async function versionsOf(connection: Connection, bucket: string, key: string): Promise<Version[]> {
  const versions: Version[] = [];
  let next: Record<string, string> | undefined = {};
  while (next !== undefined) {
    const page: Awaited<ReturnType<typeof listVersions>> = await listVersions(connection, bucket, key, next);
    versions.push(...page.versions.filter((version) => version.key === key));
    // Keys that only begin like this one come behind it.
    next = page.versions.some((version) => version.key !== key) ? undefined : page.next;
  }
  return versions;
}

export type Versioning = "Enabled" | "Suspended" | "";

export async function versioningOf(connection: Connection, bucket: string): Promise<Versioning> {
  const root = parseXml(await connection.text({ bucket, query: { versioning: "" } }));
  return text(root, "Status") as Versioning;
}

export async function setVersioning(connection: Connection, bucket: string, status: Versioning): Promise<void> {
  const body = writeXml(["VersioningConfiguration", [["Status", status]]]);
  await connection.send({ method: "PUT", bucket, query: { versioning: "" }, body });
}

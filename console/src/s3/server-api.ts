import type { Connection } from "./connection.ts";

/** A request that the server has answered. */
export interface Answered {
  operation: string | null;
  bucket: string | null;
  key: string | null;
  status: number;
  bytesIn: number;
  bytesOut: number;
  atMs: number;
  durationMs: number;
}

/** What goes wrong on purpose, as `storage.faults.add` takes it. */
export interface Fault {
  operation?: string;
  bucket?: string;
  key?: string;
  count?: number;
  probability?: number;
  delayMs?: number;
  error?: string;
  cut?: string;
  corrupt?: boolean;
  bytesPerSecond?: number;
}

export interface AddedFault {
  id: number;
  met: number;
  fault: { [K in keyof Fault]: Fault[K] | null };
}

const api = (what: string) => ({ bucket: "_console", key: `api/${what}` });

/** What was answered after number `after`, oldest first, and the number to ask with next. */
export async function requestsAfter(
  connection: Connection,
  after: number,
  signal?: AbortSignal,
): Promise<{ next: number; records: Answered[] }> {
  const query = { after: String(after) };
  return JSON.parse(await connection.text({ ...api("requests"), query, ...(signal && { signal }) }));
}

export async function clearRequests(connection: Connection): Promise<void> {
  await connection.send({ ...api("requests"), method: "DELETE" });
}

export async function faults(connection: Connection): Promise<{ faults: AddedFault[]; operations: string[] }> {
  return JSON.parse(await connection.text(api("faults")));
}

export async function addFault(connection: Connection, fault: Fault): Promise<void> {
  await connection.send({ ...api("faults"), method: "POST", body: JSON.stringify(fault) });
}

/** Removes one; without an id, all. */
export async function removeFaults(connection: Connection, id?: number): Promise<void> {
  const query: Record<string, string> = id === undefined ? {} : { id: String(id) };
  await connection.send({ ...api("faults"), method: "DELETE", query });
}

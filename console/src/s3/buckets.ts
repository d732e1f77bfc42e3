import type { Connection } from "./connection.ts";
import { all, parseXml, text } from "./xml.ts";

export interface Bucket {
  name: string;
  created: Date;
}

/** Every bucket that may be seen, page by page. */
export async function listBuckets(connection: Connection): Promise<Bucket[]> {
  const buckets: Bucket[] = [];
  let token = "";
  do {
    const query = { "max-buckets": "1000", ...(token && { "continuation-token": token }) };
    const root = parseXml(await connection.text({ query }));
    const list = all(root, "Buckets")[0];
    for (const bucket of list ? all(list, "Bucket") : []) {
      buckets.push({ name: text(bucket, "Name"), created: new Date(text(bucket, "CreationDate")) });
    }
    token = text(root, "ContinuationToken");
  } while (token !== "");
  return buckets;
}

export async function createBucket(connection: Connection, bucket: string): Promise<void> {
  await connection.send({ method: "PUT", bucket });
}

export async function deleteBucket(connection: Connection, bucket: string): Promise<void> {
  await connection.send({ method: "DELETE", bucket });
}

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SmartStorage } from "holdfast";

/** A server that checks signatures, and what a client needs to know of it. */
export interface ClientServer {
  storage: SmartStorage;
  host: string;
  port: number;
  endpoint: string;
  accessKey: string;
  secret: string;
  /** A folder for the client's own files; gone when the server is stopped. */
  folder: string;
  /** What clients read of their surroundings: keys, region, endpoint, and no settings of this machine. */
  env: NodeJS.ProcessEnv;
  stop(): Promise<void>;
}

/** The secret has characters that some clients encode. */
const CREDENTIAL = { accessKeyId: "AKIDCLIENTS", secretAccessKey: "wJalr/XUtn+FEMI=K7MDENG" };

/** Starts a server with the buckets named. */
export async function startServer(buckets: string[] = []): Promise<ClientServer> {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-clients-"));
  const storage = await SmartStorage.createAndStart({
    server: { port: 0, address: "127.0.0.1", silent: true },
    storage: { directory: join(folder, "buckets") },
    auth: { enabled: true, credentials: [CREDENTIAL] },
    buckets,
  });
  const { endpoint: host, port, accessKey, accessSecret: secret } = await storage.getStorageDescriptor();
  const endpoint = `http://${host}:${port}`;
  const env = {
    PATH: process.env.PATH,
    HOME: folder,
    LANG: "C.UTF-8",
    TMPDIR: tmpdir(),
    AWS_ACCESS_KEY_ID: accessKey,
    AWS_SECRET_ACCESS_KEY: secret,
    AWS_DEFAULT_REGION: "us-east-1",
    AWS_ENDPOINT_URL: endpoint,
    AWS_EC2_METADATA_DISABLED: "true",
  };
  const stop = async (): Promise<void> => {
    await storage.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  return { storage, host, port, endpoint, accessKey, secret, folder, env, stop };
}

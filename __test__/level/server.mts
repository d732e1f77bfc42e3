// One storage server for a test file.
import { after } from "node:test";
import { SmartStorage } from "holdfast";

/** A running server, how to reach it, and locations that nobody used before. */
export interface LevelServer {
  storage: SmartStorage;
  s3: { endpoint: string; credentials: { accessKeyId: string; secretAccessKey: string } };
  /** The same as variables, for a process of its own. */
  environment: Readonly<Record<string, string>>;
  /** A new location in the bucket `level`. */
  location(): string;
}

/** Starts a server that stops when the file's tests are over. */
export async function levelServer(): Promise<LevelServer> {
  const storage = await SmartStorage.createAndStart({
    server: { port: 0, address: "127.0.0.1", silent: true },
    storage: { inMemory: true },
    auth: { enabled: true },
    buckets: ["level"],
  });
  after(() => storage.stop());
  const { endpoint, port, accessKey, accessSecret } = await storage.getStorageDescriptor();
  const url = `http://${endpoint}:${port}`;
  let count = 0;
  return {
    storage,
    s3: { endpoint: url, credentials: { accessKeyId: accessKey, secretAccessKey: accessSecret } },
    environment: { AWS_ENDPOINT_URL: url, AWS_ACCESS_KEY_ID: accessKey, AWS_SECRET_ACCESS_KEY: accessSecret },
    location: () => `level/${++count}`,
  };
}

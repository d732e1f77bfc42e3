import { S3Client, type S3ClientConfig } from "@aws-sdk/client-s3";
import type { SmartStorage } from "holdfast";

/** The AWS SDK's client of a server that runs in this process: it asks once, so that each answer is seen. */
export async function clientOf(
  storage: Pick<SmartStorage, "getStorageDescriptor">,
  options: S3ClientConfig = {},
): Promise<S3Client> {
  const { endpoint, port, accessKey, accessSecret, useSsl } = await storage.getStorageDescriptor();
  return new S3Client({
    endpoint: `${useSsl ? "https" : "http"}://${endpoint}:${port}`,
    region: "us-east-1",
    credentials: { accessKeyId: accessKey, secretAccessKey: accessSecret },
    forcePathStyle: true,
    maxAttempts: 1,
    ...options,
  });
}

import assert from "node:assert/strict";
import { Agent, get } from "node:https";
import { describe, it } from "node:test";
import { GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { ConfigError, SmartStorage } from "holdfast";
import { clientOf } from "./storage-client.js";

const Bucket = "tls";

describe("SmartStorage with TLS", () => {
  it("shows a self-made certificate that clients can trust", async () => {
    const storage = await SmartStorage.createAndStart({
      server: { port: 0, address: "127.0.0.1", silent: true, tls: true },
      storage: { inMemory: true },
      monitoring: { health: true, metrics: true },
      buckets: [Bucket],
    });
    try {
      const { port, useSsl } = await storage.getStorageDescriptor();
      assert.equal(useSsl, true);
      const ca = storage.certificate as string;
      assert.match(ca, /^-----BEGIN CERTIFICATE-----/);
      const client = await clientOf(storage, {
        endpoint: `https://localhost:${port}`,
        requestHandler: { httpsAgent: new Agent({ ca }) },
      });
      await client.send(new PutObjectCommand({ Bucket, Key: "a", Body: "over TLS" }));
      const got = await client.send(new GetObjectCommand({ Bucket, Key: "a" }));
      assert.equal(await got.Body?.transformToString(), "over TLS");
      client.destroy();
      // The name is checked too, and the address.
      for (const host of ["127.0.0.1", "localhost"]) {
        const status = await new Promise((done, failed) => {
          get({ host, port, path: "/_health", ca, agent: false }, (answer) => done(answer.resume().statusCode)).on(
            "error",
            failed,
          );
        });
        assert.equal(status, 200);
      }
      await assert.rejects(fetch(`https://127.0.0.1:${port}/_health`), "nobody trusts it unasked");
      await assert.rejects(fetch(`http://127.0.0.1:${port}/_health`), "plain HTTP is not answered");
    } finally {
      await storage.stop();
    }
  });

  it("refuses what is no certificate, and shows no key", async () => {
    const storage = new SmartStorage({
      server: { port: 0, silent: true, tls: { certificate: "none", key: "secret-key" } },
      storage: { inMemory: true },
    });
    await assert.rejects(storage.start(), (error: Error & { code?: string }) => {
      assert.equal(error.code, "INVALID_CERTIFICATE");
      assert.doesNotMatch(error.message, /secret-key/);
      return error instanceof ConfigError;
    });
    const wrong = { server: { tls: "secret-key" as never } };
    assert.throws(
      () => new SmartStorage(wrong),
      (error: Error) => error instanceof ConfigError && !error.message.includes("secret-key"),
    );
  });
});

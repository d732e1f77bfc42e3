// Credentials that nobody gave: found where the AWS SDKs look for them. Each way in a process of its own.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { join, resolve } from "node:path";
import { describe, it } from "node:test";

import { useReplicaBucket } from "./replica-bucket.js";

const ROOT = resolve(__dirname, "..");

describe("createS3DataProvider without credentials", () => {
  const used = useReplicaBucket();
  let round = 0;

  /** Opens a database in a process with this environment and no other of AWS; its error's code, or `stored`. */
  const outcomeWith = async (env: Record<string, string>): Promise<string> => {
    const { credentials, ...s3 } = used.place(`database-${++round}`);
    const options = { file: join(used.folder, `${round}.sqlite`), s3, sync: { mode: "sync" } };
    const plain = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("AWS_")));
    const child = spawn(process.execPath, ["-e", OPENS, JSON.stringify(options)], {
      cwd: ROOT,
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...plain, HOME: used.folder, AWS_EC2_METADATA_DISABLED: "true", ...env },
    });
    let said = "";
    child.stdout.on("data", (data) => {
      said += data;
    });
    await once(child, "close");
    return said.trim();
  };
  const keys = () => {
    const { credentials } = used.place("any");
    assert.ok(credentials !== undefined);
    return credentials;
  };
  /** Serves a request listener while `work` runs. */
  const serving = async (listener: RequestListener, work: (url: string) => Promise<void>): Promise<void> => {
    const server = createServer(listener).listen(0, "127.0.0.1");
    await once(server, "listening");
    try {
      await work(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  };

  it("takes those of the environment", async () => {
    const { accessKeyId, secretAccessKey } = keys();
    assert.equal(
      await outcomeWith({ AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey }),
      "stored",
    );
  });

  it("takes those of a profile", async () => {
    const { accessKeyId, secretAccessKey } = keys();
    const file = join(used.folder, "credentials");
    const profile = (name: string, secret: string) =>
      `[${name}]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secret}\n`;
    writeFileSync(file, `${profile("default", "wrong")}${profile("work", secretAccessKey)}`);
    const env = { AWS_SHARED_CREDENTIALS_FILE: file };
    assert.equal(await outcomeWith({ ...env, AWS_PROFILE: "work" }), "stored");
    assert.notEqual(await outcomeWith(env), "stored", "the default profile's secret is wrong");
  });

  it("takes those of a container's endpoint, with its token", async () => {
    const { accessKeyId, secretAccessKey } = keys();
    const asked: (string | undefined)[] = [];
    const listener: RequestListener = (request, response) => {
      asked.push(request.headers.authorization);
      const expires = new Date(Date.now() + 3_600_000).toISOString();
      response.setHeader("content-type", "application/json");
      response.end(
        JSON.stringify({ AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey, Token: "t", Expiration: expires }),
      );
    };
    await serving(listener, async (url) => {
      const env = { AWS_CONTAINER_CREDENTIALS_FULL_URI: `${url}/role`, AWS_CONTAINER_AUTHORIZATION_TOKEN: "secret" };
      assert.equal(await outcomeWith(env), "stored");
    });
    assert.deepEqual([...new Set(asked)], ["secret"]);
    assert.equal(asked.length, 1, "they are kept until they expire");
  });

  it("takes those that a web identity's token is exchanged for", async () => {
    const { accessKeyId, secretAccessKey } = keys();
    const token = join(used.folder, "token");
    writeFileSync(token, "a-web-identity");
    const asked: URLSearchParams[] = [];
    const listener: RequestListener = async (request, response) => {
      let body = "";
      for await (const chunk of request) body += chunk;
      asked.push(new URLSearchParams(body));
      response.setHeader("content-type", "text/xml");
      response.end(`<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
        <AssumeRoleWithWebIdentityResult>
          <AssumedRoleUser><Arn>arn:aws:sts::1:assumed-role/r/s</Arn><AssumedRoleId>id:s</AssumedRoleId></AssumedRoleUser>
          <Credentials>
            <AccessKeyId>${accessKeyId}</AccessKeyId><SecretAccessKey>${secretAccessKey}</SecretAccessKey>
            <SessionToken>t</SessionToken><Expiration>${new Date(Date.now() + 3_600_000).toISOString()}</Expiration>
          </Credentials>
        </AssumeRoleWithWebIdentityResult>
      </AssumeRoleWithWebIdentityResponse>`);
    };
    await serving(listener, async (url) => {
      const env = { AWS_WEB_IDENTITY_TOKEN_FILE: token, AWS_ROLE_ARN: "arn:aws:iam::1:role/r" };
      assert.equal(await outcomeWith({ ...env, AWS_ENDPOINT_URL_STS: url }), "stored");
    });
    assert.deepEqual(
      asked.map((question) => [question.get("Action"), question.get("WebIdentityToken")]),
      [["AssumeRoleWithWebIdentity", "a-web-identity"]],
    );
  });

  it("says so when a profile is named that is not there", async () => {
    assert.equal(await outcomeWith({ AWS_PROFILE: "nobody" }), "CREDENTIALS_MISSING");
  });
});

/** Opens a database, writes to it in sync mode and closes it; prints how that went. */
const OPENS = `
  const { createS3DataProvider } = require("holdfast");
  createS3DataProvider(JSON.parse(process.argv[1]))()
    .then(async (database) => {
      await database.execute("create table t (n integer)");
      await database.close();
    })
    .then(() => console.log("stored"), (error) => console.log(error.code ?? error));
`;

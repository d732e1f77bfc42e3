import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import {
  CreateMultipartUploadCommand,
  GetBucketCorsCommand,
  GetBucketLifecycleConfigurationCommand,
  GetBucketPolicyCommand,
  ListMultipartUploadsCommand,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import type { Browser, Page } from "playwright-core";
import { until } from "../store-scripts.js";
import { goTo, launch, openDesk, said } from "./browser.mjs";

const Bucket = "things";

describe("the console's settings of a bucket", () => {
  let browser: Browser;
  before(async () => {
    browser = await launch();
  });
  after(() => browser.close());

  /** The line that is marked, as it is counted. */
  const markedLine = async (page: Page): Promise<number> => {
    await page.locator(".lines li.wrong").waitFor();
    const classes = "[...document.querySelectorAll('.lines li')].findIndex((line) => line.className === 'wrong') + 1";
    return Number(await page.evaluate(classes));
  };

  it("hold a policy that is checked here and by the server, each with its line, and saved", async () => {
    await using desk = await openDesk(browser, { buckets: [Bucket] });
    const { page, client } = desk;
    await goTo(page, { bucket: Bucket, tab: "policy" });
    await page.getByRole("button", { name: "Begin with an example" }).click();
    const editor = page.getByLabel("The bucket policy");
    const example = await editor.inputValue();
    await editor.fill(example.replace('"Allow",', '"Allow"'));
    await page.getByRole("button", { name: "Save bucket policy" }).click();
    assert.equal(await markedLine(page), 7, "where JSON goes wrong");
    await editor.fill(example.replace("s3:GetObject", "s3:Nonsense"));
    await page.getByRole("button", { name: "Save bucket policy" }).click();
    await page.getByRole("alert").getByText("MalformedPolicy").waitFor();
    await page.locator(".lines li.wrong").waitFor();
    await editor.fill(example);
    await page.getByRole("button", { name: "Save bucket policy" }).click();
    await said(page, "The bucket policy is saved.");
    const { Policy = "" } = await client.send(new GetBucketPolicyCommand({ Bucket }));
    assert.deepEqual(JSON.parse(Policy), JSON.parse(example));
    await page.getByRole("button", { name: "Remove bucket policy" }).click();
    await said(page, "The bucket policy is removed.");
    await assert.rejects(client.send(new GetBucketPolicyCommand({ Bucket })), { name: "NoSuchBucketPolicy" });
    assert.deepEqual(desk.complaints, []);
  });

  it("hold CORS and lifecycle rules that come back as they were written", async () => {
    await using desk = await openDesk(browser, { buckets: [Bucket] });
    const { page, client } = desk;
    await goTo(page, { bucket: Bucket, tab: "cors" });
    await page.getByRole("button", { name: "Begin with an example" }).click();
    const cors = page.getByLabel("The CORS configuration");
    const example = await cors.inputValue();
    await cors.fill(example.replace("</CORSRule>", ""));
    await page.getByRole("button", { name: "Save CORS configuration" }).click();
    await page
      .getByRole("alert")
      .getByText(/line \d+/)
      .first()
      .waitFor();
    await cors.fill(example);
    await page.getByRole("button", { name: "Save CORS configuration" }).click();
    await said(page, "The CORS configuration is saved.");
    const { CORSRules } = await client.send(new GetBucketCorsCommand({ Bucket }));
    assert.deepEqual(CORSRules?.[0]?.AllowedOrigins, ["https://example.com"]);
    await page.reload();
    await until(async () => (await cors.inputValue()).includes("example.com"));
    assert.match(await cors.inputValue(), /\n {4}<AllowedOrigin>https:\/\/example\.com<\/AllowedOrigin>\n/);
    await goTo(page, { bucket: Bucket, tab: "lifecycle" });
    await page.getByRole("button", { name: "Begin with an example" }).click();
    const rules = page.getByLabel("The lifecycle configuration");
    await rules.fill((await rules.inputValue()).replace("<Days>30</Days>", "<Days>0</Days>"));
    await page.getByRole("button", { name: "Save lifecycle configuration" }).click();
    assert.match(await lineAt(page, await markedLine(page)), /Days/);
    await rules.fill((await rules.inputValue()).replace("<Days>0</Days>", "<Days>30</Days>"));
    await page.getByRole("button", { name: "Save lifecycle configuration" }).click();
    await said(page, "The lifecycle configuration is saved.");
    const { Rules } = await client.send(new GetBucketLifecycleConfigurationCommand({ Bucket }));
    assert.equal(Rules?.[0]?.Expiration?.Days, 30);
  });

  const lineAt = async (page: Page, line: number): Promise<string> =>
    (await page.locator("textarea").inputValue()).split("\n")[line - 1] ?? "";

  it("show unfinished uploads and clear them", async () => {
    await using desk = await openDesk(browser, { buckets: [Bucket] });
    const { page, client } = desk;
    for (const Key of ["a", "<b>"]) await client.send(new CreateMultipartUploadCommand({ Bucket, Key }));
    await goTo(page, { bucket: Bucket, tab: "unfinished" });
    await page.getByRole("button", { name: "Clear <b>" }).click();
    await said(page, "1 unfinished upload cleared.");
    await page.getByRole("button", { name: "Clear all" }).click();
    await page.getByText("No unfinished uploads").waitFor();
    assert.equal((await client.send(new ListMultipartUploadsCommand({ Bucket }))).Uploads, undefined);
  });

  it("show what S3Level and createS3DataProvider wrote, for what it is", async () => {
    await using desk = await openDesk(browser, { buckets: [Bucket] });
    const { page, client, storage } = desk;
    const { S3Level } = await import("holdfast/level");
    const { port } = await storage.getStorageDescriptor();
    const endpoint = `http://127.0.0.1:${port}`;
    const credentials = { accessKeyId: "STORAGE", secretAccessKey: "STORAGE" };
    const level = new S3Level(`${Bucket}/level`, {
      layout: "lsm",
      endpoint,
      credentials,
      region: "us-east-1",
      forcePathStyle: true,
    });
    await level.open();
    await level.put("a", "1");
    await level.close();
    const generation = "generations/0b0c6c5e-7f5e-4f0e-9a55-5c1b8a0d0001";
    const written: [string, string][] = [
      [
        "db/lock.json",
        JSON.stringify({
          lockId: "1",
          holder: "host-7",
          acquiredAt: "2026-01-01T00:00:00Z",
          expiresAt: "2026-01-01T00:01:00Z",
          epoch: 3,
        }),
      ],
      [
        `db/${generation}/snapshot.meta.json`,
        JSON.stringify({ generation: "x", createdAt: "2026-01-01T00:00:00Z", size: 4096, checksum: "" }),
      ],
      [`db/${generation}/log/000000000000001f.seg`, "segment"],
    ];
    for (const [Key, Body] of written) await client.send(new PutObjectCommand({ Bucket, Key, Body }));
    await goTo(page, { bucket: Bucket });
    await page.getByRole("region", { name: "Level databases" }).getByText("layout lsm").waitFor();
    await goTo(page, { bucket: Bucket, prefix: "db/" });
    const replica = page.getByRole("region", { name: "Replicated database" });
    await replica.getByText("at position 31").waitFor();
    await replica.getByText("host-7").waitFor();
    await replica.getByText("epoch 3").waitFor();
  });
});

describe("the console's view of the server", () => {
  let browser: Browser;
  before(async () => {
    browser = await launch();
  });
  after(() => browser.close());

  it("shows requests as they come, and finds among them", async () => {
    await using desk = await openDesk(browser, { buckets: [Bucket], auth: { enabled: true } });
    const { page, client } = desk;
    await page.getByLabel("Access key").fill("STORAGE");
    await page.getByLabel("Secret key").fill("STORAGE");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("link", { name: "Requests" }).click();
    await client.send(new PutObjectCommand({ Bucket, Key: "<i>watched</i>", Body: "x" }));
    await page.getByText("things/<i>watched</i>").waitFor();
    await page.getByLabel("Filter requests").fill("listbuckets");
    await page.getByText("things/<i>watched</i>").waitFor({ state: "detached" });
    await page.getByRole("cell", { name: "ListBuckets" }).first().waitFor();
    await page.getByRole("button", { name: "Clear" }).click();
    await page.getByText("No requests").waitFor();
    await page.getByLabel("Filter requests").fill("");
    await client.send(new PutObjectCommand({ Bucket, Key: "after", Body: "x" }));
    await page.getByText("things/after").waitFor();
  });

  it("sets faults and removes them, and shows what they do to itself", async () => {
    await using desk = await openDesk(browser, { buckets: [Bucket] });
    const { page, client } = desk;
    await page.getByRole("link", { name: "Faults" }).click();
    await page.getByLabel("Operation").selectOption("ListObjectsV2");
    await page.getByLabel("Error", { exact: true }).fill("SlowDown");
    await page.getByRole("button", { name: "Set fault" }).click();
    await said(page, "The fault is set.");
    await page.getByText("ListObjectsV2 fails with SlowDown").waitFor();
    await goTo(page, { bucket: Bucket });
    await page.getByRole("alert").getByText("SlowDown").waitFor();
    await client.send(new PutObjectCommand({ Bucket, Key: "there", Body: "x" }));
    desk.storage.faults.clear();
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByRole("button", { name: "there" }).waitFor();
    await page.getByRole("link", { name: "Faults" }).click();
    await page.getByText("Nothing goes wrong").waitFor();
    await page.getByLabel("What happens").selectOption("delayMs");
    await page.getByRole("button", { name: "Set fault" }).click();
    await page.getByText("every request waits 1000 ms").waitFor();
    await page.getByRole("button", { name: "Remove", exact: true }).click();
    await page.getByText("Nothing goes wrong").waitFor();
  });

  it("says that a connection broke, waits for a slow answer, and goes on", async () => {
    await using desk = await openDesk(browser, { buckets: [Bucket] });
    const { page, storage } = desk;
    const cut = storage.faults.add({ operation: "ListObjectsV2", bucket: Bucket, cut: "before" });
    await goTo(page, { bucket: Bucket });
    await page.getByRole("alert").getByText("could not be reached").waitFor();
    cut.remove();
    storage.faults.add({ operation: "ListObjectsV2", delayMs: 700, count: 1 });
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByText("Loading objects").waitFor();
    await page.getByText("Nothing here yet").waitFor();
    await storage.stop();
    await page.getByRole("button", { name: "Refresh" }).click();
    await page.getByRole("alert").getByText("could not be reached").waitFor();
  });
});

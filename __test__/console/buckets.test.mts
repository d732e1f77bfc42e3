import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { HeadBucketCommand, ListBucketsCommand, PutBucketPolicyCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import type { Browser } from "playwright-core";
import { goTo, launch, openDesk, said, signIn } from "./browser.mjs";

/** Names that have broken something somewhere. */
const AWKWARD = [
  "🪣 bucket of 🐟.txt",
  `"quoted" & 'single'.txt`,
  "<script>document.title='broken'</script>",
  "<img src=x onerror=alert(1)>.txt",
  "a b+c%20d.txt",
  "..",
  "up/../and/./down.txt",
  "//double//slash",
  "مرحبا‏ right-to-left.txt",
  "tab\tand\nline.txt",
  "?query#hash",
];

describe("the console's buckets", () => {
  let browser: Browser;
  before(async () => {
    browser = await launch();
  });
  after(() => browser.close());

  it("open without sign-in where nobody is asked who they are, and are made and deleted", async () => {
    await using desk = await openDesk(browser);
    const { page, client } = desk;
    await page.getByText("No buckets yet").waitFor();
    await page.getByRole("button", { name: "New bucket" }).click();
    await page.getByLabel("Name").fill("Not_Valid");
    await page.getByRole("button", { name: "Make bucket" }).click();
    await page.getByRole("alert").getByText("InvalidBucketName").waitFor();
    await page.getByLabel("Name").fill("first");
    await page.keyboard.press("Enter");
    await page.getByRole("link", { name: "first" }).waitFor();
    await client.send(new HeadBucketCommand({ Bucket: "first" }));
    await page.getByRole("button", { name: "Delete first" }).click();
    await page.getByText("The bucket is empty").waitFor();
    await page.getByRole("button", { name: "Delete bucket", exact: true }).click();
    await page.getByText("No buckets yet").waitFor();
    assert.deepEqual((await client.send(new ListBucketsCommand({}))).Buckets ?? [], []);
    assert.deepEqual(desk.complaints, []);
  });

  it("tell how much is in them, and are deleted with their content only after their name was typed", async () => {
    await using desk = await openDesk(browser, { buckets: ["full"] });
    const { page, client, storage } = desk;
    await client.send(new PutObjectCommand({ Bucket: "full", Key: "a", Body: "12345" }));
    await client.send(new PutObjectCommand({ Bucket: "full", Key: "b", Body: "12345" }));
    await page.reload();
    await page.getByText("2 objects · 10 B").waitFor();
    await page.getByRole("button", { name: "Delete full" }).click();
    const confirm = page.getByRole("button", { name: "Delete bucket and content" });
    const name = page.getByLabel("Type the bucket's name to confirm");
    await name.fill("ful");
    assert.equal(await confirm.isDisabled(), true);
    await name.fill("full");
    await confirm.click();
    await said(page, "The bucket full is deleted.");
    await assert.rejects(client.send(new HeadBucketCommand({ Bucket: "full" })), { name: "NotFound" });
    assert.ok(storage.requests.some(({ operation }) => operation === "DeleteBucket"));
  });

  it("show keys as folders, in pages, and find them by prefix", async () => {
    await using desk = await openDesk(browser, { buckets: ["many"] });
    const { page, client, storage } = desk;
    const keys = [...Array(250).keys()].map((n) => `logs/${String(n).padStart(4, "0")}.txt`);
    await Promise.all(
      [...keys, "readme.md"].map((Key) => client.send(new PutObjectCommand({ Bucket: "many", Key, Body: "x" }))),
    );
    await goTo(page, { bucket: "many" });
    await page.getByRole("button", { name: "readme.md" }).waitFor();
    await page.getByRole("link", { name: "logs/" }).click();
    await page.getByRole("button", { name: "0000.txt" }).waitFor();
    assert.equal(await page.locator("tbody tr").count(), 200);
    await page.getByRole("button", { name: "Next" }).click();
    await page.getByRole("button", { name: "0249.txt" }).waitFor();
    await page.getByText("Page 2").waitFor();
    await page.getByRole("button", { name: "Previous" }).click();
    await page.getByRole("button", { name: "0000.txt" }).waitFor();
    await page.getByLabel("Search by prefix in logs/").fill("012");
    await page.getByRole("button", { name: "0129.txt" }).waitFor();
    await page.getByRole("button", { name: "0000.txt" }).waitFor({ state: "detached" });
    assert.equal(await page.locator("tbody tr").count(), 10);
    const listed = storage.requests.filter(({ operation }) => operation === "ListObjectsV2");
    assert.ok(listed.length < 10, `a page costs a request, not ${listed.length}`);
  });

  it("show every name as text, and open, link to and delete it", async () => {
    await using desk = await openDesk(browser, { buckets: ["names"], auth: { enabled: true } });
    const { page, client } = desk;
    for (const Key of AWKWARD) await putRaw(desk, Key);
    await signIn(page, "STORAGE", "STORAGE");
    await page.getByRole("link", { name: "names" }).waitFor();
    for (const key of AWKWARD) {
      const slash = key.lastIndexOf("/") + 1;
      await goTo(page, { bucket: "names", prefix: key.slice(0, slash) });
      await page
        .locator("button.link bdi")
        .filter({ hasText: textOf(key.slice(slash)) })
        .first()
        .click();
      const panel = page.getByRole("dialog");
      await panel.getByText(`content of ${key}`, { exact: false }).or(panel.locator("pre.preview")).first().waitFor();
      assert.equal(await panel.locator("pre.preview").textContent(), `content of ${key}`);
      await panel.getByRole("button", { name: "Copy link" }).click();
      const link = await panel.getByLabel("Link", { exact: true }).inputValue();
      const answer = await page.request.get(link);
      assert.equal(`${answer.status()} ${await answer.text()}`, `200 content of ${key}`);
      await panel.getByRole("button", { name: "Close" }).click();
      await panel.waitFor({ state: "detached" });
    }
    assert.notEqual(await page.title(), "broken");
    assert.deepEqual(desk.complaints, []);
    assert.equal((await client.send(new ListBucketsCommand({}))).Buckets?.length, 1);
  });

  it("ask for keys where signatures are checked, and keep the secret to the tab's memory", async () => {
    const credentials = [{ accessKeyId: "ann", secretAccessKey: "of ann" }];
    await using desk = await openDesk(browser, { buckets: ["bucket"], auth: { enabled: true, credentials } });
    const { page } = desk;
    await signIn(page, "nobody", "x");
    await page.getByRole("alert").getByText("InvalidAccessKeyId").waitFor();
    await signIn(page, "ann", "wrong");
    await page.getByRole("alert").getByText("SignatureDoesNotMatch").waitFor();
    await signIn(page, "ann", "of ann");
    await page.getByRole("link", { name: "bucket", exact: true }).waitFor();
    const stored =
      "JSON.stringify([Object.values(localStorage), Object.values(sessionStorage), document.cookie, location.href])";
    assert.doesNotMatch(String(await page.evaluate(stored)), /of ann/);
    await page.reload();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await signIn(page, "ann", "of ann");
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    assert.deepEqual(desk.complaints, []);
  });

  it("can do what the identity may do and no more", async () => {
    const credentials = [
      { accessKeyId: "owner", secretAccessKey: "of owner", canonicalId: "1" },
      { accessKeyId: "guest", secretAccessKey: "of guest", canonicalId: "2" },
    ];
    await using desk = await openDesk(browser, { buckets: ["shared", "closed"], auth: { enabled: true, credentials } });
    const { page, client } = desk;
    const Principal = { CanonicalUser: "2" };
    const Statement = [{ Effect: "Allow", Principal, Action: "s3:ListBucket", Resource: "arn:aws:s3:::shared" }];
    const Policy = JSON.stringify({ Version: "2012-10-17", Statement });
    await client.send(new PutBucketPolicyCommand({ Bucket: "shared", Policy }));
    await client.send(new PutObjectCommand({ Bucket: "shared", Key: "seen", Body: "x" }));
    await signIn(page, "guest", "of guest");
    await page.getByRole("heading", { name: "Buckets", exact: true }).waitFor();
    await goTo(page, { bucket: "shared" });
    await page.getByRole("button", { name: "seen" }).click();
    await page.getByRole("dialog").getByText("You may not do this.").first().waitFor();
    await page.keyboard.press("Escape");
    await goTo(page, { bucket: "closed" });
    await page.getByRole("alert").getByText("AccessDenied").waitFor();
    await goTo(page, { view: "requests" });
    await page.getByRole("alert").getByText("for the server's own account").waitFor();
    await goTo(page, { view: "faults" });
    await page.getByRole("alert").getByText("for the server's own account").waitFor();
  });

  it("are not served without being asked for", async () => {
    await using desk = await openDesk(browser);
    const { SmartStorage } = await import("holdfast");
    const server = { port: 0, address: "127.0.0.1", silent: true };
    await using plain = await SmartStorage.createAndStart({ server, storage: { inMemory: true } });
    assert.equal(plain.consoleUrl, undefined);
    const { port } = await plain.getStorageDescriptor();
    const answer = await desk.page.request.get(`http://127.0.0.1:${port}/_console/`);
    assert.ok(answer.status() >= 400 && !(await answer.text()).includes("html"));
  });
});

/** The SDK, like browsers, takes dots out of paths: the key goes as one segment. */
async function putRaw({ storage }: Awaited<ReturnType<typeof openDesk>>, key: string): Promise<void> {
  const { getSignedUrl } = await import("@aws-sdk/s3-request-presigner");
  const { clientOf } = await import("../storage-client.js");
  const client = await clientOf(storage);
  const headers = { "content-type": "text/plain; charset=utf-8" };
  const command = new PutObjectCommand({ Bucket: "names", Key: key, ContentType: headers["content-type"] });
  const url = new URL(await getSignedUrl(client, command));
  client.destroy();
  const path = `/${encodeURIComponent(`names/${key}`)}`;
  const answer = await fetch(`${url.origin}${path}${url.search}`, {
    method: "PUT",
    headers,
    body: `content of ${key}`,
  });
  assert.equal(answer.status, 200, `${key}: ${await answer.text()}`);
}

/** What stands in a line, as a pattern for it and nothing else. */
function textOf(name: string): RegExp {
  const escaped = name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replace(/\s+/g, "\\s+");
  return new RegExp(`^${escaped}$`);
}

import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import {
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import type { Browser } from "playwright-core";
import { type Desk, goTo, launch, openDesk, said } from "./browser.mjs";

const Bucket = "things";
/** A PNG of one pixel. */
const PNG = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);

describe("the console's objects", () => {
  let browser: Browser;
  let folder: string;
  before(async () => {
    browser = await launch();
    folder = await mkdtemp(join(tmpdir(), "holdfast-console-"));
  });
  after(async () => {
    await browser.close();
    await rm(folder, { recursive: true });
  });

  const open = async (): Promise<Desk> => {
    const desk = await openDesk(browser, { buckets: [Bucket] });
    await goTo(desk.page, { bucket: Bucket });
    await desk.page.getByText("Nothing here yet").waitFor();
    return desk;
  };
  const put = ({ client }: Desk, Key: string, Body: string | Buffer, ContentType = "text/plain") =>
    client.send(new PutObjectCommand({ Bucket, Key, Body, ContentType }));
  const text = async ({ client }: Desk, Key: string): Promise<string | undefined> =>
    await (await client.send(new GetObjectCommand({ Bucket, Key }))).Body?.transformToString();
  const keys = async ({ client }: Desk): Promise<(string | undefined)[]> =>
    ((await client.send(new ListObjectsV2Command({ Bucket }))).Contents ?? []).map(({ Key }) => Key);
  const show = async ({ page }: Desk, key: string) => {
    await page.getByRole("button", { name: "Refresh" }).click();
    await page.getByRole("button", { name: key, exact: true }).click();
    const panel = page.getByRole("dialog");
    await panel.getByText("ETag").waitFor();
    return panel;
  };

  it("are uploaded by button, many at once and a folder with its folders", async () => {
    await using desk = await open();
    const { page } = desk;
    const files = ["one.txt", "zwei 🐟.txt"].map((name) => ({
      name,
      mimeType: "text/plain",
      buffer: Buffer.from(name),
    }));
    await page.getByLabel("Files to upload").setInputFiles(files);
    await page.getByText("2 of 2 files uploaded").waitFor();
    await page.getByRole("button", { name: "zwei 🐟.txt" }).waitFor();
    assert.equal(await text(desk, "zwei 🐟.txt"), "zwei 🐟.txt");
    await mkdir(join(folder, "site", "img"), { recursive: true });
    await writeFile(join(folder, "site", "index.html"), "<p>");
    await writeFile(join(folder, "site", "img", "dot.png"), PNG);
    await page.getByLabel("Folder to upload").setInputFiles(join(folder, "site"));
    await page.getByText("4 of 4 files uploaded").waitFor();
    await page.getByRole("link", { name: "site/" }).waitFor();
    assert.deepEqual(await keys(desk), ["one.txt", "site/img/dot.png", "site/index.html", "zwei 🐟.txt"]);
    const head = await desk.client.send(new HeadObjectCommand({ Bucket, Key: "site/img/dot.png" }));
    assert.equal(head.ContentType, "image/png");
    assert.deepEqual(desk.complaints, []);
  });

  it("are uploaded by drag and drop", async () => {
    await using desk = await open();
    const { page } = desk;
    const dropped = await page.evaluateHandle(`(() => {
      const data = new DataTransfer();
      data.items.add(new File(["dropped"], "dropped.txt", { type: "text/plain" }));
      return data;
    })()`);
    await page.dispatchEvent(".drop", "drop", { dataTransfer: dropped });
    await page.getByRole("button", { name: "dropped.txt", exact: true }).waitFor();
    assert.equal(await text(desk, "dropped.txt"), "dropped");
  });

  it("go in parts when they are large, go on after a failure where it was, and leave nothing when cancelled", async () => {
    await using desk = await open();
    const { page, storage, client } = desk;
    const large = join(folder, "large.bin");
    const content = Buffer.alloc(20 * 2 ** 20, "holdfast");
    await writeFile(large, content);
    storage.faults.add({ operation: "CompleteMultipartUpload", error: "InternalError", count: 1 });
    await page.getByLabel("Files to upload").setInputFiles(large);
    await page.getByRole("button", { name: "Retry large.bin" }).click();
    await page.getByText("1 of 1 file uploaded").waitFor();
    const parts = storage.requests.filter(({ operation }) => operation === "UploadPart");
    assert.equal(parts.length, 3, "a retry sends no part again");
    const stored = await client.send(new GetObjectCommand({ Bucket, Key: "large.bin" }));
    assert.ok(content.equals((await stored.Body?.transformToByteArray()) ?? Buffer.alloc(0)));

    storage.faults.add({ operation: "UploadPart", bytesPerSecond: 100_000 });
    await page
      .getByLabel("Files to upload")
      .setInputFiles({ name: "slow.bin", mimeType: "text/plain", buffer: content });
    await page.getByRole("progressbar", { name: "Upload of slow.bin" }).waitFor();
    await until(async () => (await client.send(new ListMultipartUploadsCommand({ Bucket }))).Uploads?.length === 1);
    await page.getByRole("button", { name: "Cancel slow.bin" }).click();
    await page.getByRole("button", { name: "Retry slow.bin" }).waitFor();
    await until(async () => (await client.send(new ListMultipartUploadsCommand({ Bucket }))).Uploads === undefined);
    assert.deepEqual(await keys(desk), ["large.bin"]);
  });

  it("are downloaded under their name", async () => {
    await using desk = await open();
    await put(desk, "reports/2026 😀.csv", "a,b\n");
    await goTo(desk.page, { bucket: Bucket, prefix: "reports/" });
    const panel = await show(desk, "2026 😀.csv");
    const [download] = await Promise.all([
      desk.page.waitForEvent("download"),
      panel.getByRole("button", { name: "Download" }).click(),
    ]);
    assert.equal(download.suggestedFilename(), "2026 😀.csv");
    assert.equal(await readFile(await download.path(), "utf8"), "a,b\n");
  });

  it("are previewed as text, JSON, picture, PDF and video, and nothing of them runs", async () => {
    await using desk = await open();
    const { page } = desk;
    const attack = "<script>document.title='ran'</script><img src=x onerror=\"document.title='ran'\">";
    const picture = `<svg xmlns="http://www.w3.org/2000/svg"><script>document.title='ran'</script><rect width="9" height="9"/></svg>`;
    await put(desk, "page.html", attack, "text/html");
    await put(desk, "data.json", '{"a":[1,2]}', "application/json");
    await put(desk, "dot.png", PNG, "image/png");
    await put(desk, "draw.svg", picture, "image/svg+xml");
    await put(desk, "doc.pdf", "%PDF-1.4\n%%EOF", "application/pdf");
    await put(desk, "clip.mp4", "no video", "video/mp4");
    let panel = await show(desk, "page.html");
    assert.equal(await panel.locator("pre.preview").textContent(), attack);
    await page.keyboard.press("Escape");
    panel = await show(desk, "data.json");
    assert.equal(await panel.locator("pre.preview").textContent(), '{\n  "a": [\n    1,\n    2\n  ]\n}');
    await page.keyboard.press("Escape");
    for (const name of ["dot.png", "draw.svg"]) {
      panel = await show(desk, name);
      const image = panel.getByAltText(`Preview of ${name}`);
      await image.waitFor();
      assert.match((await image.getAttribute("src")) ?? "", /^blob:/);
      await page.keyboard.press("Escape");
    }
    panel = await show(desk, "doc.pdf");
    assert.match((await panel.locator("iframe").getAttribute("src")) ?? "", /^blob:/);
    await page.keyboard.press("Escape");
    panel = await show(desk, "clip.mp4");
    await panel.locator("video").waitFor({ state: "attached" });
    assert.notEqual(await page.title(), "ran");
    assert.deepEqual(desk.complaints, []);
  });

  it("have metadata and tags that are seen and changed", async () => {
    await using desk = await open();
    const { page, client } = desk;
    await put(desk, "note.txt", "text");
    const panel = await show(desk, "note.txt");
    await panel.getByRole("button", { name: "Add metadata" }).click();
    await panel.getByLabel("Name 2").fill("author");
    await panel.getByLabel("Value of author").fill("Zoë <b>");
    await panel.getByLabel("Value of content-type").fill("text/markdown");
    await panel.getByRole("button", { name: "Save metadata" }).click();
    await said(page, "The metadata is saved.");
    await panel.getByRole("button", { name: "Add a tag" }).click();
    await panel.getByLabel("Key 1").fill("project");
    await panel.getByLabel("Value of project").fill("köln");
    await panel.getByRole("button", { name: "Save tags" }).click();
    await said(page, "The tags are saved.");
    const head = await client.send(new HeadObjectCommand({ Bucket, Key: "note.txt" }));
    assert.equal(head.ContentType, "text/markdown");
    assert.equal(head.Metadata?.author, `=?UTF-8?B?${Buffer.from("Zoë <b>").toString("base64")}?=`);
    assert.deepEqual((await client.send(new GetObjectTaggingCommand({ Bucket, Key: "note.txt" }))).TagSet, [
      { Key: "project", Value: "köln" },
    ]);
    await page.keyboard.press("Escape");
    const again = await show(desk, "note.txt");
    assert.equal(await again.getByLabel("Value of author").inputValue(), "Zoë <b>");
    assert.equal(await text(desk, "note.txt"), "text");
  });

  it("have versions that are shown, restored and deleted", async () => {
    await using desk = await open();
    const { page, client } = desk;
    await goTo(page, { bucket: Bucket, tab: "versioning" });
    await page.getByRole("button", { name: "Keep versions" }).click();
    await said(page, "Versions are kept from now on.");
    await put(desk, "draft", "first");
    await put(desk, "draft", "second");
    await goTo(page, { bucket: Bucket });
    const panel = await show(desk, "draft");
    await panel.getByRole("button", { name: "Show", exact: true }).click();
    await panel.locator("pre.preview").getByText("first").waitFor();
    await panel.getByRole("button", { name: "Restore" }).click();
    await said(page, "The version is the newest again.");
    assert.equal(await text(desk, "draft"), "first");
    await panel.getByRole("button", { name: "Delete version" }).nth(1).click();
    await page.getByRole("button", { name: "Delete", exact: true }).click();
    await said(page, "The version is deleted.");
    const { Versions = [] } = await client.send(new ListObjectVersionsCommand({ Bucket }));
    assert.equal(Versions.length, 2);
    await panel.getByRole("button", { name: "Delete object" }).click();
    await page.getByRole("button", { name: "Delete", exact: true }).click();
    await said(page, "The object is deleted.");
    await goTo(page, { bucket: Bucket, tab: "versioning" });
    await page.getByText("deleted", { exact: true }).waitFor();
    const { DeleteMarkers } = await client.send(new ListObjectVersionsCommand({ Bucket }));
    assert.equal(DeleteMarkers?.length, 1);
  });

  it("are deleted many at once, folders with all that is below them", async () => {
    await using desk = await open();
    const { page, client } = desk;
    for (const key of ["a", "b", "keep", "old/1", "old/deep/2"]) await put(desk, key, "x");
    await client.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Suspended" } }));
    await page.getByRole("button", { name: "Refresh" }).click();
    for (const name of ["a", "b", "old/"]) await page.getByLabel(`Choose ${name}`, { exact: true }).check();
    await page.getByRole("button", { name: "Delete 3" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await said(page, "4 objects deleted.");
    assert.deepEqual(await keys(desk), ["keep"]);
  });
});

/** Waits until something is so, for at most a minute. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 60_000;
  while (!(await isSo())) {
    assert.ok(Date.now() < end, "it did not become so");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { after, before, describe, it } from "node:test";
import { CreateMultipartUploadCommand, PutObjectCommand, PutObjectTaggingCommand } from "@aws-sdk/client-s3";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { until } from "../store-scripts.js";
import { type Desk, goTo, launch, openDesk, signIn } from "./browser.mjs";

const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
/** With HOLDFAST_SCREENSHOTS the pictures of docs/console.md are taken again. */
const PICTURES = process.env.HOLDFAST_SCREENSHOTS && resolve(import.meta.dirname, "..", "..", "docs", "images");
/** The pictures that the page shows. */
const SHOWN = ["objects", "object", "requests-dark", "phone"];
const Bucket = "assets";

interface Finding {
  id: string;
  impact: string;
  nodes: { html: string }[];
}

describe("the console's looks", () => {
  let browser: Browser;
  before(async () => {
    browser = await launch();
    if (PICTURES) mkdirSync(PICTURES, { recursive: true });
  });
  after(() => browser.close());

  // axe brings a script of its own, which the page's policy rightly refuses.
  const open = async (options: BrowserContextOptions = {}): Promise<Desk> => {
    const desk = await openDesk(
      browser,
      { buckets: [Bucket, "backups"] },
      { bypassCSP: true, locale: "en-GB", ...options },
    );
    const { client } = desk;
    const put = (Key: string, Body: string, ContentType?: string) =>
      client.send(new PutObjectCommand({ Bucket, Key, Body, ContentType, Metadata: { author: "ann" } }));
    const settings = JSON.stringify({ theme: "calm", languages: ["en", "de", "ar"], cache: { seconds: 300 } });
    for (const name of ["images/logo.svg", "images/photo.jpg", "reports/2026-10.csv"])
      await put(name, "x".repeat(4000));
    for (const name of ["readme.md", "release notes 🎉.md", "مرحبا.txt"])
      await put(name, `# ${name}\n`, "text/markdown");
    await put("settings.json", settings, "application/json");
    const TagSet = [{ Key: "project", Value: "holdfast" }];
    await client.send(new PutObjectTaggingCommand({ Bucket, Key: "settings.json", Tagging: { TagSet } }));
    await client.send(new CreateMultipartUploadCommand({ Bucket, Key: "video.mp4" }));
    await desk.page.reload();
    return desk;
  };
  const seriousIn = async (page: Page): Promise<string[]> => {
    await page.addScriptTag({ path: AXE });
    const { violations } = (await page.evaluate("axe.run()")) as { violations: Finding[] };
    return violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(" ")}`);
  };
  const picture = async (page: Page, name: string): Promise<void> => {
    if (PICTURES && SHOWN.includes(name)) await page.screenshot({ path: join(PICTURES, `console-${name}.png`) });
  };

  for (const colorScheme of ["light", "dark"] as const) {
    it(`has nothing that axe calls serious, in ${colorScheme}`, async () => {
      await using desk = await open({ colorScheme });
      const { page } = desk;
      const check = async (name: string) => {
        assert.deepEqual(await seriousIn(page), [], name);
        await picture(page, colorScheme === "light" ? name : `${name}-dark`);
      };
      await page.getByText("7 objects").waitFor();
      await check("buckets");
      await goTo(page, { bucket: Bucket });
      await page.getByRole("button", { name: "settings.json" }).waitFor();
      await check("objects");
      await page.getByRole("button", { name: "settings.json" }).click();
      await page.getByLabel("Value of project").waitFor();
      await page.getByText('"theme": "calm"').waitFor();
      await check("object");
      await page.keyboard.press("Escape");
      await goTo(page, { bucket: Bucket, tab: "policy" });
      await page.getByRole("button", { name: "Begin with an example" }).click();
      await check("policy");
      await goTo(page, { bucket: Bucket, tab: "versioning" });
      await page.getByRole("button", { name: "Keep versions" }).waitFor();
      await check("versions");
      await goTo(page, { bucket: Bucket, tab: "unfinished" });
      await page.getByText("video.mp4").waitFor();
      await check("unfinished");
      await goTo(page, { view: "requests" });
      await page.getByRole("cell", { name: "PutObject" }).first().waitFor();
      await check("requests");
      await goTo(page, { view: "faults" });
      await page.getByRole("heading", { name: "Nothing goes wrong" }).waitFor();
      await check("faults");
    });
  }

  it("asks for keys in a page without a serious finding", async () => {
    await using desk = await openDesk(browser, { auth: { enabled: true } }, { bypassCSP: true });
    await signIn(desk.page, "nobody", "x");
    await desk.page.getByRole("alert").waitFor();
    assert.deepEqual(await seriousIn(desk.page), []);
    await picture(desk.page, "sign-in");
  });

  it("can be used by keyboard alone", async () => {
    await using desk = await open();
    const { page } = desk;
    await page.getByRole("link", { name: Bucket, exact: true }).focus();
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "settings.json" }).focus();
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").waitFor();
    // The focus stays in the dialog, and is back where it was once that is closed.
    for (let step = 0; step < 4; step += 1) await page.keyboard.press("Tab");
    assert.equal(await page.evaluate("document.activeElement.closest('dialog') !== null"), true);
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    assert.equal(await page.evaluate("document.activeElement.textContent"), "settings.json");
  });

  it("fits a phone", async () => {
    await using desk = await open({ viewport: { width: 360, height: 740 } });
    const { page } = desk;
    for (const place of [
      { bucket: Bucket },
      { bucket: Bucket, tab: "policy" },
      { view: "requests" },
      { view: "faults" },
    ]) {
      await goTo(page, place);
      await page.locator("main h1").waitFor();
      await until(async () => (await page.locator(".waiting").count()) === 0);
      const width = await page.evaluate("document.documentElement.scrollWidth");
      assert.ok(Number(width) <= 360, `${JSON.stringify(place)} is ${width} wide`);
    }
    await goTo(page, { bucket: Bucket });
    await page.getByRole("button", { name: "settings.json" }).waitFor();
    await picture(page, "phone");
  });
});

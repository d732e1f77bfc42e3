import { existsSync } from "node:fs";
import { type ISmartStorageConfig, SmartStorage } from "holdfast";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { clientOf } from "../storage-client.js";

/** Debian's Chromium; scripts/test-tools.mjs installs it. */
const PROGRAMS = [process.env.HOLDFAST_CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser"];
const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-dev-shm-usage",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
];
/** How long a browser on a busy machine may take to show something, in milliseconds. */
const PATIENCE_MS = 60_000;

/** A headless Chromium. */
export async function launch(): Promise<Browser> {
  const executablePath = PROGRAMS.find((path) => path !== undefined && existsSync(path));
  if (executablePath === undefined) throw new Error("there is no Chromium here: node scripts/run.mjs tools");
  return await chromium.launch({ executablePath, args: ARGUMENTS, headless: true, timeout: PATIENCE_MS });
}

/** A server with the console, a page that has opened it, and the AWS SDK's client beside. */
export interface Desk extends AsyncDisposable {
  storage: SmartStorage;
  client: Awaited<ReturnType<typeof clientOf>>;
  page: Page;
  /** What the page has reported: errors, and what its policy refused. */
  complaints: string[];
}

/** Opens the console of a new server in memory. */
export async function openDesk(
  browser: Browser,
  config: ISmartStorageConfig = {},
  options: BrowserContextOptions = {},
): Promise<Desk> {
  const storage = await SmartStorage.createAndStart({
    server: { port: 0, address: "127.0.0.1", silent: true },
    storage: { inMemory: true },
    console: true,
    ...config,
  });
  const client = await clientOf(storage);
  const context = await browser.newContext({ viewport: { width: 1180, height: 820 }, ...options });
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    // What the server refuses, the browser reports as an error too.
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource"))
      complaints.push(message.text());
  });
  await page.goto(storage.consoleUrl as string);
  return {
    storage,
    client,
    page,
    complaints,
    [Symbol.asyncDispose]: async () => {
      await context.close();
      client.destroy();
      await storage.stop();
    },
  };
}

/** Waits until the status line says something. */
export async function said(page: Page, message: string): Promise<void> {
  await page.locator(".said", { hasText: message }).waitFor();
}

/** Signs in. */
export async function signIn(page: Page, key: string, secret: string): Promise<void> {
  await page.getByLabel("Access key").fill(key);
  await page.getByLabel("Secret key").fill(secret);
  await page.getByRole("button", { name: "Sign in" }).click();
}

/** Goes to a place in the console without loading the page again. */
export async function goTo(page: Page, route: Record<string, string>): Promise<void> {
  await page.evaluate(`location.hash = ${JSON.stringify(new URLSearchParams(route).toString())}`);
}

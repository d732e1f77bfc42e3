import { isIP } from "node:net";
import { resolve } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import { ConfigError } from "../errors.js";
import { type ISmartStorageConfig, SmartStorage } from "../storage/index.js";
import { clientSettings } from "./client-settings.js";
import { type Output, outputOf } from "./output.js";

const DEFAULT_KEY = "STORAGE";
const EXAMPLES = `
Examples:
  npx holdfast serve ./data                              only this machine reaches it
  npx holdfast serve ./data --bucket assets --bucket logs
  npx holdfast serve ./data --console                    a page to look into it
  npx holdfast serve /srv/s3 --address 0.0.0.0 --durability disk   with HOLDFAST_ACCESS_KEY and
                                                         HOLDFAST_SECRET_KEY set: all machines reach it`;

interface ServeOptions {
  port: number;
  address: string;
  region: string;
  accessKey: string;
  secretKey: string;
  auth: boolean;
  bucket: string[];
  durability: "process" | "disk";
  cors: boolean;
  console: boolean;
  quiet: boolean;
  json: boolean;
}

/** Adds `serve [folder]`. */
export function addServe(program: Command): void {
  program
    .command("serve")
    .description("serve a folder to S3 clients until it is interrupted")
    .argument("[folder]", "the folder of the buckets; made when missing", "holdfast-data")
    .option("-p, --port <number>", "the port; 0 takes a free one", portNumber, 3000)
    .option("-a, --address <ip>", "where to listen; 0.0.0.0 for every address", "127.0.0.1")
    .option("--region <name>", "the region that signatures must name", "us-east-1")
    .addOption(keyOption("--access-key <key>", "who may sign", "HOLDFAST_ACCESS_KEY"))
    .addOption(keyOption("--secret-key <secret>", "the secret; better given in the variable", "HOLDFAST_SECRET_KEY"))
    .option("--no-auth", "let everybody in, signed or not")
    .option("-b, --bucket <name>", "a bucket to make unless it exists; can be repeated", collected, [])
    .addOption(
      new Option("--durability <what>", "what an acknowledged write survives: the process's end, or a power cut too")
        .choices(["process", "disk"])
        .default("process"),
    )
    .option("--cors", "answer browsers of every origin", false)
    .option("--console", "serve the console, a page for browsers", false)
    .option("-q, --quiet", "do not log requests", false)
    .option("--json", "print one JSON object about the server, and log as JSON", false)
    .addHelpText("after", EXAMPLES)
    .action(async (folder: string, options: ServeOptions) => serve(folder, options, outputOf(options)));
}

const keyOption = (flags: string, description: string, variable: string): Option =>
  new Option(flags, description).env(variable).default(DEFAULT_KEY);

function portNumber(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535) throw new InvalidArgumentError("A port is a number from 0 to 65535.");
  return port;
}

const collected = (name: string, names: string[]): string[] => [...names, name];

async function serve(folder: string, options: ServeOptions, output: Output): Promise<void> {
  refuseOpenDoor(options);
  const directory = resolve(folder);
  const storage = await SmartStorage.createAndStart(configOf(directory, options));
  const interrupt = interrupted();
  const descriptor = await storage.getStorageDescriptor();
  const server = { ...descriptor, region: options.region };
  const { endpoint, port, accessKey, accessSecret, useSsl } = descriptor;
  const consoleUrl = storage.consoleUrl;
  const value = {
    endpoint,
    port,
    address: options.address,
    directory,
    accessKey,
    accessSecret,
    useSsl,
    ...(consoleUrl && { consoleUrl }),
  };
  const shown = described(directory, server, options, consoleUrl);
  output.result({ ...value, region: options.region, auth: options.auth }, shown);
  await interrupt;
  output.note("stopping: requests in flight may finish; interrupt again to end at once");
  await storage.stop();
}

/** The default keys are printed in every manual: they open nothing that other machines reach. */
function refuseOpenDoor({ address, auth, accessKey, secretKey }: ServeOptions): void {
  if (address === "localhost" || address === "::1" || (isIP(address) === 4 && address.startsWith("127."))) return;
  if (auth && (accessKey === DEFAULT_KEY || secretKey === DEFAULT_KEY)) {
    const message =
      `other machines reach ${address}, and the default keys are known to everybody; ` +
      "set HOLDFAST_ACCESS_KEY and HOLDFAST_SECRET_KEY, or say --no-auth to let everybody in";
    throw new ConfigError(message, { code: "DEFAULT_CREDENTIALS" });
  }
}

function configOf(directory: string, options: ServeOptions): ISmartStorageConfig {
  const { port, address, region, accessKey, secretKey } = options;
  return {
    server: { port, address, region },
    storage: { directory, durability: options.durability },
    auth: { enabled: options.auth, credentials: [{ accessKeyId: accessKey, secretAccessKey: secretKey }] },
    cors: { enabled: options.cors },
    logging: { enabled: !options.quiet, format: options.json ? "json" : "text" },
    console: options.console,
    buckets: options.bucket,
  };
}

function described(
  directory: string,
  server: Parameters<typeof clientSettings>[0],
  { address, auth }: ServeOptions,
  consoleUrl: string | undefined,
): string {
  const lines = [
    `S3 server on ${address}, port ${server.port}, serving ${directory}`,
    auth ? `Access key ${server.accessKey}, region ${server.region}` : "Everybody may do everything (--no-auth)",
  ];
  if (consoleUrl !== undefined) lines.push(`Console: ${consoleUrl}`);
  for (const [title, settings] of clientSettings(server)) {
    lines.push("", `# ${title}`, ...settings);
  }
  lines.push("", "Interrupt (Ctrl-C) to stop.");
  return lines.join("\n");
}

/** Waits for the first interrupt; the second one ends the process as it always does. */
function interrupted(): Promise<void> {
  return new Promise((stop) => {
    const signals = ["SIGINT", "SIGTERM"] as const;
    const onSignal = (): void => {
      for (const signal of signals) process.removeListener(signal, onSignal);
      stop();
    };
    for (const signal of signals) process.on(signal, onSignal);
  });
}

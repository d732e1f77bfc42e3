import { isDeepStrictEqual } from "node:util";
import { type AwsCredentials, credentialsOfEnvironment, onlyKeys } from "../aws-credentials.js";
import { ConfigError } from "../errors.js";
import { describe } from "./key.js";
import type { AdapterName, PersistAdapter, StoreOptions } from "./options.js";
import { p2pSettings } from "./p2p-settings.js";
import { postgresSettings } from "./postgres-settings.js";

/** The classes of a store. */
export const CLASSES = ["records", "kv", "blobs", "events"] as const;
/** A class of a store. */
export type ClassName = (typeof CLASSES)[number];

/** Settings of each adapter by name. */
const SETTINGS: Readonly<Record<AdapterName, readonly string[]>> = {
  sqlite: ["path", "walMode", "busyTimeout", "synchronous", "journalSizeLimit", "cacheSize", "mmapSize"],
  s3: ["bucket", "region", "endpoint", "credentials", "forcePathStyle", "prefix", "prefixes", "multipart"],
  postgres: ["connection", "connectionString", "pool", "schema"],
  p2p: ["path", "discovery", "secret", "listen", "peers", "maxPeers"],
  memory: [],
};
const ADAPTERS = Object.keys(SETTINGS) as AdapterName[];

/** What a setting takes; numbers are whole and not below zero. */
const KINDS: Readonly<Record<string, "string" | "boolean" | "number" | "object">> = {
  path: "string",
  walMode: "boolean",
  busyTimeout: "number",
  synchronous: "string",
  journalSizeLimit: "number",
  cacheSize: "number",
  mmapSize: "number",
  bucket: "string",
  region: "string",
  endpoint: "string",
  credentials: "object",
  forcePathStyle: "boolean",
  prefix: "string",
  prefixes: "object",
  multipart: "object",
  connection: "object",
  connectionString: "string",
  pool: "object",
  schema: "string",
  discovery: "object",
  secret: "string",
  listen: "string",
  maxPeers: "number",
};

/** An adapter made ready to be opened: its settings in one object, or the user's own adapter. */
export type Resolved = { custom: PersistAdapter } | { native: Readonly<Record<string, unknown>> };

type Loose = Readonly<Record<string, unknown>>;

/**
 * The adapter of each class.
 * @throws ConfigError for what is unknown, missing, or said twice with different values; CapabilityError
 */
export function resolve(name: string, options: StoreOptions): Record<ClassName, Resolved> {
  checkName(name);
  const { records, kv, blobs, events, ...shared } = options;
  const own: Loose = { records, kv, blobs, events };
  const used = new Set<string>();
  const of = (className: ClassName): Resolved => {
    const chosen = own[className];
    if (chosen === undefined) return resolveAdapter(name, shared as Loose, used);
    if (!isObject(chosen)) throw unusable(className, chosen);
    const adapter = adapterOf(chosen);
    // What stands at the top under the adapter's name serves the class too.
    const group =
      typeof adapter === "string" && chosen[adapter] === undefined ? { [adapter]: (shared as Loose)[adapter] } : {};
    if (typeof adapter === "string") used.add(adapter);
    return resolveAdapter(name, { ...group, ...chosen }, used);
  };
  const resolved = { records: of("records"), kv: of("kv"), blobs: of("blobs"), events: of("events") };
  refuseUnused(shared as Loose, used);
  return resolved;
}

function resolveAdapter(name: string, options: Loose, used: Set<string>): Resolved {
  const adapter = adapterOf(options);
  if (typeof adapter === "object") return { custom: adapter };
  used.add(adapter);
  const settings = merged(adapter, options);
  switch (adapter) {
    case "sqlite":
      return { native: { adapter, ...settings, path: settings.path ?? defaultPath(name) } };
    case "memory":
      return { native: { adapter } };
    case "s3":
      return { native: { adapter, ...settings, ...s3Required(settings) } };
    case "postgres":
      return { native: { adapter, ...postgresSettings(settings) } };
    case "p2p":
      return { native: { adapter, ...p2pSettings(settings), path: settings.path ?? defaultPath(name) } };
  }
}

function adapterOf(options: Loose): AdapterName | PersistAdapter {
  const adapter = options.adapter ?? "sqlite";
  if (typeof adapter === "string" && ADAPTERS.includes(adapter as AdapterName)) return adapter as AdapterName;
  if (isObject(adapter)) {
    const missing = ["get", "put", "delete", "list"].filter((method) => typeof adapter[method] !== "function");
    if (missing.length === 0) return adapter as unknown as PersistAdapter;
    const message = `the adapter has no ${missing.join(" and no ")}; an adapter of your own has get, put, delete and list`;
    throw new ConfigError(message, { code: "UNKNOWN_ADAPTER" });
  }
  const shown = typeof adapter === "string" ? JSON.stringify(adapter) : describe(adapter);
  const message = `adapter is ${shown}; give one of ${ADAPTERS.join(", ")}, or an object with get, put, delete and list`;
  throw new ConfigError(message, { code: "UNKNOWN_ADAPTER" });
}

/** Nested and flat settings in one; what was given twice must be equal. */
function merged(adapter: AdapterName, options: Loose): Record<string, unknown> {
  const nested = options[adapter] ?? {};
  if (!isObject(nested)) throw unusable(adapter, nested);
  const settings: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(nested)) {
    if (!SETTINGS[adapter].includes(name)) throw unknown(`${adapter}.${name}`, SETTINGS[adapter]);
    refuseUndefinedSecret(`${adapter}.${name}`, name, value);
    checkKind(`${adapter}.${name}`, name, value);
    if (value !== undefined) settings[name] = value;
  }
  for (const [name, value] of Object.entries(options)) {
    if (name === "adapter" || name === "name" || ADAPTERS.includes(name as AdapterName)) continue;
    if (!SETTINGS[adapter].includes(name)) throw misplaced(adapter, name);
    refuseUndefinedSecret(name, name, value);
    checkKind(name, name, value);
    if (value === undefined) continue;
    if (settings[name] !== undefined && !isDeepStrictEqual(settings[name], value)) {
      const message = `${name} and ${adapter}.${name} are both given and differ; give one of them`;
      throw new ConfigError(message, { code: "SETTING_CONFLICT", details: { settings: [name, `${adapter}.${name}`] } });
    }
    settings[name] = value;
  }
  return settings;
}

/** Refuses a value of the wrong kind, naming the setting and never showing the value. */
function checkKind(path: string, name: string, value: unknown): void {
  const kind = KINDS[name];
  if (value === undefined || kind === undefined) return;
  const fits = typeof value === kind && value !== null && !Array.isArray(value);
  if (fits && (kind !== "number" || (Number.isSafeInteger(value) && (value as number) >= 0))) return;
  const wanted = { string: "a string", boolean: "true or false", number: "a whole number", object: "an object" }[kind];
  throw new ConfigError(`${path} takes ${wanted}, not ${describe(value)}`, { code: "INVALID_SETTINGS" });
}

function s3Required(settings: Loose): Record<string, unknown> {
  if (typeof settings.bucket !== "string" || settings.bucket === "") {
    throw new ConfigError("the s3 adapter needs a bucket; give bucket", { code: "BUCKET_MISSING" });
  }
  if (isObject(settings.credentials))
    return { credentials: onlyKeys(settings.credentials as unknown as AwsCredentials) };
  const credentials = credentialsOfEnvironment();
  if (credentials === undefined) {
    const message =
      "the s3 adapter has no credentials; give credentials, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY";
    throw new ConfigError(message, { code: "CREDENTIALS_MISSING" });
  }
  return { credentials };
}

/** A secret that is named but undefined is a variable of the environment that isn't set. */
function refuseUndefinedSecret(path: string, name: string, value: unknown): void {
  if ((name === "connectionString" || name === "secret") && (value === undefined || value === "")) {
    const message = `${path} is not set; is the variable of the environment?`;
    throw new ConfigError(message, { code: "CREDENTIALS_MISSING", details: { missing: [path] } });
  }
  const parts = name === "credentials" ? ["accessKeyId", "secretAccessKey"] : [];
  const missing = parts.filter((part) => !isObject(value) || typeof value[part] !== "string" || value[part] === "");
  if (missing.length === 0) return;
  const message = `${missing.map((part) => `${path}.${part}`).join(" and ")} ${missing.length === 1 ? "is" : "are"} not set; is the variable of the environment?`;
  throw new ConfigError(message, { code: "CREDENTIALS_MISSING", details: { missing } });
}

/** A group of settings for an adapter that no class uses is a mistake. */
function refuseUnused(shared: Loose, used: ReadonlySet<string>): void {
  const idle = ADAPTERS.find((adapter) => shared[adapter] !== undefined && !used.has(adapter));
  if (idle === undefined) return;
  throw new ConfigError(`${idle} is set but nothing is stored there; set adapter: "${idle}", or leave it out`, {
    code: "UNKNOWN_OPTION",
  });
}

function checkName(name: unknown): void {
  if (typeof name === "string" && name !== "") return;
  throw new ConfigError(`a store needs a name, not ${describe(name)}`, { code: "INVALID_NAME" });
}

function defaultPath(name: string): string {
  if (!/[/\\\0]/.test(name) && name !== "." && name !== "..") return `./data/${name}.db`;
  const message = `the name ${JSON.stringify(name)} can't be a file's; give another, or give path`;
  throw new ConfigError(message, { code: "INVALID_NAME" });
}

function misplaced(adapter: AdapterName, name: string): ConfigError {
  const owner = ADAPTERS.find((other) => SETTINGS[other].includes(name));
  if (owner === undefined) return unknown(name, ["adapter", ...SETTINGS[adapter], ...ADAPTERS, ...CLASSES]);
  const message = `${name} is a setting of ${owner}, but the adapter is ${adapter}; set adapter: "${owner}", or leave it out`;
  return new ConfigError(message, { code: "UNKNOWN_OPTION" });
}

function unknown(name: string, known: readonly string[]): ConfigError {
  return new ConfigError(`there is no setting ${name}; the settings are ${known.join(", ")}`, {
    code: "UNKNOWN_OPTION",
  });
}

function unusable(name: string, value: unknown): ConfigError {
  return new ConfigError(`${name} takes an object of settings, not ${describe(value)}`, { code: "INVALID_SETTINGS" });
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

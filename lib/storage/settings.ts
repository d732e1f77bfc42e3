import { isIP } from "node:net";
import { resolve } from "node:path";
import { ConfigError } from "../errors.js";
import type { native } from "../native.js";
import type { ISmartStorageConfig, IStorageCredential, IStorageTls } from "./config.js";

/** Reads one setting: gives back its value, or undefined where it can't be taken. */
interface Rule<T> {
  readonly fallback: T;
  /** What is possible, in words. */
  readonly wants: string;
  /** Whether the value must not be shown. */
  readonly isSecret?: true;
  read(value: unknown): T | undefined;
}

/** What a credential may say of its holder. */
const OPTIONAL_IN_CREDENTIAL = ["canonicalId", "displayName", "email"] as const;
const GIB = 2 ** 30;
const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

const flag = (fallback: boolean): Rule<boolean> => ({
  fallback,
  wants: "true or false",
  read: (value) => (typeof value === "boolean" ? value : undefined),
});

const integer = (fallback: number, least: number, most: number): Rule<number> => ({
  fallback,
  wants: `a whole number from ${least} to ${most}`,
  read: (value) =>
    Number.isInteger(value) && Number(value) >= least && Number(value) <= most ? Number(value) : undefined,
});

const oneOf = <T extends string>(fallback: T, ...values: readonly T[]): Rule<T> => ({
  fallback,
  wants: `one of ${[fallback, ...values].map((value) => `"${value}"`).join(", ")}`,
  read: (value) => [fallback, ...values].find((known) => known === value),
});

const text = (fallback: string, wants: string, accepts: (value: string) => boolean): Rule<string> => ({
  fallback,
  wants,
  read: (value) => (typeof value === "string" && accepts(value) ? value : undefined),
});

const texts = (fallback: readonly string[]): Rule<string[]> => ({
  fallback: [...fallback],
  wants: "an array of non-empty strings",
  read: (value) =>
    Array.isArray(value) && value.every((entry) => typeof entry === "string" && entry !== "") ? [...value] : undefined,
});

const tls: Rule<boolean | IStorageTls> = {
  fallback: false,
  wants: "true, false or { certificate, key }, both PEM",
  isSecret: true,
  read: (value) => {
    if (typeof value === "boolean") return value;
    if (typeof value !== "object" || value === null) return undefined;
    const { certificate, key, ...more } = value as Record<string, unknown>;
    const isWhole = typeof certificate === "string" && typeof key === "string" && Object.keys(more).length === 0;
    return isWhole ? { certificate, key } : undefined;
  },
};

/** Every setting, with its default. This is the one place where a configuration is checked. */
const RULES = {
  server: {
    port: integer(3000, 0, 65_535),
    address: text("0.0.0.0", 'an IP address or "localhost"', (value) => isIP(value) !== 0 || value === "localhost"),
    silent: flag(false),
    region: text("us-east-1", "a name of letters, digits and hyphens", (value) => /^[A-Za-z0-9-]{1,32}$/.test(value)),
    tls,
  },
  storage: {
    directory: text(".nogit/bucketsDir", "a path", (value) => value !== "" && !value.includes("\0")),
    inMemory: flag(false),
    cleanSlate: flag(false),
    durability: oneOf("process", "disk"),
  },
  auth: { enabled: flag(false) },
  cors: {
    enabled: flag(false),
    allowedOrigins: texts(["*"]),
    allowedMethods: texts(["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS"]),
    allowedHeaders: texts(["*"]),
    exposedHeaders: texts(["ETag", "x-amz-request-id", "x-amz-version-id"]),
    maxAge: integer(86_400, 0, 2 ** 31 - 1),
    allowCredentials: flag(false),
  },
  logging: {
    level: oneOf("info", "error", "warn", "debug"),
    format: oneOf("text", "json"),
    enabled: flag(true),
  },
  limits: {
    maxObjectSize: integer(5 * GIB, 1, 50 * 1024 * GIB),
    maxMetadataSize: integer(2048, 0, 32_768),
    maxMemory: integer(GIB, 1, 1024 * GIB),
    idleTimeout: integer(60_000, 1, 2 ** 31 - 1),
    maxConnections: integer(10_000, 1, 1_000_000),
    maxHeaderSize: integer(65_536, 8192, 2 ** 24),
    requestTimeout: integer(300_000, 1, 2 ** 31 - 1),
  },
  monitoring: { health: flag(false), metrics: flag(false) },
  multipart: {
    expirationDays: integer(7, 1, 36_500),
    cleanupIntervalMinutes: integer(60, 1, 35_000),
  },
  lifecycle: { dayLength: integer(DAY_MS, 10, DAY_MS) },
} as const;

type Section = keyof typeof RULES;
type Values<R> = { [K in keyof R]: R[K] extends Rule<infer T> ? T : never };
type Sections = { [S in Section]: Values<(typeof RULES)[S]> };

/** A configuration with every default filled in. */
export interface StorageSettings extends Sections {
  auth: Values<(typeof RULES)["auth"]> & { credentials: IStorageCredential[] };
  console: boolean;
  buckets: string[];
}

/**
 * Checks a configuration and fills in the defaults.
 *
 * @throws ConfigError `UNKNOWN_SETTING` or `INVALID_SETTING`, naming the field; `details.setting` holds its path.
 */
export function readSettings(config: ISmartStorageConfig = {}): StorageSettings {
  const given = fields(config, "the configuration", [...Object.keys(RULES), "console", "buckets"]);
  const section = <S extends Section>(name: S): Values<(typeof RULES)[S]> => {
    const extra = name === "auth" ? ["credentials"] : [];
    const values = fields(given[name], name, [...Object.keys(RULES[name]), ...extra]);
    const read = Object.entries<Rule<unknown>>(RULES[name]).map(([key, rule]) => [
      key,
      readOne(rule, values[key], `${name}.${key}`),
    ]);
    return Object.fromEntries(read) as Values<(typeof RULES)[S]>;
  };
  const credentials = readCredentials(config.auth?.credentials);
  const storage = section("storage");
  if (storage.inMemory && storage.durability === "disk") {
    throw invalid("storage.durability", '"process" with storage.inMemory: memory survives no power cut', "disk");
  }
  return {
    server: section("server"),
    storage,
    auth: { ...section("auth"), credentials },
    cors: section("cors"),
    logging: section("logging"),
    limits: section("limits"),
    monitoring: section("monitoring"),
    multipart: section("multipart"),
    lifecycle: section("lifecycle"),
    console: readOne(flag(false), given.console, "console"),
    buckets: readOne(texts([]), given.buckets, "buckets"),
  };
}

/** The same, as the core takes it. */
export function toNative(settings: StorageSettings): native.StorageSettings {
  const { server, storage, auth, cors, logging, limits, monitoring, multipart, lifecycle } = settings;
  return {
    directory: resolve(storage.directory),
    ...(storage.inMemory ? { maxMemoryBytes: limits.maxMemory } : {}),
    cleanSlate: storage.cleanSlate,
    isDurableOnDisk: storage.durability === "disk",
    address: server.address === "localhost" ? "127.0.0.1" : server.address,
    port: server.port,
    region: server.region,
    authEnabled: auth.enabled,
    credentials: auth.credentials,
    ...(cors.enabled
      ? {
          cors: {
            allowedOrigins: cors.allowedOrigins,
            allowedMethods: cors.allowedMethods,
            allowedHeaders: cors.allowedHeaders,
            exposedHeaders: cors.exposedHeaders,
            maxAgeS: cors.maxAge,
            allowCredentials: cors.allowCredentials,
          },
        }
      : {}),
    maxObjectBytes: limits.maxObjectSize,
    maxMetadataBytes: limits.maxMetadataSize,
    idleTimeoutMs: limits.idleTimeout,
    maxConnections: limits.maxConnections,
    maxHeadBytes: limits.maxHeaderSize,
    hasSelfMadeTls: server.tls === true,
    ...(typeof server.tls === "object" ? { tlsCertificate: server.tls.certificate, tlsKey: server.tls.key } : {}),
    answersHealth: monitoring.health,
    answersMetrics: monitoring.metrics,
    requestTimeoutMs: limits.requestTimeout,
    uploadExpirationMs: multipart.expirationDays * DAY_MS,
    uploadCleanupIntervalMs: multipart.cleanupIntervalMinutes * MINUTE_MS,
    lifecycleDayMs: lifecycle.dayLength,
    servesConsole: settings.console,
    buckets: settings.buckets,
    ...(server.silent || !logging.enabled ? {} : { logLevel: logging.level }),
    logIsJson: logging.format === "json",
  };
}

/** An object's fields; refuses what is no object, and names that nobody knows. */
function fields(value: unknown, path: string, known: readonly string[]): Record<string, unknown> {
  if (value === undefined) return {};
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw invalid(path, "an object", value);
  const unknown = Object.keys(value).find((key) => !known.includes(key));
  if (unknown !== undefined) {
    const setting = path === "the configuration" ? unknown : `${path}.${unknown}`;
    const message = `there is no setting ${setting}; ${path} takes ${known.join(", ")}`;
    throw new ConfigError(message, { code: "UNKNOWN_SETTING", details: { setting } });
  }
  return value as Record<string, unknown>;
}

function readOne<T>(rule: Rule<T>, value: unknown, path: string): T {
  if (value === undefined) return rule.fallback;
  const read = rule.read(value);
  if (read === undefined) throw rule.isSecret ? hidden(path, rule.wants) : invalid(path, rule.wants, value);
  return read;
}

function readCredentials(value: unknown): IStorageCredential[] {
  if (value === undefined) return [{ accessKeyId: "STORAGE", secretAccessKey: "STORAGE" }];
  if (!Array.isArray(value) || value.length === 0) {
    throw hidden("auth.credentials", "an array of at least one { accessKeyId, secretAccessKey }");
  }
  const pairs = value.map((entry: unknown, index) => {
    const path = `auth.credentials[${index}]`;
    if (typeof entry !== "object" || entry === null) throw hidden(path, "an object");
    // The AWS SDK writes `$source` into credentials that it was given.
    const { $source: _ignored, ...own } = entry as Record<string, unknown>;
    const pair = fields(own, path, ["accessKeyId", "secretAccessKey", ...OPTIONAL_IN_CREDENTIAL]);
    const half = (name: string): string => {
      const given = pair[name];
      if (typeof given !== "string" || given === "") throw hidden(`${path}.${name}`, "a non-empty string");
      return given;
    };
    const more = OPTIONAL_IN_CREDENTIAL.filter((name) => pair[name] !== undefined).map((name) => [name, half(name)]);
    const read: Pick<IStorageCredential, (typeof OPTIONAL_IN_CREDENTIAL)[number]> = Object.fromEntries(more);
    return { accessKeyId: half("accessKeyId"), secretAccessKey: half("secretAccessKey"), ...read };
  });
  checkOwners(pairs);
  return pairs;
}

/** Credentials of one `canonicalId` are one owner; apart from that no name and no address may mean two. */
function checkOwners(pairs: IStorageCredential[]): void {
  const refuse = (wants: string) => hidden("auth.credentials", wants);
  const keys = pairs.map(({ accessKeyId }) => accessKeyId);
  if (new Set(keys).size < keys.length) throw refuse("an array in which each accessKeyId stands once");
  for (const { accessKeyId, canonicalId } of pairs) {
    // Policies name a holder by either.
    if (canonicalId !== undefined && canonicalId !== accessKeyId && keys.includes(canonicalId)) {
      throw refuse("an array in which no canonicalId is another credential's accessKeyId");
    }
  }
  const owner = ({ accessKeyId, canonicalId }: IStorageCredential) => canonicalId ?? accessKeyId;
  for (const one of pairs) {
    for (const other of pairs) {
      const differ = (name: "displayName" | "email") =>
        one[name] !== undefined && other[name] !== undefined && one[name] !== other[name];
      const isSameOwner = owner(one) === owner(other);
      if (isSameOwner && (differ("displayName") || differ("email"))) {
        throw refuse("an array in which credentials of one canonicalId have one displayName and one email");
      }
      if (!isSameOwner && one.email !== undefined && one.email.toLowerCase() === other.email?.toLowerCase()) {
        throw refuse("an array in which an email belongs to one canonicalId");
      }
    }
  }
}

function invalid(setting: string, wants: string, value: unknown): ConfigError {
  const shown = typeof value === "string" ? JSON.stringify(value) : String(value);
  return new ConfigError(`${setting} must be ${wants}, not ${shown}`, {
    code: "INVALID_SETTING",
    details: { setting },
  });
}

/** The same without the value, which may be a secret. */
function hidden(setting: string, wants: string): ConfigError {
  return new ConfigError(`${setting} must be ${wants}`, { code: "INVALID_SETTING", details: { setting } });
}

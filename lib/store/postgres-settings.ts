import { ConfigError } from "../errors.js";
import { describe } from "./key.js";

type Loose = Readonly<Record<string, unknown>>;

/** What `connection` takes, and of which kind. */
const CONNECTION: Readonly<Record<string, "string" | "number" | "any">> = {
  host: "string",
  port: "number",
  database: "string",
  user: "string",
  password: "string",
  ssl: "any",
};
const SSL = ["rejectUnauthorized", "ca", "cert", "key"];

/**
 * The settings of Postgres as the addon takes them.
 * @throws ConfigError for what is unknown, unset or of the wrong kind; it never shows a value
 */
export function postgresSettings(settings: Loose): Record<string, unknown> {
  const { connection, pool, ...rest } = settings;
  const checked: Record<string, unknown> = { ...rest };
  if (connection !== undefined) checked.connection = connectionOf(connection as Loose);
  if (pool !== undefined) checked.pool = poolOf(pool as Loose);
  return checked;
}

function connectionOf(connection: Loose): Record<string, unknown> {
  if ("password" in connection && connection.password === undefined) {
    const message = "connection.password is not set; is the variable of the environment?";
    throw new ConfigError(message, { code: "CREDENTIALS_MISSING", details: { missing: ["password"] } });
  }
  const checked: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(connection)) {
    const kind = CONNECTION[name];
    if (kind === undefined) throw unknown(`connection.${name}`, Object.keys(CONNECTION));
    if (value === undefined) continue;
    if (kind !== "any" && typeof value !== kind) throw wrong(`connection.${name}`, `a ${kind}`, value);
    checked[name] = name === "ssl" ? sslOf(value) : value;
  }
  const { port } = checked as { port?: number };
  if (port !== undefined && !(Number.isInteger(port) && port > 0 && port < 65_536)) {
    throw wrong("connection.port", "a whole number from 1 to 65535", port);
  }
  return checked;
}

function poolOf(pool: Loose): Loose {
  const other = Object.keys(pool).find((name) => name !== "max");
  if (other !== undefined) throw unknown(`pool.${other}`, ["max"]);
  const { max } = pool;
  if (max !== undefined && !(Number.isSafeInteger(max) && (max as number) > 0)) {
    throw wrong("pool.max", "a whole number from 1 to 1000", max);
  }
  return pool;
}

function sslOf(ssl: unknown): Record<string, unknown> {
  if (typeof ssl === "boolean") return { enabled: ssl, verify: ssl };
  if (typeof ssl !== "object" || ssl === null || Array.isArray(ssl)) {
    throw wrong("connection.ssl", "true, false or an object", ssl);
  }
  const other = Object.keys(ssl).find((name) => !SSL.includes(name));
  if (other !== undefined) throw unknown(`connection.ssl.${other}`, SSL);
  const { rejectUnauthorized = true, ...texts } = ssl as Loose;
  if (typeof rejectUnauthorized !== "boolean") {
    throw wrong("connection.ssl.rejectUnauthorized", "true or false", rejectUnauthorized);
  }
  const checked: Record<string, unknown> = { enabled: true, verify: rejectUnauthorized };
  for (const [name, value] of Object.entries(texts)) {
    if (value !== undefined) checked[name] = pemOf(`connection.ssl.${name}`, value);
  }
  return checked;
}

/** Text, bytes, or several of them, as one text. */
function pemOf(path: string, value: unknown): string {
  if (typeof value === "string") return value;
  if (value instanceof Uint8Array) return Buffer.from(value).toString("utf8");
  if (Array.isArray(value)) return value.map((each) => pemOf(path, each)).join("\n");
  throw wrong(path, "the text of a PEM file", value);
}

function wrong(path: string, wanted: string, value: unknown): ConfigError {
  return new ConfigError(`${path} takes ${wanted}, not ${describe(value)}`, { code: "INVALID_SETTINGS" });
}

function unknown(name: string, known: readonly string[]): ConfigError {
  return new ConfigError(`there is no setting ${name}; the settings are ${known.join(", ")}`, {
    code: "UNKNOWN_OPTION",
  });
}

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { PostgresConnection } from "holdfast";

/**
 * A real PostgreSQL server of this machine's packages, in a folder of its own. It refuses root, so root starts it
 * as `postgres` or `nobody`. A shell stands between: when our end of its pipe is closed, also by our death, it
 * stops the server.
 */
export class PostgresServer {
  readonly password = "it is a secret";
  readonly port: number;
  readonly #folder: string;
  readonly #bin: string;
  readonly #user = foreignUser();
  #settings: string;
  #shell: ChildProcess | undefined;

  private constructor(port: number) {
    this.port = port;
    this.#bin = installed();
    this.#folder = mkdtempSync(join(tmpdir(), "holdfast-pg-"));
    chmodSync(this.#folder, 0o755);
    mkdirSync(join(this.#folder, "data"));
    this.#settings = `-p ${port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off -c max_connections=120`;
  }

  /** Makes a cluster and starts it. It lets nobody in without a password. With `tls`, it encrypts. */
  static async start({ tls = false, settings = "" } = {}): Promise<PostgresServer> {
    const server = new PostgresServer(await freePort());
    server.#make();
    if (tls) server.#certify();
    server.#settings += ` ${settings}`;
    await server.resume();
    return server;
  }

  /** How to come in, into a database of that name. */
  connection(database = "postgres"): PostgresConnection {
    return { host: "127.0.0.1", port: this.port, database, user: "postgres", password: this.password };
  }

  /** The same as a URL. */
  url(database = "postgres"): string {
    return `postgres://postgres:${encodeURIComponent(this.password)}@127.0.0.1:${this.port}/${database}`;
  }

  /** The authority that vouches for its certificate, in PEM. */
  get authority(): string {
    return readFileSync(join(this.#folder, "ca.pem"), "utf8");
  }

  /** Runs SQL as an operator does, beside every store; gives back the rows as text. */
  sql(text: string, database = "postgres"): string[] {
    const args = ["-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-d", this.url(database), "-c", text];
    const output = execFileSync(join(this.#bin, "psql"), args, { encoding: "utf8" });
    return output.split("\n").filter((line) => line !== "");
  }

  /** Stops it: running transactions are cut off. */
  async pause(): Promise<void> {
    await this.#end("keep\n");
  }

  /** Starts it again, on the same port and data. */
  async resume(): Promise<void> {
    const script = `"$0/pg_ctl" start -s -w -D data -l data/log -o "$1" && echo ready
      read -r word; "$0/pg_ctl" stop -s -m fast -D data; [ "$word" = keep ] || rm -rf data/*`;
    const shell = spawn("/bin/sh", ["-c", script, this.#bin, this.#settings], {
      ...this.#as(),
      stdio: ["pipe", "pipe", "ignore"],
    });
    this.#shell = shell;
    // It must not keep the process of the tests alive.
    shell.unref();
    const lines = createInterface({ input: shell.stdout as NodeJS.ReadableStream });
    const started = await Promise.race([once(lines, "line"), once(shell, "exit")]);
    lines.close();
    (shell.stdout as unknown as { unref(): void }).unref();
    (shell.stdin as unknown as { unref(): void }).unref();
    if (started[0] !== "ready") {
      throw new Error(`PostgreSQL did not start: ${readFileSync(join(this.#folder, "data", "log"), "utf8")}`);
    }
  }

  /** Stops it as a crash does. */
  async crash(): Promise<void> {
    const [pid = ""] = readFileSync(join(this.#folder, "data", "postmaster.pid"), "utf8").split("\n");
    process.kill(Number(pid), "SIGQUIT");
    await this.pause();
  }

  /** Stops it and throws its data away. */
  async stop(): Promise<void> {
    await this.#end("");
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #end(word: string): Promise<void> {
    const shell = this.#shell;
    this.#shell = undefined;
    if (shell === undefined || shell.exitCode !== null) return;
    shell.ref();
    const exit = once(shell, "exit");
    shell.stdin?.end(word);
    await exit;
  }

  #make(): void {
    const [uid, gid] = this.#user ?? [];
    const data = join(this.#folder, "data");
    if (uid !== undefined && gid !== undefined) chownSync(data, uid, gid);
    const passwords = join(this.#folder, "password");
    writeFileSync(passwords, this.password);
    const auth = ["--auth=scram-sha-256", `--pwfile=${passwords}`];
    const args = ["-D", data, "-U", "postgres", ...auth, "--encoding=UTF8", "--locale=C", "--no-sync"];
    execFileSync(join(this.#bin, "initdb"), args, { ...this.#as(), stdio: ["ignore", "ignore", "inherit"] });
  }

  /** Makes an authority, and a certificate for `localhost` and 127.0.0.1. */
  #certify(): void {
    const at = (name: string) => join(this.#folder, name);
    const openssl = (...args: string[]) => execFileSync("openssl", args, { stdio: "pipe", cwd: this.#folder });
    const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    openssl("req", "-x509", ...key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=An authority", "-days", "2");
    openssl("req", ...key, "-keyout", "data/server.key", "-out", "server.csr", "-subj", "/CN=localhost");
    writeFileSync(at("names"), "subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\n");
    const sign = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names"];
    openssl("x509", "-req", "-in", "server.csr", ...sign, "-out", "data/server.crt");
    for (const name of ["data/server.key", "data/server.crt"]) {
      chmodSync(at(name), 0o600);
      if (this.#user !== undefined) chownSync(at(name), ...this.#user);
    }
    this.#settings += " -c ssl=on";
  }

  #as(): { cwd: string; uid?: number; gid?: number } {
    const [uid, gid] = this.#user ?? [];
    return uid === undefined || gid === undefined ? { cwd: this.#folder } : { cwd: this.#folder, uid, gid };
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}

/** The newest installed server's programs. */
function installed(): string {
  const packages = "/usr/lib/postgresql";
  const versions = existsSync(packages) ? readdirSync(packages).sort((a, b) => Number(b) - Number(a)) : [];
  const places = [...versions.map((version) => join(packages, version, "bin")), "/usr/local/bin", "/usr/bin"];
  const bin = places.find((place) => ["initdb", "pg_ctl", "psql"].every((name) => existsSync(join(place, name))));
  if (bin === undefined) throw new Error("PostgreSQL is not installed; `node scripts/run.mjs tools` installs it");
  return bin;
}

/** Whom root starts the server as. */
function foreignUser(): [uid: number, gid: number] | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const users = readFileSync("/etc/passwd", "utf8").split("\n");
  for (const name of ["postgres", "nobody"]) {
    const [, , uid, gid] = users.find((line) => line.startsWith(`${name}:`))?.split(":") ?? [];
    if (uid !== undefined && gid !== undefined) return [Number(uid), Number(gid)];
  }
  throw new Error("there is no user postgres and no user nobody to start PostgreSQL as");
}

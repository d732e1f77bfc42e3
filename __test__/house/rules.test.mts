// The rules of the house, as ARCHITECTURE.md states them. Each failure says what to do, not only what is wrong.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join, posix, resolve } from "node:path";
import { describe, it } from "node:test";

const ROOT = resolve(import.meta.dirname, "..", "..");

/** Which crate may use which. Arrows point down; what is not listed is not allowed. */
const CRATE_ARROWS: Readonly<Record<string, readonly string[]>> = {
  holdfast: ["base", "level", "replica", "s3-client", "s3-server", "store"],
  "holdfast-base": [],
  "holdfast-sqlite": ["base"],
  "holdfast-s3-client": ["base"],
  "holdfast-p2p": ["base", "sqlite"],
  "holdfast-s3-server": ["base", "sqlite"],
  "holdfast-store": ["base", "p2p", "s3-client", "sqlite"],
  "holdfast-replica": ["base", "s3-client", "sqlite"],
  "holdfast-level": ["base", "s3-client"],
  "holdfast-testkit": ["base", "s3-client", "s3-server", "sqlite", "store"],
};

/** Libraries that one manifest alone may name. */
const ONE_ROOM_LIBRARIES: Readonly<Record<string, string>> = {
  napi: "holdfast",
  "napi-derive": "holdfast",
  rusqlite: "holdfast-sqlite",
  "aws-sdk-s3": "holdfast-s3-client",
  "tokio-postgres": "holdfast-store",
  "deadpool-postgres": "holdfast-store",
  slatedb: "holdfast-level",
  hyper: "holdfast-s3-server",
  "quick-xml": "holdfast-s3-server",
};

/** Which folder below lib/ may import which; a file directly in lib/ is a room of its own. */
const LIB_ARROWS: Readonly<Record<string, readonly string[]>> = {
  "lib/errors.ts": [],
  "lib/aws-credentials.ts": [],
  "lib/native.ts": ["lib/errors.ts"],
  "lib/store": ["lib/errors.ts", "lib/native.ts", "lib/aws-credentials.ts"],
  "lib/storage": ["lib/errors.ts", "lib/native.ts"],
  "lib/remult": ["lib/errors.ts", "lib/native.ts", "lib/aws-credentials.ts"],
  "lib/level": ["lib/errors.ts", "lib/native.ts", "lib/aws-credentials.ts"],
  "lib/fixtures": ["lib/errors.ts", "lib/storage"],
  "lib/doctor": ["lib/errors.ts", "lib/native.ts", "lib/aws-credentials.ts"],
  "lib/cli": ["lib/errors.ts", "lib/doctor", "lib/storage", "lib/store", "lib/remult", "lib/level"],
  "lib/interop": [],
  "index.ts": ["lib/errors.ts", "lib/store", "lib/storage", "lib/remult"],
};

/** Packages that a user may not have installed, or may not want loaded: each is loaded by its own door alone. */
const OPTIONAL_PACKAGES: Readonly<Record<string, string>> = {
  commander: "lib/cli",
  debug: "lib/level",
  "cli-progress": "lib/cli",
  keyv: "lib/interop",
  unstorage: "lib/interop",
  remult: "lib/remult",
  "abstract-level": "lib/level",
  "abstract-leveldown": "lib/level",
};

const MAX_FILE_LINES = 400;
const BANNED_WORDS = /(^|[/_.-])(utils?|helpers?|common|managers?|misc|stuff)([/_.-]|$)/i;

const tracked = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
  cwd: ROOT,
  encoding: "utf8",
})
  .split("\n")
  .filter((name) => name !== "" && existsSync(join(ROOT, name)));

const read = (name: string): string => readFileSync(join(ROOT, name), "utf8");
const written = (name: string): boolean =>
  !/^(native\.(cjs|d\.ts)|index\.d\.ts|package-lock\.json|Cargo\.lock)$/.test(name);
const isCode = (name: string): boolean => /\.(rs|ts|mts|cts|mjs|cjs|js)$/.test(name) && written(name);

/** Fails with one line for each offence, then what to do. */
function expectNone(offences: readonly string[], whatToDo: string): void {
  assert.equal(offences.length, 0, `\n  ${offences.join("\n  ")}\nWhat to do: ${whatToDo}\n`);
}

interface Dependency {
  name: string;
  kind: string | null;
}
interface Package {
  name: string;
  manifest_path: string;
  dependencies: Dependency[];
}

const packages = (
  JSON.parse(
    execFileSync("cargo", ["metadata", "--no-deps", "--format-version", "1"], {
      cwd: ROOT,
      encoding: "utf8",
      maxBuffer: 64 << 20,
    }),
  ) as { packages: Package[] }
).packages;

/** The room that a TypeScript file stands in, as LIB_ARROWS names it. */
function roomOf(file: string): string {
  const parts = file.split("/");
  return parts[0] === "lib" && parts.length > 2 ? parts.slice(0, 2).join("/") : file;
}

/** What a TypeScript file imports, static and dynamic, types included. */
function importsOf(file: string): string[] {
  const pattern = /(?:\bfrom\s+|\bimport\s*\(\s*|\brequire\s*\(\s*|^\s*import\s+)["']([^"']+)["']/gm;
  return [...read(file).matchAll(pattern)].map((match) => match[1] as string);
}

describe("crates", () => {
  it("use only the rooms below them", () => {
    const offences = packages.flatMap((crate) => {
      const allowed = CRATE_ARROWS[crate.name];
      if (allowed === undefined) return [`${crate.name} has no row in CRATE_ARROWS`];
      return crate.dependencies
        .filter((used) => used.name.startsWith("holdfast-") && used.kind !== "dev")
        .filter((used) => !allowed.includes(used.name.slice("holdfast-".length)))
        .map((used) => `${crate.name} → ${used.name}`);
    });
    expectNone(offences, "turn the arrow round (take what you need as an argument), or move the shared piece down.");
  });

  it("name napi, SQLite, the S3 client and HTTP in one room each", () => {
    const offences = packages.flatMap((crate) =>
      crate.dependencies
        .filter((used) => (ONE_ROOM_LIBRARIES[used.name] ?? crate.name) !== crate.name)
        .map((used) => `${crate.name} uses ${used.name}, which belongs to ${ONE_ROOM_LIBRARIES[used.name]}`),
    );
    expectNone(offences, "call the room that owns the library; add what is missing to its interface.");
  });

  it("live under the workspace's lints", () => {
    const offences = tracked
      .filter((name) => /^crates\/[^/]+\/Cargo\.toml$/.test(name))
      .filter((name) => !/\[lints\]\nworkspace = true/.test(read(name)));
    expectNone(offences, "add `[lints]` with `workspace = true` to the manifest.");
  });

  it("are forbidden unsafe code, all but the addon's border", () => {
    assert.match(read("Cargo.toml"), /\[workspace\.lints\.rust\]\nunsafe_code = "forbid"/);
    const offences = tracked.filter(
      (name) => name.endsWith(".rs") && !name.startsWith("src/") && /\bunsafe\s*(\{|fn|impl)/.test(read(name)),
    );
    expectNone(offences, "use a crate that wraps it, or move the call to src/.");
  });
});

describe("TypeScript", () => {
  const sources = tracked.filter((name) => /^(index\.ts|lib\/.*\.ts)$/.test(name));

  it("imports only the rooms below", () => {
    const offences = sources.flatMap((file) => {
      const room = roomOf(file);
      const allowed = LIB_ARROWS[room];
      if (allowed === undefined) return [`${room} has no row in LIB_ARROWS`];
      return importsOf(file)
        .filter((name) => name.startsWith("."))
        .map((name) => roomOf(posix.join(posix.dirname(file), name).replace(/\.js$/, ".ts")))
        .filter((target) => target !== room && !allowed.includes(target))
        .map((target) => `${file} → ${target}`);
    });
    expectNone(offences, "doors don't know each other: move the shared piece down, or pass it in.");
  });

  it("reaches the addon through lib/native.ts alone", () => {
    const offences = sources.filter(
      (file) =>
        file !== "lib/native.ts" && importsOf(file).some((name) => name === "#native" || /native\.cjs/.test(name)),
    );
    expectNone(offences, "import { native, open, settle } from lib/native.js: it opens the error envelope.");
  });

  it("loads an optional package in its own door alone", () => {
    const offences = sources.flatMap((file) =>
      importsOf(file)
        .map((name) => name.split("/")[0] as string)
        .filter((name) => name in OPTIONAL_PACKAGES && OPTIONAL_PACKAGES[name] !== roomOf(file))
        .map((name) => `${file} → ${name}`),
    );
    expectNone(offences, "a user of the other doors does not have that package; keep it in the door that needs it.");
  });

  it("has a front door that only re-exports", () => {
    const others = read("index.ts")
      .replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "")
      .replace(/export\s+(type\s+)?(\*|\{[^}]*\})\s+from\s+"[^"]+";/g, "")
      .trim();
    assert.equal(others, "", "index.ts holds more than re-exports: move it into a room below lib/");
  });
});

describe("error codes", () => {
  const PATTERNS = [
    /ErrorKind::\w+,\s*"([A-Z0-9_]+)"/g,
    /\([A-Z]\w+, "([A-Z0-9_]+)", "/g,
    /\bcode: "([A-Z0-9_]+)"/g,
    /\binvalid\("([A-Z0-9_]+)"/g,
  ];
  const sources = tracked.filter((name) => /^(src|lib|crates\/(?!testkit)[^/]+\/src)\/.*\.(rs|ts)$/.test(name));
  const pages = tracked.filter((name) => name.startsWith("docs/"));

  it("are documented, with what to do next", () => {
    const documented = pages.map(read).join("\n");
    const offences = sources.flatMap((name) => {
      const code = read(name).split("#[cfg(test)]")[0] as string;
      return PATTERNS.flatMap((pattern) => [...code.matchAll(pattern)])
        .map((match) => match[1] as string)
        .filter((found) => !documented.includes(`\`${found}\``))
        .map((found) => `${name}: ${found}`);
    });
    expectNone(offences, "add the code to its door's page or to docs/errors.md, and say what the caller should do.");
  });
});

describe("files", () => {
  it("have an owner in ARCHITECTURE.md's code map", () => {
    const map = /## Code map\n([\s\S]*?)\n## /.exec(read("ARCHITECTURE.md"))?.[1] ?? "";
    const owned = [...map.matchAll(/^\| `([^`]+)`/gm)].map((match) => match[1] as string);
    assert.ok(
      owned.length > 0,
      "ARCHITECTURE.md has no code map: a table whose first column names a path in backticks",
    );
    const offences = tracked.filter((name) => !owned.some((path) => name === path || name.startsWith(path)));
    expectNone(offences, "put the file into the room that it belongs to, or give its folder a row in the code map.");
    const empty = owned.filter((path) => !tracked.some((name) => name === path || name.startsWith(path)));
    expectNone(empty, "the code map names what does not exist: remove the row.");
  });

  it("are named for what they hold, not utils, helpers, common or manager", () => {
    const offences = tracked.filter((name) => BANNED_WORDS.test(name));
    expectNone(offences, "name the file for its main type or for what it does.");
  });

  it("are named in the way of their language", () => {
    const wrong = (name: string): boolean => {
      // SvelteKit gives its files their names.
      if (name.startsWith("examples/sveltekit/src/")) return false;
      const base = posix.basename(name);
      if (base.endsWith(".rs")) return !/^[a-z0-9_]+\.rs$/.test(base);
      return isCode(name) && !/^[a-z0-9]+(-[a-z0-9]+)*(\.(test|config|d))*\.[cm]?[jt]s$/.test(base);
    };
    expectNone(tracked.filter(wrong), "Rust files are snake_case, TypeScript and JavaScript files kebab-case.");
  });

  it(`stay within ${MAX_FILE_LINES} lines, or within what the ratchet allows them`, () => {
    const ratchet = JSON.parse(read("__test__/house/ratchet.json")) as Record<string, number>;
    const lines = (name: string): number => read(name).split("\n").length - 1;
    const offences = tracked
      .filter(isCode)
      .filter((name) => lines(name) > Math.max(MAX_FILE_LINES, ratchet[name] ?? 0))
      .map((name) => `${name}: ${lines(name)} lines, ${ratchet[name] ?? MAX_FILE_LINES} allowed`);
    expectNone(
      offences,
      "split the file by its types. The ratchet is for files that were longer already; it only shrinks.",
    );
    const loose = Object.entries(ratchet)
      .filter(([name, allowed]) => !existsSync(join(ROOT, name)) || lines(name) < allowed)
      .map(([name, allowed]) => `${name}: ${allowed} allowed, ${existsSync(join(ROOT, name)) ? lines(name) : "gone"}`);
    expectNone(
      loose,
      "the file shrank: lower its number in __test__/house/ratchet.json, or remove it at 400 and below.",
    );
  });

  it("skip no test without a reason", () => {
    const offences = tracked
      .filter(isCode)
      .flatMap((name) =>
        name === "__test__/house/rules.test.mts"
          ? []
          : [...read(name).matchAll(/#\[ignore\]|\bskip:\s*true\b|\b(?:it|test|describe)\.skip\(/g)].map(
              (match) => `${name}: ${match[0]}`,
            ),
      );
    expectNone(offences, 'give the reason: `#[ignore = "…"]`, `{ skip: "…" }`.');
  });

  it("carry no path of the machine that they were written on", () => {
    const offences = tracked.filter(
      (name) =>
        written(name) &&
        name !== "__test__/house/rules.test.mts" &&
        /\/(root|home\/[a-z]+|work\/(main|trees))\//.test(read(name)),
    );
    expectNone(offences, "derive the path from the file's own place, or take it as an argument.");
  });
});

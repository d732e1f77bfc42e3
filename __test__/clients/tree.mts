import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

/** Names that clients and servers get wrong, each one segment that a file system here can hold. */
export const AWKWARD_NAMES: readonly string[] = [
  " leading and trailing ",
  "two  spaces",
  "plus+plus",
  "per%cent",
  "%41%2F%2B%",
  "hash#tag",
  "question?mark=1&versionId=2",
  "a..b",
  "...",
  "..hidden",
  "semi;colon,comma",
  "quote'double\"back`tick",
  "less<more>&amp;",
  "back\\slash",
  "colon:star*pipe|",
  "dollar$(echo)~bang!",
  "brackets[1]{2}(3)",
  "caret^at@equals=",
  "Grüße-née.txt",
  "e\u0301-decomposed",
  "é-composed",
  "ﬁ-ligature",
  "日本語.txt",
  "שלום",
  "🦀.rs",
  "👩‍👩‍👧",
  "\u00a0no-break",
  "Case",
  "case",
  "CASE",
  "-rf",
  "con.txt.",
  "trailing.dot.",
  "x".repeat(240),
  "ß".repeat(120),
];

/** A thousand small files in folders, some empty, and one of 12 MiB. */
export function awkwardFiles(count = 1000): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  AWKWARD_NAMES.forEach((name, index) => {
    files.set(name, Buffer.from(`at the top: ${name}`));
    if (index % 2 === 0) files.set(`empty ${index}/${name}`, Buffer.alloc(0));
  });
  files.set(`${"long folder name ".repeat(12)}/${"and deeper ".repeat(20)}/file`, Buffer.from("a long path"));
  files.set("large.bin", pattern(12 * 2 ** 20));
  for (let index = 0; files.size < count; index += 1) {
    const name = AWKWARD_NAMES[index % 27] as string;
    files.set(`folder ${index % 40}/${index}-${name}`, pattern((index * 37) % 3000));
  }
  return files;
}

/** Bytes that differ from place to place, the same in every run. */
export function pattern(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  let state = 0x9e3779b9;
  for (let index = 0; index < length; index += 1) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[index] = state >>> 24;
  }
  return bytes;
}

/** Writes files below a folder. */
export function writeTree(folder: string, files: ReadonlyMap<string, Buffer>): void {
  for (const [name, bytes] of files) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, bytes);
  }
}

/** Each file below a folder with a digest of its content, in order. */
export function readTree(folder: string): Map<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const read = files.map((entry): [string, string] => {
    const path = join(entry.parentPath, entry.name);
    return [relative(folder, path), digest(readFileSync(path))];
  });
  return new Map(read.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The same of files in memory. */
export function digests(files: ReadonlyMap<string, Buffer>): Map<string, string> {
  const read = [...files].map(([name, bytes]): [string, string] => [name, digest(bytes)]);
  return new Map(read.sort(([a], [b]) => (a < b ? -1 : 1)));
}

export function digest(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Keys that no file system here can hold, or that one would take for others. */
export const AWKWARD_KEYS: readonly string[] = [
  ...AWKWARD_NAMES,
  "..",
  ".",
  "../../etc/passwd",
  "a/../b",
  "a//b",
  "/leading",
  "//",
  "trailing/",
  "file",
  "file/beside a folder of its name",
  "tab\tnew\nline\rreturn",
  "a\u0301\u0302".repeat(100),
  "k".repeat(1024),
  "\u{10ffff}-last",
  "\ufffd\ufeff-marks",
];

// The code blocks of README.md and docs/.
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

export const ROOT = resolve(import.meta.dirname, "..", "..");

export interface Block {
  /** The page, relative to the package's folder. */
  page: string;
  /** The line of the page that the code begins in. */
  line: number;
  /** What stands behind the three backticks; `""` for a drawing. */
  language: string;
  code: string;
}

/** Every block of a page, in order. */
function blocksOf(page: string): Block[] {
  const text = readFileSync(join(ROOT, page), "utf8");
  return [...text.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map((match) => ({
    page,
    line: text.slice(0, match.index).split("\n").length + 1,
    language: match[1] ?? "",
    code: match[2] ?? "",
  }));
}

/** Every block that users read. */
export function allBlocks(): Block[] {
  const pages = readdirSync(join(ROOT, "docs"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md") && !/^(node_modules|\.vitepress|api)\//.test(name))
    .sort();
  return ["README.md", ...pages.map((name) => `docs/${name}`)].flatMap(blocksOf);
}

// Every code block that users read: TypeScript and JavaScript compiled with the package's types and run, commands of
// the program checked against it.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import ts from "typescript";
import { run as runHoldfast } from "../cli-program.mjs";
import { allBlocks, type Block, ROOT } from "./blocks.mjs";
import { SCENES, type Scene } from "./scenes.mjs";

/** In the package's folder, so that `holdfast` is found as in a user's project. */
const FOLDER = join(ROOT, "__test__", "docs", "run");

const WHAT_TO_DO = "correct the page, or give the block a scene in __test__/docs/scenes.mts";

/** TypeScript's errors about a relative import: no such file, no extension. */
const OWN_FILE: readonly number[] = [2307, 2834, 2835];

const blocks = allBlocks();
const scripts = blocks.filter(({ language }) => /^[jt]s$/.test(language));
const nameOf = ({ page, line }: Block): string => `${page}:${line}`;
const fileOf = (block: Block): string => join(FOLDER, `${nameOf(block).replace(/\W+/g, "-").toLowerCase()}.mts`);

function sceneOf({ page, code }: Block): Scene | undefined {
  return SCENES.find((scene) => scene.page === page && code.includes(scene.has));
}

before(() => {
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER, { recursive: true });
  for (const block of scripts) {
    const { before = "", after = "" } = sceneOf(block) ?? {};
    writeFileSync(fileOf(block), `${before.trim().replace(/\n/g, " ")}\n${block.code}\n${after}\nexport {};\n`);
  }
});
after(() => rmSync(FOLDER, { recursive: true, force: true }));

/** Runs a block in an empty folder; gives its exit code and its output. */
async function run(block: Block): Promise<{ code: number; output: string }> {
  const cwd = mkdtempSync(join(tmpdir(), "holdfast-docs-"));
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const loader = import.meta.resolve("tsx");
  try {
    return await new Promise((done) => {
      const options = { cwd, env, timeout: 60_000 };
      execFile(process.execPath, ["--import", loader, fileOf(block)], options, (error, stdout, stderr) => {
        done({ code: error === null ? 0 : Number(error.code ?? 1), output: `${stdout}${stderr}` });
      });
    });
  } finally {
    rmSync(cwd, { recursive: true, force: true });
  }
}

describe("the code of the pages", () => {
  it("is in a language that is checked", () => {
    const known = ["js", "ts", "sh", ""];
    assert.deepEqual(blocks.filter(({ language }) => !known.includes(language)).map(nameOf), []);
  });

  it("has a page and a block for each scene", () => {
    assert.deepEqual(
      SCENES.filter((scene) => !scripts.some((block) => sceneOf(block) === scene)).map(
        ({ page, has }) => `${page}: ${has}`,
      ),
      [],
    );
  });

  it("is right for the types of the package", () => {
    const program = ts.createProgram(scripts.map(fileOf), {
      target: ts.ScriptTarget.ES2022,
      lib: ["lib.es2023.d.ts", "lib.esnext.disposable.d.ts"],
      module: ts.ModuleKind.NodeNext,
      moduleResolution: ts.ModuleResolutionKind.NodeNext,
      types: ["node"],
      strict: true,
      // JavaScript says nothing of its parameters.
      noImplicitAny: false,
      noEmit: true,
      skipLibCheck: true,
      allowImportingTsExtensions: true,
      experimentalDecorators: true,
    });
    const wrong = ts.getPreEmitDiagnostics(program).flatMap(({ code, file, start, messageText }) => {
      const text = ts.flattenDiagnosticMessageText(messageText, "\n");
      const block = scripts.find((block) => fileOf(block) === file?.fileName);
      // Files of the reader's own are not there, and may be imported as bundlers do, without an extension.
      if (block === undefined || OWN_FILE.includes(code)) return [];
      const line = file === undefined || start === undefined ? 0 : file.getLineAndCharacterOfPosition(start).line;
      return [`${block.page}:${block.line + line - 1}: ${text}`];
    });
    assert.deepEqual(wrong, [], WHAT_TO_DO);
  });

  for (const block of scripts) {
    it(`runs: ${nameOf(block)}`, async (context) => {
      const reason = sceneOf(block)?.notRun;
      if (reason !== undefined) return context.skip(reason);
      const { code, output } = await run(block);
      assert.equal(code, 0, `${output}\nWhat to do: ${WHAT_TO_DO}`);
    });
  }

  for (const block of blocks.filter(({ language }) => language === "sh")) {
    const commands = block.code.split("\n").filter((line) => line.startsWith("npx holdfast "));
    for (const command of commands) {
      it(`is a command that the program knows: ${command}`, async () => {
        const words = command
          .replace(/\s+#.*$/, "")
          .split(/\s+/)
          .slice(2);
        const name = words.find((word) => !word.startsWith("-")) ?? "";
        const { code, stdout } = await runHoldfast([name, "--help"]);
        assert.equal(code, 0);
        const flags = words.filter((word) => word.startsWith("--"));
        assert.deepEqual(
          flags.filter((flag) => !stdout.includes(flag)),
          [],
          stdout,
        );
      });
    }
  }
});

// What TypeScript's declarations need beside what the compiler writes: those of the ES modules, and leave to be read
// where an optional package is not installed.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** A line that takes types from a package that a user may do without. */
const FROM_OPTIONAL =
  /(?:from |import\()["'](?:remult|abstract-level|abstract-leveldown|keyv|unstorage)(?:\/[^"']*)?["']/;

const TOLERATED = "// @ts-ignore: an optional package; what comes from it is `any` where it is not installed";

/**
 * Lets a declaration file be read without the optional packages: no user of one door has to install what another door
 * needs, or to set `skipLibCheck`.
 */
function tolerateMissingPackages(file) {
  const lines = readFileSync(file, "utf8").split("\n");
  const needed = lines.flatMap((line, index) => {
    if (!FROM_OPTIONAL.test(line) || lines[index - 1]?.includes(TOLERATED)) return [line];
    return [`${/^\s*/.exec(line)[0]}${TOLERATED}`, line];
  });
  writeFileSync(file, needed.join("\n"));
}

/** Does that with every declaration file below `folder`, and with those named. */
export function tolerateMissing(folder, files = []) {
  const below = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => /\.d\.m?ts$/.test(name))
    .map((name) => join(folder, name));
  for (const file of [...below, ...files]) tolerateMissingPackages(file);
}

/**
 * Writes the types of an ES module that re-exports a CommonJS one: without them TypeScript takes `import` for
 * CommonJS, whose default export is another.
 *
 * @param declaration The file to write, for example `dist/index.d.mts`.
 * @param source What it re-exports, relative to it, for example `../index.js`.
 * @param isFunction Whether the CommonJS module is itself a function or a class.
 */
export function writeModuleDeclaration(declaration, source, isFunction) {
  const lines = isFunction
    ? [`import module from "${source}";`, "export default module;"]
    : [`export * from "${source}";`];
  writeFileSync(declaration, `${lines.join("\n")}\n`);
}

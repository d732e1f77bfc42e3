import { PersistError } from "../errors.js";
import { native, open } from "../native.js";
import { type Finding, findingOf } from "./finding.js";

/** Whose file it is, by SQLite's application id. */
const OWNERS: Readonly<Record<number, string>> = {
  1751544692: "a store of createStore",
  1751544691: "the index of a SmartStorage folder",
};

/** Looks at a SQLite file: a store's, a replicated database's, or another. Reads all of it and changes nothing. */
export function examineDatabaseFile(path: string): Finding[] {
  const check = "SQLite file";
  try {
    const { applicationId, schemaVersion, bytes, problems } = open(native.inspectDatabase(path));
    const owner = OWNERS[applicationId];
    const what = owner === undefined ? "a SQLite file" : `${owner}, schema ${schemaVersion}`;
    if (problems.length === 0) return [{ check, ok: true, message: `${what}, ${bytes} bytes` }];
    const advice =
      "copy the file and its -wal before anything else; then restore a backup (npx holdfast restore, for a replicated one)";
    return problems.map((message) => ({ check, ok: false, message, advice, code: "DATABASE_DAMAGED" }));
  } catch (error) {
    if (error instanceof PersistError) return [findingOf(check, error)];
    throw error;
  }
}

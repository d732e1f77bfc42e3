import { constants, promises as fs } from "node:fs";
import { PersistError } from "../errors.js";
import { native, open } from "../native.js";
import { type Finding, findingOf } from "./finding.js";

/** Less free space than this is worth a word: uploads are staged before they count. */
const LITTLE_SPACE = 1 << 30;

/** Looks at the folder of a SmartStorage server. Changes nothing, also beside a server that runs on it. */
export async function examineStorageFolder(folder: string): Promise<Finding[]> {
  return [...examineContents(folder), await examineAccess(folder), await examineSpace(folder)];
}

function examineContents(folder: string): Finding[] {
  const check = "index and files";
  try {
    const { buckets, objects, bytes, inUse, problemCount, problems } = open(native.inspectStorageFolder(folder));
    const what = `${buckets} buckets, ${objects} objects, ${bytes} bytes${inUse ? "; a server has it open" : ""}`;
    if (problemCount === 0) return [{ check, ok: true, message: what }];
    const advice =
      "restore what is named from a backup; everything else goes on working. Keep a copy before you change anything";
    const found = problems.map((message) => ({ check, ok: false, message, advice, code: "STORAGE_DAMAGED" }));
    const more = problemCount - problems.length;
    const rest = more === 0 ? [] : [{ check, ok: false, message: `${more} problems more`, code: "STORAGE_DAMAGED" }];
    return [...found, ...rest];
  } catch (error) {
    if (error instanceof PersistError) return [findingOf(check, error)];
    throw error;
  }
}

async function examineAccess(folder: string): Promise<Finding> {
  const check = "access";
  try {
    await fs.access(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    return { check, ok: true, message: "this user may read and write it" };
  } catch {
    const message = `this user (${process.getuid?.() ?? "unknown"}) may not read and write ${folder}`;
    return {
      check,
      ok: false,
      message,
      advice: "run as the folder's owner, or change its owner",
      code: "PERMISSION_DENIED",
    };
  }
}

async function examineSpace(folder: string): Promise<Finding> {
  const { bavail, bsize } = await fs.statfs(folder);
  const free = bavail * bsize;
  const message = `${(free / 2 ** 30).toFixed(1)} GiB free`;
  if (free >= LITTLE_SPACE) return { check: "free space", ok: true, message };
  return {
    check: "free space",
    ok: false,
    message,
    advice: "free some space, or move the folder",
    code: "LITTLE_SPACE",
  };
}

import { invalid, S3_SETTINGS } from "./s3-settings.js";

/** Every option of `S3Level`, Level's own included. */
const NAMES: readonly string[] = [
  ...S3_SETTINGS,
  ...["s3", "layout", "keyFormat", "batchPatience", "readOnly", "refreshInterval"],
  ...["keyEncoding", "valueEncoding", "createIfMissing", "errorIfExists", "passive"],
];

/** Where options of other libraries belong. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  accessKeyId: "credentials.accessKeyId",
  secretAccessKey: "credentials.secretAccessKey",
  sessionToken: "credentials.sessionToken",
  s3ForcePathStyle: "forcePathStyle",
};

/**
 * Refuses an option that is almost one of ours: ignored, it would open another database than was meant. Other names
 * are a user's own, which abstract-level hands to hooks.
 *
 * @throws {ConfigError} `LEVEL_INVALID_OPTION`, naming the option.
 */
export function refuseNearMisses(options: object): void {
  for (const name of Object.keys(options)) {
    if (NAMES.includes(name)) continue;
    const meant = ELSEWHERE[name] ?? NAMES.find((known) => isNear(name.toLowerCase(), known.toLowerCase()));
    if (meant !== undefined) throw invalid(`${name} is not an option; did you mean ${meant}?`);
  }
}

/** Whether two texts differ by one letter, or by two letters beside each other that changed places. */
function isNear(a: string, b: string): boolean {
  let start = 0;
  while (start < a.length && a[start] === b[start]) start++;
  let end = 0;
  while (end < Math.min(a.length, b.length) - start && a.at(-1 - end) === b.at(-1 - end)) end++;
  const [left, right] = [a.slice(start, a.length - end), b.slice(start, b.length - end)];
  return (left.length <= 1 && right.length <= 1) || (left.length === 2 && left === `${right[1]}${right[0]}`);
}

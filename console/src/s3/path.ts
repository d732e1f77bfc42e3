/** Percent-encodes everything but what signatures leave alone: letters, digits, `-`, `.`, `_` and `~`. */
export const encode = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);

/** Where a bucket or an object is. */
export interface Place {
  bucket?: string;
  key?: string;
}

const segments = ({ bucket, key }: Place): string[] =>
  bucket === undefined ? [] : [bucket, ...(key === undefined ? [] : key.split("/"))];

/** The path as it is signed. */
export const signedPath = (place: Place): string => `/${segments(place).map(encode).join("/")}`;

/**
 * The path as it is sent. Browsers resolve `.` and `..` in a path, which are but text in a key: there, the slashes are
 * encoded too, so that the path is one segment.
 */
export function sentPath(place: Place): string {
  const parts = segments(place);
  const isResolved = parts.some((part) => part === "." || part === "..");
  return `/${parts.map(encode).join(isResolved ? "%2F" : "/")}`;
}

/** The last name of a key: of `a/b` it is `b`, of the folder `a/b/` it is `b/`. */
export function baseName(key: string): string {
  const slash = key.slice(0, -1).lastIndexOf("/");
  return key.slice(slash + 1);
}

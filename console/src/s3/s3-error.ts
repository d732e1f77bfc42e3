import { parseXml, text } from "./xml.ts";

/** What the server refused, or that it could not be reached. */
export class S3Error extends Error {
  override name = "S3Error";

  constructor(
    /** S3's code; `NetworkError` when no answer came. */
    readonly code: string,
    message: string,
    readonly status: number,
  ) {
    super(message);
  }
}

/** The error that an answer tells. */
export function errorOf(status: number, body: string): S3Error {
  const root = body.startsWith("<") ? parseXml(body) : undefined;
  if (root?.localName === "Error") return new S3Error(text(root, "Code"), text(root, "Message"), status);
  return new S3Error(`HTTP ${status}`, STATUS[status] ?? "The server gave no reason.", status);
}

/** What answers without a body say. */
const STATUS: Readonly<Record<number, string>> = {
  403: "You may not do this.",
  404: "This does not exist.",
  405: "This is a delete marker: there is nothing to read.",
  412: "It was changed by somebody else in the meantime.",
};

/** That no answer came. */
export const unreachable = (): S3Error =>
  new S3Error("NetworkError", "The server could not be reached, or the connection broke. Try again.", 0);

import type { Asked, Connection } from "../s3/connection.ts";
import { errorOf, unreachable } from "../s3/s3-error.ts";

/**
 * Sends a file or a part of one, and tells how far it is: `fetch` does not know. Gives back the ETag; throws S3Error,
 * or a DOMException `AbortError` when `signal` says so.
 */
export async function sendBody(
  connection: Connection,
  asked: Asked & { body: Blob; signal: AbortSignal },
  progress: (sentBytes: number) => void,
): Promise<string> {
  const { url, headers, method } = await connection.signed({ ...asked, method: "PUT" });
  asked.signal.throwIfAborted();
  return await new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const abort = () => request.abort();
    asked.signal.addEventListener("abort", abort);
    request.open(method, url);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = ({ loaded }) => progress(loaded);
    request.onload = () => {
      if (request.status === 200) resolve(request.getResponseHeader("etag") ?? "");
      else reject(errorOf(request.status, request.responseText));
    };
    request.onerror = () => reject(unreachable());
    request.onabort = () => reject(new DOMException("cancelled", "AbortError"));
    request.onloadend = () => asked.signal.removeEventListener("abort", abort);
    request.send(asked.body);
  });
}

import { Sha256 } from "@aws-crypto/sha256-browser";
import { SignatureV4 } from "@smithy/signature-v4";
import { encode, type Place, sentPath, signedPath } from "./path.ts";
import { errorOf, unreachable } from "./s3-error.ts";

/** What stands for a body that is not part of the signature. */
const UNSIGNED = "UNSIGNED-PAYLOAD";

/** A pair of keys. They are kept in this tab's memory alone. */
export interface Keys {
  accessKeyId: string;
  secretAccessKey: string;
}

/** A request as S3 names it. */
export interface Asked extends Place {
  method?: string;
  query?: Record<string, string>;
  headers?: Record<string, string>;
  body?: Blob | string;
  signal?: AbortSignal;
}

/** What the server says of itself to everybody. */
export interface ServerInfo {
  region: string;
  auth: boolean;
}

/** Asks the server that the page came from. */
export async function serverInfo(): Promise<ServerInfo> {
  const answer = await fetch("/_console/api/server").catch(() => Promise.reject(unreachable()));
  if (!answer.ok) throw errorOf(answer.status, await answer.text());
  return (await answer.json()) as ServerInfo;
}

/** Requests to the server, signed when somebody has signed in. */
export class Connection {
  readonly #signer: SignatureV4 | undefined;

  constructor(
    region: string,
    readonly keys?: Keys,
  ) {
    if (keys === undefined) return;
    this.#signer = new SignatureV4({ service: "s3", region, credentials: keys, sha256: Sha256, uriEscapePath: false });
  }

  /** Sends a request; gives back the answer when it is a success. Throws S3Error. */
  async send(asked: Asked): Promise<Response> {
    const { url, headers, method } = await this.signed(asked);
    const { body, signal } = asked;
    // What browsers may keep is older than what is there.
    const options: RequestInit = {
      method,
      headers,
      cache: "no-store",
      ...(body !== undefined && { body }),
      ...(signal && { signal }),
    };
    const answer = await fetch(url, options).catch((error: unknown) => {
      throw isAborted(error) ? error : unreachable();
    });
    if (!answer.ok) throw errorOf(answer.status, await answer.text().catch(() => ""));
    return answer;
  }

  /** The text of an answer. */
  async text(asked: Asked): Promise<string> {
    const answer = await this.send(asked);
    return await answer.text().catch((error: unknown) => {
      throw isAborted(error) ? error : unreachable();
    });
  }

  /** Where and with which headers to send a request. The body is not part of the signature: TLS and checksums are. */
  async signed(asked: Asked): Promise<{ url: string; headers: Record<string, string>; method: string }> {
    const { method = "GET", query = {}, headers = {} } = asked;
    const all: Record<string, string> = { ...headers };
    if (typeof asked.body === "string" && asked.bucket !== "_console") {
      all["x-amz-checksum-sha256"] = await sha256Base64(asked.body);
    }
    const url = sentPath(asked) + queryText(query);
    if (this.#signer === undefined) return { url, headers: all, method };
    const request = this.#request(asked, { ...all, "x-amz-content-sha256": UNSIGNED });
    const signed = await this.#signer.sign(request);
    const { host: _browsersOwn, ...sent } = signed.headers as Record<string, string>;
    return { url, headers: sent, method };
  }

  /** A link to an object that works without keys for so many seconds; without sign-in, the plain address. */
  async link(place: Place, seconds: number, query: Record<string, string> = {}): Promise<string> {
    const base = location.origin + sentPath(place);
    if (this.#signer === undefined) return base + queryText(query);
    const request = this.#request({ ...place, query }, { "x-amz-content-sha256": UNSIGNED });
    const signed = await this.#signer.presign(request, { expiresIn: seconds, unsignableHeaders: new Set() });
    return base + queryText((signed.query ?? {}) as Record<string, string>);
  }

  #request(asked: Asked, headers: Record<string, string>) {
    const { method = "GET", query = {} } = asked;
    const { protocol, hostname, host } = location;
    return { method, protocol, hostname, path: signedPath(asked), query, headers: { ...headers, host } };
  }
}

/** Whether somebody cancelled a request. */
export const isAborted = (error: unknown): boolean => error instanceof DOMException && error.name === "AbortError";

function queryText(query: Record<string, string>): string {
  const pairs = Object.entries(query).map(([name, value]) => `${encode(name)}=${encode(value)}`);
  return pairs.length === 0 ? "" : `?${pairs.join("&")}`;
}

async function sha256Base64(text: string): Promise<string> {
  const hash = new Sha256();
  hash.update(text);
  return btoa(String.fromCharCode(...(await hash.digest())));
}

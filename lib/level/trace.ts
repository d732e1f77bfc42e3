import createDebug from "debug";

const debug = createDebug("S3LevelDown");

/** Gives back the promise of a call; `DEBUG=S3LevelDown` shows what became of it, and never a value. */
export function traced<T>(call: string, about: Uint8Array | string | number, promise: Promise<T>): Promise<T> {
  if (debug.enabled) {
    const shown = about instanceof Uint8Array ? JSON.stringify(Buffer.from(about).toString()) : about;
    promise.then(
      () => debug("%s %s", call, shown),
      (error: Error) => debug("%s %s failed: %s", call, shown, error.message),
    );
  }
  return promise;
}

import type { ComponentChildren } from "preact";
import { S3Error } from "../s3/s3-error.ts";

/** That something failed, why, and what can be done. */
export function Failure({ error, retry }: { error: unknown; retry?: () => void }) {
  if (error === undefined) return null;
  const code = error instanceof S3Error ? error.code : "Error";
  const message = error instanceof Error ? error.message : String(error);
  return (
    <div class="failure" role="alert">
      <div>
        <strong>{code}</strong>
        <p>{message}</p>
      </div>
      {retry && (
        <button type="button" onClick={retry}>
          Try again
        </button>
      )}
    </div>
  );
}

/** That there is nothing, and how to begin. */
export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <h2>{title}</h2>
      {children}
    </div>
  );
}

/** That something is on its way. */
export function Waiting({ what }: { what: string }) {
  return (
    <p class="waiting" role="status">
      Loading {what} …
    </p>
  );
}

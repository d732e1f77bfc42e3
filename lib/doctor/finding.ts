/** Something that a doctor looked at. */
export interface Finding {
  /** What was looked at: `"index and files"`, `"conditional write"`, … */
  check: string;
  /** Whether it is as it should be. */
  ok: boolean;
  /** What was found. */
  message: string;
  /** What to do, where something is wrong. */
  advice?: string;
  /** The stable code of what is wrong; `docs/errors.md` and `docs/cli.md` list them. */
  code?: string;
}

/** A finding about an error: its message says what happened and what to do. */
export function findingOf(check: string, { code, message }: { code: string; message: string }): Finding {
  return { check, ok: false, message, code };
}

import { AbstractSnapshot } from "abstract-level";
import type { native } from "../native.js";

/** The state of an `S3Level` of layout `"lsm"` at one moment. */
export class S3LevelSnapshot extends AbstractSnapshot {
  /** What reads take it from. */
  readonly native: native.LevelSnapshot;

  constructor(snapshot: native.LevelSnapshot, options: object) {
    // Its typings know no argument.
    super(...([options] as unknown as []));
    this.native = snapshot;
  }

  protected async _close(): Promise<void> {
    this.native.close();
  }
}

import type { SingleBar } from "cli-progress";
import type { Output } from "./output.js";

/** How far a piece of work is. */
export interface Progress {
  /** What is being done; each has a bar of its own. */
  phase: string;
  done: number;
  /** How much there is, where that is known. */
  total?: number;
}

/** Shows how far work is: a bar on a terminal, a line for each phase elsewhere, nothing with `--json`. */
export async function showProgress(output: Output): Promise<{ show: (at: Progress) => void; end: () => void }> {
  let phase = "";
  if (output.json || !process.stderr.isTTY) {
    const show = (at: Progress) => {
      if (at.phase !== phase) output.note(at.phase);
      phase = at.phase;
    };
    return { show, end: () => {} };
  }
  // Loaded for people at a terminal alone.
  const { SingleBar, Presets } = await import("cli-progress");
  let bar: SingleBar | undefined;
  const show = (at: Progress) => {
    if (at.phase !== phase) {
      bar?.stop();
      const format = `${at.phase.padEnd(13)} [{bar}] {value}${at.total === undefined ? "" : "/{total}"}`;
      bar = new SingleBar({ format, stream: process.stderr, hideCursor: true }, Presets.shades_classic);
      bar.start(at.total ?? at.done, at.done);
      phase = at.phase;
    }
    bar?.setTotal(at.total ?? at.done);
    bar?.update(at.done);
  };
  return { show, end: () => bar?.stop() };
}

import type { native } from "../native.js";
import type { Emission, Lifecycle, Ticket } from "./lifecycle.js";
import { News } from "./news.js";
import type { Port, RawOutcome } from "./port.js";

/** Commits changes and reports them to the listeners and watches. */
export class Writer {
  /** What other processes commit. */
  readonly news: News;

  constructor(
    readonly port: Port,
    readonly lifecycle: Lifecycle,
  ) {
    this.news = new News(port);
  }

  /** Commits the steps. The commit is ordered before this returns; the answer comes after it. */
  async commit(
    steps: native.StepData[],
    report: (outcomes: RawOutcome[]) => Emission[],
    atomic = false,
  ): Promise<RawOutcome[]> {
    const ticket = this.#ticket();
    if (ticket === undefined) return this.port.commit(steps, atomic);
    let outcomes: RawOutcome[] | undefined;
    try {
      outcomes = await this.port.commit(steps, atomic);
      return outcomes;
    } finally {
      // What failed is told nothing of; its place in the order is given up.
      const done = outcomes;
      ticket.settle(done === undefined ? () => {} : () => this.#tell(steps, done, report));
    }
  }

  /** Commits one step. */
  async one(step: native.StepData, report: (outcome: RawOutcome) => Emission[], atomic = false): Promise<RawOutcome> {
    const [outcome = {}] = await this.commit([step], (outcomes) => report(outcomes[0] ?? {}), atomic);
    return outcome;
  }

  #tell(steps: native.StepData[], outcomes: RawOutcome[], report: (outcomes: RawOutcome[]) => Emission[]): void {
    const { lifecycle } = this;
    lifecycle.watches.tell(steps, outcomes);
    if (!lifecycle.isHeard) return;
    for (const emission of report(outcomes)) lifecycle.emit(emission);
  }

  /** Without listeners and watches none; where commits have no order, one that tells at once. */
  #ticket(): Ticket | undefined {
    if (!this.lifecycle.isHeard && !this.lifecycle.watches.isWatched) return undefined;
    if (this.port.capabilities.ordered) return this.lifecycle.reserve();
    return { settle: (tell) => tell() };
  }
}

import type { native } from "../native.js";
import type { Emission, Lifecycle, Ticket } from "./lifecycle.js";
import type { Port, RawOutcome } from "./port.js";

/** Commits changes and reports them to the listeners. */
export class Writer {
  constructor(
    readonly port: Port,
    readonly lifecycle: Lifecycle,
  ) {}

  /** Commits the steps. The commit is ordered before this returns; the answer comes after it. */
  async commit(
    steps: native.StepData[],
    report: (outcomes: RawOutcome[]) => Emission[],
    atomic = false,
  ): Promise<RawOutcome[]> {
    const ticket = this.#ticket();
    let emissions: Emission[] = [];
    try {
      const outcomes = await this.port.commit(steps, atomic);
      if (ticket !== undefined) emissions = report(outcomes);
      return outcomes;
    } finally {
      ticket?.settle(emissions);
    }
  }

  /** Commits one step. */
  async one(step: native.StepData, report: (outcome: RawOutcome) => Emission[], atomic = false): Promise<RawOutcome> {
    const [outcome = {}] = await this.commit([step], (outcomes) => report(outcomes[0] ?? {}), atomic);
    return outcome;
  }

  /** Without listeners none; where commits have no order, one that delivers at once. */
  #ticket(): Ticket | undefined {
    if (!this.lifecycle.isHeard) return undefined;
    if (this.port.capabilities.ordered) return this.lifecycle.reserve();
    return {
      settle: (emissions) => {
        for (const emission of emissions) this.lifecycle.emit(emission);
      },
    };
  }
}

import type { Events, IStorageEvent, StorageEventPattern } from "./events.js";
import type { Subscription } from "./subscription.js";

/** Events one after the other, from the moment it was made; `return()`, or leaving the loop, ends it. */
export class EventIterator implements AsyncIterableIterator<IStorageEvent> {
  readonly #subscription: Subscription;
  /** The event that is offered, and what says that it was taken: until then those behind it wait. */
  #offered: { event: IStorageEvent; taken: () => void } | undefined;
  #changed: (() => void) | undefined;
  #isEnded = false;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(events: Events, pattern: StorageEventPattern) {
    const offer = (event: IStorageEvent): Promise<void> =>
      new Promise((taken) => {
        this.#offered = { event, taken };
        this.#changed?.();
      });
    this.#subscription = events.subscribe(pattern, offer);
    this.#subscription.isPulled = true;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<IStorageEvent, undefined>> {
    const taken = this.#turn.then(() => this.#take());
    this.#turn = taken;
    return taken;
  }

  return(): Promise<IteratorResult<IStorageEvent, undefined>> {
    this.#isEnded = true;
    this.#subscription.end();
    this.#offered?.taken();
    this.#changed?.();
    return Promise.resolve({ value: undefined, done: true });
  }

  async #take(): Promise<IteratorResult<IStorageEvent, undefined>> {
    while (!this.#isEnded) {
      if (this.#offered !== undefined) {
        const { event, taken } = this.#offered;
        this.#offered = undefined;
        taken();
        return { value: event, done: false };
      }
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
    }
    return { value: undefined, done: true };
  }
}

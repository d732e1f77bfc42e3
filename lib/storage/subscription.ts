import type { IStorageEvent, StorageEventHandler, StorageEventPattern } from "./events.js";

/** How many events wait for a handler at most; the oldest go first. */
const MAX_WAITING = 10_000;

/** A handler, and the events that wait for it. */
export class Subscription {
  readonly pattern: StorageEventPattern;
  readonly handler: StorageEventHandler;
  /** Ends with its first event. */
  isOnce = false;
  /** Its events are asked for one by one, so that nobody may wait for the last. */
  isPulled = false;
  readonly #ended: () => void;
  #waiting: IStorageEvent[] = [];
  #missed = 0;
  #isEnded = false;
  #running: Promise<void> | undefined;

  constructor(pattern: StorageEventPattern, handler: StorageEventHandler, ended: () => void) {
    this.pattern = pattern;
    this.handler = handler;
    this.#ended = ended;
  }

  /** Queues an event, where it is one of those that are heard here. */
  push(event: IStorageEvent): void {
    const { pattern } = this;
    const isHeard = pattern === "*" || pattern === event.type || pattern === `${event.type.split(":")[0]}:*`;
    if (!isHeard || this.#isEnded) return;
    if (this.#waiting.length >= MAX_WAITING) {
      this.#waiting.shift();
      this.#missed += 1;
    }
    this.#waiting.push(event);
    if (this.isOnce) this.#leave();
    this.#running ??= this.#run();
  }

  /** Events were dropped before they came here. */
  miss(count: number): void {
    this.#missed += count;
  }

  /** Hears nothing more; what waits is dropped. */
  end(): void {
    this.#waiting = [];
    this.#leave();
  }

  /** Waits until the handler is done with what waits now. */
  async settled(): Promise<void> {
    if (!this.isPulled) await this.#running;
  }

  #leave(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#ended();
  }

  async #run(): Promise<void> {
    // Not within the call that brought the event: a handler never runs inside somebody else's code.
    await Promise.resolve();
    for (let event = this.#waiting.shift(); event !== undefined; event = this.#waiting.shift()) {
      const missed = this.#missed;
      this.#missed = 0;
      try {
        await this.handler({ ...event, missed });
      } catch (error) {
        // As with an EventEmitter: nobody waits for a handler, so that its error is the process's.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
    this.#running = undefined;
  }
}

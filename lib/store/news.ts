import type { Port, RawNews } from "./port.js";

/** News of what other processes commit, where the adapter tells them: one source for all who want to hear. */
export class News {
  readonly #port: Port;
  readonly #hearers = new Set<(news: RawNews) => void>();
  #following: Promise<void> | undefined;
  #hasBegun = false;

  constructor(port: Port) {
    this.#port = port;
  }

  /** Whether there are any. */
  get areTold(): boolean {
    return this.#port.capabilities.notifies;
  }

  /** Whether they are being told now. */
  get haveBegun(): boolean {
    return this.#hasBegun;
  }

  /**
   * Tells every piece of news from when `begun` resolves, until `stop`.
   * @throws through `begun` what keeps the adapter from telling; the next call tries again
   */
  hear(hearer: (news: RawNews) => void): { begun: Promise<void>; stop: () => void } {
    this.#hearers.add(hearer);
    this.#following ??= this.#port
      .follow((news) => {
        for (const each of [...this.#hearers]) each(news);
      })
      .then(
        () => {
          this.#hasBegun = true;
        },
        (error) => {
          this.#following = undefined;
          throw error;
        },
      );
    return { begun: this.#following, stop: () => this.#hearers.delete(hearer) };
  }
}

import { AsyncLocalStorage } from "node:async_hooks";

import { type native, settle } from "../native.js";

/** A value as SQLite takes it. */
export type SqlParameter = null | number | bigint | string | Uint8Array;

/** An open transaction, or one inside it. */
export interface Scope {
  readonly transaction: native.ReplicaTransaction;
  isOpen: boolean;
  /** Transactions inside this one take turns. */
  turn: Promise<void>;
}

/** What statements go to. */
export type ScopedDatabase = Pick<native.ReplicaDatabase, "execute" | "begin">;

/**
 * Where statements go: to the transaction whose body is running, wherever in it they are issued, and
 * otherwise to the database on their own.
 */
export class Scopes {
  readonly #database: ScopedDatabase;
  readonly #current = new AsyncLocalStorage<Scope>();

  constructor(database: ScopedDatabase) {
    this.#database = database;
  }

  /** Runs a statement in the transaction that it is bound to, in the running body's, or on its own. */
  async execute(sql: string, values: SqlParameter[], bound?: Scope): Promise<native.SqlRows> {
    const scope = bound ?? this.#open();
    return await settle(
      scope === undefined ? this.#database.execute(sql, values) : scope.transaction.execute(sql, values),
    );
  }

  /**
   * Runs `body` in a transaction; inside of a running body, or bound to an open transaction, in a transaction of
   * its own within that one.
   */
  async run(body: (scope: Scope) => Promise<void>, bound?: Scope): Promise<void> {
    const outer = this.#open() ?? (bound?.isOpen === true ? bound : undefined);
    await (outer === undefined ? this.#runOuter(body) : this.#runNested(outer, body));
  }

  async #runOuter(body: (scope: Scope) => Promise<void>): Promise<void> {
    const transaction = await settle(this.#database.begin());
    const scope: Scope = { transaction, isOpen: true, turn: Promise.resolve() };
    try {
      await this.#current.run(scope, body, scope);
    } catch (error) {
      scope.isOpen = false;
      await settle(transaction.rollBack());
      throw error;
    }
    scope.isOpen = false;
    await settle(transaction.commit());
  }

  async #runNested(outer: Scope, body: (scope: Scope) => Promise<void>): Promise<void> {
    const before = outer.turn;
    let end = (): void => undefined;
    outer.turn = new Promise((resolve) => {
      end = resolve;
    });
    await before;
    try {
      await this.#runSavepoint(outer, body);
    } finally {
      end();
    }
  }

  async #runSavepoint(outer: Scope, body: (scope: Scope) => Promise<void>): Promise<void> {
    const { transaction } = outer;
    await settle(transaction.beginNested());
    const scope: Scope = { transaction, isOpen: true, turn: Promise.resolve() };
    try {
      await this.#current.run(scope, body, scope);
    } catch (error) {
      scope.isOpen = false;
      await settle(transaction.endNested(false));
      throw error;
    }
    scope.isOpen = false;
    await settle(transaction.endNested(true));
  }

  /** A body that has ended may have left work behind that still runs in its context: that is on its own. */
  #open(): Scope | undefined {
    const scope = this.#current.getStore();
    return scope?.isOpen === true ? scope : undefined;
  }
}

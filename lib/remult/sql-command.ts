import type { SqlCommand, SqlResult } from "remult";

import { ValidationError } from "../errors.js";
import type { Scope, Scopes, SqlParameter } from "./scope.js";

/** A statement of Remult's: collects values, then runs. Values are stored as Remult's own SQLite providers store them. */
export class ReplicatedSqlCommand implements SqlCommand {
  readonly #scopes: Scopes;
  readonly #bound: Scope | undefined;
  readonly #log: ((sql: string) => void) | undefined;
  readonly #values: SqlParameter[] = [];

  constructor(scopes: Scopes, log: ((sql: string) => void) | undefined, bound?: Scope) {
    this.#scopes = scopes;
    this.#bound = bound;
    this.#log = log;
  }

  /** @deprecated use `param`. */
  addParameterAndReturnSqlToken(value: unknown): string {
    return this.param(value);
  }

  /** Takes a value and gives the text that stands for it in the statement. */
  param(value: unknown): string {
    this.#values.push(toParameter(value));
    return `:${this.#values.length - 1}`;
  }

  /** Runs the statement. */
  async execute(sql: string): Promise<SqlResult> {
    this.#log?.(sql);
    const { columns, rows } = await this.#scopes.execute(sql, this.#values, this.#bound);
    return new ReplicatedSqlResult(columns, rows);
  }
}

/** Rows by column name; an empty result has its columns all the same. */
class ReplicatedSqlResult implements SqlResult {
  readonly rows: Record<string, unknown>[];
  readonly #columns: string[];

  constructor(columns: string[], rows: unknown[][]) {
    this.#columns = columns;
    this.rows = rows.map((row) => Object.fromEntries(columns.map((name, at) => [name, row[at]])));
  }

  getColumnKeyInResultForIndexInSelect(index: number): string {
    return this.#columns[index] as string;
  }
}

function toParameter(value: unknown): SqlParameter {
  if (value === null || value === undefined) return null;
  if (typeof value === "boolean") return value ? 1 : 0;
  if (value instanceof Date) return value.valueOf();
  if (typeof value === "number" || typeof value === "bigint" || typeof value === "string") return value;
  if (value instanceof Uint8Array) return value;
  throw new ValidationError(
    `a value of type ${typeof value} can't be stored in SQLite; convert it to text, number, date or bytes first`,
    { code: "UNSUPPORTED_VALUE" },
  );
}

// What the types promise, checked by tsc: `npm run check` fails when a line here does not hold. `Equal` is exact, so
// an `any` that leaks from somewhere is caught. Schemas are those of zod, valibot and arktype, unwrapped.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type } from "arktype";
import {
  type Change,
  createStore,
  type StoredEvent,
  type StoredRecord,
  type StoreOptions,
  ValidationError,
} from "holdfast";
import * as v from "valibot";
import { z } from "zod";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
/** Compiles only for what is true. */
function holds<_ extends true>(): void {}

interface User {
  name: string;
  age?: number | undefined;
}

const open = () => createStore("types", { adapter: "memory" });

describe("types", () => {
  it("of typed<User>() come back from every call", async () => {
    await using store = await open();
    const users = store.records.typed<User>();
    const put = await users.put("a", { name: "Ada" });
    const found = await users.find("a");
    const listed = await users.list({ filter: (user) => user.value.name.length > 0 });
    const many = await users.getMany(["a"]);
    const watch = users.watch({ prefix: "" });
    holds<Equal<typeof put.value, { name: string }>>();
    holds<Equal<typeof found, StoredRecord<User> | undefined>>();
    holds<Equal<typeof listed, StoredRecord<User>[]>>();
    holds<Equal<typeof many, (StoredRecord<User> | undefined)[]>>();
    holds<Equal<Awaited<ReturnType<typeof watch.next>>["value"], Change<User> | undefined>>();
    const kv = store.kv.typed<number>();
    const value = await kv.get("n");
    holds<Equal<typeof value, number | undefined>>();
    const events = store.events.typed<User>();
    const appended = await events.list({ stream: "s" });
    holds<Equal<typeof appended, StoredEvent<User>[]>>();
    // @ts-expect-error: a number is no User
    await users.put("b", 5);
    // @ts-expect-error: text is no number
    await kv.set("n", "text");
    assert.equal(found?.value.name, "Ada");
  });

  it("without a type given are unknown, and never any", async () => {
    await using store = await open();
    const value = await store.kv.get("a");
    const record = await store.records.find("a");
    const events = await store.events.list();
    holds<Equal<typeof value, unknown>>();
    holds<Equal<typeof record, StoredRecord<unknown> | undefined>>();
    holds<Equal<typeof events, StoredEvent<unknown>[]>>();
    store.on("record:put", (event) => holds<Equal<typeof event, { key: string; value: unknown; version: number }>>());
  });

  const zod = z.object({ name: z.string(), age: z.number().optional() });
  const valibot = v.object({ name: v.string(), age: v.optional(v.number()) });
  const ark = type({ name: "string", "age?": "number" });

  it("of a schema come from it, and what it refuses is not stored: zod, valibot, arktype", async () => {
    await using store = await open();
    const stores = [store.records.typed(zod), store.records.typed(valibot), store.records.typed(ark)] as const;
    const [ofZod, ofValibot, ofArk] = await Promise.all([
      stores[0].find("x"),
      stores[1].find("x"),
      stores[2].find("x"),
    ]);
    holds<Equal<NonNullable<typeof ofZod>["value"]["name"], string>>();
    holds<Equal<NonNullable<typeof ofValibot>["value"]["age"], number | undefined>>();
    holds<Equal<NonNullable<typeof ofArk>["value"]["name"], string>>();
    for (const [at, users] of stores.entries()) {
      await users.put(`user-${at}`, { name: "Ada" });
      const wrong = users.put(`wrong-${at}`, { name: 5 } as unknown as { name: string });
      await assert.rejects(wrong, (error: ValidationError) => {
        assert.deepEqual([error instanceof ValidationError, error.code], [true, "SCHEMA_MISMATCH"]);
        return true;
      });
    }
    assert.equal(await store.records.count(), 3);
    // @ts-expect-error: the schema knows no such kind of name
    await assert.rejects(stores[0].put("b", { name: 5 }));
  });

  it("of options refuse what is unknown", () => {
    const good: StoreOptions = {
      adapter: "postgres",
      connection: { host: "h", password: process.env.PG_PASSWORD },
      pool: { max: 20 },
    };
    // @ts-expect-error: there is no such adapter
    const noAdapter: StoreOptions = { adapter: "mysql" };
    // @ts-expect-error: there is no such setting
    const noSetting: StoreOptions = { adapter: "sqlite", pth: "x" };
    assert.ok(good && noAdapter && noSetting);
  });
});

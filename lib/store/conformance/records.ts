import assert from "node:assert/strict";
import { ConflictError, NotFoundError, ValidationError } from "../../errors.js";
import { define } from "./suite.js";

const it = (name: string, run: Parameters<typeof define>[2], needs?: Parameters<typeof define>[3]) =>
  define("records", name, run, needs);

it("put answers with the record, get reads it back", async ({ store }) => {
  const before = Date.now();
  const put = await store.records.put("users/1", { name: "Ada" });
  assert.deepEqual([put.key, put.value, put.version], ["users/1", { name: "Ada" }, 1]);
  assert.ok(put.createdAt.getTime() >= before && put.updatedAt.getTime() === put.createdAt.getTime());
  assert.deepEqual(await store.records.get("users/1"), put);
});

it("get of what is not there is a NotFoundError, find and has say so plainly", async ({ store }) => {
  await assert.rejects(store.records.get("x"), { name: "NotFoundError", code: "RECORD_NOT_FOUND" });
  assert.ok((await store.records.get("x").catch((error: unknown) => error)) instanceof NotFoundError);
  assert.equal(await store.records.find("x"), undefined);
  assert.equal(await store.records.has("x"), false);
});

it("versions count and go on counting after a delete", async ({ store }) => {
  await store.records.put("a", 1);
  assert.equal((await store.records.put("a", 2)).version, 2);
  assert.equal(await store.records.delete("a"), true);
  assert.equal(await store.records.delete("a"), false);
  assert.ok((await store.records.put("a", 3)).version > 2);
});

it("a stale ifVersion is a ConflictError with both versions, and changes nothing", async ({ store }) => {
  await store.records.put("a", 1);
  await store.records.put("a", 2, { ifVersion: 1 });
  const error = await store.records.put("a", 3, { ifVersion: 1 }).catch((error: unknown) => error);
  assert.ok(error instanceof ConflictError);
  assert.deepEqual([error.code, error.details.expected, error.details.actual], ["VERSION_CONFLICT", 1, 2]);
  assert.equal((await store.records.get("a")).value, 2);
  await assert.rejects(store.records.delete("a", { ifVersion: 1 }), ConflictError);
  assert.equal(await store.records.delete("a", { ifVersion: 2 }), true);
});

it("ifVersion null means that it must not exist", async ({ store }) => {
  await store.records.put("a", 1, { ifVersion: null });
  await assert.rejects(store.records.put("a", 2, { ifVersion: null }), ConflictError);
});

it("an expired record is invisible at once, everywhere", async ({ store }) => {
  await store.records.put("a", 1, { ttl: 1 });
  await store.records.put("b", 1, { ttl: 60_000 });
  while (await store.records.has("a")) await new Promise(setImmediate);
  assert.equal(await store.records.find("a"), undefined);
  assert.deepEqual(
    (await store.records.list()).map(({ key }) => key),
    ["b"],
  );
  assert.deepEqual(await store.records.getMany(["a"]), [undefined]);
  assert.equal(await store.records.count(), 1);
  await store.records.put("a", 2, { ifVersion: null });
});

it("every kind of value comes back equal", async ({ store }) => {
  const values = {
    text: "é 🦀 \u0000 \ud800",
    numbers: [0, -0, 1.5, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.MAX_VALUE],
    date: new Date("2026-01-02T03:04:05.678Z"),
    bytes: new Uint8Array([0, 1, 255]),
    map: new Map<unknown, unknown>([
      ["a", new Set([1, new Date(0)])],
      [{ k: 1 }, undefined],
    ]),
    big: 2n ** 80n,
    nothing: undefined,
    no: null,
    nested: [[{ deep: [undefined, 1n] }]],
    tagLike: [{ $date: "x" }, { $holdfast: 1 }, { $object: { $bytes: 1 } }, { $a: 1, $b: 2 }],
    ["__proto__"]: "own",
  };
  // An invalid date equals nothing, not even itself.
  await store.records.put("invalid", [new Date(Number.NaN)]);
  assert.ok(Number.isNaN((await store.records.get<Date[]>("invalid")).value[0]?.getTime()));
  await store.records.put("a", values);
  assert.deepStrictEqual((await store.records.get("a")).value, values);
  for (const value of [null, true, "", 0, [], {}, { $holdfast: { $date: 1 } }, new Date(0), 1n, Number.NaN, -0]) {
    await store.records.put("b", value);
    assert.deepStrictEqual((await store.records.get("b")).value, value);
  }
});

it("what can't be stored is refused before anything is written", async ({ store }) => {
  const cycle: Record<string, unknown> = {};
  cycle.self = { cycle };
  const refused = [() => {}, Symbol("s"), { f() {} }, { s: Symbol("s") }, [cycle], /x/, Promise.resolve(), undefined];
  for (const value of refused) {
    await assert.rejects(store.records.put("a", value), { name: "ValidationError", code: "INVALID_VALUE" });
  }
  assert.equal(await store.records.has("a"), false);
});

it("keys that can't be kept exactly are refused", async ({ store }) => {
  const refused = ["", "a\u0000b", "k".repeat(1025), "é".repeat(513), "\ud800", "a\udc00b"];
  for (const key of refused)
    await assert.rejects(store.records.put(key, 1), { code: "INVALID_KEY" }, JSON.stringify(key));
  for (const key of [1, null, undefined, {}]) {
    await assert.rejects(store.records.get(key as unknown as string), ValidationError);
  }
  assert.equal(await store.records.count(), 0);
});

it("options that do not exist or make no sense are refused", async ({ store }) => {
  await assert.rejects(store.records.put("a", 1, { ifversion: 1 } as object), { code: "INVALID_OPTION" });
  for (const options of [
    { ttl: 0 },
    { ttl: -1 },
    { ttl: 1.5 },
    { ttl: Number.NaN },
    { ifVersion: 0 },
    { ifVersion: 1.5 },
  ]) {
    await assert.rejects(store.records.put("a", 1, options), { code: "INVALID_OPTION" });
  }
  await assert.rejects(store.records.list({ limit: -1 }).page(), ValidationError);
  await assert.rejects(Promise.resolve(store.records.list({ cursor: "%%%" })), { code: "INVALID_CURSOR" });
  assert.equal(await store.records.count(), 0);
});

it("putMany puts all, getMany reads in the order asked for, deleteMany says how many", async ({ store }) => {
  const put = await store.records.putMany([1, 2, 3].map((n) => ({ key: `k${n}`, value: { n } })));
  assert.deepEqual(
    put.map(({ version }) => version),
    [1, 1, 1],
  );
  const found = await store.records.getMany<{ n: number }>(["k3", "x", "k1"]);
  assert.deepEqual(
    found.map((record) => record?.value.n),
    [3, undefined, 1],
  );
  assert.equal(await store.records.deleteMany(["k1", "x", "k3"]), 2);
  assert.deepEqual(await store.records.putMany([]), []);
  assert.equal(await store.records.count(), 1);
});

it(
  "putMany puts nothing when one of them conflicts",
  async ({ store }) => {
    await store.records.put("b", 1);
    const items = [
      { key: "a", value: 1 },
      { key: "b", value: 2, ifVersion: null },
    ];
    await assert.rejects(store.records.putMany(items), ConflictError);
    assert.equal(await store.records.has("a"), false);
  },
  "atomic",
);

it("deleteMany of a prefix takes everything under it and nothing else", async ({ store }) => {
  await store.records.putMany(["a", "a/1", "a/2", "b"].map((key) => ({ key, value: 1 })));
  assert.equal(await store.records.deleteMany({ prefix: "a/" }), 2);
  assert.deepEqual(
    (await store.records.list()).map(({ key }) => key),
    ["a", "b"],
  );
  await assert.rejects(store.records.deleteMany({} as { prefix: string }), ValidationError);
});

it("update begins again until it wins", async ({ store }) => {
  await store.records.put("n", 0);
  await Promise.all(Array.from({ length: 8 }, () => store.records.update<number>("n", (n) => n + 1)));
  const record = await store.records.get("n");
  assert.deepEqual([record.value, record.version], [8, 9]);
  await assert.rejects(
    store.records.update("x", (value) => value),
    NotFoundError,
  );
});

it("a list can be awaited, streamed and paged, and is never cut silently", async ({ store }) => {
  const keys = Array.from({ length: 23 }, (_, n) => `k${String(n).padStart(2, "0")}`);
  await store.records.putMany(keys.map((key) => ({ key, value: key })));
  assert.deepEqual(
    (await store.records.list()).map(({ key }) => key),
    keys,
  );
  const streamed: string[] = [];
  for await (const { key } of store.records.list({ prefix: "k1" })) streamed.push(key);
  assert.deepEqual(streamed, keys.slice(10, 20));
  const paged: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await store.records.list({ limit: 10, ...(cursor === undefined ? {} : { cursor }) }).page();
    assert.ok(page.items.length <= 10);
    paged.push(...page.items.map(({ key }) => key));
    cursor = page.cursor;
  } while (cursor !== undefined);
  assert.deepEqual(paged, keys);
  assert.equal((await store.records.list({ limit: 7 })).length, 7);
  assert.deepEqual(await store.records.list({ limit: 0 }), []);
});

it("a list can be bounded, reversed and without values", async ({ store }) => {
  await store.records.putMany(["a", "b", "c", "d"].map((key) => ({ key, value: { key } })));
  const keys = async (options: Parameters<typeof store.records.list>[0]) =>
    (await store.records.list(options)).map(({ key }) => key);
  assert.deepEqual(await keys({ start: "b", end: "d" }), ["b", "c"]);
  assert.deepEqual(await keys({ start: "b", reverse: true }), ["d", "c", "b"]);
  assert.deepEqual(await keys({ reverse: true, limit: 1 }), ["d"]);
  const [first] = await store.records.list({ keysOnly: true, limit: 1 });
  assert.deepEqual([first?.key, first?.value], ["a", undefined]);
});

it("keys are in the order of their UTF-8 bytes", async ({ store }) => {
  const keys = ["B", "a", "a0", "b", "é", "\uff5e", "🦀"];
  await store.records.putMany([...keys].reverse().map((key) => ({ key, value: 1 })));
  assert.deepEqual(
    (await store.records.list()).map(({ key }) => key),
    keys,
  );
});

it("a filter keeps what matches, by function and by properties", async ({ store }) => {
  const records = store.records.typed<{ n: number; even: boolean }>();
  await records.putMany(Array.from({ length: 10 }, (_, n) => ({ key: `k${n}`, value: { n, even: n % 2 === 0 } })));
  const large = await records.list({ filter: ({ value }) => value.n > 7 });
  assert.deepEqual(
    large.map(({ value }) => value.n),
    [8, 9],
  );
  assert.deepEqual(
    (await records.list({ filter: { even: true }, limit: 2 })).map(({ value }) => value.n),
    [0, 2],
  );
  const page = await records.list({ filter: { even: true }, limit: 2 }).page();
  const next = await records
    .list({ filter: { even: true }, limit: 2, ...(page.cursor && { cursor: page.cursor }) })
    .page();
  assert.deepEqual(
    next.items.map(({ value }) => value.n),
    [4, 6],
  );
});

it("count counts a range", async ({ store }) => {
  await store.records.putMany(["a/1", "a/2", "b"].map((key) => ({ key, value: 1 })));
  assert.deepEqual([await store.records.count(), await store.records.count({ prefix: "a/" })], [3, 2]);
});

it(
  "what was put is there after opening again",
  async ({ store, reopen }) => {
    const put = await store.records.put("a", { at: new Date(1) });
    await store.records.put("b", 1);
    await store.records.delete("b");
    const again = await reopen();
    assert.deepEqual(await again.records.get("a"), put);
    assert.ok((await again.records.put("b", 2)).version > 1);
  },
  "durable",
);

it(
  "writes that nobody waited for keep their order",
  async ({ store }) => {
    const puts = Array.from({ length: 50 }, (_, n) => store.records.put("a", n));
    const versions = (await Promise.all(puts)).map(({ version }) => version);
    assert.deepEqual(
      versions,
      Array.from({ length: 50 }, (_, n) => n + 1),
    );
    assert.equal((await store.records.get("a")).value, 49);
  },
  "ordered",
);

it("a schema checks what is put, and what it makes of it is stored", async ({ store }) => {
  const users = store.records.typed<{ name: string }>({
    "~standard": {
      version: 1,
      vendor: "test",
      validate: (value) => {
        const name = (value as { name?: unknown }).name;
        if (typeof name === "string") return { value: { name: name.trim() } };
        return { issues: [{ message: "is no text", path: ["name"] }] };
      },
    },
  });
  assert.deepEqual((await users.put("a", { name: " Ada " })).value, { name: "Ada" });
  const wrong = { name: 1 } as unknown as { name: string };
  await assert.rejects(users.put("b", wrong), { code: "SCHEMA_MISMATCH", message: /name: is no text/ });
  await assert.rejects(
    users.putMany([
      { key: "c", value: { name: "C" } },
      { key: "d", value: wrong },
    ]),
    ValidationError,
  );
  assert.deepEqual(await users.list(), [await users.get("a")]);
});

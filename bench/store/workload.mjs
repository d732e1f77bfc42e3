// What the benchmarks of the store have in common: keys, a value, and the ways of calling.

/** Some keys, a JSON value of about 250 bytes, and calls on keys spread over all of them. */
export function workload(count) {
  const keys = Array.from({ length: count }, (_, n) => `user/${String(n).padStart(6, "0")}`);
  const value = { name: "Ada Lovelace", roles: ["admin", "author"], age: 36, note: "x".repeat(170) };
  let at = 0;
  const next = () => {
    at = (at + 7919) % count;
    return keys[at];
  };
  const some = (length) => Array.from({ length }, next);
  return {
    keys,
    value,
    next,
    some,
    /** So many calls, one after the other. */
    serial: (calls, call) => async () => {
      for (let n = 0; n < calls; n++) await call(next());
    },
    /** So many calls, 100 at once. */
    crowd: (calls, call) => async () => {
      for (let n = 0; n < calls; n += 100) await Promise.all(some(100).map((key) => call(key)));
    },
  };
}

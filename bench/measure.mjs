// Side by side, in one run: contenders take turns, round by round, so that a machine that slows down slows all of them.
// What counts is the ratio of the medians; absolute times are for orientation.

/**
 * Runs each contender once a round and prints one line each.
 *
 * @param {string} title What is measured.
 * @param {{ operations?: number, rounds?: number, warmups?: number, bytes?: number }} options
 *   `operations`: how many operations one call of a contender does (default 1); `rounds`: counted rounds (default 7);
 *   `warmups`: rounds before them (default 2); `bytes`: moved by one call, to print MB/s.
 * @param {Record<string, (() => unknown) | { run: () => unknown, prepare?: () => unknown }>} contenders By name; the
 *   first is ours, and the ratios are its time by theirs. `prepare` comes before each call and is not timed.
 */
export async function compare(title, options, contenders) {
  const { operations = 1, rounds = 7, warmups = 2, bytes } = options;
  const names = Object.keys(contenders);
  const times = new Map(names.map((name) => [name, []]));
  for (let round = -warmups; round < rounds; round++) {
    // Every other round the other way round, so that nobody always runs on a warm machine.
    for (const name of round % 2 === 0 ? names : [...names].reverse()) {
      const contender = contenders[name];
      const { run, prepare } = typeof contender === "function" ? { run: contender } : contender;
      await prepare?.();
      const begun = performance.now();
      await run();
      const took = performance.now() - begun;
      if (round >= 0) times.get(name).push(took);
    }
  }
  const ours = median(times.get(names[0]));
  console.log(`\n${title}`);
  for (const name of names) {
    const middle = median(times.get(name));
    const each = `${((middle * 1000) / operations).toFixed(2)} µs`;
    const rate =
      bytes === undefined
        ? `${Math.round(operations / (middle / 1000))}/s`
        : `${(bytes / 1e3 / middle).toFixed(0)} MB/s`;
    const ratio = name === names[0] ? "" : `holdfast takes ${(ours / middle).toFixed(2)} of its time`;
    console.log(`  ${name.padEnd(18)} ${each.padStart(14)} ${rate.padStart(12)}   ${ratio}`);
  }
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

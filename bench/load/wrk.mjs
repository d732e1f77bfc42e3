// wrk, which is no Node program, sends the requests.
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const SCRIPT = fileURLToPath(new URL("requests.lua", import.meta.url));

/** The processor time that a process and its children have used, in µs; Linux counts it in hundredths of a second. */
function processorTime(pid) {
  const stats = readdirSync("/proc").flatMap((entry) => {
    if (!/^\d+$/.test(entry)) return [];
    try {
      // The name in brackets may hold spaces; behind it: state, parent, …, user and system time as 12th and 13th.
      const rest = readFileSync(`/proc/${entry}/stat`, "utf8")
        .replace(/^.*\) /s, "")
        .split(" ");
      return [{ pid: Number(entry), parent: Number(rest[1]), ticks: Number(rest[11]) + Number(rest[12]) }];
    } catch {
      return [];
    }
  });
  return stats.filter((of) => of.pid === pid || of.parent === pid).reduce((sum, of) => sum + of.ticks, 0) * 10_000;
}

/**
 * One run of wrk, with arguments as requests.lua takes them; gives requests a second, latencies in µs and processor time in µs a
 * request.
 */
export function load(server, { width, seconds }, ...args) {
  const options = ["-t", "1", "-c", String(width), "-d", `${seconds}s`, "--timeout", "30s", "-s", SCRIPT];
  const before = processorTime(server.pid);
  const url = `http://127.0.0.1:${server.port}`;
  const { stdout, error } = spawnSync("wrk", [...options, url, "--", ...args], { encoding: "utf8" });
  if (error) throw new Error("wrk is not installed: apt-get install wrk");
  const [, count, duration, failed, p50, p99] = /RESULT (\d+) (\d+) (\d+) (\d+) (\d+)/.exec(stdout)?.map(Number) ?? [];
  if (count === undefined) throw new Error(`wrk said nothing about ${server.name}: ${stdout}`);
  const processor = (processorTime(server.pid) - before) / Math.max(count, 1);
  return { count, rate: (count / duration) * 1e6, failed, p50, p99, processor };
}

// All four doors in four worker threads at once, of which two use `import` and two `require`.
import { once } from "node:events";
import { Worker } from "node:worker_threads";

const files = ["./doors.mjs", "./doors.cjs", "./doors.mjs", "./doors.cjs"];
const ends = await Promise.all(files.map((file) => once(new Worker(new URL(file, import.meta.url)), "exit")));
process.exitCode = Math.max(...ends.map(([code]) => code));

// The conformance suite of a store on the adapters that need nothing beside the package.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { testAdapter } from "holdfast";

const folder = mkdtempSync(join(tmpdir(), "holdfast-conformance-"));
let rooms = 0;

const adapters = {
  memory: () => ({ options: { name: `room-${rooms++}`, adapter: "memory" } }),
  sqlite: () => ({ options: { name: "room", adapter: "sqlite", path: join(folder, `room-${rooms++}.db`) } }),
};
for (const [name, prepare] of Object.entries(adapters)) {
  const { passed, failed, skipped } = await testAdapter(prepare, {
    onCase: ({ group, name, outcome, error }) => outcome === "failed" && console.log(group, name, error),
  });
  console.log(`${name}: ${passed} passed, ${failed} failed, ${skipped} skipped on ${process.arch}`);
}
rmSync(folder, { recursive: true, force: true });

import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { run } from "./program.mts";
import { type ClientServer, startServer } from "./server.mts";

/** Each job is a function of object-store/src/main.rs, which panics when anything is not as it should be. */
const JOBS: Readonly<Record<string, string>> = {
  paths: "puts, lists, copies, renames and deletes awkward paths",
  parts: "uploads in parts and reads ranges",
  conditions: "creates, updates and copies on a condition",
};

describe("the Rust crate object_store", () => {
  let server: ClientServer;

  before(async () => {
    server = await startServer(Object.keys(JOBS));
  });
  after(() => server.stop());

  for (const [job, does] of Object.entries(JOBS)) {
    it(does, async () => {
      const manifest = join(import.meta.dirname, "object-store", "Cargo.toml");
      // Cargo needs its own surroundings; what the client reads comes on top.
      const env = { ...process.env, ...server.env, HOME: process.env.HOME, AWS_ALLOW_HTTP: "true" };
      await run("cargo", ["run", "--quiet", "--locked", "--manifest-path", manifest, "--", job], env);
    });
  }
});

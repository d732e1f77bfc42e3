// Runs a program for arm64 on x64: qemu's emulation of one process, and the C library that the program expects.
import { join } from "node:path";
import { cached, DebianPackages } from "./debian.mjs";

/** What Node for Linux links. */
const LIBRARIES = ["libc6:arm64", "libstdc++6:arm64", "libgcc-s1:arm64"];

/**
 * The command line that runs a program for arm64: put its arguments behind it. A process that it starts itself is not
 * emulated.
 */
export function emulatedArm64(program) {
  const folder = cached("qemu-arm64", (folder) => {
    const packages = new DebianPackages(folder);
    packages.unpack("qemu-user-static", ...LIBRARIES);
    packages.tidy();
  });
  const root = join(folder, "root");
  return [join(root, "usr", "bin", "qemu-aarch64-static"), "-L", root, program];
}

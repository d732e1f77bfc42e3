import { ConfigError } from "../errors.js";

/**
 * The door for Level, which needs a package that not everybody installs.
 *
 * @throws ConfigError `PACKAGE_MISSING`.
 */
export async function loadLevel(): Promise<typeof import("../level/index.js")> {
  try {
    return await import("../level/index.js");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "MODULE_NOT_FOUND") throw error;
    const message = "holdfast level needs the package abstract-level; run `npm install abstract-level`";
    throw new ConfigError(message, { code: "PACKAGE_MISSING", cause: error });
  }
}

import { ConfigError } from "../errors.js";

/** What is used of Remult, from one and the same build of it. */
export interface RemultModules {
  SqlDatabase: typeof import("remult").SqlDatabase;
  SqliteCoreDataProvider: typeof import("remult/remult-sqlite-core-js").SqliteCoreDataProvider;
}

/** Loads the build of Remult that the application uses: the ES modules give this package their own `import`. */
export interface RemultLoaders {
  remult: () => Promise<unknown>;
  sqlite: () => Promise<unknown>;
}

/** For an application in CommonJS. */
export const COMMON_JS: RemultLoaders = {
  remult: async () => require("remult"),
  sqlite: async () => require("remult/remult-sqlite-core-js"),
};

/**
 * Loads Remult, which is an optional dependency.
 *
 * @throws {ConfigError} `REMULT_MISSING` when it can't be loaded.
 */
export async function loadRemult(loaders: RemultLoaders): Promise<RemultModules> {
  try {
    const [remult, sqlite] = await Promise.all([loaders.remult(), loaders.sqlite()]);
    return {
      ...(remult as Pick<RemultModules, "SqlDatabase">),
      ...(sqlite as Pick<RemultModules, "SqliteCoreDataProvider">),
    };
  } catch (cause) {
    const message = "createS3DataProvider needs remult 3.3 or later and can't load it; run `npm install remult`";
    throw new ConfigError(message, { code: "REMULT_MISSING", cause });
  }
}

import { createS3DataProvider } from "holdfast";
import { remultApi } from "remult/remult-sveltekit";
import { building } from "$app/environment";
import { env } from "$env/dynamic/private";

import { Task } from "../shared/task.js";

export const api = remultApi({
  dataProvider: building
    ? undefined
    : createS3DataProvider({
        file: "./mydb.sqlite",
        s3: {
          bucket: env.S3_BUCKET!,
          databaseName: env.DATABASE_NAME!,
          endpoint: env.S3_ENDPOINT,
          forcePathStyle: env.S3_FORCE_PATH_STYLE === "true",
        },
      }),
  entities: [Task],
});

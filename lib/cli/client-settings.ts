import type { IS3Descriptor } from "../storage/index.js";

/** Settings of the common clients for a server, ready to be copied: a title and its lines each. */
export function clientSettings(server: IS3Descriptor & { region: string }): [title: string, lines: string[]][] {
  const host = `${server.endpoint.includes(":") ? `[${server.endpoint}]` : server.endpoint}:${server.port}`;
  const endpoint = `${server.useSsl ? "https" : "http"}://${host}`;
  const { accessKey, accessSecret, region } = server;
  return [
    [
      "AWS CLI, boto3 and the AWS SDKs (shell)",
      [
        `export AWS_ENDPOINT_URL=${shell(endpoint)} AWS_REGION=${shell(region)}`,
        `export AWS_ACCESS_KEY_ID=${shell(accessKey)} AWS_SECRET_ACCESS_KEY=${shell(accessSecret)}`,
      ],
    ],
    [
      "AWS SDK for JavaScript v3",
      [
        `new S3Client({ endpoint: ${quoted(endpoint)}, region: ${quoted(region)}, forcePathStyle: true,`,
        `  credentials: { accessKeyId: ${quoted(accessKey)}, secretAccessKey: ${quoted(accessSecret)} } })`,
      ],
    ],
    [
      "rclone (shell; then: rclone ls holdfast:)",
      [
        `export RCLONE_CONFIG_HOLDFAST_TYPE=s3 RCLONE_CONFIG_HOLDFAST_PROVIDER=Other RCLONE_CONFIG_HOLDFAST_ENDPOINT=${shell(endpoint)}`,
        `export RCLONE_CONFIG_HOLDFAST_ACCESS_KEY_ID=${shell(accessKey)} RCLONE_CONFIG_HOLDFAST_SECRET_ACCESS_KEY=${shell(accessSecret)}`,
      ],
    ],
    [
      "s3cmd",
      [
        `s3cmd --host=${shell(host)} --host-bucket=${shell(host)}${server.useSsl ? "" : " --no-ssl"} \\`,
        `  --access_key=${shell(accessKey)} --secret_key=${shell(accessSecret)} ls`,
      ],
    ],
  ];
}

const quoted = (text: string): string => JSON.stringify(text);

/** A word of a shell's command line. */
function shell(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

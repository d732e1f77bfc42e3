import type { Connection } from "../s3/connection.ts";
import { S3Error } from "../s3/s3-error.ts";
import { parseXml } from "../s3/xml.ts";
import { useSession } from "../session.ts";
import { DocumentEditor } from "./document-editor.tsx";

const policyExample = (bucket: string): string =>
  JSON.stringify(
    {
      Version: "2012-10-17",
      Statement: [
        {
          Sid: "PublicRead",
          Effect: "Allow",
          Principal: "*",
          Action: ["s3:GetObject"],
          Resource: [`arn:aws:s3:::${bucket}/*`],
        },
      ],
    },
    null,
    2,
  );

const CORS_EXAMPLE = `<CORSConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
  <CORSRule>
    <AllowedOrigin>https://example.com</AllowedOrigin>
    <AllowedMethod>GET</AllowedMethod>
    <AllowedHeader>*</AllowedHeader>
    <MaxAgeSeconds>3600</MaxAgeSeconds>
  </CORSRule>
</CORSConfiguration>`;

const LIFECYCLE_EXAMPLE = `<LifecycleConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
  <Rule>
    <ID>old logs</ID>
    <Status>Enabled</Status>
    <Filter>
      <Prefix>logs/</Prefix>
    </Filter>
    <Expiration>
      <Days>30</Days>
    </Expiration>
  </Rule>
</LifecycleConfiguration>`;

export function PolicyEditor({ bucket }: { bucket: string }) {
  const { connection } = useSession();
  const document = documentOf(connection, bucket, "policy");
  const read = async () => {
    const text = await document.read();
    return text === undefined ? undefined : indentedJson(text);
  };
  return (
    <DocumentEditor
      what="bucket policy"
      {...document}
      read={read}
      check={(text) => JSON.parse(text)}
      example={policyExample(bucket)}
    />
  );
}

export function CorsEditor({ bucket }: { bucket: string }) {
  const { connection } = useSession();
  return <DocumentEditor what="CORS configuration" {...xmlOf(connection, bucket, "cors")} example={CORS_EXAMPLE} />;
}

export function LifecycleEditor({ bucket }: { bucket: string }) {
  const { connection } = useSession();
  return (
    <DocumentEditor
      what="lifecycle configuration"
      {...xmlOf(connection, bucket, "lifecycle")}
      example={LIFECYCLE_EXAMPLE}
    />
  );
}

function xmlOf(connection: Connection, bucket: string, name: string) {
  const document = documentOf(connection, bucket, name);
  const read = async () => {
    const text = await document.read();
    return text === undefined ? undefined : indentedXml(parseXml(text), 0);
  };
  return { ...document, read, check: checkXml };
}

/** One of a bucket's documents, under the name of its sub-resource. */
function documentOf(connection: Connection, bucket: string, name: string) {
  const query = { [name]: "" };
  return {
    read: async () => {
      try {
        return await connection.text({ bucket, query });
      } catch (error) {
        if (
          error instanceof S3Error &&
          /^NoSuch(BucketPolicy|CORSConfiguration|LifecycleConfiguration)$/.test(error.code)
        )
          return;
        throw error;
      }
    },
    save: async (body: string) => {
      await connection.send({ method: "PUT", bucket, query, body });
    },
    remove: async () => {
      await connection.send({ method: "DELETE", bucket, query });
    },
  };
}

function checkXml(text: string): void {
  const root = parseXml(text);
  const failed = root.localName === "parsererror" ? root : root.getElementsByTagName("parsererror")[0];
  if (failed) throw new Error((failed.querySelector("div")?.textContent ?? failed.textContent ?? "").trim());
}

function indentedJson(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

/** A document of elements and texts, an element a line. */
function indentedXml(element: Element, depth: number): string {
  const indent = "  ".repeat(depth);
  const empty = element.cloneNode(false) as Element;
  if (depth > 0) empty.removeAttribute("xmlns");
  const [open, close] = [
    new XMLSerializer()
      .serializeToString(empty)
      .replace(NAMESPACE(depth), "")
      .replace(/\s*\/>$/, ">"),
    `</${element.nodeName}>`,
  ];
  const head = open.endsWith(close) ? open.slice(0, -close.length) : open;
  if (element.children.length === 0) return `${indent}${head}${escaped(element.textContent ?? "")}${close}`;
  const inner = [...element.children].map((child) => indentedXml(child, depth + 1));
  return [`${indent}${head}`, ...inner, `${indent}${close}`].join("\n");
}

/** Serialized alone, an inner element would repeat the namespace of its document. */
const NAMESPACE = (depth: number): RegExp => (depth === 0 ? /$^/ : / xmlns="[^"]*"/);

function escaped(text: string): string {
  return new XMLSerializer().serializeToString(document.createTextNode(text));
}

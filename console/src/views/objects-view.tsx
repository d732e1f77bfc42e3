import { useEffect, useState } from "preact/hooks";
import { href } from "../route.ts";
import { deleteObjects, listObjects, type Page } from "../s3/objects.ts";
import { useSession } from "../session.ts";
import { Ask } from "../ui/dialog.tsx";
import { count } from "../ui/format.ts";
import { useLoading } from "../ui/loading.ts";
import { Empty, Failure, Waiting } from "../ui/states.tsx";
import { ObjectPanel } from "./object-panel.tsx";
import { ObjectTable } from "./object-table.tsx";
import { StoreView } from "./store-view.tsx";
import { UploadArea } from "./upload-area.tsx";

/** How long typing in the search may pause before it is asked, in milliseconds. */
const SEARCH_PAUSE_MS = 250;

/** What is in a bucket below a prefix: folders and objects, page by page. */
export function ObjectsView({ bucket, prefix }: { bucket: string; prefix: string }) {
  const { connection, transfers, say } = useSession();
  const [search, setSearch] = useState("");
  const [pages, setPages] = useState<string[]>([""]);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [open, setOpen] = useState<string>();
  const [isDeleting, setDeleting] = useState(false);
  const sought = useSettled(search.trim());
  const token = pages.at(-1) ?? "";
  useEffect(() => {
    setPages([""]);
    setChosen(new Set());
  }, [prefix, sought]);
  useEffect(() => setSearch(""), [prefix]);
  const load = (signal: AbortSignal) => listObjects(connection, bucket, prefix + sought, { token, signal });
  const page = useLoading(load, [connection, bucket, prefix, sought, token]);
  useReloadAfterUploads(page.reload);
  const isNothing = page.value !== undefined && page.value.folders.length + page.value.objects.length === 0;
  return (
    <UploadArea add={(files) => transfers.add(bucket, prefix, files)}>
      <Folders bucket={bucket} prefix={prefix} />
      {page.value && <StoreView bucket={bucket} prefix={prefix} folders={page.value.folders} />}
      <div class="tools">
        <input
          type="search"
          placeholder="Search by prefix"
          aria-label={prefix === "" ? "Search by prefix" : `Search by prefix in ${prefix}`}
          value={search}
          onInput={(event) => setSearch(event.currentTarget.value)}
        />
        {chosen.size > 0 && (
          <button type="button" class="danger" onClick={() => setDeleting(true)}>
            Delete {chosen.size}
          </button>
        )}
        <button type="button" onClick={page.reload}>
          Refresh
        </button>
      </div>
      <Failure error={page.error} retry={page.reload} />
      {page.isLoading && page.value === undefined && <Waiting what="objects" />}
      {isNothing && <Nothing sought={sought} />}
      {page.value && !isNothing && (
        <ObjectTable
          bucket={bucket}
          prefix={prefix}
          page={page.value}
          chosen={chosen}
          choose={setChosen}
          open={setOpen}
        />
      )}
      <Pager pages={pages} page={page.value} turn={setPages} />
      {open !== undefined && (
        <ObjectPanel bucket={bucket} objectKey={open} close={() => setOpen(undefined)} changed={page.reload} />
      )}
      {isDeleting && (
        <DeleteChosen
          bucket={bucket}
          chosen={chosen}
          close={() => setDeleting(false)}
          deleted={(howMany) => {
            setChosen(new Set());
            say(`${count(howMany, "object")} deleted.`);
            page.reload();
          }}
        />
      )}
    </UploadArea>
  );
}

function Nothing({ sought }: { sought: string }) {
  if (sought !== "") {
    return (
      <Empty title="Nothing found">
        <p>
          No key here begins with “<bdi>{sought}</bdi>”.
        </p>
      </Empty>
    );
  }
  return (
    <Empty title="Nothing here yet">
      <p>Drop files or folders anywhere on this page, or choose them with the buttons above.</p>
    </Empty>
  );
}

/** The way to a prefix, each folder a link. */
function Folders({ bucket, prefix }: { bucket: string; prefix: string }) {
  if (prefix === "") return null;
  const parts = prefix.split("/").slice(0, -1);
  return (
    <nav class="path" aria-label="Folders">
      <a href={href({ bucket })}>top</a>
      {parts.map((part, index) => {
        const path = `${parts.slice(0, index + 1).join("/")}/`;
        return (
          <span key={path}>
            <span aria-hidden="true"> / </span>
            <a href={href({ bucket, prefix: path })} aria-current={path === prefix ? "page" : undefined}>
              <bdi>{part || "(empty name)"}</bdi>
            </a>
          </span>
        );
      })}
    </nav>
  );
}

function Pager({ pages, page, turn }: { pages: string[]; page: Page | undefined; turn: (pages: string[]) => void }) {
  if (pages.length === 1 && !page?.next) return null;
  return (
    <nav class="pager" aria-label="Pages">
      <button type="button" disabled={pages.length === 1} onClick={() => turn(pages.slice(0, -1))}>
        Previous
      </button>
      <span>Page {pages.length}</span>
      <button type="button" disabled={!page?.next} onClick={() => page && turn([...pages, page.next])}>
        Next
      </button>
    </nav>
  );
}

interface DeleteProps {
  bucket: string;
  chosen: ReadonlySet<string>;
  close: () => void;
  deleted: (howMany: number) => void;
}

/** Deletes objects, and all that is below chosen folders. */
function DeleteChosen({ bucket, chosen, close, deleted }: DeleteProps) {
  const { connection } = useSession();
  const folders = [...chosen].filter((key) => key.endsWith("/"));
  const perform = async () => {
    let howMany = 0;
    const remove = async (keys: string[]) => {
      const refused = await deleteObjects(
        connection,
        bucket,
        keys.map((key) => ({ key })),
      );
      const [first] = refused;
      if (first !== undefined)
        throw new Error(`${refused.length} could not be deleted, ${first.key} first: ${first.message}`);
      howMany += keys.length;
    };
    await remove([...chosen].filter((key) => !key.endsWith("/")));
    for (const folder of folders) {
      for (;;) {
        const { objects } = await listObjects(connection, bucket, folder, { isDeep: true, most: 1000 });
        if (objects.length === 0) break;
        await remove(objects.map(({ key }) => key));
      }
    }
    deleted(howMany);
  };
  return (
    <Ask
      title={`Delete ${count(chosen.size, "entry", "entries")}?`}
      action="Delete"
      close={close}
      perform={perform}
      isDangerous
    >
      <ul class="names">
        {[...chosen].slice(0, 10).map((key) => (
          <li key={key}>
            <bdi>{key}</bdi>
          </li>
        ))}
      </ul>
      {chosen.size > 10 && <p>and {chosen.size - 10} more</p>}
      {folders.length > 0 && <p>Everything in the folders is deleted too.</p>}
    </Ask>
  );
}

/** A text once it has not changed for a moment. */
function useSettled(text: string): string {
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), text === "" ? 0 : SEARCH_PAUSE_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return settled;
}

/** Lists again each time all uploads are through. */
function useReloadAfterUploads(reload: () => void): void {
  const { transfers } = useSession();
  useEffect(() => {
    let wasBusy = false;
    return transfers.subscribe(() => {
      const isBusy = transfers.list.some(({ state }) => state === "waiting" || state === "sending");
      if (wasBusy && !isBusy) reload();
      wasBusy = isBusy;
    });
  }, [transfers, reload]);
}

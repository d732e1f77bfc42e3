import { useEffect, useId, useRef, useState } from "preact/hooks";
import { S3Error } from "../s3/s3-error.ts";
import { useSession } from "../session.ts";
import { useLoading } from "../ui/loading.ts";
import { Failure, Waiting } from "../ui/states.tsx";
import { lineOf } from "./error-line.ts";

interface Props {
  /** What it is, in a sentence: `bucket policy`. */
  what: string;
  /** The document; undefined where there is none. */
  read: () => Promise<string | undefined>;
  save: (text: string) => Promise<void>;
  remove: () => Promise<void>;
  /** Throws an Error when it can't be read; its message may say `line N`. */
  check: (text: string) => void;
  /** What a new one begins with. */
  example: string;
}

interface Wrong {
  error: unknown;
  line: number | undefined;
}

/** Edits a document of a bucket; what the server refuses is shown at its line. */
export function DocumentEditor({ what, read, save, remove, check, example }: Props) {
  const { say } = useSession();
  const stored = useLoading(read, [what]);
  const [text, setText] = useState("");
  const [wrong, setWrong] = useState<Wrong>();
  const [isBusy, setBusy] = useState(false);
  useEffect(() => setText(stored.value ?? ""), [stored.value]);
  if (stored.isLoading && stored.value === undefined) return <Waiting what={`the ${what}`} />;
  if (stored.error !== undefined) return <Failure error={stored.error} retry={stored.reload} />;
  const run = async (work: () => Promise<void>, done: string) => {
    setBusy(true);
    setWrong(undefined);
    try {
      await work();
      say(done);
      stored.reload();
    } catch (error) {
      setWrong({ error, line: lineOf(text, error) });
    }
    setBusy(false);
  };
  const submit = (event: Event) => {
    event.preventDefault();
    void run(async () => {
      check(text);
      await save(text);
    }, `The ${what} is saved.`);
  };
  const hasOne = stored.value !== undefined;
  return (
    <form class="document" onSubmit={submit}>
      {!hasOne && text === "" && (
        <p>
          There is no {what}.{" "}
          <button type="button" onClick={() => setText(example)}>
            Begin with an example
          </button>
        </p>
      )}
      <Lines what={what} text={text} setText={setText} wrong={wrong} />
      {wrong && (
        <div class="failure" role="alert">
          <div>
            <strong>{wrong.error instanceof S3Error ? wrong.error.code : "It can't be read"}</strong>
            {wrong.line !== undefined && <strong>, line {wrong.line}</strong>}
            <p>{wrong.error instanceof Error ? wrong.error.message : String(wrong.error)}</p>
          </div>
        </div>
      )}
      <footer>
        <button type="submit" class="primary" disabled={isBusy || text.trim() === ""}>
          Save {what}
        </button>
        {hasOne && (
          <button type="button" class="danger" disabled={isBusy} onClick={() => run(remove, `The ${what} is removed.`)}>
            Remove {what}
          </button>
        )}
      </footer>
    </form>
  );
}

/** The text with the numbers of its lines. */
function Lines({
  what,
  text,
  setText,
  wrong,
}: {
  what: string;
  text: string;
  setText: (text: string) => void;
  wrong: Wrong | undefined;
}) {
  const id = useId();
  const area = useRef<HTMLTextAreaElement>(null);
  const count = Math.max(text.split("\n").length, 12);
  useEffect(() => {
    if (wrong?.line === undefined) return;
    const lines = (area.current?.value ?? "").split("\n");
    const start = lines.slice(0, wrong.line - 1).reduce((sum, line) => sum + line.length + 1, 0);
    area.current?.focus();
    area.current?.setSelectionRange(start, start + (lines[wrong.line - 1]?.length ?? 0));
  }, [wrong]);
  return (
    <div class="lines">
      <ol aria-hidden="true">
        {Array.from({ length: count }, (_, index) => (
          <li key={index} class={wrong?.line === index + 1 ? "wrong" : undefined} />
        ))}
      </ol>
      <label class="hidden" for={id}>
        The {what}
      </label>
      <textarea
        ref={area}
        id={id}
        rows={count}
        value={text}
        spellcheck={false}
        wrap="off"
        aria-invalid={wrong !== undefined}
        onInput={(event) => setText(event.currentTarget.value)}
      />
    </div>
  );
}

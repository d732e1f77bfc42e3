import { useEffect, useState } from "preact/hooks";
import { Failure } from "../ui/states.tsx";

type Pair = [string, string];

interface Props {
  title: string;
  /** What the two columns are called. */
  names: [string, string];
  pairs: readonly Pair[];
  /** How many of the first names stay. Default 0. */
  fixed?: number;
  /** Why nothing can be changed, if so. */
  why?: string;
  save: (pairs: Pair[]) => Promise<void>;
}

/** Names and values, to be seen and changed. */
export function PairsEditor({ title, names, pairs, fixed = 0, why, save }: Props) {
  const [edited, setEdited] = useState<Pair[]>([...pairs]);
  const [error, setError] = useState<unknown>();
  const [isBusy, setBusy] = useState(false);
  const given = JSON.stringify(pairs);
  useEffect(() => setEdited(JSON.parse(given) as Pair[]), [given]);
  const isChanged = JSON.stringify(edited) !== given;
  const set = (index: number, side: 0 | 1, text: string) =>
    setEdited(edited.map((pair, at) => (at === index ? (side === 0 ? [text, pair[1]] : [pair[0], text]) : pair)));
  const submit = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setError(undefined);
    await save(edited.filter(([name]) => name !== "")).catch(setError);
    setBusy(false);
  };
  return (
    <form class="pairs" aria-label={title} onSubmit={submit}>
      <h3>{title}</h3>
      {edited.length === 0 && <p class="faint">None.</p>}
      {edited.map(([name, value], index) => (
        <div class="pair" key={index}>
          <input
            aria-label={`${names[0]} ${index + 1}`}
            value={name}
            readOnly={index < fixed || why !== undefined}
            onInput={(event) => set(index, 0, event.currentTarget.value)}
          />
          <input
            aria-label={`${names[1]} of ${name || index + 1}`}
            value={value}
            dir="auto"
            readOnly={why !== undefined}
            onInput={(event) => set(index, 1, event.currentTarget.value)}
          />
          {index >= fixed && why === undefined && (
            <button
              type="button"
              class="quiet"
              aria-label={`Remove ${name}`}
              onClick={() => setEdited(edited.filter((_, at) => at !== index))}
            >
              ✕
            </button>
          )}
        </div>
      ))}
      <Failure error={error} />
      {why !== undefined && <p class="faint">{why}</p>}
      {why === undefined && (
        <p>
          <button type="button" onClick={() => setEdited([...edited, ["", ""]])}>
            Add {title === "Tags" ? "a tag" : "metadata"}
          </button>{" "}
          {isChanged && (
            <button type="submit" class="primary" disabled={isBusy}>
              {isBusy ? "Saving …" : `Save ${title.toLowerCase()}`}
            </button>
          )}
        </p>
      )}
    </form>
  );
}

import { useState } from "preact/hooks";
import type { Named } from "../s3/objects.ts";
import { useSession } from "../session.ts";
import { Failure } from "../ui/states.tsx";

const EXPIRIES: readonly [string, number][] = [
  ["15 minutes", 900],
  ["1 hour", 3600],
  ["1 day", 86_400],
  ["7 days", 604_800],
];

/** Makes a link that works without keys, until it expires. */
export function LinkForm({ place }: { place: Named }) {
  const { connection, say } = useSession();
  const [seconds, setSeconds] = useState(3600);
  const [link, setLink] = useState("");
  const [error, setError] = useState<unknown>();
  const make = async (event: Event) => {
    event.preventDefault();
    setError(undefined);
    try {
      const query: Record<string, string> = place.versionId === undefined ? {} : { versionId: place.versionId };
      const made = await connection.link(place, seconds, query);
      setLink(made);
      // The clipboard is there on https and localhost only; the link can be copied by hand everywhere.
      await navigator.clipboard?.writeText(made).then(
        () => say("The link is copied."),
        () => undefined,
      );
    } catch (failure) {
      setError(failure);
    }
  };
  return (
    <form class="link-form" onSubmit={make}>
      <h3>Link</h3>
      {connection.keys === undefined ? (
        <p class="faint">This server asks nobody who they are: the link does not expire.</p>
      ) : (
        <label>
          Works for
          <select value={String(seconds)} onChange={(event) => setSeconds(Number(event.currentTarget.value))}>
            {EXPIRIES.map(([text, value]) => (
              <option key={value} value={String(value)}>
                {text}
              </option>
            ))}
          </select>
        </label>
      )}
      <button type="submit">Copy link</button>
      {link !== "" && (
        <input aria-label="Link" readOnly value={link} onFocus={(event) => event.currentTarget.select()} />
      )}
      <Failure error={error} />
    </form>
  );
}

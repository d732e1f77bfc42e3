import { useState } from "preact/hooks";
import { listBuckets } from "../s3/buckets.ts";
import { Connection, type Keys } from "../s3/connection.ts";
import { S3Error } from "../s3/s3-error.ts";
import { Failure } from "../ui/states.tsx";

/** What says that the keys are right, and that only the question was not allowed. */
const KNOWN = "AccessDenied";

/** Asks for keys, and tries them. */
export function SignIn({ region, enter }: { region: string; enter: (keys: Keys) => void }) {
  const [error, setError] = useState<unknown>();
  const [isBusy, setBusy] = useState(false);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const given = new FormData(event.currentTarget as HTMLFormElement);
    const keys = { accessKeyId: String(given.get("key")).trim(), secretAccessKey: String(given.get("secret")) };
    setBusy(true);
    setError(undefined);
    try {
      await listBuckets(new Connection(region, keys));
      enter(keys);
    } catch (failure) {
      if (failure instanceof S3Error && failure.code === KNOWN) return enter(keys);
      setError(failure);
      setBusy(false);
    }
  };
  return (
    <main class="alone">
      <form class="sign-in" onSubmit={submit}>
        <img src="/_console/icon.svg" alt="" width="44" height="44" />
        <h1>Sign in</h1>
        <p>With an access key of this server. The secret stays in the memory of this tab and is never sent.</p>
        <label>
          Access key
          <input name="key" autocomplete="username" autocapitalize="off" spellcheck={false} required />
        </label>
        <label>
          Secret key
          <input name="secret" type="password" autocomplete="current-password" required />
        </label>
        <Failure error={error} />
        <button type="submit" class="primary" disabled={isBusy}>
          {isBusy ? "Signing in …" : "Sign in"}
        </button>
      </form>
    </main>
  );
}

import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { href, type Route, useRoute } from "./route.ts";
import { Connection, type Keys, serverInfo } from "./s3/connection.ts";
import { SessionContext } from "./session.ts";
import { TransferList } from "./transfer/transfer-list.tsx";
import { Transfers } from "./transfer/transfers.ts";
import { useLoading } from "./ui/loading.ts";
import { Failure, Waiting } from "./ui/states.tsx";
import { BucketView } from "./views/bucket-view.tsx";
import { BucketsView } from "./views/buckets-view.tsx";
import { FaultsView } from "./views/faults-view.tsx";
import { RequestsView } from "./views/requests-view.tsx";
import { SignIn } from "./views/sign-in.tsx";

/** How long something that is said stays. */
const SAID_MS = 6000;

/** The whole console. */
export function App() {
  const server = useLoading(serverInfo, []);
  const [keys, setKeys] = useState<Keys>();
  if (server.value === undefined) {
    return (
      <main class="alone">
        {server.error ? <Failure error={server.error} retry={server.reload} /> : <Waiting what="the console" />}
      </main>
    );
  }
  const { region, auth } = server.value;
  if (auth && keys === undefined) return <SignIn region={region} enter={setKeys} />;
  return <SignedIn region={region} keys={keys} leave={() => setKeys(undefined)} />;
}

function SignedIn({ region, keys, leave }: { region: string; keys: Keys | undefined; leave: () => void }) {
  const route = useRoute();
  const [said, setSaid] = useState("");
  const timer = useRef<number | undefined>(undefined);
  const say = useCallback((message: string) => {
    clearTimeout(timer.current);
    setSaid(message);
    timer.current = window.setTimeout(() => setSaid(""), SAID_MS);
  }, []);
  const session = useMemo(() => {
    const connection = new Connection(region, keys);
    return { connection, transfers: new Transfers(connection), say };
  }, [region, keys, say]);
  useEffect(() => () => session.transfers.cancelAll(), [session]);
  useTitle(route);
  return (
    <SessionContext.Provider value={session}>
      <button type="button" class="skip" onClick={skipToContent}>
        Skip to the content
      </button>
      <header class="top">
        <a class="brand" href={href({ view: "buckets" })}>
          <img src="/_console/icon.svg" alt="" width="28" height="28" />
          <span>holdfast</span>
        </a>
        <nav aria-label="Console">
          <Tab
            to={href({ view: "buckets" })}
            text="Buckets"
            isHere={route.view === "buckets" || route.view === "bucket"}
          />
          <Tab to={href({ view: "requests" })} text="Requests" isHere={route.view === "requests"} />
          <Tab to={href({ view: "faults" })} text="Faults" isHere={route.view === "faults"} />
        </nav>
        {keys && (
          <div class="who">
            <bdi>{keys.accessKeyId}</bdi>
            <button type="button" class="quiet" onClick={leave}>
              Sign out
            </button>
          </div>
        )}
      </header>
      <main id="content" tabIndex={-1}>
        <View route={route} />
      </main>
      <TransferList />
      <p class={said ? "said" : "said hidden"} role="status">
        {said}
      </p>
    </SessionContext.Provider>
  );
}

function View({ route }: { route: Route }) {
  switch (route.view) {
    case "bucket":
      return <BucketView key={route.bucket} route={route} />;
    case "requests":
      return <RequestsView />;
    case "faults":
      return <FaultsView />;
    default:
      return <BucketsView />;
  }
}

function Tab({ to, text, isHere }: { to: string; text: string; isHere: boolean }) {
  return (
    <a href={to} aria-current={isHere ? "page" : undefined}>
      {text}
    </a>
  );
}

function useTitle({ view, bucket, prefix }: Route): void {
  useEffect(() => {
    document.title = `${view === "bucket" ? `${bucket}/${prefix}` : view} · holdfast`;
  }, [view, bucket, prefix]);
}

function skipToContent(): void {
  document.getElementById("content")?.focus();
}

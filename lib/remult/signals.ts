type Close = () => Promise<void>;

const SIGNALS = ["SIGINT", "SIGTERM"] as const;
const open = new Set<Close>();

/** Closes at SIGINT, SIGTERM and when the process has nothing left to do, until the answer is called. */
export function closeAtExit(close: Close): () => void {
  if (open.size === 0) {
    for (const signal of SIGNALS) process.on(signal, onSignal);
    process.on("beforeExit", onBeforeExit);
  }
  open.add(close);
  return () => {
    open.delete(close);
    if (open.size === 0) stopListening();
  };
}

function stopListening(): void {
  for (const signal of SIGNALS) process.off(signal, onSignal);
  process.off("beforeExit", onBeforeExit);
}

async function onSignal(signal: NodeJS.Signals): Promise<void> {
  await closeAll();
  stopListening();
  // Nobody else decides how the process ends: it ends as if nobody had listened, with the signal's exit code.
  if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
}

function onBeforeExit(): void {
  void closeAll();
}

async function closeAll(): Promise<void> {
  const results = await Promise.allSettled([...open].map((close) => close()));
  for (const result of results) {
    if (result.status === "rejected") process.emitWarning(result.reason as Error, { code: "HOLDFAST_CLOSE" });
  }
}

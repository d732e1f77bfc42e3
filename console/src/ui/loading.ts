import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { isAborted } from "../s3/connection.ts";

/** Something that is loaded from the server. */
export interface Loading<T> {
  /** The last that came; stays while it is loaded again. */
  value: T | undefined;
  error: unknown;
  isLoading: boolean;
  reload(): void;
}

/** Loads, and loads again when one of `inputs` differs; of two answers the later question's counts. */
export function useLoading<T>(load: (signal: AbortSignal) => Promise<T>, inputs: readonly unknown[]): Loading<T> {
  const [state, setState] = useState<{ value?: T; error?: unknown; isLoading: boolean }>({ isLoading: true });
  const [round, setRound] = useState(0);
  const before = useRef(inputs);
  useEffect(() => {
    const abort = new AbortController();
    const isSame = before.current.every((input, index) => Object.is(input, inputs[index]));
    before.current = inputs;
    setState((last) => ({ ...(isSame && last.value !== undefined && { value: last.value }), isLoading: true }));
    load(abort.signal).then(
      (value) => !abort.signal.aborted && setState({ value, isLoading: false }),
      (error: unknown) => !abort.signal.aborted && !isAborted(error) && setState({ error, isLoading: false }),
    );
    return () => abort.abort();
  }, [...inputs, round]);
  const reload = useCallback(() => setRound((last) => last + 1), []);
  return { value: state.value, error: state.error, isLoading: state.isLoading, reload };
}

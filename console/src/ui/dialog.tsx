import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { Failure } from "./states.tsx";

interface DialogProps {
  title: string;
  close: () => void;
  children: ComponentChildren;
  /** A panel at the side instead of a box in the middle. */
  isPanel?: boolean;
}

/** A modal dialog: the browser keeps the focus in it and closes it on Escape. */
export function Dialog({ title, close, children, isPanel }: DialogProps) {
  const element = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    element.current?.showModal();
  }, []);
  return (
    <dialog ref={element} class={isPanel ? "panel" : "box"} aria-labelledby={id} onClose={close}>
      <header>
        <h2 id={id}>
          <bdi>{title}</bdi>
        </h2>
        <button type="button" class="quiet" aria-label="Close" onClick={() => element.current?.close()}>
          ✕
        </button>
      </header>
      {children}
    </dialog>
  );
}

interface AskProps {
  title: string;
  /** What the button says. */
  action: string;
  close: () => void;
  /** Does it; the dialog closes when that is done and shows the error otherwise. */
  perform: () => Promise<void>;
  isDangerous?: boolean;
  /** Whether the button can be pressed. Default true. */
  isReady?: boolean;
  children: ComponentChildren;
}

/** A question with one answer that does something. */
export function Ask({ title, action, close, perform, isDangerous, isReady = true, children }: AskProps) {
  const [error, setError] = useState<unknown>();
  const [isBusy, setBusy] = useState(false);
  const submit = async (event: Event) => {
    event.preventDefault();
    if (!isReady || isBusy) return;
    setBusy(true);
    setError(undefined);
    try {
      await perform();
      close();
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };
  return (
    <Dialog title={title} close={close}>
      <form onSubmit={submit}>
        {children}
        <Failure error={error} />
        <footer>
          <button type="button" onClick={close}>
            Cancel
          </button>
          <button type="submit" class={isDangerous ? "danger" : "primary"} disabled={!isReady || isBusy}>
            {isBusy ? "Working …" : action}
          </button>
        </footer>
      </form>
    </Dialog>
  );
}

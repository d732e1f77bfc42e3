import type { ComponentChildren } from "preact";
import { useRef, useState } from "preact/hooks";
import { chosenFiles, droppedFiles } from "../transfer/dropped-files.ts";
import type { NamedFile } from "../transfer/transfers.ts";

/** Takes files and folders, by button and by drag and drop. */
export function UploadArea({ add, children }: { add: (files: NamedFile[]) => void; children: ComponentChildren }) {
  const [isOver, setOver] = useState(false);
  const files = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  const chosen = (event: { currentTarget: HTMLInputElement }) => {
    add(chosenFiles(event.currentTarget.files));
    // The same file may be chosen again.
    event.currentTarget.value = "";
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    if (event.dataTransfer !== null) void droppedFiles(event.dataTransfer).then(add);
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dropping is a second way; the buttons are for the keyboard
    <div
      class={isOver ? "drop over" : "drop"}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={(event) => event.currentTarget === event.target && setOver(false)}
      onDrop={drop}
    >
      <div class="tools">
        <button type="button" class="primary" onClick={() => files.current?.click()}>
          Upload files
        </button>
        <button type="button" onClick={() => folder.current?.click()}>
          Upload a folder
        </button>
        <input ref={files} type="file" multiple hidden aria-label="Files to upload" onChange={chosen} />
        <input ref={folder} type="file" hidden aria-label="Folder to upload" {...FOLDER} onChange={chosen} />
      </div>
      {children}
    </div>
  );
}

const FOLDER = { webkitdirectory: true };

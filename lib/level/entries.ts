import type { native } from "../native.js";

/** Below this size a copy costs less than keeping the whole page alive for one value. */
const COPY_BYTES = 4096;

/** A key and its value; the value is absent where none was asked for. */
export type Entry = [key: Buffer, value: Buffer | undefined];

/** The entries of a page, in order. */
export function unpack({ data, lengths }: native.LevelPage, values: boolean): Entry[] {
  const entries: Entry[] = [];
  let offset = 0;
  const take = (length: number): Buffer => {
    const part = data.subarray(offset, offset + length);
    offset += length;
    return length < COPY_BYTES ? Buffer.from(part) : part;
  };
  for (let at = 0; at < lengths.length; at += 2) {
    const key = take(lengths[at] ?? 0);
    const value = take(lengths[at + 1] ?? 0);
    entries.push([key, values ? value : undefined]);
  }
  return entries;
}

import { href } from "../route.ts";
import type { Page } from "../s3/objects.ts";
import { baseName } from "../s3/path.ts";
import { bytes, time } from "../ui/format.ts";

interface Props {
  bucket: string;
  prefix: string;
  page: Page;
  chosen: ReadonlySet<string>;
  choose: (chosen: ReadonlySet<string>) => void;
  open: (key: string) => void;
}

/** A page of folders and objects. */
export function ObjectTable({ bucket, prefix, page, chosen, choose, open }: Props) {
  const keys = [...page.folders, ...page.objects.map(({ key }) => key)];
  const areAll = keys.length > 0 && keys.every((key) => chosen.has(key));
  const toggle = (key: string) => {
    const next = new Set(chosen);
    if (!next.delete(key)) next.add(key);
    choose(next);
  };
  return (
    <table>
      <caption class="hidden">Objects</caption>
      <thead>
        <tr>
          <th scope="col" class="check">
            <input
              type="checkbox"
              aria-label="Choose all on this page"
              checked={areAll}
              onChange={() => choose(new Set(areAll ? [] : keys))}
            />
          </th>
          <th scope="col">Name</th>
          <th scope="col" class="number">
            Size
          </th>
          <th scope="col" class="wide">
            Changed
          </th>
        </tr>
      </thead>
      <tbody>
        {page.folders.map((folder) => (
          <tr key={folder}>
            <Check name={folder} isChosen={chosen.has(folder)} toggle={() => toggle(folder)} />
            <th scope="row">
              <a class="folder" href={href({ bucket, prefix: folder })}>
                <bdi>{folder.slice(prefix.length)}</bdi>
              </a>
            </th>
            <td />
            <td class="wide" />
          </tr>
        ))}
        {page.objects.map(({ key, size, modified }) => (
          <tr key={key}>
            <Check name={key} isChosen={chosen.has(key)} toggle={() => toggle(key)} />
            <th scope="row">
              <button type="button" class="link" onClick={() => open(key)}>
                <bdi>{key.slice(prefix.length) || `(this folder: ${baseName(key)})`}</bdi>
              </button>
            </th>
            <td class="number">{bytes(size)}</td>
            <td class="wide">{time(modified)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Check({ name, isChosen, toggle }: { name: string; isChosen: boolean; toggle: () => void }) {
  return (
    <td class="check">
      <input type="checkbox" aria-label={`Choose ${name}`} checked={isChosen} onChange={toggle} />
    </td>
  );
}

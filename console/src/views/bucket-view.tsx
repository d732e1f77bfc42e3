import { href, type Route } from "../route.ts";
import { CorsEditor, LifecycleEditor, PolicyEditor } from "./bucket-editors.tsx";
import { ObjectsView } from "./objects-view.tsx";
import { UnfinishedView } from "./unfinished-view.tsx";
import { VersioningView } from "./versioning-view.tsx";

const TABS = [
  ["objects", "Objects"],
  ["versioning", "Versions"],
  ["unfinished", "Unfinished uploads"],
  ["policy", "Policy"],
  ["cors", "CORS"],
  ["lifecycle", "Lifecycle"],
] as const;

/** One bucket. */
export function BucketView({ route }: { route: Route }) {
  const { bucket, tab } = route;
  return (
    <>
      <nav class="path" aria-label="Path">
        <a href={href({ view: "buckets" })}>Buckets</a> <span aria-hidden="true">/</span>{" "}
        <a href={href({ bucket })}>{bucket}</a>
      </nav>
      <h1>{bucket}</h1>
      <nav class="tabs" aria-label="Bucket">
        {TABS.map(([name, text]) => (
          <a key={name} href={href({ bucket, tab: name })} aria-current={tab === name ? "page" : undefined}>
            {text}
          </a>
        ))}
      </nav>
      <Content route={route} />
    </>
  );
}

function Content({ route: { bucket, tab, prefix } }: { route: Route }) {
  switch (tab) {
    case "versioning":
      return <VersioningView bucket={bucket} />;
    case "unfinished":
      return <UnfinishedView bucket={bucket} />;
    case "policy":
      return <PolicyEditor bucket={bucket} />;
    case "cors":
      return <CorsEditor bucket={bucket} />;
    case "lifecycle":
      return <LifecycleEditor bucket={bucket} />;
    default:
      return <ObjectsView bucket={bucket} prefix={prefix} />;
  }
}

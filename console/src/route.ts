import { useEffect, useState } from "preact/hooks";

/** Where in the console somebody is, as the part of the address behind `#`. Any name may stand in it. */
export interface Route {
  view: "buckets" | "bucket" | "requests" | "faults";
  bucket: string;
  tab: string;
  prefix: string;
}

const VIEWS = ["buckets", "bucket", "requests", "faults"] as const;

export function readRoute(hash: string): Route {
  const given = new URLSearchParams(hash.replace(/^#/, ""));
  const bucket = given.get("bucket") ?? "";
  const view = VIEWS.find((known) => known === given.get("view")) ?? (bucket === "" ? "buckets" : "bucket");
  return { view, bucket, tab: given.get("tab") ?? "objects", prefix: given.get("prefix") ?? "" };
}

/** The address of a place in the console. */
export const href = (route: Partial<Record<keyof Route, string>>): string =>
  `#${new URLSearchParams(route).toString()}`;

export function useRoute(): Route {
  const [route, setRoute] = useState(() => readRoute(location.hash));
  useEffect(() => {
    const read = () => setRoute(readRoute(location.hash));
    window.addEventListener("hashchange", read);
    // The address may have changed between the first picture and now.
    read();
    return () => window.removeEventListener("hashchange", read);
  }, []);
  return route;
}

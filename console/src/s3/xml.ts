declare global {
  interface Window {
    trustedTypes?: {
      createPolicy(name: string, rules: { createHTML(text: string): string }): { createHTML(text: string): string };
    };
  }
}

// The page's policy refuses text in every place that makes markup of it. The XML parser is one of those places in the
// browser's eyes, and the only one that the console uses: what it makes is a document apart, which is never shown.
const answers = window.trustedTypes?.createPolicy("s3-xml", { createHTML: (text) => text });

/** Reads an answer of S3; gives back its root element. */
export function parseXml(text: string): Element {
  const parsed = new DOMParser().parseFromString(answers?.createHTML(text) ?? text, "application/xml");
  return parsed.documentElement;
}

/** The elements of that name directly below another. */
export const all = (parent: Element, name: string): Element[] =>
  [...parent.children].filter((child) => child.localName === name);

/** The text of the element at a path of names below another, "" where there is none. */
export function text(parent: Element, ...path: string[]): string {
  let found: Element | undefined = parent;
  for (const name of path) found = found && all(found, name)[0];
  return found?.textContent ?? "";
}

/** An element as it is written: a name, and text or elements in it. */
export type Written = readonly [name: string, content: string | readonly Written[]];

/** Writes a document in S3's namespace. */
export function writeXml([name, content]: Written): string {
  const namespace = "http://s3.amazonaws.com/doc/2006-03-01/";
  const made = document.implementation.createDocument(namespace, name);
  const fill = (parent: Element, inside: Written[1]): void => {
    if (typeof inside === "string") {
      parent.textContent = inside;
      return;
    }
    for (const [childName, childContent] of inside) {
      fill(parent.appendChild(made.createElementNS(namespace, childName)), childContent);
    }
  };
  fill(made.documentElement, content);
  return new XMLSerializer().serializeToString(made);
}

/** Undoes `encoding-type=url`. */
export const decodeName = (name: string): string => decodeURIComponent(name.replace(/\+/g, " "));

// abstract-leveldown ships no types: what leveldown.ts uses of it.
declare module "abstract-leveldown" {
  export const AbstractLevelDOWN: new (manifest: object) => object;
  export const AbstractIterator: new (db: object) => object;
}

// A to-do list that several terminals share, without a server. Start it in two of them:
//   node examples/p2p.mjs ada
//   node examples/p2p.mjs bob
// A line adds a to-do, a number ticks one off, an empty line ends.
import { createInterface } from "node:readline/promises";
import { createStore } from "holdfast";

const name = process.argv[2] ?? "somebody";
const store = await createStore({
  name: `todo-${name}`,
  adapter: "p2p",
  discovery: { method: "mdns", topic: "holdfast example to-do list" },
  secret: process.env.TODO_SECRET ?? "only for this example",
  peers: process.argv.slice(3),
});

async function show() {
  const todos = await store.records.list({ prefix: "todo/" });
  for (const [at, { value }] of todos.entries()) console.log(`${at + 1} [${value.done ? "x" : " "}] ${value.title}`);
}

store.on("peer:connect", ({ peer }) => console.log(`+ ${peer.slice(0, 8)} is there`));
store.on("peer:disconnect", ({ peer }) => console.log(`- ${peer.slice(0, 8)} is gone`));
store.on("sync:complete", show);

console.log(`${name} is ${store.p2p.id.slice(0, 8)} at ${store.p2p.addresses().join(", ")}`);
for await (const line of createInterface({ input: process.stdin })) {
  if (line === "") break;
  const found = (await store.records.list({ prefix: "todo/" }))[Number(line) - 1];
  if (found === undefined)
    await store.records.put(`todo/${Date.now()}-${name}`, { title: line, done: false, by: name });
  else await store.records.put(found.key, { ...found.value, done: true });
  await show();
}
await store.close();

// Every adapter keeps every promise: one named test a case and adapter.
import { ADAPTERS } from "./adapters.js";
import { runSuite } from "./suite.js";
import "./records.js";
import "./kv.js";
import "./blobs.js";
import "./events.js";
import "./lifecycle.js";
import "./watch.js";
import "./subscribe.js";

for (const adapter of ADAPTERS) runSuite(adapter);

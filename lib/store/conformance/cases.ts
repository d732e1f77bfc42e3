// The whole suite: importing a file defines its cases.
import "./methods.js";
import "./records.js";
import "./kv.js";
import "./blobs.js";
import "./events.js";
import "./lifecycle.js";
import "./watch.js";
import "./subscribe.js";

export { cases } from "./suite.js";

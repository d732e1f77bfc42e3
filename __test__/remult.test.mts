import * as holdfast from "holdfast";
import * as remult from "remult";

import { remultSuite } from "./remult-suite.js";

remultSuite("createS3DataProvider in an ES module", { holdfast, remult });

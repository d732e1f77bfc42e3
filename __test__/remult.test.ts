import * as holdfast from "holdfast";
import * as remult from "remult";

import { remultSuite } from "./remult-suite.js";

remultSuite("createS3DataProvider in CommonJS", { holdfast, remult });

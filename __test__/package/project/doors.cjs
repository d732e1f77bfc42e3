// All four doors, with `require`. Prints "all doors" when each has kept and given back what it was given.
const { createS3DataProvider, createStore, SmartStorage } = require("holdfast");
const { S3Level } = require("holdfast/level");
const S3LevelDown = require("holdfast/leveldown");
const remult = require("remult");
const { useDoors } = require("./use-doors.cjs");

useDoors({ SmartStorage, createStore, createS3DataProvider, S3Level, S3LevelDown, remult });
